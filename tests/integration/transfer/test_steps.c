/* The kinds that move data: done, killed half-way, probed, undone, on real servers. */
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "bundle/bundle.h"
#include "pg/roles.h"
#include "sample.h"
#include "step_ctx_fake.h"
#include "tests/fakes/scratch.h"

extern const StepKind step_bundle_create, step_bundle_verify, step_pg_copy, step_pg_dump,
        step_pg_rehearse, step_pg_restore;

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}

#define MUST(ok, err) cr_assert((ok), "%s", (err).message)

static void add_target(FakeStep *f, const char *name, int major, const char *database)
{
        PgParams p;
        cr_assert(lab_params(major, database, &p));
        f->password = p.password;
        fake_target(f, name,
                    json_pack("{s:s, s:{s:s, s:i}, s:s, s:s}", "kind", "postgres", "via", "host",
                              p.host, "port", p.port, "user", p.user, "database", p.database));
}

static FakeStep step(const StepKind *kind, int major, const char *fmt, ...) PRINTF(3, 4);

static FakeStep step(const StepKind *kind, int major, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *params = xvasprintf(fmt, ap);
        va_end(ap);
        FakeStep f = fake_step(kind, params);
        add_target(&f, "on", major, NULL);
        fake_on(&f, "on");
        return f;
}

/* Databases whose names are LIKE that. */
static int count(int major, const char *like)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *q =
                xasprintf("select count(*) from pg_database where datname like '%s'", like);
        AUTO_FREE char *n = lab_value(pg, q);
        return atoi(n);
}

static bool exists(int major, const char *database)
{
        return count(major, database) == 1;
}

static char *dir;
static char *db;

static void setup(void)
{
        dir = scratch_on_disk();
        db = lab_database(13, "steps");
        AUTO_PG Pg *pg = lab_open(13, db);
        lab_do(pg, "create table public.t as select g as id, md5(g::text) as v from "
                   "generate_series(1, 5000) g; alter table public.t add primary key (id)");
}

static void teardown(void)
{
        AUTO_ERR err = { 0 };
        lab_drop(13, db);
        free(db);
        cr_assert(io_remove_tree(dir, &err));
        free(dir);
}

static FakeStep copy_step(void)
{
        FakeStep f = step(&step_pg_copy, 17,
                          "{\"from\": \"old\", \"database\": \"%s\", "
                          "\"bundle\": {\"root\": \"%s\", \"name\": "
                          "\"final\"}}",
                          db, dir);
        add_target(&f, "old", 13, NULL);
        return f;
}

static int parts_in(const char *where)
{
        AUTO_JSON list = NULL;
        AUTO_ERR err = { 0 };
        cr_assert(bundle_list(where, &list, &err));
        return (int)json_array_size(list);
}

Test(pg_copy, is_done_probed_and_undone, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f = copy_step();
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *name = xstrdup(jx_str(f.results, "database", ""));
        cr_assert(str_starts(name, "pgsherpa_p0-fake_"));
        cr_assert_eq(jx_int(f.results, "tables", 0), 1);
        cr_assert_eq(jx_int(f.results, "rows", 0), 5000);
        cr_assert(io_exists(jx_str(f.results, "bundle", "")));
        cr_assert_eq(json_array_size(jx_get(f.results, "tolerated")), 0);
        cr_assert(exists(17, name));

        json_object_clear(f.results); /* killed before the verdict was written */
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        cr_assert_str_eq(jx_str(f.results, "database", ""), name);

        MUST(fake_undo(&f, &err), err);
        cr_assert_not(exists(17, name));
        MUST(fake_undo(&f, &err), err);
        cr_assert_eq(parts_in(dir), 1, "a finished bundle is never removed by undo");
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        fake_step_done(&f);
}

static FakeStep rehearse_step(void)
{
        FakeStep f = step(&step_pg_rehearse, 17, "{\"from\": \"old\", \"database\": \"%s\"}", db);
        add_target(&f, "old", 13, NULL);
        return f;
}

static bool role_exists(const char *role)
{
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_ERR err = { 0 };
        bool there = false;
        MUST(pg_role_exists(pg, role, &there, &err), err);
        return there;
}

Test(pg_rehearse, leaves_nothing_neither_at_its_end_nor_after_a_crash, .init = setup,
     .fini = teardown)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *from = lab_open(13, db);
        AUTO_FREE char *role = xasprintf("%s_reader", db);
        AUTO_FREE char *grant =
                xasprintf("create role \"%s\"; grant select on public.t to \"%s\"", role, role);
        AUTO_FREE char *revoke = xasprintf("drop owned by \"%s\"; drop role \"%s\"", role, role);
        lab_do(from, grant);
        FakeStep f = rehearse_step();
        cr_expect(fake_run(&f, &err), "%s", err.message);
        AUTO_FREE char *name = xstrdup(jx_str(f.remembered, "database", ""));
        cr_expect_eq(json_array_size(jx_get(f.results, "refused")), 0);
        cr_expect_eq(json_array_size(jx_get(f.results, "roles")), 1);
        cr_expect(*name && !exists(17, name) && !role_exists(role));
        cr_expect_eq(fake_probe(&f), FOUND_NOTHING);

        /* killed in the middle: the role and the database are there, nobody took them back */
        AUTO_PG Pg *to = lab_open(17, NULL);
        AUTO_FREE char *make_db = xasprintf("create database \"%s\"", name);
        AUTO_FREE char *make_role = xasprintf("create role \"%s\"", role);
        lab_do(to, make_db);
        lab_do(to, make_role);
        json_t *roles = json_array();
        jx_append_str(roles, role);
        jx_set(f.remembered, "roles", roles);
        jx_set_int(f.remembered, "oid", 0);
        cr_expect_eq(fake_probe(&f), FOUND_PART);
        cr_expect(fake_undo(&f, &err), "%s", err.message);
        cr_expect(!exists(17, name) && !role_exists(role));
        lab_do(from, revoke);
        fake_step_done(&f);
}

Test(pg_copy, starts_again_over_its_own_half_and_nobody_elses, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f = copy_step();
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *name = xstrdup(jx_str(f.results, "database", ""));
        /* as if it had been killed in the middle, with a .part on the disk */
        jx_set_bool(f.remembered, "whole", false);
        AUTO_FREE char *part = xasprintf("%s.part", jx_str(f.remembered, "bundle", ""));
        MUST(io_replace_file(part, "half", 4, 0600, &err), err);
        json_object_clear(f.results);
        cr_assert_eq(fake_probe(&f), FOUND_PART);
        MUST(fake_run(&f, &err), err);
        cr_assert_not(io_exists(part));
        cr_assert_str_eq(jx_str(f.results, "database", ""), name);

        /* Somebody put another database there meanwhile: drift, and nothing is touched. */
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_FREE char *swap = xasprintf("drop database \"%s\"", name);
        AUTO_FREE char *make = xasprintf("create database \"%s\"", name);
        lab_do(pg, swap);
        lab_do(pg, make);
        cr_assert_not(fake_undo(&f, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert(exists(17, name));
        lab_do(pg, swap);
        fake_step_done(&f);
}

Test(pg_copy, changes_nothing_when_nothing_can_be_remembered, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f = copy_step();
        int before = count(17, "pgsherpa_p0-fake_%"); /* of a test that was killed */
        f.refuse_remember = true;
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(count(17, "pgsherpa_p0-fake_%"), before);
        cr_assert_eq(parts_in(dir), 0);
        fake_step_done(&f);
}

Test(pg_copy, plans_without_touching_anything, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f = copy_step();
        MUST(fake_plan(&f, &err), err);
        cr_assert_gt(json_array_size(f.plan), 3);
        cr_assert_eq(json_array_size(f.undo_plan), 2); /* the sentence, and its SQL */
        cr_assert(
                str_starts(json_string_value(json_array_get(f.undo_plan, 0)), "# drops database "));
        cr_assert(str_starts(json_string_value(json_array_get(f.undo_plan, 1)), "DROP DATABASE "));
        cr_assert_eq(f.remembers, 0);
        fake_step_done(&f);
}

static char *made_bundle(FakeStep *f)
{
        AUTO_ERR err = { 0 };
        *f = step(&step_bundle_create, 13,
                  "{\"root\": \"%s\", \"name\": \"app\", \"databases\": [\"%s\"], "
                  "\"dump\": \"custom\"}",
                  dir, db);
        MUST(fake_run(f, &err), err);
        return xstrdup(jx_str(f->results, "path", ""));
}

Test(bundle_create, makes_one_that_verify_and_restore_accept, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f;
        AUTO_FREE char *path = made_bundle(&f);
        cr_assert_eq(jx_int(f.results, "tables", 0), 1);
        json_object_clear(f.results);
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        cr_assert_str_eq(jx_str(f.results, "path", ""), path);
        MUST(fake_undo(&f, &err), err);
        cr_assert(io_exists(path));
        fake_step_done(&f);

        FakeStep v = step(&step_bundle_verify, 13, "{\"bundle\": \"%s\"}", path);
        MUST(fake_run(&v, &err), err);
        cr_assert_eq(json_array_size(jx_get(v.results, "bad")), 0);
        cr_assert_eq(jx_int(v.results, "rows", 0), 5000);
        AUTO_FREE char *side = xasprintf("%s.verify.json", path);
        cr_assert(io_exists(side));
        fake_step_done(&v);

        FakeStep r = step(&step_pg_restore, 17, "{\"bundle\": \"%s\"}", path);
        MUST(fake_run(&r, &err), err);
        AUTO_FREE char *name = xstrdup(jx_str(r.results, "database", ""));
        {
                AUTO_PG Pg *pg = lab_open(17, name);
                AUTO_FREE char *n = lab_value(pg, "select count(*) from public.t");
                cr_assert_str_eq(n, "5000");
        }
        json_object_clear(r.results);
        cr_assert_eq(fake_probe(&r), FOUND_ALL);
        MUST(fake_undo(&r, &err), err);
        cr_assert_not(exists(17, name));
        fake_step_done(&r);
}

Test(bundle_verify, names_the_damage, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f;
        AUTO_FREE char *path = made_bundle(&f);
        fake_step_done(&f);
        FILE *file = fopen(path, "r+");
        fseek(file, 20000, SEEK_SET);
        fputs("damage", file);
        fclose(file);
        FakeStep v = step(&step_bundle_verify, 13, "{\"bundle\": \"%s\"}", path);
        MUST(fake_run(&v, &err), err);
        cr_assert_gt(json_array_size(jx_get(v.results, "bad")), 0);
        fake_step_done(&v);
}

Test(pg_restore, takes_a_dump_as_it_takes_a_bundle, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f = step(&step_pg_dump, 13, "{\"root\": \"%s\", \"database\": \"%s\"}", dir, db);
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *path = xstrdup(jx_str(f.results, "path", ""));
        fake_step_done(&f);
        FakeStep r = step(&step_pg_restore, 17, "{\"bundle\": \"%s\"}", path);
        MUST(fake_run(&r, &err), err);
        AUTO_FREE char *name = xstrdup(jx_str(r.results, "database", ""));
        cr_assert_eq(jx_int(r.results, "rows", 0), 5000);
        cr_assert(str_starts(jx_str(r.results, "client", ""), "pg_restore"), "%s",
                  jx_str(r.results, "client", ""));
        json_object_clear(r.results);
        cr_assert_eq(fake_probe(&r), FOUND_ALL);
        MUST(fake_undo(&r, &err), err);
        cr_assert_not(exists(17, name));
        fake_step_done(&r);
        cr_assert_eq(truncate(path, 4000), 0);
        FakeStep cut = step(&step_pg_restore, 17, "{\"bundle\": \"%s\"}", path);
        cr_assert_not(fake_run(&cut, &err));
        cr_assert(!*jx_str(cut.results, "database", "") ||
                          !exists(17, jx_str(cut.results, "database", "")) || fake_undo(&cut, &err),
                  "%s", err.message);
        fake_step_done(&cut);
}

Test(pg_dump, writes_a_file_that_was_read_to_its_end, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        FakeStep f = step(&step_pg_dump, 13, "{\"root\": \"%s\", \"database\": \"%s\"}", dir, db);
        MUST(fake_run(&f, &err), err);
        cr_assert(io_exists(jx_str(f.results, "path", "")));
        cr_assert(str_starts(jx_str(f.results, "client", ""), "13."));
        MUST(fake_undo(&f, &err), err);
        cr_assert(io_exists(jx_str(f.results, "path", "")));
        fake_step_done(&f);
}
