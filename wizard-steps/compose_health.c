/* compose_health.c: which services run, which are well, which of those that ran are missing. */
#include "kit/docker.h"

static const ParamSpec params[] = {
        { .name = "expect_running",
          .type = PARAM_ANY,
          .fallback = "[]",
          .help = "names of containers or services that must run, as an earlier look reported "
                  "them" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "30s",
          .help = "patience with a health check that is starting or fails" },
        { 0 },
};

static const ParamSpec fields[] = {
        { .name = "service", .type = PARAM_STRING, .help = "service" },
        { .name = "container", .type = PARAM_STRING, .help = "its container" },
        { .name = "state", .type = PARAM_STRING, .help = "running, exited, paused and so on" },
        { .name = "health", .type = PARAM_STRING, .help = "healthy, unhealthy, starting or none" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "services",
          .type = PARAM_LIST,
          .fields = fields,
          .help = "every container of the project" },
        { .name = "running", .type = PARAM_LIST, .help = "services that run" },
        { .name = "unhealthy", .type = PARAM_LIST, .help = "services that run and are not well" },
        { .name = "risky_checks",
          .type = PARAM_LIST,
          .help = "database services whose own health check may end the server" },
        { .name = "not_back",
          .type = PARAM_LIST,
          .help = "of expect_running, those that do not run" },
        { 0 },
};

static const char *const verdict[] = { "unhealthy", NULL };

static bool compose_health_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_health_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_health = {
        .name = "compose.health",
        .summary = "See whether the services of a project are healthy",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = compose_health_plan,
        .run = compose_health_run,
};

static bool compose_health_plan(StepCtx *ctx, void *state, Err *err)
{
        kit_plan_compose(ctx, false, "ps");
        return true;
}

/* A check that is starting, or failed just now on a busy machine, may yet succeed. */
static bool may_get_well(const Compose *c)
{
        size_t i;
        json_t *one;
        json_array_foreach(compose_containers(c), i, one) {
                const char *health = container_health(one);
                if (container_running(one) &&
                    (str_eq(health, "starting") || str_eq(health, "unhealthy")))
                        return true;
        }
        return false;
}

/* Ended with 0 is a job that is done (a migrator); a service that ought to run has a restart
 * policy, and one that keeps restarting says so itself. */
static bool is_unwell(const json_t *one)
{
        const char *health = container_health(one), *status = container_status(one);
        const char *policy =
                jx_str(jx_get(jx_get(one, "HostConfig"), "RestartPolicy"), "Name", "no");
        if (str_eq(status, "restarting") || str_eq(status, "paused") || str_eq(status, "dead"))
                return true;
        if (!container_running(one))
                return container_exit_code(one) != 0 && !str_eq(policy, "no") &&
                       !str_eq(policy, "");
        return str_eq(health, "unhealthy") || str_eq(health, "starting");
}

/* The engine kills a check at its timeout, but of CMD-SHELL only the shell: pg_isready becomes a
 * child of process 1. Where that is the postmaster, it takes the stranger's exit for a crashed
 * backend's and restarts the database (reproduced on a busy machine; the official images have no
 * init). Under ten seconds a loaded host is enough. */
#define RISKY_NS (INT64_C(10) * 1000 * 1000 * 1000)

static bool has_risky_check(const json_t *one)
{
        const json_t *check = jx_get(jx_get(one, "Config"), "Healthcheck");
        const char *how = json_string_value(json_array_get(jx_get(check, "Test"), 0));
        int64_t timeout = jx_int(check, "Timeout", 0); /* 0: the engine's 30 s */
        bool init = jx_bool(jx_get(one, "HostConfig"), "Init", false);
        return container_pg_major(one) > 0 && str_eq(how, "CMD-SHELL") && timeout > 0 &&
               timeout < RISKY_NS && !init;
}

static bool compose_health_has(const json_t *list, const char *text)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one) {
                if (str_eq(json_string_value(one), text))
                        return true;
        }
        return false;
}

static bool compose_health_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        if (!kit_project(ctx, &c, err))
                return false;
        for (int64_t left = step_int(ctx, "within"); left > 0 && may_get_well(c); left -= 500) {
                if (!step_sleep(ctx, 500))
                        return err_set(err, ERR_CANCELLED, "looking at the services was stopped");
                if (!compose_refresh(c, err))
                        return false;
        }
        json_t *all = json_array(), *running = json_array(), *unwell = json_array(),
               *missing = json_array();
        json_t *risky = json_array();
        step_result_set(ctx, "services", all);
        step_result_set(ctx, "running", running);
        step_result_set(ctx, "unhealthy", unwell);
        step_result_set(ctx, "risky_checks", risky);
        step_result_set(ctx, "not_back", missing);
        size_t i;
        json_t *one;
        json_array_foreach(compose_containers(c), i, one) {
                const char *service = container_label(one, "com.docker.compose.service");
                json_t *s = json_object();
                jx_set_str(s, "service", service);
                jx_set_str(s, "container", container_name(one));
                jx_set_str(s, "state", container_status(one));
                jx_set_str(s, "health", container_health(one));
                json_array_append_new(all, s);
                if (container_running(one) && !compose_health_has(running, service))
                        jx_append_str(running, service);
                if (has_risky_check(one)) {
                        jx_append_str(risky, service);
                        step_log(ctx, SAY_WARN, "compose",
                                 "%s: its health check is a shell that is killed after "
                                 "less than 10 s; what it leaves can make the server restart. "
                                 "Write `timeout: 30s`, or `test: [CMD, pg_isready, ..]`, or "
                                 "`init: true`",
                                 service);
                }
                if (is_unwell(one)) {
                        jx_append_str(unwell, service);
                        step_log(ctx, SAY_WARN, "compose", "%s: %s, health %s", service,
                                 container_status(one), container_health(one));
                }
        }
        json_array_foreach(step_get(ctx, "expect_running"), i, one) {
                const char *name = json_string_value(one);
                if (name && !compose_health_has(running, name))
                        jx_append_str(missing, name);
        }
        step_report(ctx, "%zu of %zu containers run, %zu not well%s", json_array_size(running),
                    json_array_size(all), json_array_size(unwell),
                    json_array_size(missing) ? ", some did not come back" : "");
        return true;
}
