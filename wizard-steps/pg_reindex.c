/* pg_reindex.c: indexes built anew, because the machine sorts text differently now. Only where
 * data files were kept: a restored database has fresh indexes. */
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/analyze.h"

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { .name = "scope",
          .type = PARAM_STRING,
          .fallback = "collation-dependent",
          .help = "collation-dependent, or all" },
        { .name = "concurrently",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "without locking writers out; slower" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "indexes", .type = PARAM_INT, .help = "indexes that were built anew" },
        { 0 },
};

static bool pg_reindex_check(StepCtx *ctx, void *state, Err *err);
static bool pg_reindex_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_reindex_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_reindex_run(StepCtx *ctx, void *state, Err *err);
static bool pg_reindex_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_reindex_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_reindex = {
        .name = "pg.reindex",
        .summary = "Build indexes anew that depend on how text sorts",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .check = pg_reindex_check,
        .plan = pg_reindex_plan,
        .dry = pg_reindex_dry,
        .run = pg_reindex_run,
        .probe = pg_reindex_probe,
        .undo = pg_reindex_undo,
};

static bool pg_reindex_check(StepCtx *ctx, void *state, Err *err)
{
        if (!str_eq(step_str(ctx, "scope"), "all") &&
            !str_eq(step_str(ctx, "scope"), "collation-dependent"))
                step_problem(ctx, "scope: `%s` is neither collation-dependent nor all",
                             step_str(ctx, "scope"));
        return true;
}

static bool pg_reindex_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "reindex index%s ..   # %s",
                  step_bool(ctx, "concurrently") ? " concurrently" : "", step_words(ctx, "scope"));
        step_plan_undo(ctx, "# the new indexes stay: they hold the same");
        return true;
}

static bool pg_reindex_list(StepCtx *ctx, Pg *pg, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (str_eq(step_str(ctx, "scope"), "collation-dependent"))
                return pg_collation_indexes(pg, ret, err);
        if (!pg_ask(pg,
                    "select n.nspname, c.relname from pg_index i join pg_class c on c.oid = "
                    "i.indexrelid join pg_namespace n on n.oid = c.relnamespace where c.relkind = "
                    "'i' and n.nspname !~ '^pg_' order by pg_relation_size(c.oid) desc, 1, 2",
                    &r, err))
                return false;
        *ret = json_array();
        for (int i = 0; i < pg_rows(r); i++) {
                json_t *o = json_object();
                jx_set_str(o, "schema", pg_cell(r, i, 0));
                jx_set_str(o, "name", pg_cell(r, i, 1));
                json_array_append_new(*ret, o);
        }
        return true;
}

static bool pg_reindex_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON indexes = NULL;
        size_t i;
        json_t *x;
        if (!kit_pg(ctx, &pg, err) || !pg_reindex_list(ctx, pg, &indexes, err))
                return false;
        int total = (int)json_array_size(indexes);
        json_array_foreach(indexes, i, x) {
                const char *name = jx_str(x, "name", "");
                if (step_cancelled(ctx))
                        return err_set(err, ERR_CANCELLED, "stopped while rebuilding indexes");
                step_progress(ctx, &(Progress){ .unit = "indexes",
                                                .done = (int64_t)i,
                                                .total = total,
                                                .label = name,
                                                .eta_ms = -1,
                                                .things_done = (int)i,
                                                .things_total = total });
                if (!pg_reindex(pg, jx_str(x, "schema", ""), name, step_bool(ctx, "concurrently"),
                                err))
                        return false;
        }
        step_result_int(ctx, "indexes", total);
        step_report(ctx, "%d indexes built anew", total);
        return true;
}

static bool pg_reindex_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING; /* which were done is not asked: twice does no harm */
        return true;
}

static bool pg_reindex_undo(StepCtx *ctx, void *state, Err *err)
{
        return true;
}

static bool pg_reindex_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON indexes = NULL;
        size_t i;
        json_t *x;
        if (!pg_reindex_check(ctx, state, err) || step_has_problems(ctx) ||
            dry_pg_on(ctx, &pg) != SEEN_HERE)
                return true;
        if (!dry_no_standby(ctx, pg, err) || !pg_reindex_list(ctx, pg, &indexes, err))
                return false;
        json_array_foreach(indexes, i, x) {
                AUTO_SQL q = { 0 };
                AUTO_PGRES PgRes *r = NULL;
                sql_add(&q, "select pg_get_userbyid(c.relowner) from pg_class c join pg_namespace "
                            "n on n.oid = c.relnamespace where not pg_has_role(c.relowner, "
                            "'USAGE') and c.relname = ");
                sql_value(&q, jx_str(x, "name", ""));
                sql_add(&q, " and n.nspname = ");
                sql_value(&q, jx_str(x, "schema", ""));
                if (!pg_query(pg, &q, &r, err))
                        return false;
                if (!pg_rows(r))
                        continue;
                step_problem(ctx, "index %s.%s belongs to %s, and this role is no member of it",
                             jx_str(x, "schema", ""), jx_str(x, "name", ""), pg_cell(r, 0, 0));
                return true; /* one of many says it */
        }
        return true;
}
