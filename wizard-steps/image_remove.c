/* image_remove.c: one image, by its exact name, and only when no container needs it. */
#include "base/buf.h"
#include "kit/docker.h"

static const ParamSpec params[] = {
        { .name = "image",
          .type = PARAM_IMAGE,
          .help = "image to remove, exactly as it is called" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "removed", .type = PARAM_BOOL, .help = "false: it was not there" },
        { 0 },
};

static bool image_remove_check(StepCtx *ctx, void *state, Err *err);
static bool image_remove_plan(StepCtx *ctx, void *state, Err *err);
static bool image_remove_dry(StepCtx *ctx, void *state, Err *err);
static bool image_remove_run(StepCtx *ctx, void *state, Err *err);
static bool image_remove_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_image_remove = {
        .name = "image.remove",
        .summary = "Remove one image that no container needs",
        .traits = STEP_IDEMPOTENT | STEP_DESTRUCTIVE,
        .params = params,
        .results = results,
        .check = image_remove_check,
        .plan = image_remove_plan,
        .dry = image_remove_dry,
        .run = image_remove_run,
        .probe = image_remove_probe,
};

static bool users_of(StepCtx *ctx, const json_t *image, Buf *names, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_JSON all = NULL;
        if (!docker_containers(&look, true, NULL, &all, err))
                return false;
        const char *name = step_str(ctx, "image");
        size_t i;
        json_t *c;
        json_array_foreach(all, i, c) {
                /* Another tag of the same image may be what that container was made from. */
                bool by_name = str_eq(container_image(c), name);
                bool last_tag = json_array_size(jx_get(image, "RepoTags")) <= 1 &&
                                str_eq(container_image_id(c), jx_str(image, "Id", ""));
                if (by_name || last_tag)
                        buf_printf(names, "%s%s", names->len ? ", " : "", container_name(c));
        }
        return true;
}

static bool image_remove_check(StepCtx *ctx, void *state, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_JSON image = NULL;
        if (!docker_inspect(&look, DOCKER_IMAGE, step_str(ctx, "image"), &image, err))
                return false;
        AUTO_BUF names = buf_init(4096);
        if (image && !users_of(ctx, image, &names, err))
                return false;
        if (names.len)
                step_problem(ctx, "image %s is still used by %s", step_str(ctx, "image"),
                             buf_str(&names));
        return true;
}

static bool image_remove_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ docker image rm %s", step_words(ctx, "image"));
        return true;
}

static bool image_remove_run(StepCtx *ctx, void *state, Err *err)
{
        HostCall call = kit_call(ctx);
        const char *name = step_str(ctx, "image");
        AUTO_JSON image = NULL;
        if (!docker_inspect(&call, DOCKER_IMAGE, name, &image, err))
                return false;
        step_result_bool(ctx, "removed", image != NULL);
        if (!image) {
                step_report(ctx, "%s is not here", name);
                return true;
        }
        AUTO_BUF names = buf_init(4096);
        if (!users_of(ctx, image, &names, err))
                return false;
        if (names.len)
                return err_set(err, ERR_USER, "image %s is still used by %s", name,
                               buf_str(&names));
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "image", "rm", "--no-prune", "--", name,
                                                NULL });
        if (!docker_do(&call, &a, NULL, err))
                return false;
        step_report(ctx, "%s removed", name);
        return true;
}

static bool image_remove_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_JSON image = NULL;
        if (!docker_inspect(&look, DOCKER_IMAGE, step_str(ctx, "image"), &image, err))
                return false;
        *ret = image ? FOUND_NOTHING : FOUND_ALL;
        step_result_bool(ctx, "removed", !image);
        return true;
}

/* Whoever uses it now may have gone by then, where an earlier step gives a service another
 * image. */
static bool image_remove_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON image = NULL;
        AUTO_ERR why = { 0 };
        HostCall look = kit_look(ctx);
        AUTO_BUF names = buf_init(4096);
        const char *name = step_str(ctx, "image");
        if (!step_known(ctx, "image"))
                return true;
        step_will(ctx, "image", name, WILL_GO);
        if (!docker_inspect(&look, DOCKER_IMAGE, name, &image, &why)) {
                step_problem(ctx, "%s", why.message);
                return true;
        }
        if (!image)
                return true;
        if (!users_of(ctx, image, &names, err))
                return false;
        if (names.len && (step_will_be(ctx, "containers", "any") == WILL_GO ||
                          step_will_be(ctx, "anything", "anywhere") == WILL_COME))
                step_unseen(ctx, "image %s is used by %s, which an earlier step may change", name,
                            buf_str(&names));
        else if (names.len)
                step_problem(ctx, "image %s is still used by %s", name, buf_str(&names));
        return true;
}
