/* compose_set_volume.c: a service gets another volume for its data; the old one stays as it is.
 *
 * The new volume exists already (server.start made it), so the file declares it as external. */
#include "kit/compose_edits.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/file_edit.h"

static const ParamSpec params[] = {
        { .name = "service", .type = PARAM_NAME, .help = "service whose data volume changes" },
        { .name = "volume",
          .type = PARAM_STRING,
          .help = "name of the volume, which exists already" },
        { .name = "image",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "image that will run on it, for where it wants its data; else the service's" },
        OVERRIDE_PARAM,
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "previous",
          .type = PARAM_STRING,
          .help = "volume (or directory) that was there" },
        { .name = "file", .type = PARAM_STRING, .help = "file that was edited, or several" },
        { .name = "diff", .type = PARAM_STRING, .help = "the change, as a unified diff" },
        { .name = "mount", .type = PARAM_PATH, .help = "where the volume is mounted now" },
        { 0 },
};

static bool compose_set_volume_check(StepCtx *ctx, void *state, Err *err);
static bool compose_set_volume_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_set_volume_dry(StepCtx *ctx, void *state, Err *err);
static bool compose_set_volume_run(StepCtx *ctx, void *state, Err *err);
static bool compose_set_volume_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool compose_set_volume_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_set_volume = {
        .name = "compose.set_volume",
        .summary = "Put a service's data on another volume (compose file)",
        .traits = STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .check = compose_set_volume_check,
        .plan = compose_set_volume_plan,
        .dry = compose_set_volume_dry,
        .run = compose_set_volume_run,
        .probe = compose_set_volume_probe,
        .undo = compose_set_volume_undo,
};

typedef struct Prepared {
        ComposeChange *change, *back; /* back: to a volume that had no name; else NULL */
        VolumeMove move;
} Prepared;

static void prepared_done(Prepared *p)
{
        p->change = compose_change_free(p->change);
        p->back = compose_change_free(p->back);
        kit_volume_move_done(&p->move);
}

static bool image_of(StepCtx *ctx, Compose *c, json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_FREE char *name = NULL;
        if (*step_str(ctx, "image"))
                name = xstrdup(step_str(ctx, "image"));
        else if (!compose_service_image(c, step_str(ctx, "service"), &name, err))
                return false;
        if (!docker_inspect(&look, DOCKER_IMAGE, name, ret, err))
                return false;
        if (*ret)
                return true;
        err_set(err, ERR_USER, "there is no image %s here", name);
        return err_hint(err, "pull it first (image.pull)");
}

static bool compose_set_volume_prepare(StepCtx *ctx, Compose *c, Prepared *p, Err *err)
{
        const char *service = step_str(ctx, "service");
        HostCall look = kit_look(ctx);
        AUTO_JSON image = NULL;
        if (!image_of(ctx, c, &image, err) ||
            !kit_volume_move_find(c, service, image, &p->move, err))
                return false;
        ComposeVolumeWish w = { .service = service,
                                .data_dir = p->move.old_data,
                                .volume = step_str(ctx, "volume"),
                                .target = p->move.mount };
        p->change = compose_change_new(c);
        if (step_bool(ctx, "override"))
                compose_change_override_only(p->change);
        if (!compose_change_volume(p->change, &look, &w, err))
                return false;
        if (!volume_is_anonymous(p->move.previous) || step_bool(ctx, "override"))
                return true;
        /* A container made anew gets another one: the way back names it. */
        ComposeVolumeWish back = { .service = service,
                                   .data_dir = p->move.old_data,
                                   .volume = p->move.previous,
                                   .target = p->move.old_mount };
        p->back = compose_change_new(c);
        return compose_change_volume(p->back, &look, &back, err);
}

static bool compose_set_volume_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        Prepared CLEANUP(prepared_done) p = { 0 };
        AUTO_ERR why = { 0 };
        HostCall look = kit_look(ctx);
        AUTO_JSON volume = NULL;
        if (!kit_project(ctx, &c, err) ||
            !docker_inspect(&look, DOCKER_VOLUME, step_str(ctx, "volume"), &volume, err))
                return false;
        if (!volume)
                step_problem(ctx, "there is no volume %s", step_str(ctx, "volume"));
        if (!compose_set_volume_prepare(ctx, c, &p, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        else
                kit_change_check(ctx, p.change);
        return true;
}

static bool compose_set_volume_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# in the compose file: the data of %s moves to volume %s (external)",
                  step_words(ctx, "service"), step_words(ctx, "volume"));
        step_plan_undo(ctx, "# puts the saved compose file back, if nobody else changed it");
        return true;
}

static bool compose_set_volume_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        Prepared CLEANUP(prepared_done) p = { 0 };
        if (!kit_project(ctx, &c, err) || !compose_set_volume_prepare(ctx, c, &p, err))
                return false;
        json_t *found = json_object();
        jx_set_str(found, "previous", p.move.previous);
        kit_change_results(p.change, found);
        jx_set_str(found, "mount", p.move.mount);
        if (compose_change_count(p.change) == 0) {
                kit_file_edit_nothing(ctx, found);
                step_report(ctx, "the compose file says so already");
                return true;
        }
        if (!kit_change_write(ctx, p.change, p.back, found, err))
                return false;
        step_report(ctx, "%s to %s, mounted at %s", p.move.previous, step_str(ctx, "volume"),
                    p.move.mount);
        return true;
}

static bool compose_set_volume_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        return kit_file_edit_probe(ctx, ret, err);
}

static bool compose_set_volume_undo(StepCtx *ctx, void *state, Err *err)
{
        return kit_file_edit_undo(ctx, err);
}

/* A volume that gets its name later is edited in under one that any may have. */
static const char *dry_volume_name(StepCtx *ctx)
{
        return step_known(ctx, "volume") ? step_str(ctx, "volume") : "pgsherpa_dry";
}

static void dry_edit(StepCtx *ctx, Compose *c, json_t *image)
{
        Prepared CLEANUP(prepared_done) p = { 0 };
        AUTO_ERR why = { 0 };
        HostCall look = kit_look(ctx);
        const char *service = step_str(ctx, "service");
        ComposeVolumeWish w = { .service = service, .volume = dry_volume_name(ctx) };
        bool ok = kit_volume_move_find(c, service, image, &p.move, &why);
        if (ok) {
                w.data_dir = p.move.old_data;
                w.target = p.move.mount;
                p.change = compose_change_new(c);
                if (step_bool(ctx, "override"))
                        compose_change_override_only(p.change);
                ok = compose_change_volume(p.change, &look, &w, &why);
        }
        if (ok)
                kit_change_check(ctx, p.change);
        else
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
}

static bool compose_set_volume_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON volume = NULL;
        AUTO_JSON image = NULL;
        AUTO_FREE char *name = NULL;
        const char *service = step_str(ctx, "service"), *wanted = step_str(ctx, "volume");
        step_will(ctx, "server", dry_service(ctx, service), WILL_COME);
        step_will(ctx, "saved", step_id(ctx), WILL_COME);
        if (!step_known(ctx, "service") || dry_project(ctx, &c) != SEEN_HERE)
                return true;
        if (step_known(ctx, "volume") && dry_volume(ctx, wanted, &volume, err) == SEEN_NOT &&
            err->kind == ERR_NONE && step_will_be(ctx, "anything", "anywhere") != WILL_COME)
                step_problem(ctx, "there is no volume %s, and no earlier step makes it", wanted);
        if (err->kind)
                return false;
        if (*step_str(ctx, "image"))
                name = xstrdup(step_str(ctx, "image"));
        else if (!compose_service_image(c, service, &name, err))
                return false;
        Seen seen = step_known(ctx, "image") ? dry_image(ctx, name, false, &image) : SEEN_LATER;
        if (seen == SEEN_LATER) /* where it wants its data is known of the image of now */
                step_unseen(ctx, "where image %s wants its data is known when it is here", name);
        if (seen == SEEN_HERE)
                dry_edit(ctx, c, image);
        return true;
}
