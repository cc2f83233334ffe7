/* image_inspect.c: what an image on this machine says of itself. */
#include "base/fmt.h"
#include "kit/docker.h"
#include "kit/layout.h"

static const ParamSpec params[] = {
        { .name = "image", .type = PARAM_IMAGE, .help = "image, which must be here already" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "id", .type = PARAM_STRING, .help = "id of the image" },
        { .name = "digest",
          .type = PARAM_STRING,
          .help = "digest in its registry; empty for one made here" },
        { .name = "major", .type = PARAM_INT, .help = "PG_MAJOR; 0 when it does not say" },
        { .name = "version", .type = PARAM_STRING, .help = "PG_VERSION of the image" },
        { .name = "pgdata", .type = PARAM_STRING, .help = "where it keeps its data" },
        { .name = "mount", .type = PARAM_STRING, .help = "where a volume belongs" },
        { .name = "created", .type = PARAM_STRING, .help = "when it was made" },
        { .name = "size", .type = PARAM_SIZE, .help = "size on this disk" },
        { .name = "libc", .type = PARAM_STRING, .help = "glibc or musl; empty: not known" },
        { 0 },
};

static bool image_inspect_plan(StepCtx *ctx, void *state, Err *err);
static bool image_inspect_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_image_inspect = {
        .name = "image.inspect",
        .summary = "Look at an image on this machine",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .plan = image_inspect_plan,
        .run = image_inspect_run,
};

static bool image_inspect_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ docker image inspect %s", step_words(ctx, "image"));
        return true;
}

static bool image_inspect_run(StepCtx *ctx, void *state, Err *err)
{
        HostCall look = kit_look(ctx);
        const char *name = step_str(ctx, "image");
        AUTO_JSON image = NULL;
        if (!docker_inspect(&look, DOCKER_IMAGE, name, &image, err))
                return false;
        if (!image)
                return err_set(err, ERR_USER, "there is no image %s here; pull it first", name);
        AUTO_LAYOUT layout = { 0 };
        kit_layout_of(NULL, NULL, image, &layout);
        const char *digest = json_string_value(json_array_get(jx_get(image, "RepoDigests"), 0));
        const char *at = digest ? strchr(digest, '@') : NULL;
        const char *version = container_env(image, "PG_VERSION");
        char size[24];
        step_result_str(ctx, "id", jx_str(image, "Id", ""));
        step_result_str(ctx, "digest", at ? at + 1 : "");
        step_result_int(ctx, "major", container_pg_major(image));
        step_result_str(ctx, "version", version ? version : "");
        step_result_str(ctx, "pgdata", layout.pgdata);
        step_result_str(ctx, "mount", layout.mount);
        step_result_str(ctx, "created", jx_str(image, "Created", ""));
        step_result_int(ctx, "size", jx_int(image, "Size", 0));
        step_result_str(ctx, "libc", image_libc(image));
        step_report(ctx, "%s: PostgreSQL %d, %s", name, container_pg_major(image),
                    fmt_bytes(jx_int(image, "Size", 0), size));
        return true;
}
