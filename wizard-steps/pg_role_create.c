/* pg_role_create.c: one login role, and proof that its password opens it. */
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/roles.h"
#include "place/place.h"

static const ParamSpec params[] = {
        { .name = "name", .type = PARAM_NAME, .help = "name of the role" },
        { .name = "password",
          .type = PARAM_SECRET,
          .fallback = "~",
          .help = "its password; stored as a SCRAM verifier" },
        { .name = "verifier_from",
          .type = PARAM_TARGET,
          .fallback = "~",
          .help = "server with a role of this name whose verifier is taken over" },
        { .name = "login", .type = PARAM_BOOL, .fallback = "true", .help = "may log in" },
        { .name = "createdb",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "may make databases" },
        { .name = "connection_limit",
          .type = PARAM_INT,
          .fallback = "-1",
          .help = "connections at a time, -1 for any number" },
        { .name = "if_exists",
          .type = PARAM_STRING,
          .fallback = "fail",
          .help = "fail; keep: leave it as it is; password: set the password only" },
        { .name = "prove",
          .type = PARAM_BOOL,
          .fallback = "true",
          .help = "log in as that role over TCP afterwards" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "created", .type = PARAM_BOOL, .help = "false when it was there" },
        { .name = "proved", .type = PARAM_BOOL, .help = "a login with the password worked" },
        { 0 },
};

static bool pg_role_create_check(StepCtx *ctx, void *state, Err *err);
static bool pg_role_create_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_role_create_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_role_create_run(StepCtx *ctx, void *state, Err *err);
static bool pg_role_create_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_role_create_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_role_create = {
        .name = "pg.role.create",
        .summary = "Create a login role and prove that its password works",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .check = pg_role_create_check,
        .plan = pg_role_create_plan,
        .dry = pg_role_create_dry,
        .run = pg_role_create_run,
        .probe = pg_role_create_probe,
        .undo = pg_role_create_undo,
};

static RoleSpec pg_role_create_spec_of(StepCtx *ctx)
{
        return (RoleSpec){ .name = step_str(ctx, "name"),
                           .login = step_bool(ctx, "login"),
                           .createdb = step_bool(ctx, "createdb"),
                           .connlimit = (int)step_int(ctx, "connection_limit") };
}

static bool pg_role_create_check(StepCtx *ctx, void *state, Err *err)
{
        const char *how = step_str(ctx, "if_exists");
        if (!str_eq(how, "fail") && !str_eq(how, "keep") && !str_eq(how, "password"))
                step_problem(ctx, "if_exists: `%s` is none of fail, keep, password",
                             step_str(ctx, "if_exists"));
        if (str_eq(how, "password") && !step_get(ctx, "password"))
                step_problem(ctx, "if_exists: password needs a password");
        if (step_get(ctx, "password") && step_get(ctx, "verifier_from"))
                step_problem(ctx, "give it one of `password` and `verifier_from`");
        return true;
}

static bool pg_role_create_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "create role %s%s%s", step_words(ctx, "name"),
                  step_bool(ctx, "login") ? " login" : " nologin",
                  step_get(ctx, "password")        ? " password «SCRAM verifier»"
                  : step_get(ctx, "verifier_from") ? " password «verifier as it is there»"
                                                   : "");
        step_plan_undo(ctx, "# drops role %s, if this run made it", step_words(ctx, "name"));
        step_plan_undo(ctx, "drop role %s", step_words(ctx, "name"));
        return true;
}

/* The login an application will make: by TCP, with the clear password (B4, R12). */
static bool pg_role_create_prove(StepCtx *ctx, const Secret *password, Err *err)
{
        PgParams p = { 0 };
        AUTO_PG Pg *pg = NULL;
        if (!place_pg_params(step_arena(ctx), step_target(ctx), NULL, &p, err))
                return false;
        p.user = step_str(ctx, "name");
        p.password = password;
        p.app = "pgsherpa/login";
        if (pg_open(&p, &pg, err))
                return true;
        if (!str_eq(err->sqlstate, "42501"))
                return err_wrap(err, "proving the password of role %s", p.user);
        err_clear(err); /* in, but no CONNECT on this database: it is in */
        return true;
}

static bool take_verifier(StepCtx *ctx, Secret **ret, Err *err)
{
        AUTO_PG Pg *from = NULL;
        const Target *t = step_param_target(ctx, "verifier_from", err);
        return t && kit_pg_open(ctx, t, NULL, &from, err) &&
               pg_role_verifier(from, step_str(ctx, "name"), ret, err);
}

/* *ret: its OID as text in the step's arena, or NULL: there is none. */
static bool pg_role_create_find(StepCtx *ctx, Pg *pg, const char *name, const char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *oid = NULL;
        sql_add(&q, "select oid::text from pg_roles where rolname = ");
        sql_value(&q, name);
        if (!pg_query_value(pg, &q, &oid, err))
                return err_wrap(err, "looking for role %s", name);
        *ret = oid ? arena_strdup(step_arena(ctx), oid) : NULL;
        return true;
}

static bool pg_role_create_is_ours(StepCtx *ctx, const char *oid)
{
        return oid && str_eq(oid, jx_str(step_remembered(ctx), "oid", ""));
}

/* Its OID is on the disk before anybody else can see the role: no crash leaves one that could be
 * another's of the same name. */
static bool make_known(StepCtx *ctx, Pg *pg, const RoleSpec *spec, Err *err)
{
        AUTO_ERR ignored = { 0 };
        const char *oid = NULL;
        json_t *memory = NULL;
        if (!pg_do(pg, "begin", err))
                return false;
        if (pg_role_create(pg, spec, err) && pg_role_create_find(ctx, pg, spec->name, &oid, err)) {
                memory = json_object();
                jx_set_str(memory, "created", spec->name);
                jx_set_str(memory, "oid", oid);
                if (step_remember(ctx, memory, err) && pg_do(pg, "commit", err))
                        return true;
        }
        (void)!pg_do(pg, "rollback", &ignored);
        return false;
}

static bool pg_role_create_make(StepCtx *ctx, Pg *pg, const Secret *password, Err *err)
{
        RoleSpec spec = pg_role_create_spec_of(ctx);
        AUTO_SECRET verifier = NULL;
        if (step_get(ctx, "verifier_from") && !take_verifier(ctx, &verifier, err))
                return false;
        spec.password = password;
        spec.verifier = verifier;
        return make_known(ctx, pg, &spec, err);
}

static bool pg_role_create_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        const char *name = step_str(ctx, "name");
        const char *how = step_str(ctx, "if_exists");
        const Secret *password = NULL;
        const char *there = NULL;
        bool proved = false;
        if (step_get(ctx, "password") && !(password = step_secret(ctx, "password", err)))
                return false;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_role_create_find(ctx, pg, name, &there, err))
                return false;
        bool ours = pg_role_create_is_ours(ctx, there); /* made before a crash: it goes on */
        if (there && !ours && str_eq(how, "fail")) {
                err_set(err, ERR_SERVER, "role %s exists already", name);
                memcpy(err->sqlstate, "42710", 6);
                return err_hint(err, "if_exists: keep leaves it alone, password sets its password");
        }
        if (!there && !pg_role_create_make(ctx, pg, password, err))
                return false;
        if (there && str_eq(how, "password") && !pg_role_set_password(pg, name, password, err))
                return false;
        if (password && step_bool(ctx, "prove") && step_bool(ctx, "login")) {
                if (!pg_role_create_prove(ctx, password, err))
                        return false;
                proved = true;
        }
        step_result_bool(ctx, "created", !there || ours);
        step_result_bool(ctx, "proved", proved);
        step_report(ctx, "role %s %s%s", name, there && !ours ? "was there" : "made",
                    proved ? ", its password works" : "");
        return true;
}

static bool pg_role_create_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        const char *there = NULL;
        *ret = FOUND_NOTHING;
        if (!jx_str(step_remembered(ctx), "created", NULL))
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_role_create_find(ctx, pg, step_str(ctx, "name"), &there, err))
                return false;
        /* There, but not yet proved: run() finds it and only proves. */
        *ret = pg_role_create_is_ours(ctx, there) ? FOUND_PART : FOUND_NOTHING;
        return true;
}

static bool pg_role_create_undo(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_SQL q = { 0 };
        const char *there = NULL;
        const char *name = jx_str(step_remembered(ctx), "created", NULL);
        if (!name)
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_role_create_find(ctx, pg, name, &there, err))
                return false;
        if (!there)
                return true;
        if (!pg_role_create_is_ours(ctx, there)) {
                err_set(err, ERR_USER, "role %s is not the one this run made", name);
                return err_hint(err, "look at it; it stays as it is");
        }
        sql_add(&q, "drop role ");
        sql_ident(&q, name);
        if (pg_exec(pg, &q, err))
                return true;
        if (str_eq(err->sqlstate, "2BP01"))
                err->kind = ERR_USER;
        return err_wrap(err, "dropping role %s", name);
}

static bool dry_verifier(StepCtx *ctx, Err *err)
{
        AUTO_PG Pg *from = NULL;
        AUTO_SECRET verifier = NULL;
        AUTO_ERR why = { 0 };
        const char *there = NULL, *name = step_str(ctx, "name");
        if (dry_pg_param(ctx, "verifier_from", NULL, &from) != SEEN_HERE)
                return true;
        if (!pg_role_create_find(ctx, from, name, &there, err))
                return false;
        if (!there)
                step_problem(ctx, "verifier_from: there is no role %s", name);
        else if (!pg_role_verifier(from, name, &verifier, &why))
                step_problem(ctx, "verifier_from: %s", why.message);
        return true;
}

static bool dry_may_make(StepCtx *ctx, Pg *pg, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(pg,
                    "select rolname, rolsuper or rolcreaterole, rolsuper or rolcreatedb from "
                    "pg_roles where rolname = current_user",
                    &r, err))
                return false;
        if (pg_rows(r) && !pg_cell_bool(r, 0, 1))
                step_problem(ctx, "role %s may not create roles (ALTER ROLE .. CREATEROLE)",
                             pg_cell(r, 0, 0));
        else if (pg_rows(r) && step_bool(ctx, "createdb") && !pg_cell_bool(r, 0, 2) &&
                 pg_major(pg) >= 16)
                step_problem(ctx,
                             "role %s may not create databases, and so cannot make one that may",
                             pg_cell(r, 0, 0));
        return dry_writable(ctx, pg, err);
}

static bool pg_role_create_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        const char *name = step_str(ctx, "name"), *how = step_str(ctx, "if_exists"), *there = NULL;
        if (!pg_role_create_check(ctx, state, err))
                return false;
        dry_secret(ctx, "password");
        dry_pg_name(ctx, "role", name);
        if (str_starts(name, "pg_") || str_eq(name, "public") || str_eq(name, "none"))
                step_problem(ctx, "role name `%s` is reserved", name);
        if (step_get(ctx, "verifier_from") && !dry_verifier(ctx, err))
                return false;
        bool comes = dry_will_be_on(ctx, step_target(ctx), "role", name) == WILL_COME;
        if (step_known(ctx, "name"))
                dry_will_on(ctx, step_target(ctx), "role", name, WILL_COME);
        if (dry_pg(ctx, step_target(ctx), NULL, &pg) != SEEN_HERE)
                return true;
        if (!pg_role_create_find(ctx, pg, name, &there, err))
                return false;
        if ((there || comes) && str_eq(how, "fail"))
                step_problem(ctx,
                             "role %s exists already (if_exists: keep leaves it alone, password "
                             "sets its password)",
                             name);
        return (there && str_eq(how, "keep")) || dry_may_make(ctx, pg, err);
}
