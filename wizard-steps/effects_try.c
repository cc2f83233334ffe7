/* effects_try.c: every later step of the run, tried without changing anything.
 *
 * What a step of the downtime would stumble over is said while everything still works. What depends
 * on facts that only the run finds is named too: a short list of it is no promise about the
 * rest. */
#include "base/fmt.h"
#include "engine/step_ctx.h"

static const ParamSpec results[] = {
        { .name = "problems",
          .type = PARAM_LIST,
          .help = "what later steps would stumble over, each with the step's title" },
        { .name = "warnings",
          .type = PARAM_LIST,
          .help = "what will be done, but otherwise than asked, each with the step's title" },
        { .name = "not_known",
          .type = PARAM_LIST,
          .help = "what cannot be seen yet, each with the step's title" },
        { .name = "tried", .type = PARAM_INT, .help = "later steps that were tried" },
        { .name = "skipped",
          .type = PARAM_INT,
          .help = "later steps that will not run, as far as known" },
        { 0 },
};

static const char *const verdict[] = { "problems", NULL };

static bool effects_try_plan(StepCtx *ctx, void *state, Err *err);
static bool effects_try_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_effects_try = {
        .name = "effects.try",
        .summary = "Try every later step without changing anything",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .results = results,
        .verdict = verdict,
        .plan = effects_try_plan,
        .run = effects_try_run,
};

static bool effects_try_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# every later step that changes something is tried dry: rights, names, "
                       "room, files, images");
        step_plan(ctx, "# nothing is changed; what was tried for real is put back at once");
        return true;
}

static void effects_try_tell(StepCtx *ctx, const json_t *found, const char *key, SayLevel level,
                             json_t *into)
{
        size_t i;
        json_t *one;
        json_array_foreach(jx_get(found, key), i, one) {
                AUTO_FREE char *words =
                        xasprintf("%s: %s", jx_str(found, "title", ""), json_string_value(one));
                step_log(ctx, level, "dry", "%s", words);
                jx_append_str(into, words);
        }
}

static bool effects_try_run(StepCtx *ctx, void *state, Err *err)
{
        json_t *problems = json_array(), *warnings = json_array(), *unseen = json_array();
        size_t n = step_later_begin(ctx), skipped = 0, partly = 0;
        step_result_set(ctx, "problems", problems);
        step_result_set(ctx, "warnings", warnings);
        step_result_set(ctx, "not_known", unseen);
        for (size_t i = 0; i < n; i++) {
                json_t *one = NULL;
                if (step_cancelled(ctx))
                        return err_set(err, ERR_CANCELLED, "stopped while trying the later steps");
                if (!step_later_try(ctx, i, &one, err))
                        return false;
                AUTO_JSON found = one;
                skipped += jx_bool(found, "skipped", false);
                partly += json_array_size(jx_get(found, "unseen")) > 0;
                effects_try_tell(ctx, found, "problems", SAY_ERROR, problems);
                effects_try_tell(ctx, found, "warnings", SAY_WARN, warnings);
                effects_try_tell(ctx, found, "unseen", SAY_INFO, unseen);
                step_progress(ctx, &(Progress){ .unit = "steps",
                                                .done = (int64_t)i + 1,
                                                .total = (int64_t)n,
                                                .label = jx_str(found, "title", ""),
                                                .eta_ms = -1,
                                                .things_done = (int)i + 1,
                                                .things_total = (int)n });
        }
        step_result_int(ctx, "tried", (int64_t)(n - skipped));
        step_result_int(ctx, "skipped", (int64_t)skipped);
        AUTO_FREE char *rest =
                partly ? xasprintf(", %zu only as far as known now", partly) : xstrdup("");
        step_report(ctx, "%s tried%s: %s", THINGS(n - skipped, "later step"), rest,
                    json_array_size(problems) ? THINGS(json_array_size(problems), "problem")
                                              : "nothing stands in the way");
        return true;
}
