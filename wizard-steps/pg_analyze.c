/* pg_analyze.c: statistics before anybody is let in. */
#include "base/clock.h"
#include "base/fmt.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/analyze.h"

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { .name = "stages",
          .type = PARAM_BOOL,
          .fallback = "true",
          .help = "rough statistics first, full ones after" },
        { .name = "jobs", .type = PARAM_INT, .fallback = "2", .help = "tables at a time" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "tables", .type = PARAM_INT, .help = "tables that were analysed" },
        { .name = "largest", .type = PARAM_LIST, .item = PARAM_MAP, .help = "the biggest tables" },
        { 0 },
};

static bool pg_analyze_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_analyze_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_analyze_run(StepCtx *ctx, void *state, Err *err);
static bool pg_analyze_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_analyze_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_analyze = {
        .name = "pg.analyze",
        .summary = "Collect statistics for the planner, in stages",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_analyze_plan,
        .dry = pg_analyze_dry,
        .run = pg_analyze_run,
        .probe = pg_analyze_probe,
        .undo = pg_analyze_undo,
};

static bool pg_analyze_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "analyze ..   # every table, materialized view and partitioned parent%s",
                  step_bool(ctx, "stages") ? "; statistics target 1, 10, then the default" : "");
        step_plan_undo(ctx, "# only statistics");
        return true;
}

static void pg_analyze_progress(void *arg, const char *stage, const char *table, int done,
                                int total)
{
        step_progress(arg, &(Progress){ .unit = "tables",
                                        .done = done,
                                        .total = total,
                                        .label = stage,
                                        .eta_ms = -1,
                                        .things_done = done,
                                        .things_total = total });
}

static bool pg_analyze_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON report = NULL;
        size_t i;
        json_t *t;
        int64_t began = clock_boot_ms();
        if (!kit_pg(ctx, &pg, err))
                return false;
        AnalyzeOptions o = { .stages = step_bool(ctx, "stages"),
                             .jobs = (int)step_int(ctx, "jobs"),
                             .cancel = step_cancel_flag(ctx),
                             .progress = pg_analyze_progress,
                             .progress_arg = ctx };
        if (!pg_analyze(pg, &o, &report, err))
                return false;
        json_array_foreach(jx_get(report, "largest"), i, t) {
                char size[24], rows[32];
                step_say(ctx, "%s: %s, %s rows", jx_str(t, "name", ""),
                         fmt_bytes(jx_int(t, "bytes", 0), size),
                         fmt_count(jx_int(t, "rows", 0), rows));
        }
        step_result_int(ctx, "tables", jx_int(report, "tables", 0));
        step_result_set(ctx, "largest", json_incref(jx_get(report, "largest")));
        char took[24];
        step_report(ctx, "%s in %s", THINGS(jx_int(report, "tables", 0), "table"),
                    fmt_duration(clock_boot_ms() - began, took));
        return true;
}

static bool pg_analyze_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING; /* once more is cheaper than asking what is missing */
        return true;
}

static bool pg_analyze_undo(StepCtx *ctx, void *state, Err *err)
{
        return true; /* statistics do no harm */
}

static bool pg_analyze_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        if (step_known(ctx, "jobs") && step_int(ctx, "jobs") < 1)
                step_problem(ctx, "jobs: at least one table at a time");
        if (dry_pg_on(ctx, &pg) != SEEN_HERE)
                return true;
        return dry_no_standby(ctx, pg, err) &&
               dry_connections(ctx, pg, (int)step_int(ctx, "jobs") + 1, err);
}
