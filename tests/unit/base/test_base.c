#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fmt.h"
#include "base/jsonx.h"
#include "base/progress.h"
#include "base/redact.h"
#include "base/text.h"

Test(err, wraps_from_the_outside)
{
        Err err = { 0 };
        err_set(&err, ERR_SERVER, "no such table");
        err_wrap(&err, "copying %s", "a.b");
        cr_assert_str_eq(err.message, "copying a.b: no such table");
        err_clear(&err);
        err_clear(&err);
}

Test(buf, refuses_more_than_its_maximum_whole)
{
        AUTO_BUF b = buf_init(5);
        cr_assert(buf_adds(&b, "abc"));
        cr_assert_not(buf_adds(&b, "def"));
        cr_assert(b.overflow);
        cr_assert_str_eq(buf_str(&b), "abc");
}

Test(arena, gives_back_what_was_taken_after_a_mark)
{
        AUTO_ARENA a = arena_new();
        char *kept = arena_strdup(a, "kept");
        ArenaMark m = arena_mark(a);
        for (int i = 0; i < 1000; i++)
                cr_assert_not_null(arena_printf(a, "%d %0100d", i, i));
        arena_reset(a, m);
        cr_assert_str_eq(kept, "kept");
        cr_assert_str_eq(arena_strdup(a, "again"), "again");
}

Test(text, shows_what_could_draw_on_a_terminal)
{
        static const char hostile[] = "a\x1b[2J\xff"
                                      "b\xe2\x80\xae\n\xc3\xa4";
        AUTO_FREE char *clean = text_clean(hostile, sizeof hostile - 1);
        cr_assert_str_eq(clean, "a\\x1b[2J\\xffb\\u202e\\n\xc3\xa4");
}

Test(text, finds_the_nearest_word)
{
        const char *words[] = { "pg.copy", "pg.compare", "image.pull" };
        cr_assert_str_eq(text_nearest("pg.compair", words, 3), "pg.compare");
        cr_assert_null(text_nearest("zzzzzzzzzz", words, 3));
}

Test(fmt, sizes_are_powers_of_1024)
{
        char b[24];
        cr_assert_str_eq(fmt_bytes(16777216, b), "16.0 MB");
        cr_assert_str_eq(fmt_bytes(38 * 1024, b), "38 kB");
        int64_t n = 0;
        cr_assert(fmt_parse_size("500MB", &n));
        cr_assert_eq(n, 500LL * 1024 * 1024);
        cr_assert(fmt_parse_size("2 GiB", &n));
        cr_assert_not(fmt_parse_size("12parsecs", &n));
        cr_assert_not(fmt_parse_size("-1MB", &n));
        cr_assert(fmt_parse_duration("7d", &n));
        cr_assert_eq(n, 7LL * 86400 * 1000);
        char c[32];
        cr_assert_str_eq(fmt_count(-1234567, c), "-1,234,567");
        cr_assert_str_eq(THINGS(0, "row"), "0 rows");
        cr_assert_str_eq(THINGS(1, "large object"), "1 large object");
        cr_assert_str_eq(THINGS(1234567, "table"), "1,234,567 tables");
}

Test(redact, hides_a_secret_in_all_its_forms)
{
        char bytes[] = "p@ss/w\"rd1";
        Secret *s = secret_take("pg password", bytes, strlen(bytes));
        cr_assert_eq(bytes[0], 0, "the caller's copy is wiped");
        AUTO_FREE char *out = redact_text("a p@ss/w\"rd1 b p%40ss%2Fw%22rd1 c p@ss/w\\\"rd1 d");
        cr_assert_str_eq(out, "a (hidden) b (hidden) c (hidden) d");
        secret_free(s);
        AUTO_FREE char *url = redact_text("postgres://u:geheim@h/db password=abc x");
        cr_assert_str_eq(url, "postgres://u:(hidden)@h/db password=(hidden) x");
}

Test(digest, is_sha256)
{
        char hex[65];
        digest_hex_of("abc", 3, hex);
        cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(clock, reads_back_what_it_wrote)
{
        char iso[32];
        int64_t back = 0;
        clock_iso(1758376927123, iso);
        cr_assert(clock_parse_iso(iso, &back));
        cr_assert_eq(back, 1758376927123);
}

Test(jsonx, never_holds_invalid_utf8)
{
        AUTO_JSON o = json_object();
        jx_set_str(o, "name", "a\xff");
        cr_assert_str_eq(jx_str(o, "name", NULL), "a\\xff");
}

/* What a step found is told to people: no brackets, no braces. */
Test(jsonx, says_what_it_holds_in_words)
{
        static const struct {
                const char *json, *words;
        } cases[] = { { "[]", "(none)" },
                      { "[\"a\", \"b\"]", "a, b" },
                      { "{\"tables\": 3, \"list\": []}", "tables 3, list (none)" },
                      { "[{\"kind\": \"table\", \"rows\": 1}, {\"kind\": \"view\"}]",
                        "kind table, rows 1; kind view" },
                      { "[{\"words\": \"in one word\", \"x\": 1}, null, true]",
                        "in one word, (none), yes" } };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_ERR err = { 0 };
                AUTO_JSON j = jx_parse(cases[i].json, strlen(cases[i].json), &err);
                AUTO_FREE char *words = jx_words(j);
                cr_expect_str_eq(words, cases[i].words, "%s: %s", cases[i].json, words);
        }
}

Test(clock, knows_a_time_of_day_and_a_moment_and_nothing_else)
{
        int64_t at = 0, now = clock_wall_ms();
        cr_assert(clock_parse_start("2026-11-20T22:00:00Z", &at));
        cr_assert(clock_parse_start("22:00", &at));
        cr_assert(at > now && at <= now + 25 * 3600 * 1000LL);
        static const char *const bad[] = { "",       "tomorrow maybe", "25:00", "22:60",
                                           "22:00h", "-1:00",          "noon" };
        for (size_t i = 0; i < LEN(bad); i++)
                cr_expect_not(clock_parse_start(bad[i], &at), "%s", bad[i]);
}

Test(progress, says_nothing_where_no_time_went_by_and_never_less_than_no_time)
{
        cr_assert_eq(progress_rate(1000, 0), 0);
        cr_assert_eq(progress_rate(1000, 500), 2000);
        cr_assert_eq(progress_eta(1000, 0), -1, "nobody knows");
        cr_assert_eq(progress_eta(1000, 2000), 500);
        cr_assert_eq(progress_eta(0, 2000), 0);
        cr_assert_eq(progress_eta(-1, 2000), -1, "more is done than there was");
}
