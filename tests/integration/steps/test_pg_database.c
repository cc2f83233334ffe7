/* test_pg_database.c: databases made, renamed and asked about after a crash. */
#include <unistd.h>

#include "pg_step.h"

#include "pg/database.h"

Test(pg_database_rename, takes_the_place_of_an_empty_one_and_gives_it_back)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *loaded = lab_database(17, "loaded");
        AUTO_FREE char *real = lab_database(17, "real");
        AUTO_PG Pg *in = lab_open(17, loaded);
        lab_do(in, "create table public.t (a int)");
        in = pg_close(in);
        FakeStep f = pg_step(&step_pg_database_rename, 17, real,
                             "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded,
                             real);
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        MUST(fake_run(&f, &err), err);
        cr_assert_not(pg_step_exists(17, loaded));
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        AUTO_PG Pg *now = lab_open(17, real);
        AUTO_FREE char *n = lab_value(now, "select count(*) from pg_class where relname = 't'");
        cr_assert_str_eq(n, "1");
        now = pg_close(now);
        MUST(fake_run(&f, &err), err); /* once more is the same as once */
        MUST(fake_undo(&f, &err), err);
        cr_assert(pg_step_exists(17, loaded));
        cr_assert(pg_step_exists(17, real));
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
        FakeStep f = pg_step(&step_pg_database_rename, 17, NULL,
                             "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded,
                             real);
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
        FakeStep f = pg_step(&step_pg_database_rename, 17, NULL,
                             "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded,
                             real);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert_not_null(strstr(err.message, "relation public.s"), "%s", err.message);
        cr_assert_eq(f.remembers, 0, "something was remembered, so something was about to change");
        cr_assert(pg_step_exists(17, loaded) && pg_step_exists(17, real));
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
        FakeStep f = pg_step(&step_pg_database_rename, 17, NULL,
                             "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded,
                             real);
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
        FakeStep f = pg_step(&step_pg_database_rename, 17, NULL,
                             "{\"from\": \"%s\", \"to\": \"%s\", \"replace_empty\": true}", loaded,
                             real);
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
        cr_assert(pg_step_exists(17, aside));
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
        FakeStep f = pg_step(&step_pg_database_rename, 17, NULL,
                             "{\"from\": \"%s\", \"to\": \"%s\"}", loaded, real);
        f.refuse_remember = true; /* nothing may happen unremembered */
        cr_assert_not(fake_run(&f, &err));
        cr_assert(pg_step_exists(17, loaded) && !pg_step_exists(17, real));
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
        FakeStep f = pg_step(&step_pg_database_create, 17, NULL,
                             "{\"name\": \"%s\", \"encoding\": \"UTF8\", \"collate\": \"C.UTF-8\", "
                             "\"revoke_public_connect\": true, \"comment\": \"it's ours\"}",
                             name);
        MUST(fake_run(&f, &err), err);
        cr_assert(pg_step_exists(17, name));
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
        cr_assert_not(pg_step_exists(17, name));
        fake_step_done(&f);
}

/* CREATE failed; the operator makes it by hand; neither a second try nor the way back takes it. */
Test(pg_database_create, leaves_alone_what_somebody_made_after_it_failed)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = xasprintf("test_%d_byhand", (int)getpid());
        FakeStep f = pg_step(&step_pg_database_create, 17, NULL,
                             "{\"name\": \"%s\", \"encoding\": \"UTF8\", \"collate\": \"no_such\"}",
                             name);
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
        cr_assert(pg_step_exists(17, name));
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
        FakeStep f = pg_step(&step_pg_database_create, 17, NULL, "{\"name\": \"%s\"}", name);
        json_object_update_new(f.remembered, json_pack("{s:s, s:s, s:i}", "created", name, "oid",
                                                       "", "mark", 1000004711));
        cr_assert_not(fake_undo(&f, &err), "another's was dropped");
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert(pg_step_exists(17, name));
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
        FakeStep f =
                pg_step(&step_pg_sql, 13, name,
                        "{\"sql\": \"create table t (a int); insert into t values (1), (2)\"}");
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "rows", 0), 2);
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        fake_step_done(&f);
        f = pg_step(&step_pg_sql, 13, name,
                    "{\"sql\": \"insert into t values (3); select 1 / 0\"}");
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "22012");
        fake_step_done(&f);
        AUTO_PG Pg *pg = lab_open(13, name);
        AUTO_FREE char *n = lab_value(pg, "select count(*) from public.t");
        cr_assert_str_eq(n, "2");
        pg = pg_close(pg);
        lab_drop(13, name);
}
