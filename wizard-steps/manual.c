/* manual.c: a checklist for people: every line is ticked by somebody, with name and time.
 *
 * The asking is the engine's (ASKS_TICKS); when run() is reached, all is ticked.
 * A step may be manual today and automatic tomorrow, without changing its id or its place. */
#include "engine/step_ctx.h"

static const ParamSpec params[] = {
        { .name = "items",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "lines to be ticked, one thing to do or to look at each" },
        { 0 },
};

static bool manual_plan(StepCtx *ctx, void *state, Err *err);
static bool manual_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_manual = {
        .name = "manual",
        .summary = "A checklist that people tick",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .asks = ASKS_TICKS,
        .plan = manual_plan,
        .run = manual_run,
};

static bool manual_plan(StepCtx *ctx, void *state, Err *err)
{
        const json_t *items = step_get(ctx, "items");
        size_t i;
        json_t *item;
        json_array_foreach(items, i, item) {
                AUTO_FREE char *words = jx_words(item);
                step_plan(ctx, "# you: %s", words);
        }
        return true;
}

static bool manual_run(StepCtx *ctx, void *state, Err *err)
{
        return true;
}
