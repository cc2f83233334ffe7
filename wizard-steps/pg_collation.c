/* pg_collation.c: advice about collations, indexes and the largest tables after a move. */
#include "base/fmt.h"
#include "kit/pg_steps.h"
#include "pg/analyze.h"

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "drifted",
          .type = PARAM_BOOL,
          .help = "the operating system sorts differently than when the data was written" },
        { .name = "collations",
          .type = PARAM_LIST,
          .item = PARAM_MAP,
          .help = "collations in use whose version drifted" },
        { .name = "indexes", .type = PARAM_INT, .help = "indexes that depend on how text sorts" },
        { .name = "advice", .type = PARAM_LIST, .help = "what to do, in order" },
        { .name = "largest", .type = PARAM_LIST, .item = PARAM_MAP, .help = "the biggest tables" },
        { 0 },
};

static bool pg_collation_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_collation_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_collation = {
        .name = "pg.collation",
        .summary = "Advice on sort order, reindexing and large tables",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_collation_plan,
        .run = pg_collation_run,
};

static bool pg_collation_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "select .. from pg_database, pg_collation, pg_index   # recorded and actual "
                       "collation versions");
        return true;
}

static bool pg_collation_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON report = NULL;
        json_t *largest = NULL;
        size_t i;
        json_t *v;
        if (!kit_pg(ctx, &pg, err) || !pg_collation_advice(pg, &report, err) ||
            !pg_largest_tables(pg, 10, &largest, err))
                return false;
        bool drifted = jx_bool(jx_get(report, "database"), "drifted", false) ||
                       json_array_size(jx_get(report, "collations"));
        step_result_bool(ctx, "drifted", drifted);
        step_result_set(ctx, "collations", json_incref(jx_get(report, "collations")));
        step_result_int(ctx, "indexes", (int64_t)json_array_size(jx_get(report, "indexes")));
        step_result_set(ctx, "advice", json_incref(jx_get(report, "advice")));
        step_result_set(ctx, "largest", largest);
        json_array_foreach(jx_get(report, "advice"), i, v)
                step_log(ctx, drifted ? SAY_WARN : SAY_OK, "collation", "%s", json_string_value(v));
        json_array_foreach(largest, i, v) {
                char size[24];
                step_say(ctx, "%s: %s", jx_str(v, "name", ""),
                         fmt_bytes(jx_int(v, "bytes", 0), size));
        }
        step_report(ctx, "%s", json_string_value(json_array_get(jx_get(report, "advice"), 0)));
        return true;
}
