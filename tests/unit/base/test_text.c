/* test_text.c: text from outside, numbers for people, secrets and where they hide in text. */
#include <criterion/criterion.h>

#include "base/fmt.h"
#include "base/limits.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/text.h"

static Secret *secret_of(const char *text)
{
        AUTO_FREE char *copy = xstrdup(text);
        return secret_take("test", copy, strlen(copy));
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

Test(text, decodes_exactly_what_it_encodes)
{
        for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x3000 ? 1 : 37) {
                if (c >= 0xd800 && c <= 0xdfff)
                        continue;
                char out[4];
                uint32_t back = 0;
                size_t n = text_encode(c, out);
                cr_assert_eq(text_decode(out, n, &back), n, "U+%04X", c);
                cr_assert_eq(back, c);
                cr_assert_eq(text_decode(out, n - 1, &back), 0, "U+%04X cut short", c);
        }
}

Test(text, refuses_overlong_surrogate_and_too_large)
{
        static const char *const bad[] = { "\xc0\xaf",
                                           "\xe0\x80\xaf",
                                           "\xf0\x80\x80\xaf",
                                           "\xed\xa0\x80",
                                           "\xf4\x90\x80\x80",
                                           "\xff",
                                           "\x80",
                                           "\xc3",
                                           "\xe2\x82" };
        for (size_t i = 0; i < LEN(bad); i++)
                cr_assert_not(text_is_utf8(bad[i], strlen(bad[i])), "%zu", i);
}

Test(text, cleaning_twice_is_cleaning_once)
{
        static const char hostile[] =
                "a\x1b]0;x\x07\r\n\t\x00\xff\xe2\x81\xa6\xe2\x80\x8f\x7f\xc2\x9bZ";
        AUTO_FREE char *once = text_clean(hostile, sizeof hostile - 1);
        AUTO_FREE char *twice = text_clean_str(once);
        cr_assert_str_eq(once, twice);
        for (const char *s = once; *s; s++)
                cr_assert((unsigned char)*s >= 0x20 && *s != 0x7f);
        AUTO_FREE char *lines = text_clean_lines("a\n\tb\x1b", 5);
        cr_assert_str_eq(lines, "a\n\tb\\x1b");
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

Test(fmt, never_writes_1024_of_a_unit)
{
        const struct {
                int64_t bytes;
                const char *text;
        } cases[] = {
                { 0, "0 bytes" },
                { 1023, "1023 bytes" },
                { 1024, "1 kB" },
                { 1024 * 1024 - 1, "1.0 MB" },
                { 1024LL * 1024 * 1024 - 1, "1.0 GB" },
                { 1023LL * 1024 * 1024, "1023.0 MB" },
                { 44239000000, "41.2 GB" },
                { INT64_MAX, "8192.0 PB" },
                { -2048, "-2 kB" },
        };
        char buf[24];
        for (size_t i = 0; i < LEN(cases); i++)
                cr_assert_str_eq(fmt_bytes(cases[i].bytes, buf), cases[i].text);
}

Test(fmt, survives_numbers_that_no_copy_has)
{
        char buf[32];
        cr_assert_str_eq(fmt_count(INT64_MIN, buf), "-9,223,372,036,854,775,808");
        cr_assert_str_eq(fmt_count(0, buf), "0");
        cr_assert_str_eq(fmt_rate(0.0 / 0.0 * 1e308, buf), "0 bytes/s");
        cr_assert_str_eq(fmt_rate(1e300, buf), "0 bytes/s");
        cr_assert_str_eq(fmt_rate(51.3 * 1024 * 1024, buf), "51.3 MB/s");
}

Test(fmt, durations_read_like_a_clock_or_like_words)
{
        char b[24];
        cr_assert_str_eq(fmt_clock(52999, b), "0:52");
        cr_assert_str_eq(fmt_clock(761000, b), "12:41");
        cr_assert_str_eq(fmt_clock(3723000, b), "1:02:03");
        cr_assert_str_eq(fmt_clock(-5, b), "0:00");
        cr_assert_str_eq(fmt_duration(250, b), "250 ms");
        cr_assert_str_eq(fmt_duration(4000, b), "4 s");
        cr_assert_str_eq(fmt_duration(360000, b), "6 min");
        cr_assert_str_eq(fmt_duration(7500000, b), "2 h 5 min");
        cr_assert_str_eq(fmt_duration(7LL * 86400000, b), "7 days");
}

Test(fmt, parses_what_people_write_and_nothing_else)
{
        static const char *const bad[] = { "",         "x",   "-1MB",         "0x10", "1e3",
                                           "1 parsec", "MB",  "1.5.",         "nan",  "inf",
                                           "1MB1",     "1mB", "99999999999TB" };
        int64_t n;
        for (size_t i = 0; i < LEN(bad); i++)
                cr_assert_not(fmt_parse_size(bad[i], &n), "%s", bad[i]);
        cr_assert(fmt_parse_size("1.5GB", &n));
        cr_assert_eq(n, 1610612736);
        cr_assert(fmt_parse_duration("250ms", &n) && n == 250);
        cr_assert(fmt_parse_duration("1.5 h", &n) && n == 5400000);
        cr_assert_not(fmt_parse_duration("5", &n) && n == 5, "a duration needs a unit");
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

Test(redact, knows_quoting_of_shells_and_sql)
{
        Secret *s = secret_of("it's-$ecret");
        AUTO_FREE char *out = redact_text("a 'it'\\''s-$ecret' b 'it''s-$ecret' c");
        cr_assert_str_eq(out, "a '(hidden)' b '(hidden)' c");
        secret_free(s);
        AUTO_FREE char *after = redact_text("it's-$ecret");
        cr_assert_str_eq(after, "it's-$ecret", "a secret that is gone is not searched for");
}

Test(redact, hides_the_longer_of_two_secrets)
{
        Secret *a = secret_of("abcd");
        Secret *b = secret_of("abcdefgh-9");
        AUTO_FREE char *out = redact_text("x abcdefgh-9 y abcd z");
        cr_assert_str_eq(out, "x (hidden) y (hidden) z");
        secret_free(a);
        secret_free(b);
}

Test(redact, knows_what_passwords_look_like)
{
        const struct {
                const char *in, *out;
        } cases[] = {
                { "postgres://u:p@ss@h:5432/db", "postgres://u:(hidden)@h:5432/db" },
                { "see http://h/a:b@c", "see http://h/a:b@c" },
                { "mail a@b, x://h:5432/db", "mail a@b, x://h:5432/db" },
                { "PGPASSWORD=x y", "PGPASSWORD=(hidden) y" },
                { "host=h password='a b' user=u", "host=h password=(hidden) user=u" },
                { "md5d41d8cd98f00b204e9800998ecf8427e", "(hidden)" },
                { "md5sum of it", "md5sum of it" },
                { "'SCRAM-SHA-256$4096:abc$x:y'", "'(hidden)'" },
                { "password authentication failed", "password authentication failed" },
        };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_FREE char *out = redact_text(cases[i].in);
                cr_assert_str_eq(out, cases[i].out);
        }
}

Test(redact, leaves_words_that_stand_in_every_journal)
{
        Secret *weak = secret_of("postgres");
        AUTO_FREE char *out = redact_text("image postgres:17");
        cr_assert_str_eq(out, "image postgres:17");
        secret_free(weak);
}

Test(secret, compares_and_has_a_name)
{
        Secret *a = secret_of("one"), *b = secret_of("one"), *c = secret_of("two");
        cr_assert(secret_equal(a, b));
        cr_assert_not(secret_equal(a, c));
        cr_assert_str_eq(secret_name(a), "test");
        cr_assert_str_eq(secret_expose(a), "one");
        cr_assert_null(secret_free(a));
        secret_free(b);
        secret_free(c);
        cr_assert_null(secret_free(NULL));
}
