/* pg_textsearch_update.c: words for text search made anew, after a move to a major that makes some
 * of them otherwise. Only where a tsvector_update_trigger keeps them; the application does its
 * own. */
#include "base/fmt.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "transfer/textsearch.h"

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { .name = "from", .type = PARAM_INT, .help = "major whose rules made the words" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "columns", .type = PARAM_INT, .help = "columns whose words were made anew" },
        { .name = "rows", .type = PARAM_INT, .help = "rows that were updated" },
        { 0 },
};

static bool pg_textsearch_update_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_textsearch_update_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_textsearch_update_run(StepCtx *ctx, void *state, Err *err);
static bool pg_textsearch_update_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_pg_textsearch_update = {
        .name = "pg.textsearch.update",
        .summary = "Make words for text search anew, as this version does",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_textsearch_update_plan,
        .dry = pg_textsearch_update_dry,
        .run = pg_textsearch_update_run,
        .probe = pg_textsearch_update_probe,
};

static bool pg_textsearch_update_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# updates every row of each table whose trigger keeps words for text "
                       "search; no other trigger fires");
        step_plan(
                ctx,
                "set local session_replication_role = replica; update only TABLE set TEXT = TEXT");
        step_plan_undo(ctx, "# none: the old server keeps the words of before");
        return true;
}

static void pg_textsearch_update_told(void *arg, const char *table, int done, int total)
{
        step_progress(arg, &(Progress){ .unit = "columns",
                                        .done = done,
                                        .total = total,
                                        .label = table,
                                        .eta_ms = -1,
                                        .things_done = done,
                                        .things_total = total });
}

static bool pg_textsearch_update_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        TextsearchUpdated done;
        TextsearchUpdate o = { .told = pg_textsearch_update_told,
                               .arg = ctx,
                               .cancel = step_cancel_flag(ctx) };
        if (!kit_pg(ctx, &pg, err) ||
            !textsearch_update(pg, (int)step_int(ctx, "from"), &o, &done, err))
                return false;
        step_result_int(ctx, "columns", done.columns);
        step_result_int(ctx, "rows", done.rows);
        step_report(ctx, "%s, %s", THINGS(done.columns, "column"), THINGS(done.rows, "row"));
        return true;
}

static bool pg_textsearch_update_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING; /* a table is done whole or not at all, and twice does no harm */
        return true;
}

/* session_replication_role is a superuser's, and ALTER TABLE the owner's. */
static bool pg_textsearch_update_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        TextsearchUpdated there;
        bool super = false;
        if (dry_pg_on(ctx, &pg) != SEEN_HERE)
                return true;
        if (!dry_writable(ctx, pg, err) || !dry_superuser(pg, &super, err) ||
            !textsearch_update(pg, (int)step_int(ctx, "from"), &(TextsearchUpdate){ .look = true },
                               &there, err))
                return false;
        if (there.columns && !super)
                step_problem(
                        ctx,
                        "this role is no superuser: it cannot keep the other triggers from firing");
        return true;
}
