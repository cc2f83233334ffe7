/* server_stop.c: stops a container of ours cleanly; its volume then belongs to nobody. */
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/labels.h"
#include "kit/service.h"

static const ParamSpec params[] = {
        { .name = "name", .type = PARAM_STRING, .help = "container to stop" },
        { .name = "grace",
          .type = PARAM_DURATION,
          .fallback = "120s",
          .help = "time to end by itself" },
        { .name = "require",
          .type = PARAM_STRING,
          .fallback = "clean_shutdown",
          .help = "clean_shutdown: its files must say so; or nothing" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "120s",
          .help = "time until it answers when this is undone" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "system", .type = PARAM_STRING, .help = "system identifier in its files" },
        { 0 },
};

static bool server_stop_plan(StepCtx *ctx, void *state, Err *err);
static bool server_stop_dry(StepCtx *ctx, void *state, Err *err);
static bool server_stop_run(StepCtx *ctx, void *state, Err *err);
static bool server_stop_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool server_stop_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_server_stop = {
        .name = "server.stop",
        .summary = "Stop a server of our own, and check it was clean",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .plan = server_stop_plan,
        .dry = server_stop_dry,
        .run = server_stop_run,
        .probe = server_stop_probe,
        .undo = server_stop_undo,
};

static bool server_stop_plan(StepCtx *ctx, void *state, Err *err)
{
        const char *name = step_words(ctx, "name");
        step_plan(ctx, "$ docker stop --time %lld %s", (long long)step_int(ctx, "grace") / 1000,
                  name);
        if (*step_str(ctx, "require"))
                step_plan(
                        ctx,
                        "# its data files must say that it was shut down cleanly (pg_controldata)");
        step_plan_undo(ctx, "# starts it again");
        step_plan_undo(ctx, "$ docker start %s", name);
        return true;
}

static bool server_stop_find(StepCtx *ctx, json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        const char *name = step_str(ctx, "name");
        if (!docker_inspect(&look, DOCKER_CONTAINER, name, ret, err))
                return false;
        return *ret || err_set(err, ERR_USER, "there is no container %s", name);
}

static bool server_stop_finish(StepCtx *ctx, const json_t *c, Err *err)
{
        AUTO_FREE char *system = NULL;
        if (str_eq(step_str(ctx, "require"), "clean_shutdown")) {
                if (!kit_container_check_clean(ctx, c, &system, err))
                        return false;
                step_result_str(ctx, "system", system);
        }
        step_report(ctx, "%s stopped%s", step_str(ctx, "name"),
                    system ? ", shut down cleanly" : "");
        return true;
}

static bool server_stop_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON c = NULL;
        if (!server_stop_find(ctx, &c, err))
                return false;
        if (!jx_get(step_remembered(ctx), "running")) {
                json_t *was = json_object();
                jx_set_bool(was, "running", container_running(c));
                jx_set_str(was, "container", container_id(c));
                if (!step_remember(ctx, was, err))
                        return false;
        }
        return kit_container_stop(ctx, container_id(c), step_int(ctx, "grace"), err) &&
               server_stop_finish(ctx, c, err);
}

static bool server_stop_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_JSON c = NULL;
        *ret = FOUND_NOTHING;
        if (!jx_get(step_remembered(ctx), "running"))
                return true;
        if (!server_stop_find(ctx, &c, err))
                return false;
        if (!container_running(c))
                *ret = server_stop_finish(ctx, c, err) ? FOUND_ALL : FOUND_PART;
        err_clear(err);
        return true;
}

/* The volume may meanwhile be the service's: two servers on one set of files is the end of
 * both, so nobody else may run on it. */
static bool server_stop_undo(StepCtx *ctx, void *state, Err *err)
{
        if (!jx_bool(step_remembered(ctx), "running", false))
                return true;
        AUTO_JSON c = NULL;
        if (!server_stop_find(ctx, &c, err))
                return false;
        if (!container_running(c)) {
                size_t i;
                json_t *m;
                json_array_foreach(jx_get(c, "Mounts"), i, m) {
                        const char *volume = jx_str(m, "Name", "");
                        AUTO_FREE char *users = NULL;
                        if (!*volume)
                                continue;
                        if (!kit_volume_users(ctx, volume, true, container_id(c), &users, err))
                                return false;
                        if (*users)
                                return err_set(err, ERR_USER,
                                               "volume %s is in use by %s: a second "
                                               "server was not "
                                               "started on it",
                                               volume, users);
                }
                HostCall call = kit_call(ctx);
                AUTO_ARGV a = { 0 };
                argv_add_all(&a,
                             (const char *const[]){ "docker", "start", container_name(c), NULL });
                if (!docker_do(&call, &a, NULL, err))
                        return false;
        }
        bool checked = container_has_check(c);
        Wellness w = { .health = checked ? "container" : "running",
                       .within_ms = step_int(ctx, "within") };
        if (!kit_service_wait(ctx, container_id(c), &w, NULL, err))
                return false;
        step_report(ctx, "%s runs again", container_name(c));
        return true;
}

static bool server_stop_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON c = NULL;
        const char *name = step_str(ctx, "name"), *require = step_str(ctx, "require");
        if (*require && !str_eq(require, "clean_shutdown"))
                step_problem(ctx, "require: %s is not known; it is clean_shutdown, or nothing",
                             require);
        if (!step_known(ctx, "name") || !dry_docker_name(ctx, "container", name))
                return true;
        Seen seen = dry_container(ctx, name, &c, err);
        if (err->kind)
                return false;
        if (seen == SEEN_NOT && step_will_be(ctx, "anything", "anywhere") != WILL_COME)
                step_problem(ctx, "there is no container %s, and no earlier step makes it", name);
        else if (c && *require && !*container_pgdata(c))
                step_problem(ctx,
                             "require: container %s runs no PostgreSQL whose files could say that "
                             "it was shut down",
                             name);
        step_will(ctx, "runs", name, WILL_GO);
        return true;
}
