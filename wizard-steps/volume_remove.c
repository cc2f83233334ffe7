/* volume_remove.c: one volume, by its exact name, and only when no container has it. */
#include "base/text.h"
#include "kit/docker.h"
#include "kit/labels.h"

static const ParamSpec params[] = {
        { .name = "volume",
          .type = PARAM_STRING,
          .help = "volume to remove, exactly as it is called" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "removed", .type = PARAM_BOOL, .help = "false: it was not there" },
        { 0 },
};

static bool volume_remove_check(StepCtx *ctx, void *state, Err *err);
static bool volume_remove_plan(StepCtx *ctx, void *state, Err *err);
static bool volume_remove_dry(StepCtx *ctx, void *state, Err *err);
static bool volume_remove_run(StepCtx *ctx, void *state, Err *err);
static bool volume_remove_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_volume_remove = {
        .name = "volume.remove",
        .summary = "Remove one volume that no container has",
        .traits = STEP_IDEMPOTENT | STEP_DESTRUCTIVE,
        .params = params,
        .results = results,
        .check = volume_remove_check,
        .plan = volume_remove_plan,
        .dry = volume_remove_dry,
        .run = volume_remove_run,
        .probe = volume_remove_probe,
};

/* Docker takes any unambiguous beginning of an id; we take whole names only. A path is a
 * directory somebody mounted: that is not a volume, and not ours to remove. */
static bool volume_remove_exact(StepCtx *ctx, json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        const char *name = step_str(ctx, "volume");
        *ret = NULL;
        if (!*name || strpbrk(name, "/*?[]{}$ \t\n")) {
                AUTO_FREE char *clean = text_clean_str(name);
                return err_set(err, ERR_USER, "`%s` is not the name of one volume", clean);
        }
        if (!docker_inspect(&look, DOCKER_VOLUME, name, ret, err))
                return false;
        if (*ret && !str_eq(jx_str(*ret, "Name", ""), name))
                return err_set(err, ERR_USER, "%s is not the whole name of a volume", name);
        return true;
}

static bool volume_remove_unused(StepCtx *ctx, char **ret_users, Err *err)
{
        return kit_volume_users(ctx, step_str(ctx, "volume"), false, NULL, ret_users, err);
}

static bool volume_remove_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON v = NULL;
        AUTO_ERR why = { 0 };
        AUTO_FREE char *users = NULL;
        if (!volume_remove_exact(ctx, &v, &why))
                step_problem(ctx, "%s", why.message);
        else if (v && !volume_remove_unused(ctx, &users, err))
                return false;
        if (users && *users)
                step_problem(ctx, "volume %s is used by %s", step_str(ctx, "volume"), users);
        return true;
}

static bool volume_remove_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ docker volume rm %s", step_words(ctx, "volume"));
        return true;
}

static bool volume_remove_run(StepCtx *ctx, void *state, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_JSON v = NULL;
        AUTO_FREE char *users = NULL;
        if (!volume_remove_exact(ctx, &v, err))
                return false;
        step_result_bool(ctx, "removed", v != NULL);
        if (!v) {
                step_report(ctx, "%s is not here", step_str(ctx, "volume"));
                return true;
        }
        if (!volume_remove_unused(ctx, &users, err))
                return false;
        if (*users)
                return err_set(err, ERR_USER, "volume %s is used by %s", step_str(ctx, "volume"),
                               users);
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "volume", "rm", "--",
                                                step_str(ctx, "volume"), NULL });
        if (!docker_do(&call, &a, NULL, err))
                return false;
        step_report(ctx, "%s removed", step_str(ctx, "volume"));
        return true;
}

static bool volume_remove_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_JSON v = NULL;
        if (!volume_remove_exact(ctx, &v, err))
                return false;
        *ret = v ? FOUND_NOTHING : FOUND_ALL;
        step_result_bool(ctx, "removed", !v);
        return true;
}

static bool volume_remove_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON v = NULL;
        AUTO_ERR why = { 0 };
        AUTO_FREE char *users = NULL;
        const char *name = step_str(ctx, "volume");
        if (!step_known(ctx, "volume"))
                return true;
        if (!volume_remove_exact(ctx, &v, &why))
                step_problem(ctx, "%s", why.message);
        else if (v && !volume_remove_unused(ctx, &users, err))
                return false;
        bool may_go = step_will_be(ctx, "containers", "any") == WILL_GO ||
                      step_will_be(ctx, "anything", "anywhere") == WILL_COME;
        if (users && *users && may_go)
                step_unseen(ctx, "volume %s is used by %s, which an earlier step may remove", name,
                            users);
        else if (users && *users)
                step_problem(ctx, "volume %s is used by %s", name, users);
        step_will(ctx, "volume", name, WILL_GO);
        return true;
}
