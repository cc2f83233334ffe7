/* pg_compare.c: is what arrived what left? A difference is never a warning. */
#include "base/fmt.h"
#include "kit/data_steps.h"
#include "kit/pg_steps.h"
#include "pg/compare.h"
#include "pg/report_text.h"
#include "transfer/reprinter.h"

#define SHOWN 50 /* differences in the log and the result; the file has them all */

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database on the target, if not its own" },
        { .name = "against",
          .type = PARAM_TARGET,
          .fallback = "~",
          .help = "server to compare with, live" },
        { .name = "against_database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database there, if not that target's own" },
        { .name = "against_inventory",
          .type = PARAM_PATH,
          .fallback = "~",
          .help = "inventory made earlier (result.ref of pg.inventory), instead of `against`" },
        { .name = "deep",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "read every row of both sides as text instead of letting the servers hash them" },
        { .name = "ignore",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "differences that are wanted: comment, or database.collate" },
        { .name = "map_roles",
          .type = PARAM_MAP,
          .fallback = "~",
          .help = "roles with another name on the target: {old: new}" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "equal", .type = PARAM_BOOL, .help = "no difference" },
        { .name = "tables", .type = PARAM_INT, .help = "tables of the target" },
        { .name = "tables_compared", .type = PARAM_INT, .help = "tables whose rows were compared" },
        { .name = "sequences", .type = PARAM_INT, .help = "sequences compared" },
        { .name = "objects", .type = PARAM_INT, .help = "objects of the catalog compared" },
        { .name = "rows", .type = PARAM_INT, .help = "rows of the target" },
        { .name = "differences",
          .type = PARAM_LIST,
          .item = PARAM_MAP,
          .help = "kind, object, what, source, target of each (the first 50)" },
        { .name = "differences_total", .type = PARAM_INT, .help = "how many there are" },
        { .name = "normalised", .type = PARAM_INT, .help = "expected differences, by rule" },
        { .name = "limits", .type = PARAM_LIST, .help = "what could not be compared" },
        { .name = "method", .type = PARAM_STRING, .help = "how rows were hashed" },
        { .name = "mode", .type = PARAM_STRING, .help = "quick or deep" },
        { .name = "alembic", .type = PARAM_STRING, .help = "revision of the migrations" },
        { .name = "report", .type = PARAM_PATH, .help = "file with the whole report" },
        { 0 },
};

static const char *const verdict[] = { "differences", "differences_total", "equal", NULL };

static bool pg_compare_check(StepCtx *ctx, void *state, Err *err);
static bool pg_compare_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_compare_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_compare = {
        .name = "pg.compare",
        .summary = "Prove that a database is equal to its source",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .verdict = verdict,
        .check = pg_compare_check,
        .plan = pg_compare_plan,
        .run = pg_compare_run,
};

static bool pg_compare_check(StepCtx *ctx, void *state, Err *err)
{
        if (!step_get(ctx, "against") == !step_get(ctx, "against_inventory"))
                step_problem(ctx, "give it one of `against` (a server) and `against_inventory` (a "
                                  "file)");
        if (step_bool(ctx, "deep") && step_get(ctx, "against_inventory"))
                step_problem(ctx, "`deep` needs `against`: an inventory's own method decides");
        return true;
}

static bool pg_compare_plan(StepCtx *ctx, void *state, Err *err)
{
        const char *file = step_words(ctx, "against_inventory");
        step_plan(ctx, "CREATE DATABASE \"pgsherpa_reprint_..\"   -- only to see how it prints "
                       "definitions; no rows, dropped again");
        step_plan(ctx,
                  "# compares rows, content, sequences, owners, grants and every object of %s "
                  "with %s",
                  step_words(ctx, "database"), *file ? file : step_words(ctx, "against"));
        return true;
}

static const char *database_or(StepCtx *ctx, const char *param)
{
        const char *name = step_str(ctx, param);
        return *name ? name : NULL;
}

static bool target_params(StepCtx *ctx, PgParams *ret, ReprintPlan *plan, Err *err)
{
        *plan = (ReprintPlan){ .target = ret,
                               .cancel = step_cancel_flag(ctx),
                               .target_image = kit_target_image(ctx, step_target(ctx)) };
        return kit_transfer_params(ctx, step_target(ctx), database_or(ctx, "database"), ret, err);
}

/* The schema that was kept with it stands for the source. */
static bool compare_inventory(StepCtx *ctx, const char *file, Pg *target, CompareOptions *o,
                              json_t **ret, Err *err)
{
        PgParams new;
        ReprintPlan plan;
        AUTO_JSON inventory = NULL;
        if (!inventory_load(file, &inventory, err) || !target_params(ctx, &new, &plan, err))
                return false;
        plan.schema = jx_get(inventory, "schema");
        AUTO_REPRINTING r = plan.schema ? reprinting_new(&plan) : NULL;
        o->reprinter = r ? reprinting_of(r) : NULL;
        return pg_compare_with(inventory, target, o, ret, err);
}

/* Texts that the two servers print otherwise are printed by the target alone, in a database without
 * rows that is gone when this ends. */
static bool compare_live(StepCtx *ctx, Pg *target, CompareOptions *o, json_t **ret, Err *err)
{
        AUTO_PG Pg *source = NULL;
        PgParams old, new;
        ReprintPlan plan;
        const Target *t = step_param_target(ctx, "against", err);
        if (!t || !kit_pg_open(ctx, t, step_str(ctx, "against_database"), &source, err) ||
            !kit_transfer_params(ctx, t, database_or(ctx, "against_database"), &old, err) ||
            !target_params(ctx, &new, &plan, err))
                return false;
        plan.source = &old;
        plan.source_image = kit_target_image(ctx, t);
        AUTO_REPRINTING r = reprinting_new(&plan);
        o->reprinter = reprinting_of(r);
        return pg_compare(source, target, o, ret, err);
}

static bool pg_compare_compare(StepCtx *ctx, Pg *target, CompareOptions *o, json_t **ret, Err *err)
{
        const char *file = step_str(ctx, "against_inventory");
        return *file ? compare_inventory(ctx, file, target, o, ret, err)
                     : compare_live(ctx, target, o, ret, err);
}

static void say_differences(StepCtx *ctx, const json_t *report)
{
        size_t i;
        json_t *d;
        json_t *shown = json_array();
        json_array_foreach(jx_get(report, "differences"), i, d) {
                if (i == SHOWN)
                        break;
                json_array_append(shown, d);
                AUTO_FREE char *line = report_difference_line(d);
                step_log(ctx, SAY_ERROR, "compare", "%s", line);
        }
        step_result_set(ctx, "differences", shown);
        json_array_foreach(jx_get(report, "normalised"), i, d)
                step_log(ctx, SAY_DEBUG, "compare", "%s: %s %s %s: %s / %s", jx_str(d, "rule", ""),
                         jx_str(d, "kind", ""), jx_str(d, "object", ""), jx_str(d, "what", ""),
                         jx_str(d, "source", "(nothing)"), jx_str(d, "target", "(nothing)"));
        json_array_foreach(jx_get(report, "limits"), i, d)
                step_log(ctx, SAY_WARN, "compare", "not compared: %s", json_string_value(d));
}

static bool pg_compare_tell(StepCtx *ctx, const json_t *report, Err *err)
{
        const char *path = NULL;
        int64_t total = jx_int(report, "differences_total", 0);
        int tables = (int)jx_int(report, "tables_compared", 0);
        step_result_bool(ctx, "equal", total == 0);
        step_result_int(ctx, "tables", jx_int(report, "tables", 0));
        step_result_int(ctx, "tables_compared", tables);
        step_result_int(ctx, "sequences", jx_int(report, "sequences_compared", 0));
        step_result_int(ctx, "objects", jx_int(report, "objects_compared", 0));
        step_result_int(ctx, "rows", jx_int(report, "rows", 0));
        step_result_int(ctx, "differences_total", total);
        step_result_int(ctx, "normalised", jx_int(report, "normalised_total", 0));
        step_result_set(ctx, "limits", json_incref(jx_get(report, "limits")));
        step_result_str(ctx, "method", jx_str(report, "method", ""));
        step_result_str(ctx, "mode", jx_str(report, "mode", ""));
        step_result_str(ctx, "alembic", jx_str(report, "revision", ""));
        say_differences(ctx, report);
        if (total)
                step_report(ctx, "%s in %s", THINGS(total, "difference"),
                            THINGS(jx_int(report, "objects_compared", 0), "object"));
        else
                step_report(ctx, "%s, %s, %s, %s equal", THINGS(tables, "table"),
                            THINGS(jx_int(report, "sequences_compared", 0), "sequence"),
                            THINGS(jx_int(report, "rows", 0), "row"),
                            THINGS(jx_int(report, "objects_compared", 0), "object"));
        return step_result_file(ctx, "report", report, &path, err);
}

static bool pg_compare_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON report = NULL;
        TableMeter meter = kit_table_meter(ctx, "comparing");
        CompareOptions o = { .ignore = step_get(ctx, "ignore"),
                             .map_roles = step_get(ctx, "map_roles"),
                             .deep = step_bool(ctx, "deep"),
                             .cancel = step_cancel_flag(ctx),
                             .progress = kit_table_meter_progress,
                             .progress_arg = &meter };
        return kit_pg(ctx, &pg, err) && pg_compare_compare(ctx, pg, &o, &report, err) &&
               pg_compare_tell(ctx, report, err);
}
