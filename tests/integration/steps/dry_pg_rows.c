/* Kinds that work on one server. */
#include "dry_row.h"

#define NASTY    "a\"; drop $(rm) 'x'"
#define BYTES_64 "a234567890123456789012345678901234567890123456789012345678901234"

static const char *db_or(Scene *s, bool planted, const char *instead)
{
        return planted ? instead : scene_database(s, 17, "db");
}

/* ---- statistics, indexes ---- */

static FakeStep analyze(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = scene_step(k, json_pack("{s:s}", "database", db_or(s, planted, NASTY)));
        scene_on(&f, 17, NULL, NULL);
        return f;
}

static FakeStep refresh(Scene *s, const StepKind *k, bool planted)
{
        const char *db = scene_database(s, 17, "db"), *role = scene_role(s, 17, "app", "");
        FakeStep f = scene_step(k, json_object());
        scene_sql(17, NULL, "alter database \"%s\" owner to \"%s\"", db,
                  planted ? "postgres" : role);
        scene_sql(17, NULL,
                  "update pg_database set datcollversion = '0.1', datcollate = "
                  "'en_US.utf8', datctype = 'en_US.utf8' where datname = '%s'",
                  db);
        scene_on(&f, 17, db, role);
        return f;
}

static FakeStep reindex_of_another(Scene *s, const StepKind *k, bool planted)
{
        const char *db = scene_database(s, 17, "db"), *role = scene_role(s, 17, "app", "");
        FakeStep f = scene_step(k, json_pack("{s:s}", "scope", "all"));
        scene_sql(17, db,
                  "create table public.t (a int primary key); alter table public.t owner to \"%s\"",
                  planted ? "postgres" : role);
        scene_on(&f, 17, db, role);
        return f;
}

static FakeStep search_words(Scene *s, const StepKind *k, bool planted)
{
        const char *db = scene_database(s, 18, "db"), *role = scene_role(s, 18, "app", "");
        FakeStep f = scene_step(k, json_pack("{s:i}", "from", 17));
        if (!planted)
                scene_sql(18, NULL, "alter role \"%s\" superuser", role);
        scene_sql(18, db,
                  "create table public.t (v tsvector, \"a; drop\" text); create trigger w "
                  "before update on public.t for each row execute function "
                  "tsvector_update_trigger(v, 'pg_catalog.german', 'a; drop'); alter table "
                  "public.t owner to \"%s\"",
                  role);
        scene_on(&f, 18, db, role);
        return f;
}

static FakeStep reindex_what(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = scene_step(k, json_pack("{s:s}", "scope", planted ? "some" : "all"));
        scene_on(&f, 17, scene_database(s, 17, "db"), NULL);
        return f;
}

static FakeStep terminate(Scene *s, const StepKind *k, bool planted)
{
        AUTO_ERR err = { 0 };
        const char *db = scene_database(s, 17, "db"), *role = scene_role(s, 17, "app", "");
        PgParams p;
        if (!planted)
                scene_sql(17, NULL, "grant pg_signal_backend to \"%s\"", role);
        const char *other = scene_role(s, 17, "other", "");
        cr_assert(lab_params(17, db, &p));
        p.user = other;
        p.app = "an application";
        cr_assert(pg_open(&p, &s->held, &err), "%s", err.message);
        FakeStep f = scene_step(k, json_pack("{s:s}", "database", db));
        scene_on(&f, 17, db, role);
        return f;
}

/* ---- statements ---- */

static FakeStep sql(Scene *s, const StepKind *k, const char *text)
{
        const char *db = scene_database(s, 17, "db");
        FakeStep f = scene_step(k, json_pack("{s:s, s:b}", "sql", text, "transaction", true));
        scene_sql(
                17, db,
                "create table public.users (id int); create table public.\"a\"\"; drop\" (id int)");
        scene_on(&f, 17, db, NULL);
        return f;
}

static FakeStep sql_grammar(Scene *s, const StepKind *k, bool planted)
{
        return sql(s, k, planted ? "delete fron users" : "delete from users");
}

static FakeStep sql_name(Scene *s, const StepKind *k, bool planted)
{
        return sql(s, k,
                   planted ? "select id from \"a\"\"; drap\"" : "select id from \"a\"\"; drop\"");
}

static FakeStep sql_several(Scene *s, const StepKind *k, bool planted)
{
        return sql(s, k,
                   planted ? "create table z (a int); selekt 1"
                           : "create table z (a int); insert into z values (1)");
}

/* ---- databases ---- */

static FakeStep create(Scene *s, const StepKind *k, json_t *more, const char *role)
{
        AUTO_JSON params = more;
        AUTO_FREE char *name = scene_name(s, NASTY);
        json_t *given = json_deep_copy(params);
        if (!jx_get(given, "name"))
                jx_set_str(given, "name", name);
        FakeStep f = scene_step(k, given);
        scene_on(&f, 17, NULL, role);
        scene_drop_later(s, 17, name);
        return f;
}

static FakeStep create_twice(Scene *s, const StepKind *k, bool planted)
{
        return planted ? create(s, k, json_pack("{s:s}", "name", scene_database(s, 17, "db")), NULL)
                       : create(s, k, json_object(), NULL);
}

static FakeStep create_no_right(Scene *s, const StepKind *k, bool planted)
{
        return create(s, k, json_object(), scene_role(s, 17, "app", planted ? "" : "createdb"));
}

static FakeStep create_owner(Scene *s, const StepKind *k, bool planted)
{
        return create(s, k,
                      json_pack("{s:s}", "owner", planted ? NASTY : scene_role(s, 17, "app", "")),
                      NULL);
}

static FakeStep create_locale(Scene *s, const StepKind *k, bool planted)
{
        return create(s, k, json_pack("{s:s}", "collate", planted ? "xx_XX.UTF-8" : "C"), NULL);
}

static FakeStep create_encoding(Scene *s, const StepKind *k, bool planted)
{
        return create(
                s, k,
                json_pack("{s:s, s:s}", "encoding", planted ? "UTF9" : "UTF8", "collate", "C"),
                NULL);
}

static FakeStep create_template(Scene *s, const StepKind *k, bool planted)
{
        return create(s, k, json_pack("{s:s}", "template", planted ? "no_such" : "template0"),
                      NULL);
}

static FakeStep create_long(Scene *s, const StepKind *k, bool planted)
{
        if (planted)
                return create(s, k, json_pack("{s:s}", "name", BYTES_64), NULL);
        AUTO_FREE char *name = xasprintf(
                "%.63s", "test_0123456789012345678901234567890123456789012345678901234567890123");
        scene_drop_later(s, 17, name);
        return create(s, k, json_pack("{s:s}", "name", name), NULL);
}

static FakeStep create_provider(Scene *s, const StepKind *k, bool planted)
{
        FakeStep f = create(
                s, k,
                json_pack("{s:s, s:s}", "provider", planted ? "builtin" : "libc", "collate", "C"),
                NULL);
        AUTO_FREE char *name = xstrdup(jx_str(f.params, "name", ""));
        scene_drop_later(s, 13, name);
        scene_on(&f, 13, NULL, NULL);
        return f;
}

static FakeStep drop(Scene *s, const StepKind *k, const char *db, const char *role,
                     bool only_if_empty)
{
        FakeStep f = scene_step(k, json_pack("{s:s, s:b, s:b}", "name", db, "force", false,
                                             "only_if_empty", only_if_empty));
        scene_on(&f, 17, NULL, role);
        return f;
}

static FakeStep drop_template(Scene *s, const StepKind *k, bool planted)
{
        const char *db = scene_database(s, 17, "db");
        if (planted)
                scene_sql(17, NULL, "alter database \"%s\" is_template true", db);
        return drop(s, k, db, NULL, false);
}

static FakeStep drop_of_another(Scene *s, const StepKind *k, bool planted)
{
        const char *db = scene_database(s, 17, "db"), *role = scene_role(s, 17, "app", "createdb");
        if (!planted)
                scene_sql(17, NULL, "alter database \"%s\" owner to \"%s\"", db, role);
        return drop(s, k, db, role, false);
}

static FakeStep drop_used(Scene *s, const StepKind *k, bool planted)
{
        AUTO_ERR err = { 0 };
        const char *db = scene_database(s, 17, "db");
        PgParams p;
        cr_assert(lab_params(17, db, &p));
        p.app = "an application";
        cr_assert(!planted || pg_open(&p, &s->held, &err));
        return drop(s, k, db, NULL, false);
}

static FakeStep drop_full(Scene *s, const StepKind *k, bool planted)
{
        const char *db = scene_database(s, 17, "db");
        if (planted)
                scene_sql(17, db, "create table public.t (a int)");
        return drop(s, k, db, NULL, true);
}

static FakeStep drop_postgres(Scene *s, const StepKind *k, bool planted)
{
        return drop(s, k, planted ? "postgres" : scene_database(s, 17, "db"), NULL, false);
}

static FakeStep rename_it(Scene *s, const StepKind *k, const char *from, const char *to,
                          const char *role)
{
        FakeStep f = scene_step(
                k, json_pack("{s:s, s:s, s:b}", "from", from, "to", to, "replace_empty", true));
        scene_on(&f, 17, NULL, role);
        scene_drop_later(s, 17, to);
        return f;
}

static FakeStep rename_nothing(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *to = scene_name(s, NASTY);
        return rename_it(s, k, planted ? "no_such" : scene_database(s, 17, "db"), to, NULL);
}

static FakeStep rename_over(Scene *s, const StepKind *k, bool planted)
{
        const char *from = scene_database(s, 17, "db"), *to = scene_database(s, 17, "there");
        if (planted)
                scene_sql(17, to, "create table public.t (a int)");
        return rename_it(s, k, from, to, NULL);
}

static FakeStep rename_of_another(Scene *s, const StepKind *k, bool planted)
{
        const char *from = scene_database(s, 17, "db"),
                   *role = scene_role(s, 17, "app", "createdb");
        AUTO_FREE char *to = scene_name(s, "to");
        if (!planted)
                scene_sql(17, NULL, "alter database \"%s\" owner to \"%s\"", from, role);
        return rename_it(s, k, from, to, role);
}

/* ---- roles ---- */

static FakeStep role(Scene *s, const StepKind *k, const char *name, const char *as)
{
        FakeStep f = scene_step(k, json_pack("{s:s, s:s}", "name", name, "if_exists", "fail"));
        scene_on(&f, 17, NULL, as);
        return f;
}

static FakeStep role_twice(Scene *s, const StepKind *k, bool planted)
{
        const char *there = scene_role(s, 17, "app", "");
        AUTO_FREE char *other = scene_name(s, NASTY);
        return role(s, k, planted ? there : other, NULL);
}

static FakeStep role_reserved(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *other = scene_name(s, "x");
        return role(s, k, planted ? "pg_mine" : other, NULL);
}

static FakeStep role_no_right(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *other = scene_name(s, "x");
        return role(s, k, other, scene_role(s, 17, "app", planted ? "" : "createrole"));
}

const DryRow dry_pg_rows[] = {
        { "pg.analyze", "a database that is missing", "does not exist", analyze, FAILS },
        { "pg.collation.refresh", "a database of another role", "belongs to", refresh, FAILS },
        { "pg.reindex", "an index of another role", "belongs to", reindex_of_another, FAILS },
        { "pg.reindex", "a scope that is none", "neither", reindex_what, FAILS },
        { "pg.textsearch.update", "no right to keep triggers quiet", "no superuser", search_words,
          FAILS },
        { "pg.terminate", "no right to end sessions", "pg_signal_backend", terminate, ONLY_SAID },
        { "pg.sql", "a mistake of grammar", "syntax error", sql_grammar, FAILS },
        { "pg.sql", "a table that is missing", "does not exist", sql_name, FAILS },
        { "pg.sql", "a mistake in the second statement", "syntax error", sql_several, FAILS },
        { "pg.database.create", "one of that name", "exists already", create_twice, FAILS },
        { "pg.database.create", "no right", "may not create databases", create_no_right, FAILS },
        { "pg.database.create", "an owner that is missing", "there is no role", create_owner,
          FAILS },
        { "pg.database.create", "a locale the server lacks", "has no locale", create_locale,
          FAILS },
        { "pg.database.create", "an encoding that is none", "knows no `UTF9`", create_encoding,
          FAILS },
        { "pg.database.create", "a template that is missing", "there is no database no_such",
          create_template, FAILS },
        { "pg.database.create", "a name of 64 bytes", "longer than the 63 bytes", create_long,
          ONLY_SAID },
        { "pg.database.create", "a provider the major lacks", "has no databases with provider",
          create_provider, ONLY_SAID },
        { "pg.database.drop", "a template", "is a template", drop_template, FAILS },
        { "pg.database.drop", "another role's", "belongs to", drop_of_another, FAILS },
        { "pg.database.drop", "somebody in it", "connected to database", drop_used, FAILS },
        { "pg.database.drop", "it is not empty", "is not empty", drop_full, FAILS },
        { "pg.database.drop", "the server's own", "belongs to the server", drop_postgres, FAILS },
        { "pg.database.rename", "none of that name", "there is no database no_such", rename_nothing,
          FAILS },
        { "pg.database.rename", "a full one in its place", "is not empty", rename_over, FAILS },
        { "pg.database.rename", "another role's", "belongs to", rename_of_another, FAILS },
        { "pg.role.create", "one of that name", "exists already", role_twice, FAILS },
        { "pg.role.create", "a reserved name", "is reserved", role_reserved, FAILS },
        { "pg.role.create", "no right", "may not create roles", role_no_right, FAILS },
        { 0 },
};
