/* note.c: a line in the log, and a place to hang a downtime mark on. */
#include "engine/step_ctx.h"

static const ParamSpec params[] = {
        { .name = "text", .type = PARAM_STRING, .fallback = "", .help = "what to write down" },
        { 0 },
};

static bool note_plan(StepCtx *ctx, void *state, Err *err);
static bool note_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_note = {
        .name = "note",
        .summary = "Write a line into the log",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .plan = note_plan,
        .run = note_run,
};

static bool note_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# %s", step_words(ctx, "text"));
        return true;
}

static bool note_run(StepCtx *ctx, void *state, Err *err)
{
        const char *text = step_str(ctx, "text");
        if (*text)
                step_report(ctx, "%s", text);
        return true;
}
