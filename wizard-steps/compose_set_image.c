/* compose_set_image.c: another image tag in the compose file, and not a byte more. */
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "host/compose_edit.h"
#include "wizard-steps/host_steps.h"

static const ParamSpec params[] = {
        { .name = "service", .type = PARAM_NAME, .help = "service whose image changes" },
        { .name = "image", .type = PARAM_IMAGE, .help = "new image, with a tag" },
        { .name = "apply", .type = PARAM_STRING, .fallback = "later",
          .help = "later: only the file changes, compose.up makes it true" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "previous", .type = PARAM_STRING, .help = "image that stood there" },
        { .name = "file", .type = PARAM_PATH, .help = "file that was edited" },
        { .name = "diff", .type = PARAM_STRING, .help = "the change, as a unified diff" },
        { .name = "changed", .type = PARAM_BOOL, .help = "false when it already said so" },
        { 0 },
};

/* Everything but the writing; *bytes and *path are malloc()ed. */
static bool prepare(StepCtx *ctx, Compose *c, char **path, ComposeEdit *e, Err *err)
{
        const char *service = step_str(ctx, "service");
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        return compose_edit_file(c, service, COMPOSE_KEY_IMAGE, path, err) &&
               io_read_file(*path, LIMIT_COMPOSE_FILE, &bytes, &n, err) &&
               compose_edit_image(*path, bytes, n, service, step_str(ctx, "image"), e, err);
}

static bool check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_FREE char *path = NULL;
        AUTO_ERR why = { 0 };
        if (!str_eq(step_str(ctx, "apply"), "later"))
                step_problem(ctx, "apply: %s is not known; it is `later`", step_str(ctx, "apply"));
        if (!step_compose(ctx, &c, err))
                return false;
        if (!prepare(ctx, c, &path, &e, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "", why.hint ? why.hint : "");
        else if (access(path, W_OK) != 0)
                step_problem(ctx, "%s cannot be written by this user", path);
        return true;
}

static bool plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# in the compose file: image of %s becomes %s", step_words(ctx, "service"),
                  step_words(ctx, "image"));
        step_plan_undo(ctx, "# put the saved compose file back, if nobody else changed it");
        return true;
}

static void say_diff(StepCtx *ctx, const char *diff)
{
        AUTO_FREE char *copy = xstrdup(diff);
        for (char *save = NULL, *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
                step_say(ctx, "%s", l);
}

static bool run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_COMPOSE_EDIT e = { 0 };
        AUTO_FREE char *path = NULL;
        if (!step_compose(ctx, &c, err) || !prepare(ctx, c, &path, &e, err))
                return false;
        json_t *found = json_object();
        jx_set_str(found, "previous", e.previous);
        jx_set_str(found, "file", path);
        jx_set_str(found, "diff", e.diff);
        jx_set_bool(found, "changed", e.changed);
        if (!e.changed) {
                file_edit_nothing(ctx, found);
                step_report(ctx, "%s says %s already", path, e.previous);
                return true;
        }
        say_diff(ctx, e.diff);
        if (!file_edit(ctx, path, e.after, e.after_len, found, err))
                return false;
        step_report(ctx, "%s to %s in %s", e.previous, step_str(ctx, "image"), path);
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

const StepKind step_compose_set_image = {
        .name = "compose.set_image",
        .summary = "Change a service's image tag in the compose file",
        .traits = STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .check = check,
        .plan = plan,
        .run = run,
        .probe = probe,
        .undo = undo,
};
