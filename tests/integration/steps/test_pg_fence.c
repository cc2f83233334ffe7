/* test_pg_fence.c: who is at a server, and who wrote. */
#include <unistd.h>

#include "pg_step.h"

#include "pg/fence.h"
#include "pg/writes.h"

Test(pg_fence, sees_who_is_there_and_who_wrote)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "fence");
        AUTO_PG Pg *other = NULL;
        PgParams p;
        lab_params(17, name, &p);
        p.app = "somebody's app";
        MUST(pg_open(&p, &other, &err), err);
        lab_do(other, "create table public.t (a text)");
        FakeStep f = pg_step(&step_pg_fence, 17, name, "{\"within\": 600}");
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *others = json_dumps(jx_get(f.results, "others"), 0);
        cr_assert_not_null(strstr(others, "somebody's app"), "%s", others);
        cr_assert_null(strstr(others, "public.t"), "a query was kept: %s", others);
        AUTO_FREE char *who = json_dumps(jx_get(f.results, "who"), 0);
        AUTO_FREE char *us = xasprintf("(process %d) of this machine, as ", getpid());
        cr_assert_not_null(strstr(who, us), "%s", who);
        fake_step_done(&f);
        f = pg_step(&step_pg_terminate, 17, NULL, "{\"database\": \"%s\"}", name);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "ended", 0), 1);
        fake_step_done(&f);
        other = pg_close(other);
        lab_drop(17, name);
}

/* ANALYZE and a checkpoint move the WAL and write catalogs: no user wrote. A row does. */
/* A backend reports its writes when it leaves; one that stays is among "others" anyway. */
static void write_and_leave(const char *database, const char *sql)
{
        AUTO_PG Pg *pg = lab_open(17, database);
        lab_do(pg, sql);
}

Test(pg_fence, tells_a_write_from_the_servers_own_housekeeping, .timeout = 240)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "fence2");
        AUTO_PG Pg *pg = lab_open(17, name);
        AUTO_JSON opened = NULL;
        AUTO_JSON clean = NULL;
        AUTO_JSON written = NULL;
        write_and_leave(name, "create table public.t (a text); insert into public.t values ('x')");
        MUST(pg_fence_look(pg, NULL, &opened, &err), err);
        write_and_leave(name, "analyze public.t; checkpoint");
        MUST(pg_fence_close(pg, opened, &clean, &err), err);
        size_t i;
        json_t *c;
        json_array_foreach(jx_get(clean, "changed"), i, c) /* other tests write elsewhere */
                cr_assert_str_neq(jx_str(c, "database", ""), name, "%s",
                                  jx_str(clean, "message", ""));
        write_and_leave(name, "update public.t set a = 'y'");
        MUST(pg_fence_close(pg, opened, &written, &err), err);
        cr_assert_not(jx_bool(written, "clean", true));
        AUTO_FREE char *said = xasprintf("1 row was written in database %s", name);
        cr_assert_not_null(strstr(jx_str(written, "message", ""), said), "%s",
                           jx_str(written, "message", ""));
        json_object_set_new(opened, "system", json_string("1"));
        json_decref(written);
        written = NULL;
        cr_assert_not(pg_fence_close(pg, opened, &written, &err));
        pg = pg_close(pg);
        lab_drop(17, name);
}

/* MULE_INTERNAL has no way to UTF8: such a database can only be looked into in its own bytes. */
static Pg *open_mule(const char *name)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        Pg *pg = NULL;
        lab_params(17, name, &p);
        p.client_encoding = "SQL_ASCII";
        cr_assert(pg_open(&p, &pg, &err), "%s", err.message);
        return pg;
}

Test(pg_fence, looks_into_a_neighbour_that_cannot_be_converted, .timeout = 240)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "fence6");
        AUTO_FREE char *mule = xasprintf("%s_mule", name);
        AUTO_FREE char *make = xasprintf("create database %s template template0 encoding "
                                         "'MULE_INTERNAL' lc_collate 'C' lc_ctype 'C'",
                                         mule);
        AUTO_PG Pg *pg = lab_open(17, name);
        AUTO_JSON opened = NULL;
        AUTO_JSON verdict = NULL;
        AUTO_JSON looks = NULL;
        AUTO_JSON since = NULL;
        AUTO_JSON names = json_pack("[s]", mule);
        lab_do(pg, make);
        Pg *in = open_mule(mule);
        /* e with an accent, in MULE_INTERNAL */
        lab_do(in, "create table public.\"a\x81\xe9\" (i int)");
        in = pg_close(in);
        MUST(pg_fence_look(pg, NULL, &opened, &err), err);
        MUST(pg_writes_look_all(pg, names, &looks, &err), err);
        in = open_mule(mule);
        lab_do(in, "insert into public.\"a\x81\xe9\" values (1)");
        in = pg_close(in);
        MUST(pg_fence_close(pg, opened, &verdict, &err), err);
        AUTO_FREE char *said = xasprintf("1 row was written in database %s", mule);
        cr_expect_not_null(strstr(jx_str(verdict, "message", ""), said), "%s",
                           jx_str(verdict, "message", ""));
        MUST(pg_writes_since_all(pg, looks, &since, &err), err);
        cr_expect_eq(jx_int(since, "inserted", 0), 1);
        pg = pg_close(pg);
        lab_drop(17, mule);
        lab_drop(17, name);
}

static int64_t prepared_in(const char *database)
{
        AUTO_ERR err = { 0 };
        FakeStep f = pg_step(&step_pg_inventory, 17, database, "{\"rows\": \"estimate\"}");
        MUST(fake_run(&f, &err), err);
        int64_t n = jx_int(f.results, "prepared_xacts", -1);
        fake_step_done(&f);
        return n;
}

/* One of a neighbour is not lost when this database moves. */
Test(pg_inventory, counts_the_prepared_transactions_of_its_own_database)
{
        AUTO_FREE char *name = lab_database(17, "prep1");
        AUTO_FREE char *beside = lab_database(17, "prep2");
        AUTO_FREE char *prepare = xasprintf("prepare transaction '%s'", beside);
        AUTO_FREE char *end = xasprintf("rollback prepared '%s'", beside);
        AUTO_PG Pg *pg = lab_open(17, beside);
        lab_do(pg, "begin");
        lab_do(pg, "create table public.t (a int)");
        lab_do(pg, prepare);
        int64_t ours = prepared_in(name), theirs = prepared_in(beside);
        lab_do(pg, end);
        pg = pg_close(pg);
        lab_drop(17, name);
        lab_drop(17, beside);
        cr_expect_eq(ours, 0);
        cr_expect_eq(theirs, 1);
}

/* What is moved is watched: clients, rows and new databases beside it are nobody's business. */
Test(pg_fence, of_one_database_does_not_watch_its_neighbours, .timeout = 240)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "fence6\n\"; drop $(rm)");
        AUTO_FREE char *beside = lab_database(17, "fence7");
        AUTO_PG Pg *pg = lab_open(17, "postgres");
        AUTO_PG Pg *neighbour = NULL;
        PgParams p;
        lab_params(17, beside, &p);
        p.app = "a neighbour";
        MUST(pg_open(&p, &neighbour, &err), err);
        AUTO_JSON verdict = NULL;
        AUTO_JSON written = NULL;
        json_t *with = json_object(), *list = json_array();
        jx_append_str(list, name);
        jx_set(with, "databases", list);
        jx_set_int(with, "within", 600);
        write_and_leave(name, "create table public.t (a text)");
        AUTO_FREE char *params = jx_dump(with);
        json_decref(with);
        FakeStep f = pg_step(&step_pg_fence, 17, NULL, "%s", params);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(json_array_size(jx_get(f.results, "others")), 0);
        const json_t *opened = f.remembered;
        lab_do(neighbour, "create table public.t as select generate_series(1, 1000) as a");
        AUTO_FREE char *fresh = lab_database(17, "fence8");
        MUST(pg_fence_close(pg, opened, &verdict, &err), err);
        cr_expect(jx_bool(verdict, "clean", false), "%s", jx_str(verdict, "message", ""));
        write_and_leave(name, "insert into public.t values ('x')");
        MUST(pg_fence_close(pg, opened, &written, &err), err);
        cr_expect_not(jx_bool(written, "clean", true), "a write into what is moved was not seen");
        fake_step_done(&f);
        neighbour = pg_close(neighbour);
        pg = pg_close(pg);
        lab_drop(17, fresh);
        lab_drop(17, beside);
        lab_drop(17, name);
}

/* TRUNCATE counts no row, and a database may come: both are somebody else's doing. One that nobody
 * may look into is named. */
Test(pg_fence, sees_a_truncate_a_new_database_and_one_it_may_not_see, .timeout = 240)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "fence3");
        AUTO_FREE char *closed = lab_database(17, "fence4");
        AUTO_FREE char *role = xasprintf("%s_r", name);
        AUTO_FREE char *make = xasprintf("create role %s login password 'fence'; grant "
                                         "pg_read_all_stats to %s; revoke connect on database %s "
                                         "from public",
                                         role, role, closed);
        AUTO_FREE char *drop = xasprintf("drop role %s", role);
        AUTO_PG Pg *super = lab_open(17, "postgres");
        lab_do(super, make);
        write_and_leave(name, "create table public.t (a text); insert into public.t values ('x')");
        PgParams p;
        lab_params(17, name, &p);
        Secret *password = secret_take("fence", (char[]){ "fence" }, 5);
        p.user = role;
        p.password = password;
        AUTO_PG Pg *pg = NULL;
        MUST(pg_open(&p, &pg, &err), err);
        AUTO_JSON opened = NULL;
        AUTO_JSON verdict = NULL;
        MUST(pg_fence_look(pg, NULL, &opened, &err), err);
        write_and_leave(name, "truncate public.t");
        AUTO_FREE char *fresh = lab_database(17, "fence5");
        MUST(pg_fence_close(pg, opened, &verdict, &err), err);
        cr_expect_not(jx_bool(verdict, "clean", true));
        const char *message = jx_str(verdict, "message", "");
        AUTO_FREE char *emptied =
                xasprintf("table public.t of database %s was truncated or rewritten", name);
        AUTO_FREE char *came = xasprintf("database %s is new", fresh);
        cr_expect_not_null(strstr(message, emptied), "%s", message);
        cr_expect_not_null(strstr(message, came), "%s", message);
        cr_expect_not_null(strstr(message, "may not look into the database"), "%s", message);
        cr_expect_not_null(strstr(message, closed), "%s", message);
        secret_free(password);
        pg = pg_close(pg);
        lab_drop(17, fresh);
        lab_drop(17, closed);
        lab_drop(17, name);
        lab_do(super, drop);
}
