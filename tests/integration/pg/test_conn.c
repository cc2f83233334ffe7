/* The only door to libpq: what goes through it, and what must not. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "lab.h"
#include "pg/database.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}

Test(conn, opens_a_database_with_a_name_that_is_a_connection_string)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_PG Pg *in = NULL;
        AUTO_FREE char *name = xasprintf("test_%d_host=evil dbname='x' \"\n😀", (int)getpid());
        DatabaseSpec d = { .name = name, .connlimit = -1, .comment = "it's \"odd\"\\" };
        cr_assert(pg_database_create(pg, &d, &err), "%s", err.message);
        cr_assert(pg_database_dress(pg, &d, &err), "%s", err.message);
        cr_assert(pg_reopen(pg, name, &in, &err), "%s", err.message);
        AUTO_FREE char *is = lab_value(in, "select current_database()");
        cr_assert_str_eq(is, name);
        in = pg_close(in);
        cr_assert(pg_database_drop(pg, name, true, &err), "%s", err.message);
}

Test(conn, pins_what_values_look_like)
{
        for (int major = 13; major <= 17; major += 4) {
                AUTO_PG Pg *pg = lab_open(major, NULL);
                AUTO_FREE char *seen = lab_value(
                        pg, "select concat_ws(' | ', timestamptz '2020-01-02 03:04+00', interval "
                            "'1 day 2 hours', 0.1::float8, '\\x00ff'::bytea, "
                            "current_setting('search_path'), current_setting('lock_timeout'))");
                cr_assert_str_eq(seen, "2020-01-02 03:04:00+00 | 1 day 02:00:00 | 0.1 | \\x00ff | "
                                       "pg_catalog | 0");
        }
}

Test(conn, tells_a_wrong_password_from_a_server_that_is_away)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        Pg *pg = NULL;
        char wrong[] = "wrong";
        lab_params(17, NULL, &p);
        AUTO_SECRET s = secret_take("wrong password", wrong, strlen(wrong));
        p.password = s;
        cr_assert_not(pg_open(&p, &pg, &err));
        cr_assert_str_eq(err.sqlstate, "28P01");
        cr_assert_eq(err.kind, ERR_SERVER);
        cr_assert_not_null(err.hint);
        err_clear(&err);
        lab_params(17, "no such database", &p);
        cr_assert_not(pg_open(&p, &pg, &err));
        cr_assert_str_eq(err.sqlstate, "3D000");
        err_clear(&err);
        p.port = 1;
        cr_assert_not(pg_open(&p, &pg, &err));
        cr_assert_eq(err.kind, ERR_LINK);
        cr_assert(err_is_retryable(&err));
}

static void *cancel_soon(void *pg)
{
        nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000 * 1000 }, NULL);
        pg_cancel(pg);
        return NULL;
}

Test(conn, can_be_cancelled_from_another_thread)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(17, NULL);
        pthread_t thread;
        pthread_create(&thread, NULL, cancel_soon, pg);
        cr_assert_not(pg_do(pg, "select pg_sleep(20)", &err));
        pthread_join(thread, NULL);
        cr_assert_eq(err.kind, ERR_CANCELLED, "%s", err.message);
}

Test(conn, a_statement_timeout_is_not_a_cancel)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = NULL;
        PgParams p;
        lab_params(17, NULL, &p);
        p.statement_timeout_ms = 50;
        cr_assert(pg_open(&p, &pg, &err));
        cr_assert_not(pg_do(pg, "select pg_sleep(20)", &err));
        cr_assert_eq(err.kind, ERR_SERVER);
        cr_assert_str_eq(err.sqlstate, "57014");
}

static bool copy_in(Pg *pg, const char *bytes, int times, const char *abort, int64_t *rows,
                    Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "copy pg_temp.t from stdin");
        if (!pg_copy_in_begin(pg, &q, err))
                return false;
        for (int i = 0; i < times; i++)
                if (!pg_copy_write(pg, bytes, strlen(bytes), err))
                        return false;
        return pg_copy_in_end(pg, abort, rows, err);
}

Test(conn, copies_in_and_out)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(13, NULL);
        AUTO_SQL out = { 0 };
        int64_t rows = 0;
        lab_do(pg, "create temp table t (a int, b text)");
        cr_assert(copy_in(pg, "1\tone\n2\t\\N\n", 50000, NULL, &rows, &err), "%s", err.message);
        cr_assert_eq(rows, 100000);
        cr_assert(copy_in(pg, "1\tone\n", 10, "we changed our mind", &rows, &err), "%s",
                  err.message);
        cr_assert_eq(rows, 0);
        sql_add(&out, "copy pg_temp.t to stdout");
        cr_assert(pg_copy_out_begin(pg, &out, &err));
        int64_t lines = 0;
        for (;;) {
                char *bytes = NULL;
                size_t n = 0;
                cr_assert(pg_copy_read(pg, &bytes, &n, &err));
                if (!bytes)
                        break;
                cr_assert_eq(bytes[n - 1], '\n');
                lines++;
                pg_copy_free(bytes);
        }
        cr_assert_eq(lines, 100000);
        AUTO_FREE char *still = lab_value(pg, "select 'usable'");
        cr_assert_str_eq(still, "usable");
}

Test(conn, says_where_a_copy_failed_but_not_with_what)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(17, NULL);
        int64_t rows = 0;
        lab_do(pg, "create temp table t (a int primary key, b text)");
        cr_assert_not(copy_in(pg, "1\tx\n4111-1111-1111\tJane\n", 1, NULL, &rows, &err));
        cr_assert_str_eq(err.sqlstate, "22P02");
        cr_assert_null(strstr(err.message, "4111"), "%s", err.message);
        cr_assert_null(strstr(err.message, "Jane"), "%s", err.message);
        cr_assert_not_null(strstr(err.message, "line 2"), "%s", err.message);
        err_clear(&err);
        cr_assert_not(copy_in(pg, "77001\tJane\n", 2, NULL, &rows, &err));
        cr_assert_str_eq(err.sqlstate, "23505");
        cr_assert_null(strstr(err.message, "77001"), "%s", err.message);
}

Test(conn, a_copy_that_slips_in_leaves_the_connection_usable)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(17, NULL);
        lab_do(pg, "create temp table t (a int)");
        cr_assert_not(pg_do(pg, "copy pg_temp.t from stdin", &err));
        err_clear(&err);
        cr_assert_not(pg_do(pg, "copy (select 1) to stdout", &err));
        AUTO_FREE char *still = lab_value(pg, "select 'usable'");
        cr_assert_str_eq(still, "usable");
}

static void keep_notice(void *arg, const char *severity, const char *text)
{
        buf_printf(arg, "%s: %s", severity, text);
}

Test(conn, hands_notices_on)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = NULL;
        AUTO_BUF seen = buf_init(1000);
        PgParams p;
        lab_params(17, NULL, &p);
        p.notice = keep_notice;
        p.notice_arg = &seen;
        cr_assert(pg_open(&p, &pg, &err));
        lab_do(pg, "do $$ begin raise notice E'a\\x1b[2Jb'; end $$");
        cr_assert_str_eq(buf_str(&seen), "NOTICE: a\\x1b[2Jb");
}

/* Somebody who owns a table may put a view in its place after it was listed. */
Test(conn, reads_tables_and_no_views_of_users)
{
        static const int majors[] = { 13, 15, 17, 18 };
        for (size_t i = 0; i < LEN(majors); i++) {
                AUTO_ERR err = { 0 };
                AUTO_FREE char *name = lab_database(majors[i], "reading");
                AUTO_PG Pg *pg = lab_open(majors[i], name);
                AUTO_PGRES PgRes *r = NULL;
                lab_do(pg, "create table public.t (a int); create view public.v as select 1 / a "
                           "from public.t");
                cr_assert(pg_begin_reading(pg, NULL, &err), "%s", err.message);
                cr_assert(pg_ask(pg, "select * from public.t", &r, &err), "%s", err.message);
                r = pg_res_free(r);
                cr_assert(pg_ask(pg, "select * from information_schema.schemata", &r, &err), "%s",
                          err.message);
                r = pg_res_free(r);
                cr_expect_not(pg_ask(pg, "select * from public.v", &r, &err), "%d reads a view",
                              majors[i]);
                err_clear(&err);
                cr_assert(pg_do(pg, "rollback", &err));
                cr_assert(pg_ask(pg, "select * from public.v", &r, &err), "%s", err.message);
                pg = pg_close(pg);
                lab_drop(majors[i], name);
        }
}
