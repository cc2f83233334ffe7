/* compose_try.c: every edit of the journey on copies, read back by Docker Compose, while nothing
 * stands still: what keeps the compose file from being changed is known before anything is stopped.
 */
#include "kit/compose_edits.h"
#include "kit/docker.h"
#include "kit/run_as.h"

static const ParamSpec params[] = {
        { .name = "service",
          .type = PARAM_NAME,
          .help = "service that gets the image and the volume" },
        { .name = "image", .type = PARAM_IMAGE, .help = "new image; it need not be here yet" },
        { .name = "volume", .type = PARAM_STRING, .help = "new volume; it need not be there yet" },
        { .name = "to",
          .type = PARAM_INT,
          .fallback = "0",
          .help = "major of the image, for where it wants its volume while it is not here" },
        OVERRIDE_PARAM,
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "problems", .type = PARAM_LIST, .help = "why the files cannot be changed" },
        { .name = "file", .type = PARAM_STRING, .help = "files that would be edited" },
        { .name = "diff", .type = PARAM_STRING, .help = "what would change, as unified diffs" },
        { .name = "mount", .type = PARAM_PATH, .help = "where the volume would be mounted" },
        { .name = "differs",
          .type = PARAM_LIST,
          .help = "what of the service a server of our own (server.start) does not take" },
        { 0 },
};

static const char *const verdict[] = { "problems", NULL };

static bool compose_try_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_try_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_try = {
        .name = "compose.try",
        .summary = "Try the edits of the compose files, on copies",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = compose_try_plan,
        .run = compose_try_run,
};

static bool compose_try_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx,
                  "# on copies of the compose files: image of %s becomes %s, its data moves to "
                  "volume %s",
                  step_words(ctx, "service"), step_words(ctx, "image"), step_words(ctx, "volume"));
        kit_plan_compose(ctx, false, "config (of the copies)");
        return true;
}

static bool layout_image(StepCtx *ctx, json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        if (!docker_inspect(&look, DOCKER_IMAGE, step_str(ctx, "image"), ret, err))
                return false;
        if (!*ret)
                *ret = kit_image_of_major((int)step_int(ctx, "to"));
        return true;
}

static bool try_all(StepCtx *ctx, Compose *c, ComposeChange *ch, const json_t *image,
                    VolumeMove *move, Err *err)
{
        HostCall look = kit_look(ctx);
        const char *service = step_str(ctx, "service");
        if (!compose_change_image(ch, &look, service, step_str(ctx, "image"), err) ||
            !kit_volume_move_find(c, service, image, move, err))
                return false;
        ComposeVolumeWish w = { .service = service,
                                .data_dir = move->old_data,
                                .volume = step_str(ctx, "volume"),
                                .target = move->mount };
        return compose_change_volume(ch, &look, &w, err);
}

/* A server of ours stands for the service until that is started: what is not the same is said now.
 */
static bool say_what_differs(StepCtx *ctx, const Compose *c, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_JSON made_from = NULL;
        const json_t *old = compose_container(c, step_str(ctx, "service"));
        size_t i;
        json_t *line;
        if (old && !docker_inspect(&look, DOCKER_IMAGE, container_image_id(old), &made_from, err))
                return false;
        json_t *differs = kit_differs_from_service(&look, old, made_from);
        step_result_set(ctx, "differs", differs);
        json_array_foreach(differs, i, line)
                step_log(ctx, SAY_INFO, "pgsherpa", "%s", json_string_value(line));
        step_say(ctx, "the new server is made beside the old one, without its published ports and "
                      "networks: nobody "
                      "reaches it until Compose starts the service on its volume");
        return true;
}

static bool compose_try_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_VOLUME_MOVE move = { 0 };
        AUTO_JSON image = NULL;
        AUTO_ERR why = { 0 };
        json_t *problems = json_array();
        step_result_set(ctx, "problems", problems);
        if (!kit_project(ctx, &c, err) || !layout_image(ctx, &image, err) ||
            !say_what_differs(ctx, c, err))
                return false;
        AUTO_COMPOSE_CHANGE ch = compose_change_new(c);
        if (step_bool(ctx, "override"))
                compose_change_override_only(ch);
        if (!try_all(ctx, c, ch, image, &move, &why)) {
                if (why.kind == ERR_CANCELLED) {
                        err_move(err, &why);
                        return false;
                }
                AUTO_FREE char *words = xasprintf("%s%s%s", why.message, why.hint ? "; " : "",
                                                  why.hint ? why.hint : "");
                jx_append_str(problems, words);
                step_log(ctx, SAY_ERROR, "pgsherpa", "%s", words);
                step_report(ctx, "%s", why.message);
                return true;
        }
        kit_change_unwritable(ch, problems);
        kit_change_results(ch, step_results(ctx));
        step_result_str(ctx, "mount", move.mount);
        kit_change_say(ctx, ch);
        step_report(ctx, "%s would be changed, and Compose reads it",
                    jx_str(step_results(ctx), "file", ""));
        return true;
}
