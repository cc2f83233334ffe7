/* decide.c: a question of the runbook, answered by a person and kept with their name.
 *
 * The asking is the engine's (ASKS_CHOICE); the answer is in the journal before
 * run() is reached, and stays answered after a crash. */
#include "engine/step_ctx.h"

static const ParamSpec params[] = {
        { .name = "question",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "what is to be decided; empty: the step's title" },
        { .name = "choices",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "the answers there are; none: free text" },
        { .name = "default",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "the answer that is proposed" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "answer", .type = PARAM_STRING, .help = "what was chosen or typed" },
        { 0 },
};

static bool decide_plan(StepCtx *ctx, void *state, Err *err);
static bool decide_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_decide = {
        .name = "decide",
        .summary = "Ask a person to decide, and keep the answer",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .asks = ASKS_CHOICE,
        .plan = decide_plan,
        .run = decide_run,
};

static bool decide_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# asks you: %s %s", step_words(ctx, "question"),
                  step_words(ctx, "choices"));
        return true;
}

static bool decide_run(StepCtx *ctx, void *state, Err *err)
{
        return true;
}
