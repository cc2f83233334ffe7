/* server_remove.c: the container of a stopped server of ours goes; its volume stays. */
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/labels.h"

static const ParamSpec params[] = {
        { .name = "name", .type = PARAM_STRING, .help = "container to remove, made by this run" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "removed", .type = PARAM_BOOL, .help = "false: it was not there" },
        { 0 },
};

static bool server_remove_check(StepCtx *ctx, void *state, Err *err);
static bool server_remove_plan(StepCtx *ctx, void *state, Err *err);
static bool server_remove_dry(StepCtx *ctx, void *state, Err *err);
static bool server_remove_run(StepCtx *ctx, void *state, Err *err);
static bool server_remove_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_server_remove = {
        .name = "server.remove",
        .summary = "Remove the container of a stopped server of our own",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .check = server_remove_check,
        .plan = server_remove_plan,
        .dry = server_remove_dry,
        .run = server_remove_run,
        .probe = server_remove_probe,
};

static bool server_remove_find(StepCtx *ctx, json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        return docker_inspect(&look, DOCKER_CONTAINER, step_str(ctx, "name"), ret, err);
}

/* Made by this run, whichever of its steps, and not running. */
static const char *server_remove_objection(StepCtx *ctx, const json_t *c)
{
        if (!str_eq(container_label(c, LABEL_RUN), step_run_id(ctx)))
                return "was not made by this run";
        return container_running(c) ? "still runs" : NULL;
}

static bool server_remove_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON c = NULL;
        if (!server_remove_find(ctx, &c, err))
                return false;
        const char *why = c ? server_remove_objection(ctx, c) : NULL;
        if (why)
                step_problem(ctx, "container %s %s", step_str(ctx, "name"), why);
        return true;
}

static bool server_remove_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ docker rm %s", step_words(ctx, "name"));
        return true;
}

static bool server_remove_run(StepCtx *ctx, void *state, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_JSON c = NULL;
        if (!server_remove_find(ctx, &c, err))
                return false;
        step_result_bool(ctx, "removed", c != NULL);
        if (!c) {
                step_report(ctx, "%s is not here", step_str(ctx, "name"));
                return true;
        }
        const char *why = server_remove_objection(ctx, c);
        if (why)
                return err_set(err, ERR_USER, "container %s %s", step_str(ctx, "name"), why);
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "rm", container_name(c), NULL });
        if (!docker_do(&call, &a, NULL, err))
                return false;
        step_report(ctx, "%s removed, its volume stays", step_str(ctx, "name"));
        return true;
}

static bool server_remove_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_JSON c = NULL;
        if (!server_remove_find(ctx, &c, err))
                return false;
        *ret = c ? FOUND_NOTHING : FOUND_ALL;
        step_result_bool(ctx, "removed", !c);
        return true;
}

static bool server_remove_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON c = NULL;
        const char *name = step_str(ctx, "name");
        if (!step_known(ctx, "name") || !dry_docker_name(ctx, "container", name))
                return true;
        Seen seen = dry_container(ctx, name, &c, err);
        if (err->kind)
                return false;
        bool stopped = step_will_be(ctx, "runs", name) == WILL_GO;
        if (seen == SEEN_LATER && !stopped)
                step_problem(ctx, "container %s still runs then: no step stops it (server.stop)",
                             name);
        const char *why = c ? server_remove_objection(ctx, c) : NULL;
        if (why && !(stopped && str_eq(why, "still runs")))
                step_problem(ctx, "container %s %s", name, why);
        step_will(ctx, "container", name, WILL_GO);
        step_will(ctx, "containers", "any", WILL_GO);
        return true;
}
