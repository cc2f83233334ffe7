/* pg_capacity.c: will the shared server have room for one more application? */
#include "kit/pg_steps.h"
#include "pg/facts.h"

static const ParamSpec params[] = {
        { .name = "connections",
          .type = PARAM_ANY,
          .fallback = "0",
          .help = "connections the new applications use at most, or a list to be summed up" },
        { .name = "headroom",
          .type = PARAM_INT,
          .fallback = "50",
          .help = "per cent on top of them" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "max_connections", .type = PARAM_INT, .help = "setting of the server" },
        { .name = "in_use", .type = PARAM_INT, .help = "connections right now" },
        { .name = "needed", .type = PARAM_INT, .help = "in use, plus what comes, plus headroom" },
        { .name = "suggested", .type = PARAM_INT, .help = "max_connections that would do" },
        { .name = "enough", .type = PARAM_BOOL, .help = "max_connections is high enough" },
        { .name = "data_directory", .type = PARAM_PATH, .help = "where its files are" },
        { 0 },
};

static bool pg_capacity_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_capacity_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_capacity = {
        .name = "pg.capacity",
        .summary = "See whether a server has room for more connections",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_capacity_plan,
        .run = pg_capacity_run,
};

static bool pg_capacity_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "show max_connections; # against %s more connections",
                  step_words(ctx, "connections"));
        return true;
}

static int64_t pg_capacity_sum(const json_t *v)
{
        size_t i;
        json_t *item;
        int64_t n = 0;
        if (json_is_array(v))
                json_array_foreach(v, i, item)
                        n += pg_capacity_sum(item);
        else if (json_is_number(v))
                n = (int64_t)json_number_value(v);
        else if (json_is_string(v))
                n = atoll(json_string_value(v));
        return n;
}

static bool pg_capacity_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON facts = NULL;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) || !pg_facts(pg, &facts, err))
                return false;
        int64_t max = jx_int(facts, "max_connections", 0);
        int64_t in_use = jx_int(facts, "max_used_connections", 0);
        int64_t coming = pg_capacity_sum(step_get(ctx, "connections"));
        int64_t needed = (in_use + coming) * (100 + step_int(ctx, "headroom")) / 100 + 3;
        int64_t suggested = MAX(100, (needed + 9) / 10 * 10);
        step_result_int(ctx, "max_connections", max);
        step_result_int(ctx, "in_use", in_use);
        step_result_int(ctx, "needed", needed);
        step_result_int(ctx, "suggested", suggested);
        step_result_bool(ctx, "enough", max >= needed);
        step_result_str(ctx, "data_directory", jx_str(facts, "data_directory", ""));
        if (max < needed)
                step_log(ctx, SAY_WARN, "pgsherpa", "max_connections is %d; %d would do", (int)max,
                         (int)suggested);
        step_report(ctx, "%d of %d connections needed", (int)needed, (int)max);
        return true;
}
