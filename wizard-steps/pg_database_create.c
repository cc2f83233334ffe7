/* pg_database_create.c: an empty database with the right owner, encoding and locale. */
#include "base/digest.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/database.h"

#define MARK_BASE 1000000000 /* connections: no limit of anybody's, and as good as none */

static const ParamSpec params[] = {
        { .name = "name", .type = PARAM_NAME, .help = "name of the database" },
        { .name = "owner", .type = PARAM_NAME, .fallback = "~", .help = "its owner" },
        { .name = "template",
          .type = PARAM_NAME,
          .fallback = "template0",
          .help = "made from this" },
        { .name = "encoding", .type = PARAM_STRING, .fallback = "~", .help = "its encoding" },
        { .name = "collate", .type = PARAM_STRING, .fallback = "~", .help = "its collation" },
        { .name = "ctype",
          .type = PARAM_STRING,
          .fallback = "~",
          .help = "its character classification, as collate when not given" },
        { .name = "provider",
          .type = PARAM_STRING,
          .fallback = "~",
          .help = "libc, icu or builtin (15 and later)" },
        { .name = "locale", .type = PARAM_STRING, .fallback = "~", .help = "of icu or builtin" },
        { .name = "connection_limit",
          .type = PARAM_INT,
          .fallback = "-1",
          .help = "connections at a time, -1 for any number" },
        { .name = "revoke_public_connect",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "keep other roles of the server out" },
        { .name = "comment", .type = PARAM_STRING, .fallback = "~", .help = "comment on it" },
        { .name = "if_exists",
          .type = PARAM_STRING,
          .fallback = "fail",
          .help = "fail; keep: use it as it is" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "database", .type = PARAM_NAME, .help = "its name" },
        { .name = "created", .type = PARAM_BOOL, .help = "false when it was there" },
        { 0 },
};

static bool pg_database_create_check(StepCtx *ctx, void *state, Err *err);
static bool pg_database_create_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_database_create_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_database_create_run(StepCtx *ctx, void *state, Err *err);
static bool pg_database_create_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_database_create_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_database_create = {
        .name = "pg.database.create",
        .summary = "Create an empty database",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .check = pg_database_create_check,
        .plan = pg_database_create_plan,
        .dry = pg_database_create_dry,
        .run = pg_database_create_run,
        .probe = pg_database_create_probe,
        .undo = pg_database_create_undo,
};

static const char *or_null(const char *s)
{
        return *s ? s : NULL;
}

static DatabaseSpec pg_database_create_spec_of(StepCtx *ctx)
{
        const char *collate = or_null(step_str(ctx, "collate"));
        const char *ctype = or_null(step_str(ctx, "ctype"));
        return (DatabaseSpec){ .name = step_str(ctx, "name"),
                               .owner = or_null(step_str(ctx, "owner")),
                               .template_db = or_null(step_str(ctx, "template")),
                               .encoding = or_null(step_str(ctx, "encoding")),
                               .collate = collate,
                               .ctype = ctype ? ctype : collate,
                               .provider = or_null(step_str(ctx, "provider")),
                               .icu_locale = or_null(step_str(ctx, "locale")),
                               .connlimit = step_int(ctx, "connection_limit"),
                               .revoke_public_connect = step_bool(ctx, "revoke_public_connect"),
                               .comment = or_null(step_str(ctx, "comment")) };
}

static bool pg_database_create_check(StepCtx *ctx, void *state, Err *err)
{
        const char *how = step_str(ctx, "if_exists");
        if (!str_eq(how, "fail") && !str_eq(how, "keep"))
                step_problem(ctx, "if_exists: `%s` is neither fail nor keep", how);
        return true;
}

static bool pg_database_create_plan(StepCtx *ctx, void *state, Err *err)
{
        DatabaseSpec d = pg_database_create_spec_of(ctx);
        AUTO_SQL q = { 0 };
        d.name = step_words(ctx, "name");
        d.encoding = or_null(step_words(ctx, "encoding"));
        pg_database_create_sql(&d, 15, &q);
        kit_plan_sql(ctx, &q);
        if (d.revoke_public_connect)
                step_plan(ctx, "revoke connect, temporary on database .. from public");
        step_plan_undo(ctx, "# drops database %s, if this run made it and it is empty",
                       step_words(ctx, "name"));
        step_plan_undo(ctx, "drop database \"%s\"   # if this run made it and it is empty",
                       step_words(ctx, "name"));
        return true;
}

/* Ours is known by its OID. CREATE DATABASE knows no transaction, so a crash may come before the
 * OID was read: until then it has a connection limit that nobody else would give it. */
static bool pg_database_create_is_ours(StepCtx *ctx, const json_t *there)
{
        const json_t *memory = step_remembered(ctx);
        const char *oid = jx_str(memory, "oid", "");
        int64_t mark = jx_int(memory, "mark", 0);
        if (!there || !jx_str(memory, "created", NULL))
                return false;
        return *oid ? str_eq(oid, jx_str(there, "oid", ""))
                    : mark > 0 && jx_int(there, "limit", -1) == mark;
}

static int64_t new_mark(void)
{
        char hex[7];
        random_hex(3, hex);
        return MARK_BASE + strtol(hex, NULL, 16);
}

/* The server said no: what has that name later was made by somebody else. */
static bool not_made(StepCtx *ctx, const Err *err)
{
        AUTO_ERR ignored = { 0 }; /* the mark still tells it from another's */
        json_t *memory = json_object();
        jx_set(memory, "created", json_null());
        if (err->kind == ERR_LINK)
                json_decref(memory);
        else
                (void)!step_remember(ctx, memory, &ignored);
        return false;
}

static bool pg_database_create_make(StepCtx *ctx, Pg *pg, const DatabaseSpec *d, Err *err)
{
        AUTO_JSON made = NULL;
        DatabaseSpec marked = *d;
        json_t *memory = json_object();
        marked.connlimit = new_mark();
        jx_set_str(memory, "created", d->name);
        jx_set_str(memory, "oid", "");
        jx_set_int(memory, "mark", marked.connlimit);
        if (!step_remember(ctx, memory, err))
                return false;
        if (!pg_database_create(pg, &marked, err))
                return not_made(ctx, err);
        if (!pg_database_describe(pg, d->name, &made, err))
                return false;
        memory = json_object();
        jx_set_str(memory, "oid", jx_str(made, "oid", ""));
        return step_remember(ctx, memory, err);
}

static bool pg_database_create_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        DatabaseSpec d = pg_database_create_spec_of(ctx);
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_database_describe(pg, d.name, &there, err))
                return false;
        bool ours = pg_database_create_is_ours(ctx, there);
        if (there && !ours && str_eq(step_str(ctx, "if_exists"), "fail")) {
                err_set(err, ERR_SERVER, "database %s exists already", d.name);
                memcpy(err->sqlstate, "42P04", 6);
                return err_hint(err, "if_exists: keep uses it as it is");
        }
        if (!there && !pg_database_create_make(ctx, pg, &d, err))
                return false;
        if ((!there || ours) && !pg_database_dress(pg, &d, err))
                return false;
        step_result_str(ctx, "database", d.name);
        step_result_bool(ctx, "created", !there || ours);
        step_report(ctx, "database %s %s", d.name, there && !ours ? "was there" : "made");
        return true;
}

static bool pg_database_create_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        *ret = FOUND_NOTHING;
        if (!jx_str(step_remembered(ctx), "created", NULL))
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_database_describe(pg, step_str(ctx, "name"), &there, err))
                return false;
        /* run() dresses it again, harmlessly */
        *ret = pg_database_create_is_ours(ctx, there) ? FOUND_PART : FOUND_NOTHING;
        return true;
}

static bool pg_database_create_undo(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        AUTO_FREE char *what = NULL;
        bool empty = false;
        const char *name = jx_str(step_remembered(ctx), "created", NULL);
        if (!name)
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_database_describe(pg, name, &there, err))
                return false;
        if (!there)
                return true;
        if (!pg_database_create_is_ours(ctx, there)) {
                err_set(err, ERR_USER, "database %s is not the one this run made", name);
                return err_hint(err, "look at it; it stays as it is");
        }
        if (!pg_database_is_empty(pg, name, &empty, &what, err))
                return false;
        if (!empty) {
                err_set(err, ERR_USER, "database %s is not empty any more: it has %s", name, what);
                return err_hint(err, "look at it, then drop it by hand if it can go");
        }
        return pg_database_drop(pg, name, false, err);
}

static bool dry_owner(StepCtx *ctx, Pg *pg, const char *owner, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        if (!*owner || dry_will_be_on(ctx, step_target(ctx), "role", owner) == WILL_COME)
                return true;
        sql_add(&q, "select pg_has_role(oid, 'USAGE') from pg_roles where rolname = ");
        sql_value(&q, owner);
        if (!pg_query(pg, &q, &r, err))
                return false;
        if (!pg_rows(r))
                step_problem(ctx, "owner: there is no role %s", owner);
        else if (!pg_cell_bool(r, 0, 0))
                step_problem(ctx,
                             "owner: this role is no member of %s, and cannot give it a database",
                             owner);
        return true;
}

static bool dry_template(StepCtx *ctx, Pg *pg, const char *template, Err *err)
{
        AUTO_JSON there = NULL;
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        if (dry_will_be_on(ctx, step_target(ctx), "database", template) == WILL_COME)
                return true;
        sql_add(&q, "select datistemplate or pg_has_role(datdba, 'USAGE') from pg_database where "
                    "datname = ");
        sql_value(&q, template);
        if (!pg_query(pg, &q, &r, err))
                return false;
        if (!pg_rows(r))
                step_problem(ctx, "template: there is no database %s", template);
        else if (!pg_cell_bool(r, 0, 0))
                step_problem(ctx, "template: %s is no template, and not ours to copy", template);
        else if (!str_eq(template, "template0"))
                return dry_nobody_in(ctx, pg, template, err);
        return true;
}

static bool dry_text(StepCtx *ctx, Pg *pg, Err *err)
{
        const char *encoding = step_str(ctx, "encoding"), *provider = step_str(ctx, "provider");
        const char *locale = step_str(ctx, "locale"), *collate = step_str(ctx, "collate");
        const char *ctype = step_str(ctx, "ctype");
        AUTO_SQL q = { 0 };
        AUTO_FREE char *code = NULL;
        bool icu = str_eq(provider, "icu"), builtin = str_eq(provider, "builtin");
        sql_add(&q, "select pg_char_to_encoding(");
        sql_value(&q, encoding);
        sql_add(&q, ")");
        if (*encoding && !pg_query_value(pg, &q, &code, err))
                return false;
        if (code && atoi(code) < 0)
                step_problem(ctx, "encoding: the server knows no `%s`", encoding);
        if (*provider && !icu && !builtin && !str_eq(provider, "libc"))
                step_problem(ctx, "provider: `%s` is none of libc, icu, builtin", provider);
        else if ((icu && pg_major(pg) < 15) || (builtin && pg_major(pg) < 17))
                step_problem(ctx, "provider: PostgreSQL %d has no databases with provider %s",
                             pg_major(pg), provider);
        else if (*locale && (icu || builtin) &&
                 !dry_locale(ctx, pg, icu ? 'i' : 'b', locale, encoding, err))
                return false;
        return (!*collate || dry_locale(ctx, pg, 'c', collate, encoding, err)) &&
               (!*ctype || str_eq(ctype, collate) ||
                dry_locale(ctx, pg, 'c', ctype, encoding, err));
}

static bool pg_database_create_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        const char *name = step_str(ctx, "name");
        if (!pg_database_create_check(ctx, state, err))
                return false;
        if (step_int(ctx, "connection_limit") < -1)
                step_problem(ctx, "connection_limit: %lld is neither -1 nor a number",
                             (long long)step_int(ctx, "connection_limit"));
        Will will = dry_will_be_on(ctx, step_target(ctx), "database", name);
        if (step_known(ctx, "name")) {
                dry_pg_name(ctx, "database", name);
                dry_will_on(ctx, step_target(ctx), "database", name, WILL_COME);
        }
        if (dry_pg(ctx, step_target(ctx), NULL, &pg) != SEEN_HERE)
                return true;
        if (!pg_database_describe(pg, name, &there, err))
                return false;
        bool stays = str_eq(step_str(ctx, "if_exists"), "keep");
        if ((will == WILL_COME || (there && will != WILL_GO)) && !stays)
                step_problem(ctx, "database %s exists already (if_exists: keep uses it as it is)",
                             name);
        if (there && stays)
                return true;
        return dry_may_create_database(ctx, pg, "and this one is to be made", err) &&
               (!step_known(ctx, "owner") || dry_owner(ctx, pg, step_str(ctx, "owner"), err)) &&
               (!step_known(ctx, "template") ||
                dry_template(ctx, pg, step_str(ctx, "template"), err)) &&
               dry_text(ctx, pg, err);
}
