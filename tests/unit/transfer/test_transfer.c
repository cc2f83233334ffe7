#include <criterion/criterion.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/rowhash.h"
#define SEED 7
#include "transfer/foreign/foreign.h"
#include "transfer/make/graph_internal.h"
#include "transfer/read/passfile.h"
#include "transfer/state/harmless.h"
#include "transfer/read/props.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"
#include "tests/fakes/scratch.h"

Test(transfer, what_failed_beside_is_not_forgotten_when_the_work_begins)
{
        AUTO_ERR err = { 0 };
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ 0 });
        AUTO_POOL p = pool_new(&(PoolOwner){ 0 });
        cr_assert_not(transfer_stopped(t, &err));
        transfer_interrupt(t, true);
        transfer_pool(t, p);
        cr_assert(transfer_stopped(t, &err));
        err_clear(&err);
        transfer_pool(t, NULL);
        cr_assert_not(transfer_stopped(t, &err));
}

Test(work, more_workers_build_with_less_memory_each)
{
        cr_assert_eq(graph_build_memory(1024, 16000, 2), 1024);
        cr_assert_eq(graph_build_memory(1024, 16000, 32), 250);
        cr_assert_eq(graph_build_memory(1024, 2000, 32), 64,
                     "never less than a server's own default");
        cr_assert_eq(graph_build_memory(256, 16000, 2), 256);
}

Test(hash, order_does_not_matter_and_content_does)
{
        cr_assert_eq(row_hash(SEED, "a\n", 2) + row_hash(SEED, "b\n", 2),
                     row_hash(SEED, "b\n", 2) + row_hash(SEED, "a\n", 2));
        char text[100];
        memset(text, 'x', sizeof text);
        uint64_t h = row_hash(SEED, text, sizeof text);
        for (size_t i = 0; i < sizeof text; i++) {
                text[i] = 'y';
                cr_assert_neq(row_hash(SEED, text, sizeof text), h, "byte %zu does not count", i);
                text[i] = 'x';
        }
        for (size_t n = 1; n < sizeof text; n++)
                cr_assert_neq(row_hash(SEED, text, n), row_hash(SEED, text, n - 1));
}

static void heard(void *arg, const Progress *p)
{
        *(Progress *)arg = *p;
}

static double nine(void *arg, const Slot *slots)
{
        *(double *)arg = progress_fraction(&slots[2]);
        return 9;
}

Test(progress, goes_by_rows_where_statistics_know_them_and_is_never_quite_done)
{
        Progress p = { 0 };
        double seen = -1;
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .progress = heard, .arg = &p });
        progress_stage(t, "copying", "bytes", 3000, 2);
        progress_left(t, nine, &seen);
        progress_begin(t, 2, "public.a", &(Slot){ .total = 1000, .expected = 100, .weight = 1000 });
        progress_moved(t, 2, 7000, 25);
        transfer_tick(t);
        cr_assert_eq(p.done, 250, "%lld", (long long)p.done);
        cr_assert_eq(p.row_count, 25);
        cr_assert_eq(p.eta_ms, 9000);
        cr_assert_float_eq(seen, 0.25, 1e-9);
        progress_moved(t, 2, 7000, 500); /* the statistics were old */
        transfer_tick(t);
        cr_assert_eq(p.done, 980, "%lld", (long long)p.done);
        progress_end(t, 2, 1);
        progress_begin(t, 2, "public.b", &(Slot){ .total = 1000, .weight = 1000 });
        progress_moved(t, 2, 500, 1);
        progress_begin(t, 3, "INDEX i", &(Slot){ .weight = 1000 });
        cr_assert_lt(progress_fraction(&t->slots[3]), 0);
        progress_at(t, 3, 0.5);
        transfer_tick(t);
        cr_assert_eq(p.done, 1000 + 500 + 500, "%lld", (long long)p.done);
        progress_end(t, 2, 1);
        progress_end(t, 3, 0);
        transfer_tick(t);
        cr_assert_eq(p.done, 3000);
}

Test(passfile, is_read_by_a_child_and_is_gone_afterwards)
{
        Err err = { 0 };
        char word[] = "p:w\\d";
        AUTO_SECRET s = secret_take("test", word, 5);
        const PgClientWhere wheres[] = { PG_CLIENT_DIR, PG_CLIENT_IMAGE };
        for (size_t i = 0; i < LEN(wheres); i++) {
                AUTO_FREE char *path = NULL;
                {
                        AUTO_PASSFILE p = { .fd = -1 };
                        cr_assert(passfile_make(s, wheres[i], &p, &err));
                        path = xstrdup(p.path);
                        struct stat st;
                        cr_assert_eq(stat(path, &st), 0);
                        cr_assert(S_ISREG(st.st_mode));
                        cr_assert_eq(st.st_mode & 0777, 0600);
                        AUTO_FREE char *text = NULL;
                        size_t n;
                        cr_assert(io_read_file(path, 100, &text, &n, &err), "%s", err.message);
                        cr_assert_str_eq(text, "*:*:*:*:p\\:w\\\\d\n");
                }
                cr_assert_not(io_exists(path));
        }
}

static bool collect(void *arg, const char *what, const Sql *q, Err *err)
{
        AUTO_FREE char *text = plain_sql(q);
        buf_printf(arg, "%s;\n", text);
        return true;
}

Test(props, are_said_again_for_psql_without_naming_the_database)
{
        Err err = { 0 };
        const char text[] =
                "{\"owner\":\"o'w\\\"n\",\"own_acl\":true,\"acl\":[{\"grantee\":null,\"privilege\":"
                "\"CONNECT\",\"grantable\":false}],\"connlimit\":7,\"comment\":\"it's\","
                "\"settings\":[{\"role\":null,\"set\":\"search_path=\\\"$user\\\", "
                "public\"},{\"role\":\"r\",\"set\":\"a.b=c=d\"}],\"lacks\":[\"SCHEMA "
                "public\",\"TABLE t\"]}";
        AUTO_JSON props = jx_parse(text, sizeof text - 1, &err);
        AUTO_BUF b = buf_init(10000);
        cr_assert(props_each(props, NULL, collect, &b, &err));
        cr_assert_str_eq(
                buf_str(&b),
                "DROP SCHEMA public;\n" /* it is in template0; nothing else is ever dropped */
                "REVOKE ALL ON DATABASE :\"DBNAME\" FROM PUBLIC, \"o'w\"\"n\";\n"
                "GRANT CONNECT ON DATABASE :\"DBNAME\" TO PUBLIC;\n"
                "ALTER DATABASE :\"DBNAME\" set \"search_path\" to '$user', 'public';\n"
                "ALTER ROLE \"r\" IN DATABASE :\"DBNAME\" set \"a\".\"b\" to 'c=d';\n"
                "ALTER DATABASE :\"DBNAME\" CONNECTION LIMIT 7;\n"
                "COMMENT ON DATABASE :\"DBNAME\" IS 'it''s';\n");
        /* By name they are said from another database, where nothing may be dropped. */
        buf_reset(&b);
        cr_assert(props_each(props, "d", collect, &b, &err));
        cr_assert_null(strstr(buf_str(&b), "DROP"));
}

Test(classes, know_an_error_by_code_object_and_words)
{
        AUTO_ERR err = { 0 };
        err_set(&err, ERR_SERVER, "COMMENT EXTENSION pg_trgm: must be owner of extension pg_trgm");
        snprintf(err.sqlstate, sizeof err.sqlstate, "42501");
        const HarmlessError *c = harmless_find("COMMENT EXTENSION pg_trgm", &err);
        cr_assert(c);
        cr_assert_str_eq(c->name, "extension-comment");
        cr_assert_null(harmless_find("COMMENT TABLE pg_trgm", &err));
        snprintf(err.sqlstate, sizeof err.sqlstate, "42704");
        cr_assert_null(harmless_find("COMMENT EXTENSION pg_trgm", &err));
}

Test(source, a_directory_that_was_written_to_is_another_one)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *toc = io_join(dir, "toc.dat");
        AUTO_FREE char *rows = io_join(dir, "3001.dat.gz");
        SourceStamp before, same, after;
        cr_assert(io_replace_file(toc, "PGDMP", 5, 0600, &err) &&
                  io_replace_file(rows, "abc", 3, 0600, &err));
        cr_assert(source_stamp(dir, &before, &err) && source_stamp(dir, &same, &err));
        cr_assert_eq(before.size, 8);
        cr_assert(before.changed == same.changed && before.inode == same.inode);
        AUTO_FD int fd = open(rows, O_WRONLY | O_CLOEXEC);
        /* in place: the directory's own time stays */
        cr_assert(fd >= 0 && pwrite(fd, "x", 1, 0) == 1);
        cr_assert_eq(futimens(fd, (struct timespec[]){ { 1, 0 }, { 1, 0 } }), 0);
        cr_assert(source_stamp(dir, &after, &err));
        cr_assert(after.size == before.size && after.changed != before.changed);
        cr_assert(io_remove_tree(dir, &err));
}
