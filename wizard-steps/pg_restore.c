/* pg_restore.c: a database out of a bundle, into a temporary one here. */
#include "wizard-steps/data_steps.h"

static const ParamSpec params[] = {
        { .name = "bundle", .type = PARAM_PATH, .help = "bundle to restore from" },
        { .name = "database", .type = PARAM_NAME, .fallback = "~",
          .help = "database in the bundle, when it holds several" },
        { .name = "into", .type = PARAM_STRING, .fallback = "temporary",
          .help = "temporary: a name of its own, to be compared and then renamed" },
        { 0 },
};

static bool check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_BUNDLE b = NULL;
        AUTO_PG Pg *to = NULL;
        AUTO_ERR why = { 0 };
        if (!bundle_open(step_str(ctx, "bundle"), &b, &why) ||
            !bundle_database(b, step_str(ctx, "database"), &why))
                step_problem(ctx, "%s", why.message);
        if (!str_eq(step_str(ctx, "into"), "temporary"))
                step_problem(ctx, "into: only `temporary` is known; pg.database.rename gives the name");
        return step_pg_open(ctx, step_target(ctx), NULL, &to, err);
}

static bool plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# read %s; every member's SHA-256 is checked on the way",
                  step_words(ctx, "bundle"));
        step_plan(ctx, "CREATE DATABASE \"pgsherpa_%s_1\" TEMPLATE template0 ..   -- as the bundle says",
                  step_run_id(ctx));
        step_plan(ctx, "COPY each table FROM STDIN, then indexes, constraints, grants");
        step_plan_undo(ctx, "DROP DATABASE \"pgsherpa_%s_1\" WITH (FORCE)   -- the one this run made, "
                       "with every row written to it since",
                       step_run_id(ctx));
        return true;
}

static bool run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_BUNDLE b = NULL;
        PgParams target;
        TransferRestore c = { .database = step_str(ctx, "database"), .target = &target,
                              .created = step_temporary_created };
        if (!bundle_open(step_str(ctx, "bundle"), &b, err) ||
            !step_transfer_params(ctx, step_target(ctx), NULL, &target, err) ||
            !step_temporary_begin(ctx, &c.into, &c.marker, err))
                return false;
        c.bundle = b;
        AUTO_STEPTRANSFER st = { 0 };
        Transfer *t = step_transfer(ctx, &st);
        TransferResult r = { 0 };
        step_result_str(ctx, "database", c.into);
        step_result_str(ctx, "bundle", bundle_path(b));
        bool ok = transfer_restore(t, &c, &r, err);
        if (ok)
                step_transfer_results(ctx, &r);
        transfer_result_done(&r);
        return ok && step_temporary_finish(ctx, err);
}

static bool probe(StepCtx *ctx, void *state, Found *ret_found, Err *err)
{
        return step_temporary_probe(ctx, ret_found, err);
}

static bool undo(StepCtx *ctx, void *state, Err *err)
{
        return step_temporary_undo(ctx, err);
}

const StepKind step_pg_restore = {
        .name = "pg.restore",
        .summary = "Restore a database from a bundle",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = transfer_results,
        .check = check,
        .plan = plan,
        .run = run,
        .probe = probe,
        .undo = undo,
};
