/* pg_login.c: does this password really open that role, over TCP, as the application will do it?
 * Asked before anything is stopped, and again when the new server runs. */
#include "engine/step_ctx.h"
#include "place/place.h"

static const ParamSpec params[] = {
        { .name = "role", .type = PARAM_NAME, .help = "role to log in as" },
        { .name = "password", .type = PARAM_SECRET, .help = "password the application has" },
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "ok", .type = PARAM_BOOL, .help = "the login worked" },
        { .name = "sqlstate", .type = PARAM_STRING, .help = "28P01 for a wrong password" },
        { .name = "why", .type = PARAM_STRING, .help = "what the server said" },
        { 0 },
};

static bool pg_login_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_login_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_login = {
        .name = "pg.login",
        .summary = "See whether a role's password opens the database",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_login_plan,
        .run = pg_login_run,
};

static bool pg_login_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# logs in as %s over the network with its password",
                  step_words(ctx, "role"));
        return true;
}

static bool pg_login_run(StepCtx *ctx, void *state, Err *err)
{
        PgParams p = { 0 };
        AUTO_PG Pg *pg = NULL;
        AUTO_ERR why = { 0 };
        const Secret *password = step_secret(ctx, "password", err);
        if (!password ||
            !place_pg_params(step_arena(ctx), step_target(ctx), step_str(ctx, "database"), &p, err))
                return false;
        p.user = step_str(ctx, "role");
        p.password = password;
        p.app = "pgsherpa/login";
        bool ok = pg_open(&p, &pg, &why);
        if (!ok && why.kind != ERR_SERVER) { /* nobody answered: no statement about passwords */
                err_move(err, &why);
                return false;
        }
        step_result_bool(ctx, "ok", ok);
        step_result_str(ctx, "sqlstate", ok ? "" : why.sqlstate);
        step_result_str(ctx, "why", ok ? "" : why.message);
        if (!ok)
                step_log(ctx, SAY_ERROR, "pgsherpa", "%s", why.message);
        step_report(ctx, "%s %s", p.user, ok ? "can log in" : "cannot log in");
        return true;
}
