/* image_pull.c: the new image, before anything stops (A6). */
#include "base/fmt.h"
#include "base/text.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/run_as.h"

static const ParamSpec params[] = {
        { .name = "image", .type = PARAM_IMAGE, .help = "image to pull, with a tag" },
        { .name = "service",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "service of the project in `on`: for the platform that its compose file names" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "image", .type = PARAM_STRING, .help = "as asked for" },
        { .name = "id", .type = PARAM_STRING, .help = "id of the image" },
        { .name = "digest",
          .type = PARAM_STRING,
          .help = "digest in its registry; empty for one made here" },
        { .name = "major",
          .type = PARAM_INT,
          .help = "PG_MAJOR of the image; 0 when it does not say" },
        { .name = "size", .type = PARAM_SIZE, .help = "size on this disk" },
        { .name = "pulled",
          .type = PARAM_BOOL,
          .help = "false: the registry was not reached, the local one is used" },
        { 0 },
};

static bool image_pull_plan(StepCtx *ctx, void *state, Err *err);
static bool image_pull_dry(StepCtx *ctx, void *state, Err *err);
static bool image_pull_run(StepCtx *ctx, void *state, Err *err);
static bool image_pull_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_image_pull = {
        .name = "image.pull",
        .summary = "Pull an image",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .plan = image_pull_plan,
        .dry = image_pull_dry,
        .run = image_pull_run,
        .probe = image_pull_probe,
};

typedef struct Layers {
        StepCtx *ctx;
        int seen, ready;
} Layers;

/* "5d4c..: Pulling fs layer", "..: Already exists", "..: Pull complete". */
static void image_pull_on_line(void *arg, int fd, const char *line)
{
        Layers *l = arg;
        if (fd == 0) {
                step_log(l->ctx, SAY_CMD, "docker", "$ %s", line);
                return;
        }
        step_log(l->ctx, SAY_INFO, "docker", "%s", line);
        if (strstr(line, "Pulling fs layer"))
                l->seen++;
        if (strstr(line, "Already exists")) {
                l->seen++;
                l->ready++;
        }
        if (strstr(line, "Pull complete"))
                l->ready++;
        Progress p = { .unit = "layers",
                       .done = l->ready,
                       .total = l->seen,
                       .eta_ms = -1,
                       .label = "pulling",
                       .things_done = l->ready,
                       .things_total = l->seen };
        if (l->seen)
                step_progress(l->ctx, &p);
}

static bool image_pull_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ docker pull %s", step_words(ctx, "image"));
        return true;
}

static bool image_pull_finish(StepCtx *ctx, const json_t *image, bool pulled)
{
        const char *digest = json_string_value(json_array_get(jx_get(image, "RepoDigests"), 0));
        const char *at = digest ? strchr(digest, '@') : NULL;
        char size[24];
        step_result_str(ctx, "image", step_str(ctx, "image"));
        step_result_str(ctx, "id", jx_str(image, "Id", ""));
        step_result_str(ctx, "digest", at ? at + 1 : "");
        step_result_int(ctx, "major", container_pg_major(image));
        step_result_int(ctx, "size", jx_int(image, "Size", 0));
        step_result_bool(ctx, "pulled", pulled);
        step_report(ctx, "%s, %s%s", step_str(ctx, "image"),
                    fmt_bytes(jx_int(image, "Size", 0), size),
                    pulled ? "" : ", the registry was not reached: the one already here is used");
        return true;
}

static bool image_pull_run(StepCtx *ctx, void *state, Err *err)
{
        const char *name = step_str(ctx, "image");
        Layers layers = { .ctx = ctx };
        HostCall call = { .cancel = step_cancel_flag(ctx),
                          .say = image_pull_on_line,
                          .arg = &layers };
        AUTO_ARGV a = { 0 };
        AUTO_COMPOSE compose = NULL;
        if (*step_str(ctx, "service") && !kit_project(ctx, &compose, err))
                return false;
        const char *platform = kit_service_platform(compose, step_str(ctx, "service"));
        argv_add_all(&a, (const char *const[]){ "docker", "pull", NULL });
        if (*platform) {
                argv_add(&a, "--platform");
                argv_add(&a, platform);
        }
        argv_add(&a, "--");
        argv_add(&a, name);
        AUTO_ERR why = { 0 };
        bool pulled = docker_do(&call, &a, NULL, &why);
        if (why.kind == ERR_CANCELLED || why.kind == ERR_USER) {
                err_move(err, &why);
                return false;
        }
        AUTO_JSON image = NULL;
        if (!docker_inspect(&call, DOCKER_IMAGE, name, &image, err))
                return false;
        if (!image) {
                if (pulled)
                        return err_set(err, ERR_COMMAND, "image %s is not here after it was pulled",
                                       name);
                err_move(err, &why);
                return err_hint(err,
                                "does the image exist, and does this machine reach its registry?");
        }
        if (!pulled)
                step_log(ctx, SAY_WARN, "docker", "%s", why.message);
        return image_pull_finish(ctx, image, pulled);
}

static bool image_pull_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_PART; /* pulling again is cheap and says the present digest */
        return true;
}

static bool image_pull_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON image = NULL;
        const char *name = step_str(ctx, "image");
        if (!step_known(ctx, "image"))
                return true;
        if (dry_image(ctx, name, true, &image) != SEEN_NOT)
                step_will(ctx, "image", name, WILL_COME);
        return true;
}
