/* compose_set_image.c: another image tag in the compose file, and not a byte more. */
#include "kit/compose_edits.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/file_edit.h"

static const ParamSpec params[] = {
        { .name = "service", .type = PARAM_NAME, .help = "service whose image changes" },
        { .name = "image", .type = PARAM_IMAGE, .help = "new image, with a tag" },
        { .name = "apply",
          .type = PARAM_STRING,
          .fallback = "later",
          .help = "later: only the file changes, compose.up makes it true" },
        OVERRIDE_PARAM,
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "previous", .type = PARAM_STRING, .help = "image the service runs on until now" },
        { .name = "file", .type = PARAM_STRING, .help = "file that was edited, or several" },
        { .name = "diff", .type = PARAM_STRING, .help = "the change, as a unified diff" },
        { .name = "changed", .type = PARAM_BOOL, .help = "false when it already said so" },
        { 0 },
};

static bool compose_set_image_check(StepCtx *ctx, void *state, Err *err);
static bool compose_set_image_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_set_image_dry(StepCtx *ctx, void *state, Err *err);
static bool compose_set_image_run(StepCtx *ctx, void *state, Err *err);
static bool compose_set_image_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool compose_set_image_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_set_image = {
        .name = "compose.set_image",
        .summary = "Change a service's image tag in the compose file",
        .traits = STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .check = compose_set_image_check,
        .plan = compose_set_image_plan,
        .dry = compose_set_image_dry,
        .run = compose_set_image_run,
        .probe = compose_set_image_probe,
        .undo = compose_set_image_undo,
};

/* Everything but the writing. */
static bool compose_set_image_prepare(StepCtx *ctx, Compose *c, ComposeChange **ret,
                                      char **previous, Err *err)
{
        HostCall look = kit_look(ctx);
        const char *service = step_str(ctx, "service");
        *ret = compose_change_new(c);
        if (step_bool(ctx, "override"))
                compose_change_override_only(*ret);
        return kit_image_before(c, service, previous, err) &&
               compose_change_image(*ret, &look, service, step_str(ctx, "image"), err);
}

static bool compose_set_image_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_COMPOSE_CHANGE ch = NULL;
        AUTO_FREE char *previous = NULL;
        AUTO_ERR why = { 0 };
        if (!str_eq(step_str(ctx, "apply"), "later"))
                step_problem(ctx, "apply: %s is not known; it is `later`", step_str(ctx, "apply"));
        if (!kit_project(ctx, &c, err))
                return false;
        if (!compose_set_image_prepare(ctx, c, &ch, &previous, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        else
                kit_change_check(ctx, ch);
        return true;
}

static bool compose_set_image_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# in the compose file: image of %s becomes %s", step_words(ctx, "service"),
                  step_words(ctx, "image"));
        step_plan_undo(ctx, "# puts the saved compose file back, if nobody else changed it");
        return true;
}

static bool compose_set_image_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_COMPOSE_CHANGE ch = NULL;
        AUTO_FREE char *previous = NULL;
        if (!kit_project(ctx, &c, err) || !compose_set_image_prepare(ctx, c, &ch, &previous, err))
                return false;
        json_t *found = json_object();
        jx_set_str(found, "previous", previous);
        kit_change_results(ch, found);
        jx_set_bool(found, "changed", compose_change_count(ch) > 0);
        if (compose_change_count(ch) == 0) {
                kit_file_edit_nothing(ctx, found);
                step_report(ctx, "the compose file says %s already", step_str(ctx, "image"));
                return true;
        }
        AUTO_FREE char *file = xstrdup(jx_str(found, "file", ""));
        if (!kit_change_write(ctx, ch, NULL, found, err))
                return false;
        step_report(ctx, "%s to %s in %s", previous, step_str(ctx, "image"), file);
        return true;
}

static bool compose_set_image_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        return kit_file_edit_probe(ctx, ret, err);
}

static bool compose_set_image_undo(StepCtx *ctx, void *state, Err *err)
{
        return kit_file_edit_undo(ctx, err);
}

static bool compose_set_image_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_COMPOSE_CHANGE ch = NULL;
        AUTO_FREE char *previous = NULL;
        AUTO_ERR why = { 0 };
        const char *service = step_str(ctx, "service");
        step_will(ctx, "server", dry_service(ctx, service), WILL_COME);
        step_will(ctx, "saved", step_id(ctx), WILL_COME);
        if (!str_eq(step_str(ctx, "apply"), "later"))
                step_problem(ctx, "apply: %s is not known; it is `later`", step_str(ctx, "apply"));
        if (!step_known(ctx, "service") || !step_known(ctx, "image") ||
            dry_project(ctx, &c) != SEEN_HERE)
                return true;
        if (!compose_set_image_prepare(ctx, c, &ch, &previous, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        else
                kit_change_check(ctx, ch);
        return true;
}
