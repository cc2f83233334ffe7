#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <wchar.h>

#include "base/text.h"
#include "ui/canvas.h"
#include "ui/glyphs.h"
#include "ui/layout.h"

static void utf8(void)
{
        setlocale(LC_CTYPE, "C.UTF-8");
}

TestSuite(canvas, .init = utf8);

static char *row(const Canvas *cv, int y)
{
        char *all = canvas_dump(cv), *p = all;
        for (int i = 0; i < y; i++)
                p = strchr(p, '\n') + 1;
        char *one = xstrndup(p, strcspn(p, "\n"));
        free(all);
        return one;
}

Test(canvas, clips_at_every_side)
{
        Canvas *cv = canvas_new(3, 10, TIER_UTF8);
        cv_text(cv, -1, 0, ROLE_TEXT, "above");
        cv_text(cv, 3, 0, ROLE_TEXT, "below");
        cv_text(cv, 1, -3, ROLE_TEXT, "abcdef");
        cv_text(cv, 2, 7, ROLE_TEXT, "abcdef");
        AUTO_FREE char *text = canvas_dump(cv);
        cr_assert_str_eq(text, "\ndef\n       abc\n");
        canvas_free(cv);
}

Test(canvas, counts_columns_not_bytes)
{
        Canvas *cv = canvas_new(1, 12, TIER_UTF8);
        cr_assert_eq(cv_width(cv, "größe"), 5);
        cr_assert_eq(cv_width(cv, "漢字"), 4);
        cv_right(cv, 0, 12, ROLE_TEXT, "größe");
        AUTO_FREE char *text = row(cv, 0);
        cr_assert_str_eq(text, "       größe");
        canvas_free(cv);
}

Test(canvas, half_a_wide_character_is_never_left_over)
{
        Canvas *cv = canvas_new(1, 6, TIER_UTF8);
        cv_text(cv, 0, 0, ROLE_TEXT, "漢字漢");
        cv_text(cv, 0, 1, ROLE_TEXT, "x"); /* over the right half of the first */
        cv_text(cv, 0, 2, ROLE_TEXT, "y"); /* over the left half of the second */
        AUTO_FREE char *text = row(cv, 0);
        cr_assert_str_eq(text, " xy 漢");
        cv_text(cv, 0, 5, ROLE_TEXT, "字"); /* no room for both halves */
        AUTO_FREE char *after = row(cv, 0);
        cr_assert_str_eq(after, " xy");
        canvas_free(cv);
}

Test(canvas, nothing_from_outside_can_move_the_cursor)
{
        Canvas *cv = canvas_new(1, 20, TIER_UTF8);
        cv_text(cv, 0, 0, ROLE_TEXT,
                "a\033[2Jb\xff\x80"
                "c\r\n\x9b");
        for (int x = 0; x < 20; x++) {
                const char *ch = canvas_cell(cv, 0, x)->ch;
                cr_assert((unsigned char)ch[0] >= 0x20 && ch[0] != 0x7f);
                cr_assert(strlen(ch) == 0 || text_is_utf8(ch, strlen(ch)));
        }
        canvas_free(cv);
}

Test(canvas, cuts_with_two_dots_and_names_in_the_middle)
{
        Canvas *cv = canvas_new(3, 20, TIER_UTF8);
        cv_cut(cv, 0, 0, 10, ROLE_TEXT, "Remove the old volume");
        cv_cut_middle(cv, 1, 0, 12, ROLE_TEXT, "public.a_very_long_name_2026");
        cv_cut(cv, 2, 0, 10, ROLE_TEXT, "exactly 10");
        AUTO_FREE char *a = row(cv, 0);
        AUTO_FREE char *b = row(cv, 1);
        AUTO_FREE char *c = row(cv, 2);
        cr_assert_str_eq(a, "Remove t..");
        cr_assert_str_eq(b, "publi.._2026");
        cr_assert_str_eq(c, "exactly 10");
        canvas_free(cv);
}

Test(canvas, wraps_at_spaces_and_says_how_many_rows)
{
        Canvas *cv = canvas_new(6, 12, TIER_UTF8);
        const char *text = "one two three abcdefghijklmnop\n\nend";
        cr_assert_eq(cv_wrap_rows(cv, 10, text), 6);
        cr_assert_eq(cv_wrap(cv, (Rect){ 0, 0, 6, 10 }, ROLE_TEXT, text), 6);
        AUTO_FREE char *all = canvas_dump(cv);
        cr_assert_str_eq(all, "one two\nthree\nabcdefghij\nklmnop\n\nend\n");
        canvas_free(cv);
}

Test(canvas, every_mark_differs_from_every_other_in_every_tier)
{
        for (int tier = TIER_ASCII; tier <= TIER_UTF8; tier++) {
                Canvas *cv = canvas_new(1, 16, (Tier)tier);
                for (int m = MARK_DONE; m <= MARK_CURSOR; m++)
                        cv_mark(cv, 0, m, (Mark)m);
                for (int a = MARK_DONE; a <= MARK_CURSOR; a++)
                        for (int b = a + 1; b <= MARK_CURSOR; b++)
                                cr_assert_str_neq(canvas_cell(cv, 0, a)->ch,
                                                  canvas_cell(cv, 0, b)->ch);
                canvas_free(cv);
        }
}

Test(canvas, the_ascii_tier_holds_nothing_but_ascii)
{
        Canvas *cv = canvas_new(8, 40, TIER_ASCII);
        double rates[] = { 1, 5, 3, 9, 0, 7 };
        cv_box(cv, (Rect){ 0, 0, 8, 40 }, "größe – ✓");
        cv_bar(cv, 2, 2, 20, 0.5);
        cv_spark(cv, 3, 2, 10, rates, LEN(rates));
        cv_rule(cv, 4, 2, 30, "漢字", "→");
        AUTO_FREE char *text = canvas_dump(cv);
        for (const char *p = text; *p; p++)
                cr_assert((unsigned char)*p < 0x80);
        cr_assert(strstr(text, "##########.........."));
        canvas_free(cv);
}

Test(canvas, a_bar_is_full_only_at_the_end)
{
        Canvas *cv = canvas_new(1, 10, TIER_ASCII);
        cv_bar(cv, 0, 0, 10, 0.999);
        AUTO_FREE char *a = row(cv, 0);
        cr_assert_str_eq(a, "#########.");
        cv_bar(cv, 0, 0, 10, 7);
        AUTO_FREE char *b = row(cv, 0);
        cr_assert_str_eq(b, "##########");
        canvas_free(cv);
}

/* The parts of the screen never overlap, and fill it. */
Test(canvas, layouts_fill_the_screen_at_every_size)
{
        for (int rows = 1; rows <= 60; rows++)
                for (int cols = 1; cols <= 160; cols++) {
                        Layout l = layout_make(rows, cols);
                        Rect parts[] = {
                                l.title, l.rail, l.rule, l.body, l.rule2, l.message, l.keys
                        };
                        int sum = 0, y = 0;
                        for (size_t i = 0; i < LEN(parts); i++) {
                                if (!parts[i].h)
                                        continue;
                                cr_assert_eq(parts[i].y, y);
                                cr_assert_eq(parts[i].w, cols);
                                y += parts[i].h;
                                sum += parts[i].h;
                        }
                        cr_assert_eq(sum, rows);
                        Rect d = layout_dialog(&l, 30, 76);
                        cr_assert(d.y >= l.body.y && d.y + d.h <= l.body.y + l.body.h);
                        cr_assert(d.x >= 0 && d.x + d.w <= cols);
                }
}
