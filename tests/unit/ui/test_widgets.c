#include <criterion/criterion.h>
#include <locale.h>

#include "ui/keys.h"
#include "ui/widgets/answers.h"
#include "ui/widgets/edit.h"
#include "ui/widgets/list.h"

Test(list, the_cursor_is_always_visible)
{
        List l = { 0 };
        static const int keys[] = { 'j', 'k', K_PGDN, K_PGUP, 'g', 'G', ' ', 'b', K_UP, K_DOWN };
        unsigned seed = 7;
        for (int i = 0; i < 20000; i++) {
                seed = seed * 1103515245u + 12345u;
                if (i % 50 == 0)
                        list_fit(&l, (int)(seed >> 16) % 40, (int)(seed >> 8) % 12);
                list_key(&l, keys[(seed >> 16) % LEN(keys)]);
                cr_assert(l.cursor >= 0 && (l.n == 0 || l.cursor < l.n));
                cr_assert(l.cursor >= l.top && l.cursor < l.top + l.height);
                cr_assert(l.top >= 0 && (l.n < l.height || l.top + l.height <= l.n));
        }
}

Test(edit, moves_and_erases_whole_characters)
{
        Edit e;
        edit_init(&e, "aé漢", false);
        cr_assert(edit_key(&e, K_BACKSPACE));
        cr_assert_str_eq(e.text, "aé");
        edit_key(&e, K_LEFT);
        edit_key(&e, 0x2713);
        cr_assert_str_eq(e.text, "a✓é");
        edit_key(&e, K_HOME);
        edit_key(&e, K_DELETE);
        cr_assert_str_eq(e.text, "✓é");
        edit_key(&e, K_CTRL('U'));
        cr_assert_str_eq(e.text, "");
        cr_assert_not(edit_key(&e, K_ESC));
        edit_done(&e);
}

Test(edit, a_hidden_field_never_reaches_the_canvas)
{
        setlocale(LC_CTYPE, "C.UTF-8");
        Canvas *cv = canvas_new(1, 40, TIER_UTF8);
        Edit e;
        edit_init(&e, "", true);
        for (const char *p = "hunter2secret"; *p; p++)
                edit_key(&e, *p);
        edit_draw(&e, cv, 0, 0, 40, true);
        AUTO_FREE char *text = canvas_dump(cv);
        cr_assert(!strstr(text, "hunter") && strstr(text, "(hidden)"));
        edit_done(&e);
        canvas_free(cv);
}

static json_t *parse(const char *question, const char *text, Err *err)
{
        AUTO_ERR e = { 0 };
        AUTO_JSON q = jx_parse(question, strlen(question), &e);
        json_t *value = NULL;
        cr_assert(q);
        return answer_parse(q, text, &value, err) ? value : NULL;
}

Test(answers, text_and_back_is_the_same_json)
{
        static const char *const pairs[][2] = {
                { "{\"type\":\"list\",\"item\":\"name\"}", "[\"web\",\"worker\"]" },
                { "{\"type\":\"int\"}", "17" },
                { "{\"type\":\"bool\"}", "true" },
                { "{\"type\":\"path\"}", "\"/srv/app\"" },
                { "{\"type\":\"list\",\"item\":\"service\"}",
                  "[{\"name\":\"web\",\"health\":\"http://h/"
                  "x\",\"within\":\"120s\"},{\"name\":\"db\"}]" },
        };
        for (size_t i = 0; i < LEN(pairs); i++) {
                AUTO_ERR err = { 0 };
                AUTO_JSON q = json_loads(pairs[i][0], 0, NULL);
                AUTO_JSON want = json_loads(pairs[i][1], JSON_DECODE_ANY, NULL);
                AUTO_FREE char *text = answer_text(q, want);
                AUTO_JSON got = parse(pairs[i][0], text, &err);
                cr_assert(got && json_equal(got, want), "%s", text);
        }
}

Test(answers, says_at_once_what_can_be_said)
{
        AUTO_ERR a = { 0 };
        AUTO_ERR b = { 0 };
        AUTO_ERR c = { 0 };
        cr_assert_null(parse("{\"type\":\"int\"}", "seventeen", &a));
        cr_assert(strstr(a.message, "not a whole number"));
        cr_assert_null(parse("{\"type\":\"name\"}", "", &b));
        cr_assert_null(parse("{\"type\":\"image\",\"pattern\":\".+:.+\"}", "postgres", &c));
}

Test(answers, durations_and_sizes_read_as_a_runbook_writes_them)
{
        static const struct {
                const char *type;
                int64_t n;
                const char *text;
        } cases[] = { { "duration", 86400000, "1d" }, { "duration", 5400000, "90m" },
                      { "duration", 250, "250ms" },   { "size", 500LL << 20, "500MB" },
                      { "size", 3LL << 30, "3GB" },   { "size", 1000, "1000" },
                      { "int", 86400000, "86400000" } };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_JSON q = json_pack("{s:s}", "type", cases[i].type);
                AUTO_JSON v = json_integer(cases[i].n);
                AUTO_FREE char *text = answer_text(q, v);
                cr_assert_str_eq(text, cases[i].text);
        }
}
