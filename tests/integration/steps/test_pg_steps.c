/* The kinds that write: done, killed, probed, undone, on real servers. */
#include <unistd.h>

#include "pg/database.h"
#include "pg/fence.h"
#include "pg/roles.h"
#include "pg/writes.h"
#include "sample.h"
#include "step_ctx_fake.h"

extern const StepKind step_pg_analyze, step_pg_check, step_pg_collation, step_pg_collation_refresh,
        step_pg_collisions, step_pg_login, step_pg_reindex, step_pg_textsearch_update,
        step_pg_compare, step_pg_database_create, step_pg_database_rename, step_pg_fence,
        step_pg_inventory, step_pg_ready, step_pg_role_create, step_pg_roles_copy, step_pg_sql,
        step_pg_terminate;

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}

static FakeStep step(const StepKind *kind, int major, const char *database, const char *fmt, ...)
        PRINTF(4, 5);

static FakeStep step(const StepKind *kind, int major, const char *database, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *params = xvasprintf(fmt, ap);
        va_end(ap);
        PgParams p;
        lab_params(major, database, &p);
        static char run[32]; /* a test is a process; several run side by side */
        snprintf(run, sizeof run, "p%d-fake", (int)getpid());
        FakeStep f = fake_step(kind, params);
        f.run_id = run;
        f.password = p.password;
        fake_target(&f, "on",
                    json_pack("{s:s, s:{s:s, s:i}, s:s, s:s}", "kind", "postgres", "via", "host",
                              p.host, "port", p.port, "user", p.user, "database", p.database));
        fake_on(&f, "on");
        return f;
}

static void add_target(FakeStep *f, const char *name, int major, const char *database)
{
        PgParams p;
        lab_params(major, database, &p);
        fake_target(f, name,
                    json_pack("{s:s, s:{s:s, s:i}, s:s, s:s}", "kind", "postgres", "via", "host",
                              p.host, "port", p.port, "user", p.user, "database", p.database));
}

static bool exists(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *q =
                xasprintf("select count(*) from pg_database where datname = '%s'", database);
        AUTO_FREE char *n = lab_value(pg, q);
        return str_eq(n, "1");
}

#define MUST(ok, err) cr_assert((ok), "%s", (err).message)

Test(pg_database_rename, takes_the_place_of_an_empty_one_and_gives_it_back)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *loaded = lab_database(17, "loaded");
        AUTO_FREE char *real = lab_database(17, "real");
        AUTO_PG Pg *in = lab_open(17, loaded);
        lab_do(in, "create table public.t (a int)");
        in = pg_close(in);
        FakeStep f =
                step(&step_pg_database_rename, 17, real,
                     "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded, real);
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        MUST(fake_run(&f, &err), err);
        cr_assert_not(exists(17, loaded));
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        AUTO_PG Pg *now = lab_open(17, real);
        AUTO_FREE char *n = lab_value(now, "select count(*) from pg_class where relname = 't'");
        cr_assert_str_eq(n, "1");
        now = pg_close(now);
        MUST(fake_run(&f, &err), err); /* once more is the same as once */
        MUST(fake_undo(&f, &err), err);
        cr_assert(exists(17, loaded));
        cr_assert(exists(17, real));
        MUST(fake_undo(&f, &err), err); /* and so is undoing */
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        fake_step_done(&f);
        lab_drop(17, loaded);
        lab_drop(17, real);
}

/* What stood in its place comes back as it was; the values of its settings are nobody's to keep. */
Test(pg_database_rename, brings_back_the_database_that_was_there)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *loaded = lab_database(17, "loaded6");
        AUTO_FREE char *real = xasprintf("test_%d_real6", (int)getpid());
        AUTO_FREE char *make = xasprintf("create database \"%s\" template template0 encoding "
                                         "'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider "
                                         "builtin builtin_locale 'C.UTF-8' connection "
                                         "limit 7",
                                         real);
        AUTO_FREE char *close =
                xasprintf("revoke connect, temporary on database \"%s\" from public", real);
        AUTO_FREE char *set = xasprintf("alter database \"%s\" set app.key = 'canary'", real);
        AUTO_FREE char *now = xasprintf("select concat_ws(' ', datlocprovider, datlocale, "
                                        "datconnlimit, datacl::text like '%%{=%%') from "
                                        "pg_database where datname = '%s'",
                                        real);
        AUTO_PG Pg *pg = lab_open(17, NULL);
        lab_do(pg, make);
        lab_do(pg, close);
        lab_do(pg, set);
        AUTO_PG Pg *in = lab_open(17, real);
        lab_do(in, "create schema ext; create extension hstore schema ext");
        in = pg_close(in);
        AUTO_FREE char *before = lab_value(pg, now);
        FakeStep f =
                step(&step_pg_database_rename, 17, NULL,
                     "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded, real);
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *kept = json_dumps(f.remembered, 0);
        cr_assert_null(strstr(kept, "canary"), "the value of a setting was remembered");
        MUST(fake_undo(&f, &err), err);
        AUTO_FREE char *after = lab_value(pg, now);
        cr_assert_str_eq(after, before);
        in = lab_open(17, real);
        AUTO_FREE char *ext = lab_value(in, "select n.nspname from pg_extension e join "
                                            "pg_namespace n on n.oid = e.extnamespace where "
                                            "extname = 'hstore'");
        cr_assert_str_eq(ext, "ext");
        in = pg_close(in);
        fake_step_done(&f);
        lab_drop(17, loaded);
        lab_drop(17, real);
}

Test(pg_database_rename, never_replaces_what_holds_something)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *loaded = lab_database(17, "loaded2");
        AUTO_FREE char *real = lab_database(17, "real2");
        AUTO_PG Pg *in = lab_open(17, real);
        lab_do(in, "create sequence public.s");
        in = pg_close(in);
        FakeStep f =
                step(&step_pg_database_rename, 17, NULL,
                     "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded, real);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert_not_null(strstr(err.message, "relation public.s"), "%s", err.message);
        cr_assert_eq(f.remembers, 0, "something was remembered, so something was about to change");
        cr_assert(exists(17, loaded) && exists(17, real));
        fake_step_done(&f);
        lab_drop(17, loaded);
        lab_drop(17, real);
}

/* A table of an extension that pg_dump reads: jobs of pg_cron are a user's. */
Test(pg_database_rename, counts_the_rows_an_extension_keeps_for_a_user)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *loaded = lab_database(17, "loaded4");
        AUTO_FREE char *real = lab_database(17, "real4");
        AUTO_PG Pg *in = lab_open(17, real);
        lab_do(in, "create table public.job (n int); insert into public.job values (1), (2); "
                   "alter extension plpgsql add table public.job; update pg_extension set "
                   "extconfig = array['public.job'::regclass::oid], extcondition = "
                   "array['WHERE n > 1'] where extname = 'plpgsql'");
        in = pg_close(in);
        FakeStep f =
                step(&step_pg_database_rename, 17, NULL,
                     "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded, real);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_not_null(strstr(err.message, "rows in public.job"), "%s", err.message);
        in = lab_open(17, real);
        lab_do(in, "delete from public.job where n = 2"); /* (1) is the extension's own */
        in = pg_close(in);
        err_clear(&err);
        MUST(fake_run(&f, &err), err);
        fake_step_done(&f);
        lab_drop(17, real);
}

/* Killed between the swap and the drop, and somebody had been faster than the swap. */
Test(pg_database_rename, keeps_what_was_moved_aside_when_it_holds_something)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *loaded = lab_database(17, "loaded5");
        AUTO_FREE char *real = lab_database(17, "real5");
        AUTO_FREE char *aside = xasprintf("test_%d_aside5", (int)getpid());
        AUTO_JSON a = NULL;
        AUTO_JSON b = NULL;
        AUTO_PG Pg *pg = lab_open(17, NULL);
        MUST(pg_database_describe(pg, loaded, &a, &err), err);
        MUST(pg_database_describe(pg, real, &b, &err), err);
        FakeStep f =
                step(&step_pg_database_rename, 17, NULL,
                     "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded, real);
        json_object_update_new(f.remembered, json_pack("{s:s, s:O, s:s, s:s, s:O}", "from", loaded,
                                                       "oid", jx_get(a, "oid"), "to", real, "aside",
                                                       aside, "replaced", b));
        MUST(pg_database_rename(pg, real, aside, &err), err);
        MUST(pg_database_rename(pg, loaded, real, &err), err);
        AUTO_PG Pg *in = lab_open(17, aside);
        lab_do(in, "create table public.precious (n int)");
        in = pg_close(in);
        cr_assert_eq(fake_probe(&f), FOUND_PART);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert_not_null(strstr(err.message, aside), "%s", err.message);
        cr_assert_not_null(strstr(err.message, "public.precious"), "%s", err.message);
        cr_assert(exists(17, aside));
        err_clear(&err);
        MUST(fake_undo(&f, &err), err); /* the way back has it all */
        in = lab_open(17, real);
        AUTO_FREE char *n =
                lab_value(in, "select count(*) from pg_class where relname = 'precious'");
        cr_assert_str_eq(n, "1");
        in = pg_close(in);
        fake_step_done(&f);
        pg = pg_close(pg);
        lab_drop(17, loaded);
        lab_drop(17, real);
}

Test(pg_database_rename, finds_itself_between_the_swap_and_the_journal)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *loaded = lab_database(17, "loaded3");
        AUTO_FREE char *real = xasprintf("test_%d_real3", (int)getpid());
        FakeStep f = step(&step_pg_database_rename, 17, NULL, "{\"from\": \"%s\", \"to\": \"%s\"}",
                          loaded, real);
        f.refuse_remember = true; /* nothing may happen unremembered */
        cr_assert_not(fake_run(&f, &err));
        cr_assert(exists(17, loaded) && !exists(17, real));
        f.refuse_remember = false;
        err_clear(&err);
        MUST(fake_run(&f, &err), err);
        json_object_clear(f.results); /* killed before it was journaled */
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        cr_assert_str_eq(jx_str(f.results, "database", ""), real);
        fake_step_done(&f);
        lab_drop(17, real);
}

Test(pg_database_create, is_undone_only_while_empty)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = xasprintf("test_%d_made", (int)getpid());
        FakeStep f = step(&step_pg_database_create, 17, NULL,
                          "{\"name\": \"%s\", \"encoding\": \"UTF8\", \"collate\": \"C.UTF-8\", "
                          "\"revoke_public_connect\": true, \"comment\": \"it's ours\"}",
                          name);
        MUST(fake_run(&f, &err), err);
        cr_assert(exists(17, name));
        AUTO_PG Pg *in = lab_open(17, name);
        lab_do(in, "create table public.precious (a int)");
        in = pg_close(in);
        cr_assert_not(fake_undo(&f, &err));
        cr_assert_eq(err.kind, ERR_USER);
        in = lab_open(17, name);
        lab_do(in, "drop table public.precious");
        in = pg_close(in);
        err_clear(&err);
        MUST(fake_undo(&f, &err), err);
        MUST(fake_undo(&f, &err), err);
        cr_assert_not(exists(17, name));
        fake_step_done(&f);
}

/* CREATE failed; the operator makes it by hand; neither a second try nor the way back takes it. */
Test(pg_database_create, leaves_alone_what_somebody_made_after_it_failed)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = xasprintf("test_%d_byhand", (int)getpid());
        FakeStep f =
                step(&step_pg_database_create, 17, NULL,
                     "{\"name\": \"%s\", \"encoding\": \"UTF8\", \"collate\": \"no_such\"}", name);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_SERVER, "%s", err.message);
        AUTO_FREE char *made = lab_database(17, "byhand");
        cr_assert_str_eq(made, name);
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        err_clear(&err);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "42P04");
        err_clear(&err);
        MUST(fake_undo(&f, &err), err);
        cr_assert(exists(17, name));
        fake_step_done(&f);
        lab_drop(17, name);
}

/* Killed between CREATE and the journal: the mark tells ours from another's. */
Test(pg_database_create, knows_its_own_after_a_crash_by_its_mark)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "marked");
        AUTO_FREE char *mark = xasprintf("alter database \"%s\" connection limit 1000004711", name);
        AUTO_FREE char *limit =
                xasprintf("select datconnlimit from pg_database where datname = '%s'", name);
        AUTO_PG Pg *pg = lab_open(17, NULL);
        FakeStep f = step(&step_pg_database_create, 17, NULL, "{\"name\": \"%s\"}", name);
        json_object_update_new(f.remembered, json_pack("{s:s, s:s, s:i}", "created", name, "oid",
                                                       "", "mark", 1000004711));
        cr_assert_not(fake_undo(&f, &err), "another's was dropped");
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert(exists(17, name));
        err_clear(&err);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "42P04");
        err_clear(&err);
        lab_do(pg, mark);
        cr_assert_eq(fake_probe(&f), FOUND_PART);
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *now = lab_value(pg, limit);
        cr_assert_str_eq(now, "-1");
        fake_step_done(&f);
        lab_drop(17, name);
}

Test(pg_sql, asks_the_server_what_became_of_its_transaction)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(13, "sql");
        FakeStep f = step(&step_pg_sql, 13, name,
                          "{\"sql\": \"create table t (a int); insert into t values (1), (2)\"}");
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "rows", 0), 2);
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        fake_step_done(&f);
        f = step(&step_pg_sql, 13, name, "{\"sql\": \"insert into t values (3); select 1 / 0\"}");
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "22012");
        fake_step_done(&f);
        AUTO_PG Pg *pg = lab_open(13, name);
        AUTO_FREE char *n = lab_value(pg, "select count(*) from public.t");
        cr_assert_str_eq(n, "2");
        pg = pg_close(pg);
        lab_drop(13, name);
}

static void drop_roles(int major)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *sql = xasprintf("drop role if exists test_%d_app; drop role if exists "
                                        "test_%d_grp; drop role if exists test_%d_md5",
                                        (int)getpid(), (int)getpid(), (int)getpid());
        lab_do(pg, sql);
}

Test(pg_roles_copy, carries_verifiers_and_memberships_and_takes_them_back)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(13, "roles");
        AUTO_PG Pg *source = lab_open(13, name);
        AUTO_FREE char *sql = xasprintf(
                "set password_encryption = 'scram-sha-256'; create role test_%d_grp nologin; "
                "create role test_%d_app login password 'canary' connection limit 7 in role "
                "test_%d_grp; set password_encryption = 'md5'; create role test_%d_md5 login "
                "password 'old' valid until '2030-01-01'; alter role test_%d_app set search_path "
                "= \"$user\", \"Odd, Name\"; comment on role test_%d_app is 'it''s me'; create "
                "table public.t (a int); alter table public.t owner to test_%d_grp; grant select "
                "on public.t to "
                "test_%d_md5",
                id, id, id, id, id, id, id, id);
        lab_do(source, sql);
        FakeStep f = step(&step_pg_roles_copy, 17, NULL,
                          "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        add_target(&f, "src", 13, name);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(json_array_size(jx_get(f.results, "created")), 3);
        cr_assert_eq(json_array_size(jx_get(f.results, "md5")), 1);
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        AUTO_PG Pg *target = lab_open(17, NULL);
        AUTO_FREE char *same = xasprintf("select rolpassword from pg_authid where rolname = "
                                         "'test_%d_app'",
                                         id);
        AUTO_FREE char *a = lab_value(source, same);
        AUTO_FREE char *b = lab_value(target, same);
        cr_assert_str_eq(a, b);
        AUTO_FREE char *config = xasprintf("select setconfig[1] from pg_db_role_setting s join "
                                           "pg_roles r on r.oid = s.setrole where rolname = "
                                           "'test_%d_app'",
                                           id);
        AUTO_FREE char *path = lab_value(target, config);
        cr_assert_str_eq(path, "search_path=\"$user\", \"Odd, Name\"");
        AUTO_FREE char *member = xasprintf("select pg_has_role('test_%d_app', 'test_%d_grp', "
                                           "'member')",
                                           id, id);
        AUTO_FREE char *is = lab_value(target, member);
        cr_assert_str_eq(is, "t");
        AUTO_FREE char *said = fake_said(&f);
        AUTO_FREE char *kept = json_dumps(f.remembered, 0);
        cr_assert_null(strstr(said, "SCRAM-SHA"), "a verifier was said");
        cr_assert_null(strstr(kept, "SCRAM-SHA"), "a verifier was remembered");
        MUST(fake_undo(&f, &err), err);
        MUST(fake_undo(&f, &err), err);
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        fake_step_done(&f);
        source = pg_close(source);
        lab_drop(13, name);
        drop_roles(13);
        drop_roles(17);
}

Test(pg_roles_copy, compares_what_is_there_and_overwrites_nothing)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(13, "roles2");
        AUTO_PG Pg *source = lab_open(13, name);
        AUTO_PG Pg *target = lab_open(17, NULL);
        AUTO_FREE char *here = xasprintf("create role test_%d_app login password 'a' connection "
                                         "limit 3; grant all on schema public to test_%d_app",
                                         id, id);
        AUTO_FREE char *there = xasprintf("create role test_%d_app nologin password 'b'", id);
        lab_do(source, here);
        lab_do(target, there);
        FakeStep f = step(&step_pg_roles_copy, 17, NULL,
                          "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        add_target(&f, "src", 13, name);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(json_array_size(jx_get(f.results, "created")), 0);
        cr_assert_eq(json_array_size(jx_get(f.results, "present")), 1);
        AUTO_FREE char *text = json_dumps(jx_get(f.results, "differences"), 0);
        cr_assert_not_null(strstr(text, "\"login\""), "%s", text);
        cr_assert_not_null(strstr(text, "\"connlimit\""), "%s", text);
        cr_assert_not_null(strstr(text, "\"password\""), "%s", text);
        AUTO_FREE char *q = xasprintf("select rolcanlogin from pg_roles where rolname = "
                                      "'test_%d_app'",
                                      id);
        AUTO_FREE char *login = lab_value(target, q);
        cr_assert_str_eq(login, "f");
        fake_step_done(&f);
        source = pg_close(source);
        lab_drop(13, name);
        drop_roles(13);
        drop_roles(17);
}

/* The answer to COMMIT may be lost: the second try finds the roles, and they are still ours. After
 * an error they are surely not there: who makes one then may keep it. */
Test(pg_roles_copy, knows_which_roles_it_made_over_several_tries)
{
        AUTO_ERR err = { 0 };
        AUTO_ERR bad = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(13, "roles3");
        AUTO_PG Pg *source = lab_open(13, name);
        AUTO_PG Pg *target = lab_open(17, NULL);
        AUTO_FREE char *here = xasprintf(
                "create role test_%d_app; grant all on schema public to test_%d_app", id, id);
        AUTO_FREE char *there = xasprintf("create role test_%d_app", id);
        /* Members in a circle, with what 17 has: refused at the end of all, when the role has been
         * made. */
        AUTO_FREE char *spoil = xasprintf("create role test_%d_grp; create role test_%d_md5; grant "
                                          "test_%d_md5 to test_%d_app; grant test_%d_app to "
                                          "test_%d_grp; grant all on schema public to "
                                          "test_%d_grp",
                                          id, id, id, id, id, id, id);
        AUTO_FREE char *circle = xasprintf("create role test_%d_grp; create role test_%d_md5; "
                                           "grant test_%d_grp to test_%d_md5",
                                           id, id, id, id);
        AUTO_FREE char *count =
                xasprintf("select count(*) from pg_roles where rolname = 'test_%d_app'", id);
        lab_do(source, here);
        FakeStep f = step(&step_pg_roles_copy, 17, NULL,
                          "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        add_target(&f, "src", 13, name);
        MUST(fake_run(&f, &err), err);
        MUST(fake_run(&f, &err), err);
        cr_expect_eq(json_array_size(jx_get(f.results, "created")), 1);
        cr_expect_eq(json_array_size(jx_get(f.results, "present")), 0);
        MUST(fake_undo(&f, &err), err);
        AUTO_FREE char *gone = lab_value(target, count);
        cr_expect_str_eq(gone, "0", "it forgot the role it had made");
        fake_step_done(&f);

        lab_do(source, spoil);
        lab_do(target, circle);
        f = step(&step_pg_roles_copy, 17, NULL, "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        add_target(&f, "src", 13, name);
        cr_assert_not(fake_run(&f, &bad));
        lab_do(target, there);
        MUST(fake_undo(&f, &err), err);
        AUTO_FREE char *kept = lab_value(target, count);
        cr_expect_str_eq(kept, "1", "it dropped a role somebody else had made");
        fake_step_done(&f);
        source = pg_close(source);
        lab_drop(13, name);
        drop_roles(13);
        drop_roles(17);
}

/* From 16 on a membership may stand there twice, granted by two. */
Test(pg_roles, add_up_what_several_grantors_allow)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_FREE char *sql = xasprintf("create role test_%d_grp; create role test_%d_md5; create "
                                        "role test_%d_app; grant test_%d_grp to test_%d_md5 with "
                                        "admin true; grant test_%d_grp to test_%d_app with admin "
                                        "true, inherit false, set false; grant test_%d_grp to "
                                        "test_%d_app with admin false, inherit true, set true "
                                        "granted by "
                                        "test_%d_md5",
                                        id, id, id, id, id, id, id, id, id, id);
        AUTO_FREE char *role = xasprintf("test_%d_app", id);
        AUTO_FREE char *dropped = xasprintf(
                "drop role test_%d_app; drop role test_%d_md5; drop role test_%d_grp", id, id, id);
        AUTO_JSON described = NULL;
        lab_do(pg, sql);
        MUST(pg_role_describe(pg, role, &described, &err), err);
        AUTO_FREE char *is = json_dumps(jx_get(described, "member_of"), JSON_COMPACT);
        AUTO_FREE char *want = xasprintf(
                "[{\"role\":\"test_%d_grp\",\"admin\":true,\"inherit\":true,\"set\":true,"
                "\"grants\":[{\"by\":null,\"admin\":true,\"inherit\":false,\"set\":false},{\"by\":"
                "\"test_%d_md5\",\"admin\":false,\"inherit\":true,\"set\":true}]}]",
                id, id);
        cr_expect_str_eq(is, want, "%s", is);
        lab_do(pg, dropped);
}

Test(pg_role_create, proves_the_password_by_a_login_and_drops_the_role_again)
{
        AUTO_ERR err = { 0 };
        char password[] = "p@ss'\"\\ word";
        FakeStep f = step(&step_pg_role_create, 17, NULL,
                          "{\"name\": \"test_%d_app\", \"password\": {\"$secret\": \"x\"}}",
                          (int)getpid());
        f.secret = secret_take("x", password, strlen(password));
        MUST(fake_run(&f, &err), err);
        cr_assert(jx_bool(f.results, "created", false));
        cr_assert(jx_bool(f.results, "proved", false));
        MUST(fake_undo(&f, &err), err);
        MUST(fake_undo(&f, &err), err);
        secret_free(f.secret);
        fake_step_done(&f);
}

Test(pg_role_create, leaves_alone_what_somebody_made_after_it_failed)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_FREE char *db = lab_database(17, "readonly");
        AUTO_FREE char *make = xasprintf("create role test_%d_app", (int)getpid());
        AUTO_FREE char *closed =
                xasprintf("alter database \"%s\" set default_transaction_read_only = on", db);
        AUTO_FREE char *open =
                xasprintf("alter database \"%s\" reset default_transaction_read_only", db);
        FakeStep f =
                step(&step_pg_role_create, 17, db, "{\"name\": \"test_%d_app\"}", (int)getpid());
        lab_do(pg, closed);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "25006", "%s", err.message);
        lab_do(pg, open);
        f.refuse_remember = true; /* nothing stays that was not remembered */
        err_clear(&err);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_SYSTEM, "%s", err.message);
        f.refuse_remember = false;
        lab_do(pg, make);
        err_clear(&err);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "42710");
        err_clear(&err);
        MUST(fake_undo(&f, &err), err);
        bool there = false;
        AUTO_FREE char *name = xasprintf("test_%d_app", (int)getpid());
        MUST(pg_role_exists(pg, name, &there, &err), err);
        cr_assert(there, "the way back dropped a role of somebody else");
        fake_step_done(&f);
        lab_drop(17, db);
        drop_roles(17);
}

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
        FakeStep f = step(&step_pg_fence, 17, name, "{\"within\": 600}");
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *others = json_dumps(jx_get(f.results, "others"), 0);
        cr_assert_not_null(strstr(others, "somebody's app"), "%s", others);
        cr_assert_null(strstr(others, "public.t"), "a query was kept: %s", others);
        AUTO_FREE char *who = json_dumps(jx_get(f.results, "who"), 0);
        AUTO_FREE char *us = xasprintf("(process %d) of this machine, as ", getpid());
        cr_assert_not_null(strstr(who, us), "%s", who);
        fake_step_done(&f);
        f = step(&step_pg_terminate, 17, NULL, "{\"database\": \"%s\"}", name);
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
        FakeStep f = step(&step_pg_inventory, 17, database, "{\"rows\": \"estimate\"}");
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
        FakeStep f = step(&step_pg_fence, 17, NULL, "%s", params);
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

Test(pg_inventory, tells_what_the_case_needs_and_compare_holds_against_it, .timeout = 100)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "inv");
        sample_load(17, name);
        FakeStep f = step(&step_pg_inventory, 17, name,
                          "{\"digest\": \"all\", \"per\": [\"table\", \"index\"]}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "tables", 0), 38);
        cr_assert_str_eq(jx_str(f.results, "alembic", ""), "3f9c1a7be204");
        cr_assert_str_eq(jx_str(f.results, "collate", ""), "C.UTF-8");
        cr_assert_eq(jx_int(f.results, "prepared_xacts", -1), 0);
        cr_assert_eq(json_array_size(jx_get(f.results, "extensions")), 3);
        cr_assert_eq(json_array_size(jx_get(f.results, "largest")), 10);
        FakeStep c = step(&step_pg_compare, 17, name, "{\"against_inventory\": \"%s\"}",
                          jx_str(f.results, "ref", ""));
        MUST(fake_run(&c, &err), err);
        cr_assert(jx_bool(c.results, "equal", false), "%s", c.report);
        cr_assert_eq(jx_int(c.results, "tables", 0), 38);
        cr_assert_str_eq(jx_str(c.results, "alembic", ""), "3f9c1a7be204");
        fake_step_done(&c);
        fake_step_done(&f);
        f = step(&step_pg_analyze, 17, name, "{\"jobs\": 3}");
        MUST(fake_run(&f, &err), err);
        AUTO_PG Pg *pg = lab_open(17, name);
        AUTO_FREE char *left =
                lab_value(pg, "select count(*) from pg_class c where relkind in "
                              "('r', 'p') and relnamespace = 'audit'::regnamespace and "
                              "not exists (select from pg_statistic s where "
                              "s.starelid = c.oid) and reltuples > 0");
        cr_assert_str_eq(left, "0");
        pg = pg_close(pg);
        fake_step_done(&f);
        lab_drop(17, name);
}

Test(pg_ready, waits_and_says_what_answered)
{
        AUTO_ERR err = { 0 };
        FakeStep f = step(&step_pg_ready, 17, NULL, "{\"within\": 2000}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "major", 0), 17);
        fake_step_done(&f);
        f = step(&step_pg_ready, 17, NULL, "{\"within\": 700}");
        fake_target(&f, "on",
                    json_pack("{s:s, s:{s:s, s:i}}", "kind", "postgres", "via", "host", "127.0.0.1",
                              "port", 1));
        fake_on(&f, "on");
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_LINK);
        fake_step_done(&f);
}

Test(pg_check, holds_the_answer_against_what_is_expected)
{
        AUTO_ERR err = { 0 };
        FakeStep f =
                step(&step_pg_check, 17, NULL, "{\"sql\": \"select 6 * 7\", \"equals\": \"42\"}");
        MUST(fake_run(&f, &err), err);
        fake_step_done(&f);
        f = step(&step_pg_check, 17, NULL, "{\"sql\": \"select 6 * 7\", \"equals\": \"41\"}");
        cr_assert_not(fake_run(&f, &err));
        err_clear(&err);
        fake_step_done(&f);
        f = step(&step_pg_check, 17, NULL, "{\"sql\": \"create table x (a int)\"}");
        cr_assert_not(fake_run(&f, &err), "a check wrote");
        cr_assert_str_eq(err.sqlstate, "25006");
        fake_step_done(&f);
}

static bool drifted(const char *database)
{
        AUTO_ERR err = { 0 };
        FakeStep f = step(&step_pg_collation, 17, database, "{}");
        MUST(fake_run(&f, &err), err);
        bool is = jx_bool(f.results, "drifted", false);
        cr_assert_gt(json_array_size(jx_get(f.results, "advice")), 0);
        fake_step_done(&f);
        return is;
}

Test(pg_collation, is_rebuilt_first_and_written_down_after)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "coll");
        AUTO_PG Pg *pg = lab_open(17, name);
        lab_do(pg, "create collation public.\"de \"\" x\" (provider = icu, locale = 'de'); create "
                   "table public.t (a text collate public.\"de \"\" x\"); create index \"i \"\" "
                   "x\" on public.t (a); create index plain on public.t ((length(a)))");
        cr_assert_not(drifted(name));
        lab_do(pg, "update pg_collation set collversion = '1' where collname ~ '^de \"'");
        cr_assert(drifted(name));
        FakeStep f = step(&step_pg_reindex, 17, name, "{}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "indexes", 0), 1);
        fake_step_done(&f);
        f = step(&step_pg_collation_refresh, 17, name, "{}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(json_array_size(jx_get(f.results, "statements")), 1);
        fake_step_done(&f);
        cr_assert_not(drifted(name));
        pg = pg_close(pg);
        lab_drop(17, name);
}

/* Words of 17 on 18, as a copy leaves them: "bildhauerin" is 'bildhau' there. */
Test(pg_textsearch, words_are_made_anew_and_no_other_trigger_fires)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(18, "words");
        AUTO_PG Pg *pg = lab_open(18, name);
        lab_do(pg, "set search_path = public; create table \"t; drop\" (id int, \"a b\" text, v "
                   "tsvector, w tsvector, at int default 0); create table parts (a text, v "
                   "tsvector) partition by list (a); create table part partition of parts default; "
                   "create function touch() returns trigger language plpgsql as 'begin new.at = "
                   "new.at + 1; return new; end'; insert into \"t; drop\" select g, 'Bildhauerin', "
                   "'bildhauerin', 'bildhauerin' from generate_series(1, 5) g; insert into parts "
                   "values ('Bildhauerin', 'bildhauerin'); create trigger \"words; x\" before "
                   "insert or update on \"t; drop\" for each row execute function "
                   "tsvector_update_trigger(v, 'pg_catalog.german', 'a b'); create trigger off "
                   "before update on \"t; drop\" for each row execute function "
                   "tsvector_update_trigger(w, 'pg_catalog.german', 'a b'); alter table \"t; "
                   "drop\" disable trigger off; create trigger touched before update on \"t; "
                   "drop\" for each row execute function touch(); create trigger p before update "
                   "on parts for each row execute function tsvector_update_trigger(v, "
                   "'pg_catalog.german', a); create table danish (a text, v tsvector); create "
                   "trigger d before update on danish for each row execute function "
                   "tsvector_update_trigger(v, 'pg_catalog.danish', a); insert into danish values "
                   "('x', 'y')");
        FakeStep f = step(&step_pg_textsearch_update, 18, name, "{\"from\": 17}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "columns", 0), 2);
        cr_assert_eq(jx_int(f.results, "rows", 0), 6);
        fake_step_done(&f);
        AUTO_FREE char *words = lab_value(pg, "select string_agg(distinct concat_ws(' ', v, w, "
                                              "at), ';') from public.\"t; drop\"");
        cr_assert_str_eq(words, "'bildhau':1 'bildhauerin' 0");
        AUTO_FREE char *parts = lab_value(pg, "select string_agg(v::text, '') from public.parts");
        cr_assert_str_eq(parts, "'bildhau':1");
        AUTO_FREE char *danish = lab_value(pg, "select v::text from public.danish");
        cr_assert_str_eq(danish, "'y'");
        AUTO_FREE char *fires = lab_value(pg, "select string_agg(tgenabled::text, '' order by "
                                              "tgname) from pg_trigger where tgrelid = "
                                              "'public.\"t; drop\"'::regclass");
        cr_assert_str_eq(fires, "DOO");
        f = step(&step_pg_textsearch_update, 18, name, "{\"from\": 18}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "columns", -1), 0);
        fake_step_done(&f);
        pg = pg_close(pg);
        lab_drop(18, name);
}

Test(pg_collisions, are_names_of_two_sources_or_of_the_server)
{
        AUTO_ERR err = { 0 };
        FakeStep f = step(&step_pg_collisions, 17, NULL,
                          "{\"sets\": [[\"a\", \"b\", \"b\"], [\"b\", \"c\"], "
                          "[\"postgres\", \"x\"], [\"x\"]], \"ignore\": [\"x\"]}");
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *text = json_dumps(jx_get(f.results, "collisions"), JSON_COMPACT);
        cr_assert_str_eq(text, "[\"b\",\"postgres\"]");
        fake_step_done(&f);
}

Test(pg_login, tells_a_password_that_opens_from_one_that_does_not)
{
        AUTO_ERR err = { 0 };
        char wrong[] = "not it";
        PgParams p;
        lab_params(17, NULL, &p);
        FakeStep f = step(&step_pg_login, 17, NULL,
                          "{\"role\": \"postgres\", \"password\": {\"$secret\": \"x\"}}");
        f.secret = (Secret *)(uintptr_t)p.password;
        MUST(fake_run(&f, &err), err);
        cr_assert(jx_bool(f.results, "ok", false));
        f.secret = secret_take("wrong", wrong, strlen(wrong));
        MUST(fake_run(&f, &err), err);
        cr_assert_not(jx_bool(f.results, "ok", true));
        cr_assert_str_eq(jx_str(f.results, "sqlstate", ""), "28P01");
        f.secret = secret_free(f.secret);
        fake_step_done(&f);
}

/* The role of a small hosted database: owner of its tables, and nothing more. */
Test(pg_inventory, works_for_a_role_that_is_no_superuser, .timeout = 240)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(17, "plain");
        AUTO_PG Pg *pg = lab_open(17, name);
        AUTO_FREE char *sql = xasprintf(
                "create role test_%d_grp login password 'plain'; alter database \"%s\" owner to "
                "test_%d_grp; set role test_%d_grp; create table public.users (id int primary key, "
                "name text); insert into public.users values (1, 'a'); select lo_create(0); create "
                "table public.schema_migrations (version text); insert into "
                "public.schema_migrations values ('20260101'), ('20260201')",
                id, name, id, id);
        lab_do(pg, sql);
        char password[] = "plain";
        AUTO_SECRET s = secret_take("plain password", password, strlen(password));
        FakeStep f = step(&step_pg_inventory, 17, name, "{\"digest\": \"all\"}");
        AUTO_FREE char *user = xasprintf("test_%d_grp", id);
        json_object_set_new(fake_spec(&f), "user", json_string(user));
        f.password = s;
        fake_on(&f, "on");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "tables", 0), 2);
        cr_assert_eq(jx_int(f.results, "rows", 0), 3);
        cr_assert_str_eq(jx_str(f.results, "alembic", ""), "20260201");
        FakeStep c = step(&step_pg_compare, 17, name, "{\"against_inventory\": \"%s\"}",
                          jx_str(f.results, "ref", ""));
        json_object_set_new(fake_spec(&c), "user", json_string(user));
        c.password = s;
        fake_on(&c, "on");
        MUST(fake_run(&c, &err), err);
        cr_assert(jx_bool(c.results, "equal", false), "%s", c.report);
        cr_assert_eq(json_array_size(jx_get(c.results, "limits")), 1);
        fake_step_done(&c);
        fake_step_done(&f);
        f = step(&step_pg_check, 17, name,
                 "{\"sql\": \"select name from users\", \"equals\": "
                 "\"a\"}");
        MUST(fake_run(&f, &err), err); /* found as the application finds it */
        fake_step_done(&f);
        pg = pg_close(pg);
        lab_drop(17, name);
        drop_roles(17);
}
