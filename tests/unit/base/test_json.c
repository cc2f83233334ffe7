/* test_json.c: JSON, clocks, progress. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/jsonx.h"
#include "base/progress.h"

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

Test(jsonx, refuses_duplicates_and_reads_with_a_default)
{
        AUTO_ERR err = { 0 };
        cr_assert_null(jx_parse("{\"a\":1,\"a\":2}", 13, &err));
        AUTO_JSON j = jx_parse("{\"n\":\"5\",\"b\":true,\"s\":null}", 27, &err);
        cr_assert_eq(jx_int(j, "n", -1), -1, "a text is not a number");
        cr_assert(jx_bool(j, "b", false));
        cr_assert_str_eq(jx_str(j, "s", "none"), "none");
        cr_assert_null(jx_get(NULL, "x"));
        AUTO_FREE char *words = jx_words(jx_get(j, "b"));
        cr_assert_str_eq(words, "yes");
        AUTO_FREE char *sorted = jx_dump_sorted(j);
        cr_assert_str_eq(sorted, "{\"b\":true,\"n\":\"5\",\"s\":null}");
}

Test(clock, reads_back_what_it_wrote)
{
        char iso[32];
        int64_t back = 0;
        clock_iso(1758376927123, iso);
        cr_assert(clock_parse_iso(iso, &back));
        cr_assert_eq(back, 1758376927123);
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

Test(clock, refuses_what_is_no_time)
{
        int64_t ms;
        cr_assert_not(clock_parse_iso("", &ms));
        cr_assert_not(clock_parse_iso("yesterday", &ms));
        cr_assert(strlen(clock_boot_id()) == 36);
        setenv("PGSHERPA_CLOCK", "1795207260123", 1);
        cr_assert_eq(clock_wall_ms(), 1795207260123);
        cr_assert_eq(clock_boot_ms(), 1795207260123);
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
