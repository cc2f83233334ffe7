/* gate.c: a place to stop and be asked, without doing anything. The engine asks. */
#include "engine/step_ctx.h"

static const ParamSpec params[] = {
        { .name = "text", .type = PARAM_STRING, .fallback = "", .help = "what to show there" },
        { 0 },
};

static bool gate_plan(StepCtx *ctx, void *state, Err *err);
static bool gate_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_gate = {
        .name = "gate",
        .summary = "Stop and ask before going on",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .asks = ASKS_GO_ON,
        .plan = gate_plan,
        .run = gate_run,
};

static bool gate_plan(StepCtx *ctx, void *state, Err *err)
{
        const char *text = step_words(ctx, "text");
        if (*text)
                step_plan(ctx, "# %s", text);
        return true;
}

static bool gate_run(StepCtx *ctx, void *state, Err *err)
{
        return true;
}
