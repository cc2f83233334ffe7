/* compose_set_volume.c: a service gets another volume for its data; the old one stays as it is.
 *
 * The new volume exists already (server.start made it), so the file declares it as external. */
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "host/compose_edit.h"
#include "wizard-steps/host_steps.h"

static const ParamSpec params[] = {
        { .name = "service", .type = PARAM_NAME, .help = "service whose data volume changes" },
        { .name = "volume", .type = PARAM_STRING, .help = "name of the volume, which exists already" },
        { .name = "image", .type = PARAM_STRING, .fallback = "",
          .help = "image that will run on it, for where it wants its data; else the service's" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "previous", .type = PARAM_STRING, .help = "volume (or directory) that was there" },
        { .name = "file", .type = PARAM_PATH, .help = "file that was edited" },
        { .name = "diff", .type = PARAM_STRING, .help = "the change, as a unified diff" },
        { .name = "mount", .type = PARAM_PATH, .help = "where the volume is mounted now" },
        { 0 },
};

typedef struct Prepared {
        char       *path, *previous, *mount;
        ComposeEdit edit;
} Prepared;

static void prepared_done(Prepared *p)
{
        free(p->path);
        free(p->previous);
        free(p->mount);
        compose_edit_done(&p->edit);
}

static bool image_of(StepCtx *ctx, Compose *c, json_t **ret, Err *err)
{
        HostCall look = step_look(ctx);
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

/* Where the data of the service is now: that mount is the one to change. */
static bool prepare(StepCtx *ctx, Compose *c, Prepared *p, Err *err)
{
        const char *service = step_str(ctx, "service");
        const json_t *now = compose_container(c, service);
        if (!now)
                return err_set(err, ERR_USER, "service %s has no container to read its present volume from",
                               service);
        AUTO_JSON image = NULL;
        if (!image_of(ctx, c, &image, err))
                return false;
        AUTO_ERR ignored = { 0 };
        AUTO_LAYOUT layout = { 0 };
        layout_of(compose_service_env(c, service, "PGDATA", &ignored), now, image, &layout);
        const char *old_data = container_pgdata(now);
        const json_t *mount = container_mount_of(now, old_data);
        if (!mount)
                return err_set(err, ERR_USER, "the data of %s (%s) is on no volume at all: it is in the "
                               "container itself", service, old_data);
        p->previous = xstrdup(jx_str(mount, "Name", jx_str(mount, "Source", "")));
        p->mount = xstrdup(layout.mount);
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        return compose_edit_file(c, service, COMPOSE_KEY_VOLUMES, &p->path, err) &&
               io_read_file(p->path, LIMIT_COMPOSE_FILE, &bytes, &n, err) &&
               compose_edit_volume(p->path, bytes, n, service, old_data, step_str(ctx, "volume"),
                                   layout.mount, &p->edit, err);
}

static bool check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        Prepared CLEANUP(prepared_done) p = { 0 };
        AUTO_ERR why = { 0 };
        HostCall look = step_look(ctx);
        AUTO_JSON volume = NULL;
        if (!step_compose(ctx, &c, err) ||
            !docker_inspect(&look, DOCKER_VOLUME, step_str(ctx, "volume"), &volume, err))
                return false;
        if (!volume)
                step_problem(ctx, "there is no volume %s", step_str(ctx, "volume"));
        if (!prepare(ctx, c, &p, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "", why.hint ? why.hint : "");
        else if (access(p.path, W_OK) != 0)
                step_problem(ctx, "%s cannot be written by this user", p.path);
        return true;
}

static bool plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# in the compose file: the data of %s moves to volume %s (external)",
                  step_words(ctx, "service"), step_words(ctx, "volume"));
        step_plan_undo(ctx, "# put the saved compose file back, if nobody else changed it");
        return true;
}

static bool run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        Prepared CLEANUP(prepared_done) p = { 0 };
        if (!step_compose(ctx, &c, err) || !prepare(ctx, c, &p, err))
                return false;
        json_t *found = json_object();
        jx_set_str(found, "previous", p.previous);
        jx_set_str(found, "file", p.path);
        jx_set_str(found, "diff", p.edit.diff);
        jx_set_str(found, "mount", p.mount);
        if (!p.edit.changed) {
                file_edit_nothing(ctx, found);
                step_report(ctx, "%s says so already", p.path);
                return true;
        }
        AUTO_FREE char *diff = xstrdup(p.edit.diff);
        for (char *save = NULL, *l = strtok_r(diff, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
                step_say(ctx, "%s", l);
        if (!file_edit(ctx, p.path, p.edit.after, p.edit.after_len, found, err))
                return false;
        step_report(ctx, "%s to %s, mounted at %s", p.previous, step_str(ctx, "volume"), p.mount);
        return true;
}

static bool probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        return file_edit_probe(ctx, ret, err);
}

static bool undo(StepCtx *ctx, void *state, Err *err)
{
        return file_edit_undo(ctx, err);
}

const StepKind step_compose_set_volume = {
        .name = "compose.set_volume",
        .summary = "Point a service's data at another volume in the compose file",
        .traits = STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .check = check,
        .plan = plan,
        .run = run,
        .probe = probe,
        .undo = undo,
};
