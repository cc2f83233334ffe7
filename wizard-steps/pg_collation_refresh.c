/* pg_collation_refresh.c: write down the collation versions of today. After REINDEX, never
 * before: it takes away the warning, not the damage. */
#include "kit/dry.h"
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
        { .name = "statements", .type = PARAM_LIST, .help = "what was run" },
        { 0 },
};

static bool pg_collation_refresh_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_collation_refresh_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_collation_refresh_run(StepCtx *ctx, void *state, Err *err);
static bool pg_collation_refresh_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_collation_refresh_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_collation_refresh = {
        .name = "pg.collation.refresh",
        .summary = "Write down today's collation versions, after REINDEX",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_collation_refresh_plan,
        .dry = pg_collation_refresh_dry,
        .run = pg_collation_refresh_run,
        .probe = pg_collation_refresh_probe,
        .undo = pg_collation_refresh_undo,
};

static bool pg_collation_refresh_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "alter collation .. refresh version; alter database .. refresh collation "
                       "version   # what drifted");
        step_plan_undo(ctx, "# what was written down stays: it is still true");
        return true;
}

static bool pg_collation_refresh_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        json_t *said = NULL;
        if (!kit_pg(ctx, &pg, err) || !pg_collation_refresh(pg, &said, err))
                return false;
        step_result_set(ctx, "statements", said);
        step_report(ctx, "%zu collation versions written down", json_array_size(said));
        return true;
}

static bool pg_collation_refresh_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING; /* run() looks for itself what is left to do */
        return true;
}

static bool pg_collation_refresh_undo(StepCtx *ctx, void *state, Err *err)
{
        return true;
}

/* ALTER .. REFRESH VERSION is the owner's; where nothing drifted nothing is altered. */
static bool pg_collation_refresh_foreign(Pg *pg, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select format('collation %I', collname), pg_get_userbyid(collowner) from "
                    "pg_collation where collversion <> pg_collation_actual_version(oid) and not "
                    "pg_has_role(collowner, 'USAGE')");
        if (pg_major(pg) >= 15)
                sql_add(&q, " union all select format('database %I', datname), "
                            "pg_get_userbyid(datdba) from pg_database where datname = "
                            "current_database() and datcollversion <> "
                            "pg_database_collation_actual_version(oid) and not pg_has_role(datdba, "
                            "'USAGE')");
        return pg_query(pg, &q, ret, err);
}

static bool pg_collation_refresh_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGRES PgRes *r = NULL;
        if (dry_pg_on(ctx, &pg) != SEEN_HERE)
                return true;
        if (!dry_writable(ctx, pg, err) || !pg_collation_refresh_foreign(pg, &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                step_problem(ctx, "%s belongs to %s, and this role is no member of it",
                             pg_cell(r, i, 0), pg_cell(r, i, 1));
        return true;
}
