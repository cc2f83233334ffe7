/* volume_create.c: an empty volume that carries the run's name; undo removes it only then. */
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/labels.h"

static const ParamSpec params[] = {
        { .name = "volume", .type = PARAM_STRING, .help = "name of the new volume" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "volume", .type = PARAM_STRING, .help = "its name" },
        { 0 },
};

static bool volume_create_check(StepCtx *ctx, void *state, Err *err);
static bool volume_create_plan(StepCtx *ctx, void *state, Err *err);
static bool volume_create_dry(StepCtx *ctx, void *state, Err *err);
static bool volume_create_run(StepCtx *ctx, void *state, Err *err);
static bool volume_create_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool volume_create_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_volume_create = {
        .name = "volume.create",
        .summary = "Make an empty volume",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .check = volume_create_check,
        .plan = volume_create_plan,
        .dry = volume_create_dry,
        .run = volume_create_run,
        .probe = volume_create_probe,
        .undo = volume_create_undo,
};

static bool volume_create_find(StepCtx *ctx, json_t **ret, bool *ret_ours, Err *err)
{
        HostCall look = kit_look(ctx);
        if (!docker_inspect(&look, DOCKER_VOLUME, step_str(ctx, "volume"), ret, err))
                return false;
        *ret_ours = *ret && kit_is_ours(ctx, jx_get(*ret, "Labels"));
        return true;
}

static bool volume_create_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON v = NULL;
        bool ours = false;
        if (!volume_create_find(ctx, &v, &ours, err))
                return false;
        if (v && !ours)
                step_problem(ctx, "volume %s exists already", step_str(ctx, "volume"));
        return true;
}

static bool volume_create_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ docker volume create --label %s=%s %s", LABEL_RUN, step_run_id(ctx),
                  step_words(ctx, "volume"));
        step_plan_undo(ctx, "# removes volume %s, if this run made it", step_words(ctx, "volume"));
        step_plan_undo(ctx, "$ docker volume rm %s", step_words(ctx, "volume"));
        return true;
}

static bool volume_create_run(StepCtx *ctx, void *state, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_JSON v = NULL;
        bool ours = false;
        if (!volume_create_find(ctx, &v, &ours, err))
                return false;
        if (v && !ours)
                return err_set(err, ERR_USER, "volume %s exists already", step_str(ctx, "volume"));
        json_t *mine = json_object();
        jx_set_str(mine, "volume", step_str(ctx, "volume"));
        if (!step_remember(ctx, mine, err))
                return false;
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "volume", "create", NULL });
        argv_addf(&a, "--label=%s=%s", LABEL_RUN, step_run_id(ctx));
        argv_addf(&a, "--label=%s=%s", LABEL_STEP, step_id(ctx));
        argv_add(&a, step_str(ctx, "volume"));
        if (!v && !docker_do(&call, &a, NULL, err))
                return false;
        step_result_str(ctx, "volume", step_str(ctx, "volume"));
        step_report(ctx, "%s", step_str(ctx, "volume"));
        return true;
}

static bool volume_create_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_JSON v = NULL;
        bool ours = false;
        if (!volume_create_find(ctx, &v, &ours, err))
                return false;
        *ret = !v ? FOUND_NOTHING : ours ? FOUND_ALL : FOUND_DRIFT;
        step_result_str(ctx, "volume", step_str(ctx, "volume"));
        return true;
}

static bool volume_create_undo(StepCtx *ctx, void *state, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_JSON v = NULL;
        AUTO_FREE char *users = NULL;
        bool ours = false;
        if (!volume_create_find(ctx, &v, &ours, err))
                return false;
        if (!v || !ours || json_object_size(step_remembered(ctx)) == 0)
                return true;
        if (!kit_volume_users(ctx, step_str(ctx, "volume"), false, NULL, &users, err))
                return false;
        if (*users)
                return err_set(err, ERR_USER, "volume %s is used by %s; it was left alone",
                               step_str(ctx, "volume"), users);
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "volume", "rm", step_str(ctx, "volume"),
                                                NULL });
        return docker_do(&call, &a, NULL, err);
}

static bool volume_create_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON v = NULL;
        const char *name = step_str(ctx, "volume");
        if (!step_known(ctx, "volume") || !dry_docker_name(ctx, "volume", name))
                return true;
        Seen seen = dry_volume(ctx, name, &v, err);
        if (err->kind)
                return false;
        if (seen == SEEN_LATER || (v && !kit_is_ours(ctx, jx_get(v, "Labels"))))
                step_problem(ctx, "volume %s exists already", name);
        step_will(ctx, "volume", name, WILL_COME);
        return true;
}
