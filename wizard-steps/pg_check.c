/* pg_check.c: the application's own expectation, as a query. */
#include "kit/pg_steps.h"

static const ParamSpec params[] = {
        { .name = "sql", .type = PARAM_SQL, .help = "a query; its first value is the result" },
        { .name = "equals",
          .type = PARAM_STRING,
          .fallback = "~",
          .help = "what that value must be; without it nothing is demanded here" },
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "value", .type = PARAM_STRING, .help = "first value of the first row" },
        { .name = "rows", .type = PARAM_INT, .help = "rows the query returned" },
        { .name = "ok", .type = PARAM_BOOL, .help = "true unless `equals` was not met" },
        { 0 },
};

static bool pg_check_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_check_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_check = {
        .name = "pg.check",
        .summary = "Run a query and check its answer",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_check_plan,
        .run = pg_check_run,
};

static bool pg_check_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "begin read only; %s", step_words(ctx, "sql"));
        return true;
}

static bool pg_check_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        if (!kit_pg(ctx, &pg, err))
                return false;
        sql_operator(&q, step_str(ctx, "sql"));
        if (!pg_as_application(pg, err) ||
            !pg_do(pg, "set default_transaction_read_only = on", err) || !pg_query(pg, &q, &r, err))
                return err_wrap(err, "asking the application's own question");
        const char *value = pg_rows(r) && pg_columns(r) ? pg_cell(r, 0, 0) : NULL;
        bool demanded = step_get(ctx, "equals") != NULL;
        bool ok = !demanded || str_eq(value, step_str(ctx, "equals"));
        step_result_str(ctx, "value", value ? value : "");
        step_result_int(ctx, "rows", pg_rows(r));
        step_result_bool(ctx, "ok", ok);
        step_report(ctx, "%s", value ? value : "no value");
        if (ok)
                return true;
        err_set(err, ERR_USER, "the answer is `%s`, not `%s`", value ? value : "(null)",
                step_str(ctx, "equals"));
        return err_hint(err, "look at the data before going on: this was expected to be so");
}
