/* What a second reader of src/base found, and what its headers promise. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fmt.h"
#include "base/frame.h"
#include "base/io.h"
#include "base/jsonx.h"
#include "base/limits.h"
#include "base/redact.h"
#include "base/text.h"
#include "tests/fakes/scratch.h"

/* ---- err ---- */

Test(err, may_be_set_from_its_own_message)
{
        AUTO_ERR err = { 0 };
        err_set(&err, ERR_USER, "inner");
        err_set(&err, ERR_SERVER, "outer of %s", err.message);
        cr_assert_str_eq(err.message, "outer of inner");
        err_hint(&err, "a");
        err_hint(&err, "%s and b", err.hint);
        cr_assert_str_eq(err.hint, "a and b");
        err_set_errno(&err, ENOENT, "opening %s", err.message);
        cr_assert_str_eq(err.message, "opening outer of inner: No such file or directory");
        cr_assert_null(err.hint, "a new error has no old hint");
}

Test(err, moves_without_leaving_a_copy)
{
        AUTO_ERR a = { 0 };
        AUTO_ERR b = { 0 };
        err_set(&a, ERR_LINK, "gone");
        err_set(&b, ERR_USER, "old");
        err_move(&b, &a);
        cr_assert_str_eq(b.message, "gone");
        cr_assert_eq(a.kind, ERR_NONE);
        cr_assert_null(a.message);
        cr_assert(err_is_retryable(&b));
}

Test(err, knows_which_sqlstates_may_be_tried_again)
{
        const struct {
                const char *state;
                bool again;
        } cases[] = {
                { "40001", true }, { "40P01", true },  { "53300", true },  { "08006", true },
                { "57P03", true }, { "42501", false }, { "53100", false }, { "23505", false }
        };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_ERR err = { 0 };
                err_set(&err, ERR_SERVER, "x");
                memcpy(err.sqlstate, cases[i].state, 6);
                cr_assert_eq(err_is_retryable(&err), cases[i].again, "%s", cases[i].state);
        }
}

/* ---- arena, buf ---- */

Test(arena, gives_zeroed_aligned_memory_also_for_large_and_reused_pieces)
{
        AUTO_ARENA a = arena_new();
        ArenaMark m = arena_mark(a);
        static const size_t sizes[] = { 0, 1, 17, 4096, 5000, 3 * 1024 * 1024, 24 };
        for (int round = 0; round < 2; round++) {
                for (size_t i = 0; i < LEN(sizes); i++) {
                        unsigned char *p = arena_alloc(a, sizes[i]);
                        cr_assert_eq((uintptr_t)p % 16, 0);
                        for (size_t k = 0; k < sizes[i]; k++)
                                cr_assert_eq(p[k], 0);
                        memset(p, 0xff, sizes[i]);
                }
                arena_reset(a, m);
        }
        cr_assert_null(arena_strdup(a, NULL));
}

Test(buf, takes_all_or_nothing_and_is_empty_after_take)
{
        AUTO_BUF b = buf_init(8);
        cr_assert_str_eq(buf_str(&b), "");
        cr_assert(buf_printf(&b, "%d", 12345678));
        cr_assert_not(buf_addc(&b, 'x'));
        size_t n;
        AUTO_FREE char *text = buf_take(&b, &n);
        cr_assert_str_eq(text, "12345678");
        cr_assert_eq(n, 8);
        cr_assert_eq(b.len, 0);
        AUTO_FREE char *nothing = buf_take(&b, NULL);
        cr_assert_str_eq(nothing, "");
}

/* ---- fmt ---- */

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

/* ---- text ---- */

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

/* ---- redact ---- */

static Secret *secret_of(const char *text)
{
        AUTO_FREE char *copy = xstrdup(text);
        return secret_take("test", copy, strlen(copy));
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

/* ---- io ---- */

Test(io, replaces_the_file_behind_a_link_and_keeps_its_mode)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *file = io_join(dir, "real.yml");
        AUTO_FREE char *link = io_join(dir, "link.yml");
        cr_assert(io_replace_file(file, "old", 3, 0640, &err), "%s", err.message);
        cr_assert_eq(symlink("real.yml", link), 0);
        cr_assert(io_replace_file(link, "new!", 4, 0600, &err), "%s", err.message);
        struct stat st;
        cr_assert(lstat(link, &st) == 0 && S_ISLNK(st.st_mode), "the link is still one");
        cr_assert(stat(file, &st) == 0 && (st.st_mode & 07777) == 0640);
        AUTO_FREE char *now = NULL;
        size_t n;
        cr_assert(io_read_file(file, 10, &now, &n, &err));
        cr_assert_str_eq(now, "new!");
        cr_assert_not(io_read_file(file, 3, &now, &n, &err), "more than allowed is an error");
        cr_assert(io_remove_tree(dir, &err), "%s", err.message);
        cr_assert_not(io_exists(dir));
}

Test(io, makes_directories_and_says_when_a_file_is_in_the_way)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *deep = io_join(dir, "a/b/c");
        AUTO_FREE char *file = io_join(dir, "file");
        AUTO_FREE char *below = io_join(file, "x");
        cr_assert(io_mkdir_p(deep, 0700, &err), "%s", err.message);
        cr_assert(io_mkdir_p(deep, 0700, &err), "twice is fine");
        cr_assert(io_replace_file(file, "", 0, 0600, &err));
        cr_assert_not(io_mkdir_p(file, 0700, &err));
        cr_assert_not(io_mkdir_p(below, 0700, &err));
        cr_assert_not(io_mkdir_p("", 0700, &err));
        cr_assert(io_remove_tree(dir, &err));
}

Test(io, removes_a_link_and_not_what_it_leads_to)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *other = scratch_dir();
        AUTO_FREE char *kept = io_join(other, "kept");
        AUTO_FREE char *link = io_join(dir, "link");
        cr_assert(io_replace_file(kept, "x", 1, 0600, &err));
        cr_assert_eq(symlink(other, link), 0);
        cr_assert(io_remove_tree(dir, &err), "%s", err.message);
        cr_assert(io_exists(kept));
        cr_assert(io_remove_tree(other, &err));
        cr_assert(io_remove_tree(other, &err), "nothing there is nothing to do");
}

/* ---- frame ---- */

Test(frame, reads_messages_whatever_way_they_were_cut)
{
        int pair[2];
        AUTO_ERR err = { 0 };
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        static const char wire[] = "\0\0\0\x08{\"a\": 1}\0\0\0\x02[]";
        FrameReader r = frame_reader_init();
        int seen = 0;
        for (size_t i = 0; i < sizeof wire - 1; i++) {
                bool eof;
                cr_assert_eq(write(pair[0], wire + i, 1), 1);
                cr_assert(frame_fill(&r, pair[1], &eof, &err) && !eof);
                for (;;) {
                        json_t *j = NULL;
                        cr_assert(frame_next(&r, &j, &err), "%s", err.message);
                        if (!j)
                                break;
                        seen += seen == 0 ? jx_int(j, "a", 0) == 1 : json_is_array(j);
                        json_decref(j);
                }
        }
        cr_assert_eq(seen, 2);
        frame_reader_done(&r);
        close(pair[0]);
        close(pair[1]);
}

Test(frame, refuses_a_length_that_nobody_sends)
{
        int pair[2];
        AUTO_ERR err = { 0 };
        bool eof;
        json_t *j;
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        cr_assert_eq(write(pair[0], "\xff\xff\xff\xff", 4), 4);
        FrameReader r = frame_reader_init();
        cr_assert(frame_fill(&r, pair[1], &eof, &err));
        cr_assert_not(frame_next(&r, &j, &err));
        AUTO_FREE char *big = xcalloc(1, LIMIT_FRAME + 1);
        memset(big, 'x', LIMIT_FRAME);
        AUTO_JSON text = json_string(big);
        cr_assert_not(frame_send(pair[0], text, &err));
        close(pair[0]);
        cr_assert(frame_fill(&r, pair[1], &eof, &err) && eof);
        frame_reader_done(&r);
        close(pair[1]);
}

/* ---- the rest ---- */

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

Test(digest, in_pieces_and_of_a_file_is_the_same)
{
        AUTO_ERR err = { 0 };
        char whole[65], pieces[65], file[65];
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *path = io_join(dir, "x");
        static char bytes[200000];
        memset(bytes, 7, sizeof bytes);
        digest_hex_of(bytes, sizeof bytes, whole);
        AUTO_DIGEST d = digest_new();
        for (size_t i = 0; i < sizeof bytes; i += 1000)
                digest_add(d, bytes + i, 1000);
        digest_hex(d, pieces);
        int64_t size;
        cr_assert(io_replace_file(path, bytes, sizeof bytes, 0600, &err));
        cr_assert(digest_hex_of_file(path, file, &size, &err));
        cr_assert_str_eq(whole, pieces);
        cr_assert_str_eq(whole, file);
        cr_assert_eq(size, (int64_t)sizeof bytes);
        cr_assert(io_remove_tree(dir, &err));
}

Test(random, passwords_have_only_letters_and_digits_and_never_repeat)
{
        char a[33], b[33];
        random_password(32, a);
        random_password(32, b);
        cr_assert_str_neq(a, b);
        cr_assert_eq(strspn(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                     32);
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
