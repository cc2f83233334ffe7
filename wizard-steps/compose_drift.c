/* compose_drift.c: was the compose file edited and never applied? Then `up` would change more
 * than this upgrade. */
#include "kit/docker.h"

static const ParamSpec fields[] = {
        { .name = "service", .type = PARAM_STRING, .help = "service" },
        { .name = "container", .type = PARAM_STRING, .help = "its container" },
        { .name = "why", .type = PARAM_STRING, .help = "what differs" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "drifted",
          .type = PARAM_LIST,
          .fields = fields,
          .help = "services that run something else than the file says" },
        { .name = "files", .type = PARAM_LIST, .item = PARAM_PATH, .help = "files of the project" },
        { 0 },
};

static const char *const verdict[] = { "drifted", NULL };

static bool compose_drift_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_drift_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_drift = {
        .name = "compose.drift",
        .summary = "Compare running containers with the compose file",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_PROJECT | STEP_ONLY_REPORTS,
        .results = results,
        .verdict = verdict,
        .plan = compose_drift_plan,
        .run = compose_drift_run,
};

static bool compose_drift_plan(StepCtx *ctx, void *state, Err *err)
{
        kit_plan_compose(ctx, false, "config --hash '*'");
        return true;
}

static bool compose_drift_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        json_t *drifted = NULL;
        if (!kit_project(ctx, &c, err) || !compose_drift(c, &drifted, err))
                return false;
        size_t i;
        json_t *d;
        json_array_foreach(drifted, i, d)
                step_log(ctx, SAY_WARN, "compose", "%s: %s", jx_str(d, "service", ""),
                         jx_str(d, "why", ""));
        if (json_array_size(drifted))
                step_report(ctx, "%zu services differ from the file", json_array_size(drifted));
        else
                step_report(ctx, "%zu containers, all made from the present file",
                            json_array_size(compose_containers(c)));
        step_result_set(ctx, "drifted", drifted);
        step_result_set(ctx, "files", compose_config_files(c));
        return true;
}
