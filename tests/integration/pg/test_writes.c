/* What was written since: counted by real servers, of both ways to keep statistics (13: a process
 * and a file, 17: shared memory). */
#include "lab.h"
#include "pg/writes.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}

static json_t *look(int major, const char *db)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(major, db);
        json_t *seen = NULL;
        cr_assert(pg_writes_look(pg, &seen, &err), "%s", err.message);
        return seen;
}

static json_t *since(int major, const char *db, const json_t *then)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(major, db);
        json_t *seen = NULL;
        cr_assert(pg_writes_since(pg, then, &seen, &err), "%s", err.message);
        return seen;
}

static void write_there(int major, const char *db, const char *sql)
{
        AUTO_PG Pg *pg = lab_open(major, db);
        lab_do(pg, sql);
}

static void counts(int major)
{
        AUTO_FREE char *db = lab_database(major, "writes");
        write_there(major, db,
                    "create table public.a (i int); create table public.b (i int); "
                    "create table public.t (i int); create table public.gone (i int); "
                    "insert into public.a select generate_series(1, 9); insert into "
                    "public.t values (1)");
        AUTO_JSON then = look(major, db);
        AUTO_JSON quiet = since(major, db, then);
        AUTO_FREE char *nothing = jx_dump(jx_get(quiet, "tables"));
        cr_expect_str_eq(nothing, "[]");
        cr_expect(jx_bool(quiet, "sure", false));

        write_there(major, db,
                    "insert into public.b select generate_series(1, 40); update "
                    "public.a set i = 0 where i > 6; delete from public.a where i = 1; "
                    "truncate public.t; drop table public.gone; create table "
                    "public.fresh as select 1 as i; select lo_from_bytea(0, 'x'), "
                    "lo_from_bytea(0, 'y'); analyze");
        AUTO_JSON now = since(major, db, then);
        AUTO_FREE char *text = jx_dump(jx_get(now, "tables"));
        cr_expect_str_eq(
                text,
                "[{\"table\":\"public.b\",\"inserted\":40,\"updated\":0,\"deleted\":0,\"what\":"
                "\"\"},{\"table\":\"public.a\",\"inserted\":0,\"updated\":3,\"deleted\":1,\"what\":"
                "\"\"},{\"table\":\"large "
                "objects\",\"inserted\":2,\"updated\":0,\"deleted\":0,\"what\":\"\"},{\"table\":"
                "\"public.fresh\",\"inserted\":1,\"updated\":0,\"deleted\":0,\"what\":\"is "
                "new\"},{\"table\":\"public.t\",\"inserted\":0,\"updated\":0,\"deleted\":0,"
                "\"what\":\"was "
                "truncated or "
                "rewritten\"},{\"table\":\"public.gone\",\"inserted\":0,\"updated\":0,\"deleted\":"
                "0,\"what\":\"is "
                "gone\"}]",
                "%d: %s", major, text);
        cr_expect_eq(jx_int(now, "inserted", 0), 43);
        cr_expect(jx_bool(now, "sure", false));

        write_there(major, db, "select pg_stat_reset()");
        AUTO_JSON lost = since(major, db, then);
        cr_expect_not(jx_bool(lost, "sure", true), "%d: a reset was not noticed", major);
        lab_drop(major, db);
}

Test(writes, are_counted_by_table_on_13)
{
        counts(13);
}

Test(writes, are_counted_by_table_on_17)
{
        counts(17);
}

/* An application that stays: its first insert is reported at once, the second is kept back. */
static Pg *inserted_and_idle(int major, const char *db)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        Pg *pg = NULL;
        lab_params(major, db, &p);
        p.app = "a pool";
        cr_assert(pg_open(&p, &pg, &err), "%s", err.message);
        lab_do(pg, "insert into public.a values (1)");
        lab_do(pg, "insert into public.a values (2), (3)");
        return pg;
}

Test(writes, of_a_client_that_stays_connected_are_waited_for_on_17)
{
        AUTO_FREE char *db = lab_database(17, "stays");
        write_there(17, db, "create table public.a (i int)");
        AUTO_JSON then = look(17, db);
        AUTO_PG Pg *pool = inserted_and_idle(17, db);
        AUTO_JSON now = since(17, db, then);
        cr_expect_eq(jx_int(now, "inserted", 0), 3);
        cr_expect_eq(jx_int(now, "clients", 0), 1);
        cr_expect(jx_bool(now, "sure", false), "%s", jx_str(now, "why", ""));
        pool = pg_close(pool);
        lab_drop(17, db);
}

/* Up to 14 nothing makes an idle client report: then one cannot be sure, and says so. */
Test(writes, of_a_client_that_may_not_have_reported_leave_doubt_on_13)
{
        AUTO_FREE char *db = lab_database(13, "stays");
        write_there(13, db, "create table public.a (i int)");
        AUTO_JSON then = look(13, db);
        AUTO_PG Pg *pool = inserted_and_idle(13, db);
        AUTO_JSON now = since(13, db, then);
        cr_expect_not(jx_bool(now, "sure", true));
        cr_expect_not_null(strstr(jx_str(now, "why", ""), "the client a pool is connected"), "%s",
                           jx_str(now, "why", ""));
        lab_do(pool, "begin");
        AUTO_JSON open = since(13, db, then);
        cr_expect_not(jx_bool(open, "sure", true));
        cr_expect_not_null(strstr(jx_str(open, "why", ""), "in the middle of a transaction"), "%s",
                           jx_str(open, "why", ""));
        lab_do(pool, "commit");
        pool = pg_close(pool);
        AUTO_JSON gone = since(13, db, then);
        cr_expect(jx_bool(gone, "sure", false));
        cr_expect_eq(jx_int(gone, "inserted", 0), 3);
        lab_drop(13, db);
}

/* Where no transaction wrote at all since then, in no database, that is proof enough. Others use
 * this server, too: tried until nobody else wrote meanwhile. */
Test(writes, are_none_where_no_transaction_wrote)
{
        AUTO_FREE char *db = lab_database(13, "still");
        AUTO_PG Pg *pool = NULL;
        AUTO_ERR err = { 0 };
        PgParams p;
        lab_params(13, db, &p);
        p.app = "a pool";
        cr_assert(pg_open(&p, &pool, &err), "%s", err.message);
        for (int i = 0;; i++) {
                AUTO_JSON then = look(13, db);
                lab_do(pool, "select 1");
                AUTO_JSON now = since(13, db, then);
                AUTO_JSON after = look(13, db);
                bool still = str_eq(jx_str(then, "snapshot", "?"), jx_str(after, "snapshot", "!"));
                cr_assert(still || i < 10, "this server is never quiet");
                if (!still)
                        continue;
                cr_expect(jx_bool(now, "sure", false), "%s", jx_str(now, "why", ""));
                cr_expect_eq(jx_int(now, "clients", 0), 1);
                break;
        }
        pool = pg_close(pool);
        lab_drop(13, db);
}

Test(writes, of_another_server_are_not_taken_for_those)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON then = look(13, "postgres");
        AUTO_PG Pg *pg = lab_open(17, "postgres");
        json_t *seen = NULL;
        cr_assert_not(pg_writes_since(pg, then, &seen, &err));
        cr_expect_eq(err.kind, ERR_USER);
}
