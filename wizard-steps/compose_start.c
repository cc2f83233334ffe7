/* compose_start.c: starts containers that exist, exactly as they were made; nothing is
 * recreated. */
#include "host/ports.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/service.h"

static const ParamSpec params[] = {
        { .name = "services",
          .type = PARAM_LIST,
          .item = PARAM_STRING,
          .help = "services to start, in this order" },
        { .name = "health",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "pg_isready, container, running, or a URL; empty: its own health check" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "120s",
          .help = "time to become well" },
        { .name = "grace",
          .type = PARAM_DURATION,
          .fallback = "60s",
          .help = "time to end by itself when this is undone" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "started", .type = PARAM_LIST, .help = "services that did not run before" },
        { 0 },
};

static bool compose_start_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_start_dry(StepCtx *ctx, void *state, Err *err);
static bool compose_start_run(StepCtx *ctx, void *state, Err *err);
static bool compose_start_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool compose_start_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_start = {
        .name = "compose.start",
        .summary = "Start existing containers of a Compose project again",
        .traits = STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .plan = compose_start_plan,
        .dry = compose_start_dry,
        .run = compose_start_run,
        .probe = compose_start_probe,
        .undo = compose_start_undo,
};

static bool compose_start_plan(StepCtx *ctx, void *state, Err *err)
{
        kit_plan_compose(ctx, false, "start %s", step_words(ctx, "services"));
        kit_plan_compose(ctx, true, "stop %s", step_words(ctx, "services"));
        return true;
}

static bool start_one(StepCtx *ctx, Compose *c, const char *service, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_FREE char *id = NULL;
        if (!compose_service_container(c, service, &id, err))
                return false;
        const json_t *one = compose_container(c, service);
        if (!container_running(one)) {
                AUTO_ARGV a = { 0 };
                argv_add_all(&a,
                             (const char *const[]){ "docker", "start", container_name(one), NULL });
                if (!docker_start(&call, &a, err))
                        return false;
        }
        Wellness w = { .health = step_str(ctx, "health"), .within_ms = step_int(ctx, "within") };
        return kit_service_wait(ctx, id, &w, NULL, err);
}

static bool compose_start_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON names = kit_names(ctx, "services");
        if (!kit_project(ctx, &c, err))
                return false;
        if (!kit_services_remember(ctx, c, names, err))
                return false;
        json_t *started = json_array();
        step_result_set(ctx, "started", started);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name) {
                const json_t *was = kit_service_remembered(jx_get(step_remembered(ctx), "before"),
                                                           json_string_value(name));
                if (!start_one(ctx, c, json_string_value(name), err))
                        return err_wrap(err, "starting %s", json_string_value(name));
                if (!jx_bool(was, "running", false))
                        jx_append_str(started, json_string_value(name));
        }
        step_report(ctx, "%zu services started", json_array_size(started));
        return true;
}

static bool compose_start_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        const json_t *before = jx_get(step_remembered(ctx), "before");
        *ret = before ? FOUND_PART : FOUND_NOTHING; /* starting again does no harm */
        return true;
}

static bool compose_start_undo(StepCtx *ctx, void *state, Err *err)
{
        const json_t *before = jx_get(step_remembered(ctx), "before");
        for (size_t i = json_array_size(before); i-- > 0;) {
                const json_t *s = json_array_get(before, i);
                const char *id = jx_str(s, "container", "");
                if (*id && !jx_bool(s, "running", false) &&
                    !kit_container_stop(ctx, id, step_int(ctx, "grace"), err))
                        return false;
        }
        return true;
}

static bool compose_start_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON names = kit_names(ctx, "services");
        size_t i;
        json_t *name;
        if (dry_project(ctx, &c) != SEEN_HERE || !step_known(ctx, "services"))
                return true;
        json_array_foreach(names, i, name) {
                const char *service = json_string_value(name), *key = dry_service(ctx, service);
                const json_t *one = compose_container(c, service);
                if (!one && step_will_be(ctx, "server", key) != WILL_COME)
                        step_problem(ctx,
                                     "service %s has no container to start; compose.up makes one",
                                     service);
                if (step_known(ctx, "health"))
                        dry_health(ctx, step_str(ctx, "health"), service, one);
                if (step_will_be(ctx, "server", key) == WILL_GO)
                        step_will(ctx, "server", key, WILL_COME);
        }
        return true;
}
