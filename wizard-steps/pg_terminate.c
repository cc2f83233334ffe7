/* pg_terminate.c: end the sessions of everybody else. A client that reconnects is not kept out:
 * stop its service first. */
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/fence.h"

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "only sessions in this database" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "ended", .type = PARAM_INT, .help = "sessions that were ended" },
        { .name = "left", .type = PARAM_LIST, .item = PARAM_MAP, .help = "clients still there" },
        { 0 },
};

static bool pg_terminate_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_terminate_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_terminate_run(StepCtx *ctx, void *state, Err *err);
static bool pg_terminate_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_terminate_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_terminate = {
        .name = "pg.terminate",
        .summary = "End the sessions of all other clients",
        .traits = STEP_IDEMPOTENT | STEP_NEEDS_WINDOW | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_terminate_plan,
        .dry = pg_terminate_dry,
        .run = pg_terminate_run,
        .probe = pg_terminate_probe,
        .undo = pg_terminate_undo,
};

static bool pg_terminate_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx,
                  "select pg_terminate_backend(pid) from pg_stat_activity where "
                  "backend_type = 'client backend' and application_name !~ '^pgsherpa(/|$)'%s%s",
                  *step_words(ctx, "database") ? " and datname = " : "",
                  step_words(ctx, "database"));
        step_plan_undo(ctx, "# clients connect again by themselves");
        return true;
}

static bool pg_terminate_look(StepCtx *ctx, Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON all = NULL;
        const char *only = step_str(ctx, "database");
        size_t i;
        json_t *o;
        if (!pg_fence_others(pg, NULL, &all, err))
                return false;
        json_t *list = json_array();
        json_array_foreach(all, i, o)
                if (!*only || str_eq(jx_str(o, "database", ""), only))
                        json_array_append(list, o);
        *ret = list;
        return true;
}

static bool pg_terminate_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON others = NULL;
        json_t *left = NULL;
        int n = 0;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_terminate_look(ctx, pg, &others, err) || !pg_fence_terminate(pg, others, &n, err))
                return false;
        step_sleep(ctx, 300);
        if (!pg_terminate_look(ctx, pg, &left, err))
                return false;
        step_result_int(ctx, "ended", n);
        step_result_set(ctx, "left", left);
        step_report(ctx, "%d sessions ended, %zu there again", n, json_array_size(left));
        return true;
}

static bool pg_terminate_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING; /* asking twice ends nobody twice */
        return true;
}

static bool pg_terminate_undo(StepCtx *ctx, void *state, Err *err)
{
        return true;
}

/* Ending somebody's session wants membership in their role, or in pg_signal_backend; a superuser's,
 * a superuser. */
static bool pg_terminate_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGRES PgRes *r = NULL;
        AUTO_SQL q = { 0 };
        const char *only = step_str(ctx, "database");
        dry_will_on(ctx, step_target(ctx), "clients", "", WILL_GO);
        if (dry_pg(ctx, step_target(ctx), NULL, &pg) != SEEN_HERE)
                return true;
        /* Of others' sessions an ordinary role sees neither type nor application. */
        sql_add(&q, "select distinct a.usename from pg_stat_activity a join pg_roles r on r.oid = "
                    "a.usesysid where coalesce(a.backend_type, 'client backend') = 'client "
                    "backend' and a.datname is not null and a.pid <> pg_backend_pid() and "
                    "coalesce(a.application_name, '') !~ '^pgsherpa(/|$)' and not (select rolsuper "
                    "from pg_roles where rolname = current_user) and (r.rolsuper or not "
                    "(pg_has_role(a.usesysid, 'USAGE') or pg_has_role('pg_signal_backend', "
                    "'USAGE')))");
        if (*only && step_known(ctx, "database")) {
                sql_add(&q, " and a.datname = ");
                sql_value(&q, only);
        }
        sql_add(&q, " order by 1");
        if (!pg_query(pg, &q, &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                step_problem(ctx,
                             "this role may not end the sessions of %s (it needs "
                             "pg_signal_backend; a superuser's only a "
                             "superuser ends)",
                             pg_cell(r, i, 0));
        return true;
}
