/* Kinds that carry data from one server, or a file, to another. */
#include <unistd.h>

#include "base/io.h"
#include "dry_row.h"

/* A database on 13 with a table, read by a role that may not read it while planted. */
static FakeStep from_13_to(Scene *s, const StepKind *k, json_t *params, bool may_read,
                           const char *can_on_17, bool role_there)
{
        const char *db = scene_database(s, 13, "db"), *reader = scene_role(s, 13, "reader", "");
        scene_sql(13, db,
                  "create table public.\"t \"\"; drop\" (a int); insert into public.\"t \"\"; "
                  "drop\" values (1)");
        if (may_read)
                scene_sql(13, db, "grant select on public.\"t \"\"; drop\" to \"%s\"", reader);
        jx_set_str(params, "from", "old");
        jx_set_str(params, "database", db);
        jx_set(params, "from", json_pack("{s:s}", "$target", "old"));
        FakeStep f = scene_step(k, params);
        scene_target(&f, "old", 13, db, reader);
        if (role_there)
                scene_role(s, 17, "reader", "");
        const char *maker = can_on_17 ? scene_role(s, 17, "maker", can_on_17) : NULL;
        scene_on(&f, 17, NULL, maker);
        return f;
}

static FakeStep from_13(Scene *s, const StepKind *k, json_t *params, bool may_read,
                        const char *can_on_17)
{
        return from_13_to(s, k, params, may_read, can_on_17, true);
}

static FakeStep copy_closed(Scene *s, const StepKind *k, bool planted)
{
        return from_13(s, k, json_object(), !planted, NULL);
}

static FakeStep copy_no_right(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = from_13(s, k, json_object(), true, planted ? "" : NULL);
        return f;
}

static FakeStep copy_nothing(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = from_13(s, k, json_object(), true, NULL);
        if (planted)
                jx_set_str(f.params, "database", "a\"; drop $(rm)");
        return f;
}

static FakeStep copy_role(Scene *s, const StepKind *k, bool planted)
{
        return from_13_to(s, k, json_object(), true, NULL, !planted);
}

static FakeStep copy_few(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = from_13(s, k, json_object(), true, NULL);
        const char *reader = jx_str(jx_get(f.targets, "old"), "user", "");
        if (planted)
                scene_sql(13, NULL, "alter role \"%s\" connection limit 1", reader);
        return f;
}

static FakeStep copy_beside(Scene *s, const StepKind *k, bool planted)
{
        scene_write(s, "file", "");
        AUTO_FREE char *root = scene_path(s, planted ? "file/below" : "bundles");
        return from_13(s, k, json_pack("{s:{s:s, s:s}}", "bundle", "root", root, "name", "app"),
                       true, NULL);
}

static FakeStep rehearse(Scene *s, const StepKind *k, bool planted)
{
        return from_13(s, k, json_object(), true, planted ? "createrole" : NULL);
}

static FakeStep roles(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = from_13_to(s, k, json_object(), true, planted ? "" : "createrole", false);
        jx_set(f.params, "databases", json_pack("[s]", jx_str(f.params, "database", "")));
        const char *reader = json_string_value(json_array_get(json_array_get(s->roles, 0), 1));
        json_array_append_new(s->roles, json_pack("[i, s]", 17, reader));
        return f;
}

static FakeStep settings(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = from_13(s, k, json_object(), true, planted ? "" : NULL);
        scene_target(&f, "old", 17, NULL, NULL); /* its own settings, onto itself */
        jx_set_str(f.params, "files", "try");
        return f;
}

static FakeStep settings_how(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = settings(s, k, false);
        jx_set_str(f.params, "files", planted ? "all" : "try");
        return f;
}

/* ---- files ---- */

static FakeStep bundle(Scene *s, const StepKind *k, const char *root, const char *dump,
                       bool may_read)
{
        FakeStep f = from_13(s, k, json_object(), may_read, NULL);
        AUTO_FREE char *path = scene_path(s, root);
        jx_set_str(f.params, "root", path);
        jx_set_str(f.params, "name", "a\"; drop $(rm)");
        jx_set(f.params, "databases", json_pack("[s]", jx_str(f.params, "database", "")));
        jx_set_str(f.params, "dump", dump);
        jx_set_bool(f.params, "globals", false);
        fake_on(&f, "old");
        return f;
}

static FakeStep bundle_closed(Scene *s, const StepKind *k, bool planted)
{
        return bundle(s, k, "bundles", "custom", !planted);
}

static FakeStep bundle_nowhere(Scene *s, const StepKind *k, bool planted)
{
        scene_write(s, "file", "");
        return bundle(s, k, planted ? "file/below" : "bundles", "custom", true);
}

static FakeStep bundle_object(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = bundle(s, k, "bundles", "none", true);
        if (planted)
                scene_sql(13, jx_str(f.params, "database", ""), "select lo_create(4711)");
        return f;
}

/* 540 MB are 1.08 GB of text. */
static FakeStep bundle_wide(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = bundle(s, k, "bundles", planted ? "custom" : "none", true);
        const char *db = jx_str(f.params, "database", "");
        scene_sql(13, db,
                  "create table public.wide (b bytea); alter table public.wide alter b set "
                  "storage external; grant select on public.wide to public; insert into "
                  "public.wide select convert_to(repeat('x', 540000000), 'UTF8')");
        return f;
}

static FakeStep dump_closed(Scene *s, const StepKind *k, bool planted)
{
        return bundle(s, k, "dumps", "none", !planted);
}

static FakeStep dump_nowhere(Scene *s, const StepKind *k, bool planted)
{
        scene_write(s, "file", "");
        return bundle(s, k, planted ? "file/below" : "dumps", "none", true);
}

static FakeStep restore(Scene *s, const StepKind *k, const char *file, const char *can)
{
        scene_write(s, "dump.sql",
                    "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n\nCREATE "
                    "TABLE public.t "
                    "(\n    a integer\n);\n\n--\n-- PostgreSQL database dump complete\n--\n\n");
        scene_write(s, "damaged", "\x1f\x8b\x08 this was a gzip once");
        AUTO_FREE char *path = scene_path(s, file);
        FakeStep f = scene_step(k, json_pack("{s:s}", "bundle", path));
        scene_on(&f, 17, NULL, scene_role(s, 17, "maker", can));
        return f;
}

static FakeStep restore_damaged(Scene *s, const StepKind *k, bool planted)
{
        return restore(s, k, planted ? "damaged" : "dump.sql", "createdb");
}

static FakeStep restore_nothing(Scene *s, const StepKind *k, bool planted)
{
        return restore(s, k, planted ? "no $(rm)" : "dump.sql", "createdb");
}

static FakeStep restore_no_right(Scene *s, const StepKind *k, bool planted)
{
        return restore(s, k, "dump.sql", planted ? "" : "createdb");
}

const DryRow dry_pg_move_rows[] = {
        { "pg.copy", "a table that may not be read", "may not be read", copy_closed, FAILS },
        { "pg.copy", "no right on the target", "may not create databases", copy_no_right, FAILS },
        { "pg.copy", "a role that is missing", "there is no role", copy_role, FAILS },
        { "pg.copy", "a role of one connection", "CONNECTION LIMIT of role", copy_few, FAILS },
        { "pg.copy", "no such database", "does not exist", copy_nothing, FAILS },
        { "pg.copy", "no room for its bundle", "is not a directory", copy_beside, FAILS },
        { "pg.rehearse", "no right on the target", "may not create databases", rehearse, FAILS },
        { "pg.roles.copy", "no right on the target", "may not create roles", roles, FAILS },
        { "pg.server.settings", "no superuser", "only a superuser", settings, FAILS },
        { "pg.server.settings", "neither carry nor try", "neither carry nor try", settings_how,
          FAILS },
        { "bundle.create", "a table that may not be read", "may not be read", bundle_closed,
          FAILS },
        { "bundle.create", "no directory", "is not a directory", bundle_nowhere, FAILS },
        { "bundle.create", "a large object of another role", "large object", bundle_object, FAILS },
        { "bundle.create", "a row above 1 GB of text", "goes without that dump", bundle_wide,
          WARNED },
        { "pg.dump", "a table that may not be read", "may not be read", dump_closed, FAILS },
        { "pg.dump", "no directory", "is not a directory", dump_nowhere, FAILS },
        { "pg.restore", "a damaged file", "damaged", restore_damaged, FAILS },
        { "pg.restore", "no such file", "no $(rm)", restore_nothing, FAILS },
        { "pg.restore", "no right on the target", "may not create databases", restore_no_right,
          FAILS },
        { 0 },
};
