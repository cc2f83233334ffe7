/* wait.c: let time pass. Its end is remembered, so a crash does not start the wait anew. */
#include "base/clock.h"
#include "base/fmt.h"
#include "engine/step_ctx.h"

static const ParamSpec params[] = {
        { .name = "for", .type = PARAM_DURATION, .help = "how long" },
        { .name = "text", .type = PARAM_STRING, .fallback = "", .help = "what it waits for" },
        { 0 },
};

static bool wait_plan(StepCtx *ctx, void *state, Err *err);
static bool wait_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_wait = {
        .name = "wait",
        .summary = "Let time pass",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .plan = wait_plan,
        .run = wait_run,
};

static bool wait_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# waits %s %s", step_words(ctx, "for"), step_words(ctx, "text"));
        return true;
}

static void wait_tell(StepCtx *ctx, int64_t total, int64_t left)
{
        step_progress(ctx, &(Progress){ .unit = "ms",
                                        .done = total - left,
                                        .total = total,
                                        .rate = 1000,
                                        .eta_ms = left,
                                        .label = "waiting" });
}

static bool wait_run(StepCtx *ctx, void *state, Err *err)
{
        int64_t total = step_int(ctx, "for");
        int64_t until = jx_int(step_remembered(ctx), "until_ms", 0);
        if (until == 0) {
                until = clock_wall_ms() + total;
                if (!step_remember(ctx, json_pack("{s:I}", "until_ms", (json_int_t)until), err))
                        return false;
        }
        for (;;) {
                int64_t left = until - clock_wall_ms();
                if (left <= 0)
                        break;
                wait_tell(ctx, total, left);
                if (!step_sleep(ctx, MIN(left, (int64_t)5000)))
                        return err_set(err, ERR_CANCELLED, "waiting was cut short");
        }
        char t[24];
        step_report(ctx, "waited %s", fmt_duration(total, t));
        return true;
}
