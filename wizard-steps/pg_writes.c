/* pg_writes.c: what the tables have counted so far. The engine asks again before a rollback, and
 * its question then says what was written on this server since, and will be lost. */
#include "base/fmt.h"
#include "kit/pg_steps.h"
#include "pg/writes.h"

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { .name = "databases",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "all of these, instead of one" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "tables", .type = PARAM_INT, .help = "tables whose counters are remembered" },
        { 0 },
};

static bool pg_writes_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_writes_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_writes = {
        .name = "pg.writes",
        .summary = "Note what was written so far, for a later undo",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER | STEP_COUNTS,
        .params = params,
        .results = results,
        .plan = pg_writes_plan,
        .run = pg_writes_run,
};

static bool pg_writes_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "select .. n_tup_ins, n_tup_upd, n_tup_del from pg_stat_all_tables");
        step_plan(ctx,
                  "# notes what was written so far: an undo later says how much it would lose");
        return true;
}

static bool pg_writes_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        json_t *look = NULL;
        AUTO_JSON databases = kit_name_list(ctx, "databases");
        bool several = json_array_size(databases) > 0;
        if (!kit_pg(ctx, &pg, err) || !(several ? pg_writes_look_all(pg, databases, &look, err)
                                                : pg_writes_look(pg, &look, err)))
                return false;
        size_t n = json_object_size(jx_get(look, "tables")), i;
        json_t *one;
        json_array_foreach(jx_get(look, "databases"), i, one)
                n += json_object_size(jx_get(one, "tables"));
        step_result_int(ctx, "tables", (int64_t)n);
        step_report(ctx, "counters of %s", THINGS(n, "table"));
        jx_set_str(look, "target", step_target(ctx)->name);
        return step_remember(ctx, look, err);
}
