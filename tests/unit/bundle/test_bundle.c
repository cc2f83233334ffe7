#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/rowhash.h"
#include "bundle/bundle.h"
#include "tests/fakes/scratch.h"

static char *dir;

static void setup(void)
{
        dir = scratch_dir();
}

static void teardown(void)
{
        AUTO_ERR err = { 0 };
        cr_assert(io_remove_tree(dir, &err));
        free(dir);
}

#define OK(call) cr_assert((call), "%s", err.message ? err.message : "")

static void add_table(BundleWriter *w, json_t *tables, const char *name, int rows)
{
        Err err = { 0 };
        AUTO_FREE char *base = bundle_table_dir("public", name);
        AUTO_FREE char *path = xasprintf("app/data/%s", base);
        AUTO_BUNDLESTREAM s = bundle_stream_new(w, "data", path, ".copy.zst");
        for (int i = 0; i < rows; i++) {
                char row[128], noise[65];
                digest_hex_of(&i, sizeof i, noise);
                int n = snprintf(row, sizeof row, "%d\t%s\n", i, noise);
                OK(bundle_stream_write(s, row, (size_t)n, &err));
        }
        int parts;
        OK(bundle_stream_end(s, &parts, &err));
        json_t *t = json_object();
        jx_set_str(t, "schema", "public");
        jx_set_str(t, "name", name);
        AUTO_FREE char *slashed = xasprintf("%s/", path);
        jx_set_str(t, "dir", slashed);
        jx_set_int(t, "rows", rows);
        jx_set_int(t, "parts", parts);
        json_array_append_new(tables, t);
}

/* A small bundle: two tables (one in several parts), SQL, a dump in two chunks. */
static char *make(void)
{
        Err err = { 0 };
        AUTO_FREE char *path = NULL;
        OK(bundle_choose(dir, "app", &path, &err));
        AUTO_BUNDLEWRITER w = NULL;
        OK(bundle_create(path, &(BundleOptions){ .run = "r1", .chunk = 8192 }, &w, &err));
        AUTO_FREE char *part = xasprintf("%s.part", path);
        cr_assert(io_exists(part));
        cr_assert_not(io_exists(path));
        OK(bundle_add(w, "text", "README.txt", "read me", 7, &err));
        OK(bundle_add(w, "sql", "app/pre-data.sql.zst", "create table t ();", 18, &err));
        json_t *db = json_object(), *tables = json_array();
        jx_set_str(db, "name", "app");
        jx_set(db, "tables", tables);
        jx_set_str(db, "dump", "app/app.dump");
        add_table(w, tables, "a.b", 300);
        add_table(w, tables, "\xf0\x9f\x90\x98\n\"odd\"", 40);
        AUTO_BUNDLESTREAM s = bundle_stream_new_file(w, "dump", "app/app.dump");
        char noise[10000];
        for (size_t i = 0; i < sizeof noise; i++)
                noise[i] = (char)(i * 2654435761u >> 11);
        OK(bundle_stream_write(s, noise, sizeof noise, &err));
        int parts;
        OK(bundle_stream_end(s, &parts, &err));
        cr_assert_eq(parts, 2);
        json_t *dbs = json_array();
        json_array_append_new(dbs, db);
        jx_set(bundle_manifest(w), "databases", dbs);
        BundleDone done;
        OK(bundle_finish(w, &done, &err));
        struct stat st;
        cr_assert_eq(stat(done.path, &st), 0);
        cr_assert_eq(st.st_mode & 0777, 0600);
        cr_assert_eq(st.st_size, done.size);
        char hex[65];
        OK(digest_hex_of_file(done.path, hex, NULL, &err));
        cr_assert_str_eq(hex, done.sha256);
        cr_assert_not(io_exists(part));
        return done.path;
}

static size_t bad_members(const char *path, json_t **ret_bad)
{
        Err err = { 0 };
        BundleReport r;
        OK(bundle_verify(path, NULL, &r, &err));
        size_t n = json_array_size(r.bad);
        if (ret_bad)
                *ret_bad = json_incref(r.bad);
        bundle_report_done(&r);
        return n;
}

/* A bundle of one binary table in several members, described as `rows` rows with `hash`. */
static char *make_binary(const char *seed, int rows, const char *hash, const char *end)
{
        Err err = { 0 };
        AUTO_FREE char *path = NULL;
        OK(bundle_choose(dir, "app", &path, &err));
        AUTO_BUNDLEWRITER w = NULL;
        OK(bundle_create(path, &(BundleOptions){ .run = "r1", .chunk = 64 }, &w, &err));
        AUTO_BUNDLESTREAM s = bundle_stream_new(w, "data", "app/data/public/t", ".bin.zst");
        OK(bundle_stream_write(s, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19, &err));
        for (int i = 0; i < 20; i++)
                OK(bundle_stream_write(s, "\0\1\0\0\0\4abcd", 10, &err));
        OK(bundle_stream_write(s, end, strlen(end), &err));
        int parts;
        OK(bundle_stream_end(s, &parts, &err));
        cr_assert_gt(parts, 2);
        json_t *t = json_object(), *db = json_object(), *tables = json_array(), *dbs = json_array();
        jx_set_str(t, "schema", "public");
        jx_set_str(t, "name", "t");
        jx_set_str(t, "dir", "app/data/public/t/");
        jx_set_str(t, "format", "binary");
        jx_set_int(t, "rows", rows);
        jx_set_int(t, "parts", parts);
        jx_set_str(t, "hash", hash);
        json_array_append_new(tables, t);
        jx_set_str(db, "name", "app");
        jx_set(db, "tables", tables);
        json_array_append_new(dbs, db);
        jx_set(bundle_manifest(w), "databases", dbs);
        jx_set_str(bundle_manifest(w), "row_hash_seed", seed);
        BundleDone done;
        OK(bundle_finish(w, &done, &err));
        return done.path;
}

Test(bundle, proves_binary_rows_from_their_bytes, .init = setup, .fini = teardown)
{
        char hex[32];
        char older[32];
        snprintf(hex, sizeof hex, "%016llx",
                 20 * (unsigned long long)row_hash(0x2a, "\0\1\0\0\0\4abcd", 10));
        snprintf(older, sizeof older, "%016llx",
                 20 * (unsigned long long)row_hash(ROW_HASH_OLDER, "\0\1\0\0\0\4abcd", 10));
        const struct {
                const char *seed;
                int rows;
                const char *hash, *end, *why;
        } cases[] = { { "2a", 20, hex, "\377\377", NULL },
                      { NULL, 20, older, "\377\377", NULL },
                      { NULL, 20, hex, "\377\377",
                        "its rows are not those the manifest describes" },
                      { "2a", 21, hex, "\377\377", "20 rows, the manifest says 21" },
                      { "2a", 20, "0000000000000001", "\377\377",
                        "its rows are not those the manifest describes" },
                      { "2a", 20, hex, "", "its rows have no beginning, or no end" } };
        for (size_t i = 0; i < LEN(cases); i++) {
                Err err = { 0 };
                BundleReport r;
                AUTO_FREE char *path =
                        make_binary(cases[i].seed, cases[i].rows, cases[i].hash, cases[i].end);
                OK(bundle_verify(path, NULL, &r, &err));
                const char *why = jx_str(json_array_get(r.bad, 0), "why", NULL);
                cr_expect(cases[i].why ? str_eq(why, cases[i].why) : !why, "%zu: %s", i,
                          why ? why : "nothing");
                if (!cases[i].why)
                        cr_expect_eq(r.rows, 20);
                bundle_report_done(&r);
        }
}

Test(bundle, verifies_what_it_wrote, .init = setup, .fini = teardown)
{
        Err err = { 0 };
        AUTO_FREE char *path = make();
        BundleReport r;
        OK(bundle_verify(path, NULL, &r, &err));
        cr_assert_eq(json_array_size(r.bad), 0);
        cr_assert_eq(r.rows, 340);
        cr_assert_eq(json_array_size(r.notes), 1, "says that no pg_restore read the dump");
        OK(bundle_note_verify(path, &r, &err));
        bundle_report_done(&r);
        AUTO_JSON list = NULL;
        OK(bundle_list(dir, &list, &err));
        cr_assert_eq(json_array_size(list), 1);
        cr_assert(jx_bool(json_array_get(list, 0), "good", false));
}

static bool collect(void *arg, const void *bytes, size_t n, Err *err)
{
        return buf_add(arg, bytes, n);
}

Test(bundle, parts_of_a_table_are_one_stream_of_whole_rows, .init = setup, .fini = teardown)
{
        Err err = { 0 };
        AUTO_FREE char *path = make();
        AUTO_BUNDLE b = NULL;
        OK(bundle_open(path, &b, &err));
        AUTO_JSON parts = bundle_parts(b, "app/data/public.a%2Eb/");
        cr_assert_gt(json_array_size(parts), 1);
        AUTO_BUF one = buf_init(1 << 20);
        OK(bundle_read(b, json_string_value(json_array_get(parts, 0)), collect, &one, &err));
        cr_assert_eq(one.data[one.len - 1], '\n');
        AUTO_BUF all = buf_init(1 << 20);
        OK(bundle_read_parts(b, parts, collect, &all, &err));
        int lines = 0;
        for (size_t i = 0; i < all.len; i++)
                lines += all.data[i] == '\n';
        cr_assert_eq(lines, 300);
        AUTO_JSON dump = bundle_parts(b, "app/app.dump");
        cr_assert_eq(json_array_size(dump), 2);
}

/* 500 single-bit flips spread over the file, and one in each of the last 4096 bytes, where
 * manifest, headers and padding are. */
Test(bundle, every_flipped_bit_is_found, .init = setup, .fini = teardown)
{
        AUTO_FREE char *path = make();
        AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
        off_t size = lseek(fd, 0, SEEK_END);
        for (int i = 0; i < 500 + 256; i++) {
                off_t at = i < 500 ? (off_t)((uint64_t)i * 2654435761u % (uint64_t)size)
                                   : size - 4096 + (i - 500) * 16;
                char was, now;
                cr_assert_eq(pread(fd, &was, 1, at), 1);
                now = (char)(was ^ (1 << (i % 8)));
                cr_assert_eq(pwrite(fd, &now, 1, at), 1);
                cr_assert_gt(bad_members(path, NULL), 0, "bit %d of byte %lld passed", i % 8,
                             (long long)at);
                cr_assert_eq(pwrite(fd, &was, 1, at), 1);
        }
        cr_assert_eq(bad_members(path, NULL), 0);
}

Test(bundle, every_truncation_is_found, .init = setup, .fini = teardown)
{
        AUTO_FREE char *path = make();
        struct stat st;
        cr_assert_eq(stat(path, &st), 0);
        for (off_t cut = st.st_size - 1; cut > 0; cut -= st.st_size / 100 + 1) {
                cr_assert_eq(truncate(path, cut), 0);
                cr_assert_gt(bad_members(path, NULL), 0, "cut to %lld passed", (long long)cut);
        }
}

Test(bundle, names_the_member_that_is_bad, .init = setup, .fini = teardown)
{
        Err err = { 0 };
        AUTO_FREE char *path = make();
        int64_t offset;
        {
                AUTO_BUNDLE b = NULL;
                OK(bundle_open(path, &b, &err));
                offset = jx_int(jx_get(jx_get(bundle_manifest_of(b), "members"),
                                       "app/data/public.a%2Eb/000002.copy.zst"),
                                "offset", -1);
        }
        AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
        cr_assert_eq(pwrite(fd, "\377\377\377", 3, offset + 50), 3);
        AUTO_JSON bad = NULL;
        cr_assert_geq(bad_members(path, &bad), 1);
        cr_assert_str_eq(jx_str(json_array_get(bad, 0), "member", ""),
                         "app/data/public.a%2Eb/000002.copy.zst");
}

Test(bundle, an_unfinished_one_leaves_nothing, .init = setup, .fini = teardown)
{
        Err err = { 0 };
        AUTO_FREE char *path = NULL;
        OK(bundle_choose(dir, "app", &path, &err));
        {
                AUTO_BUNDLEWRITER w = NULL;
                OK(bundle_create(path, &(BundleOptions){ 0 }, &w, &err));
                OK(bundle_add(w, "text", "README.txt", "x", 1, &err));
                BundleWriter *second = NULL;
                cr_assert_not(bundle_create(path, &(BundleOptions){ 0 }, &second, &err));
                err_clear(&err);
                cr_assert_not(bundle_add(w, "text", "README.txt", "x", 1, &err), "twice");
                err_clear(&err);
        }
        AUTO_JSON list = NULL;
        OK(bundle_list(dir, &list, &err));
        cr_assert_eq(json_array_size(list), 0);
        cr_assert_eq(rmdir(dir), 0, "the .part is still there");
        cr_assert_eq(mkdir(dir, 0700), 0);
}

Test(bundle, everybody_is_told_the_first_reason, .init = setup, .fini = teardown)
{
        AUTO_ERR first = { 0 };
        AUTO_ERR second = { 0 };
        AUTO_ERR last = { 0 };
        AUTO_FREE char *path = xasprintf("%s/full_20260101_000000.pgs.tar", dir);
        AUTO_FREE char *much = xcalloc(1, 65536);
        BundleDone done;
        signal(SIGXFSZ, SIG_IGN);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 8192, RLIM_INFINITY }), 0);
        AUTO_BUNDLEWRITER w = NULL;
        cr_assert(bundle_create(path, &(BundleOptions){ 0 }, &w, &first));
        cr_assert_not(bundle_add(w, "text", "a", much, 65536, &first));
        cr_assert(strstr(first.message, "too large"), "%s", first.message);
        cr_assert_not(bundle_add(w, "text", "b", "b", 1, &second));
        cr_assert_str_eq(second.message, first.message);
        cr_assert_not(bundle_finish(w, &done, &last));
        cr_assert(strstr(last.message, first.message), "%s", last.message);
}

Test(bundle, members_grow_before_their_numbers_run_out, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = xasprintf("%s/big_20260101_000000.pgs.tar", dir);
        AUTO_BUNDLEWRITER w = NULL;
        char piece[1024] = { 0 };
        int members;
        OK(bundle_create(path, &(BundleOptions){ .chunk = sizeof piece }, &w, &err));
        for (int raw = 0; raw < 2; raw++) {
                AUTO_BUNDLESTREAM s = bundle_stream_new_part(w, "data", raw ? "raw" : "rows",
                                                             raw ? ".x" : ".zst", 0, 16);
                for (int i = 0; i < 100; i++)
                        OK(bundle_stream_write(s, piece, sizeof piece, &err));
                OK(bundle_stream_end(s, &members, &err));
                cr_assert(members > 8 && members <= 16, "%d", members);
        }
}

Test(bundle, names_stay_apart_and_short)
{
        AUTO_FREE char *a = bundle_table_dir("a.b", "c");
        AUTO_FREE char *b = bundle_table_dir("a", "b.c");
        cr_assert_str_neq(a, b);
        char longest[64], other[64];
        memset(longest, '\x01', 63);
        longest[63] = '\0';
        memcpy(other, longest, 64);
        other[62] = '\x02';
        AUTO_FREE char *x = bundle_table_dir(longest, longest);
        AUTO_FREE char *y = bundle_table_dir(longest, other);
        cr_assert_leq(strlen(x), 255);
        cr_assert_str_neq(x, y);
}
