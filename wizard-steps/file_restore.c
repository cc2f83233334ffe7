/* file_restore.c: puts back the file another step of this run saved before it changed it. */
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "kit/dry.h"
#include "kit/file_edit.h"

static const ParamSpec params[] = {
        { .name = "step", .type = PARAM_STRING, .help = "step whose saved file comes back" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "file", .type = PARAM_PATH, .help = "file that was put back" },
        { 0 },
};

static bool file_restore_plan(StepCtx *ctx, void *state, Err *err);
static bool file_restore_dry(StepCtx *ctx, void *state, Err *err);
static bool file_restore_run(StepCtx *ctx, void *state, Err *err);
static bool file_restore_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool file_restore_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_file_restore = {
        .name = "file.restore",
        .summary = "Put back a file that a step of this run saved",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .plan = file_restore_plan,
        .dry = file_restore_dry,
        .run = file_restore_run,
        .probe = file_restore_probe,
        .undo = file_restore_undo,
};

static bool saved_by(StepCtx *ctx, const json_t **ret, Err *err)
{
        *ret = kit_file_edit_remembered(step_remembered_of(ctx, step_str(ctx, "step")));
        if (*ret && *jx_str(*ret, "before", ""))
                return true;
        AUTO_FREE char *clean = text_clean_str(step_str(ctx, "step"));
        return err_set(err, ERR_USER, "step %s has saved no file", clean);
}

static bool file_restore_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# puts back the file that step %s saved", step_words(ctx, "step"));
        step_plan_undo(ctx, "# puts back what was there before that");
        return true;
}

static bool file_restore_run(StepCtx *ctx, void *state, Err *err)
{
        const json_t *edit = NULL;
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        char hex[65];
        if (!saved_by(ctx, &edit, err) ||
            !io_read_file(jx_str(edit, "saved", ""), LIMIT_COMPOSE_FILE, &bytes, &n, err))
                return false;
        digest_hex_of(bytes, n, hex);
        if (!str_eq(hex, jx_str(edit, "before", "")))
                return err_set(err, ERR_USER, "what step %s saved is damaged",
                               step_str(ctx, "step"));
        json_t *found = json_object();
        jx_set_str(found, "file", jx_str(edit, "file", ""));
        if (!kit_file_edit(ctx, jx_str(edit, "file", ""), bytes, n, found, err))
                return false;
        step_report(ctx, "%s is as it was before step %s", jx_str(edit, "file", ""),
                    step_str(ctx, "step"));
        return true;
}

static bool file_restore_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        return kit_file_edit_probe(ctx, ret, err);
}

static bool file_restore_undo(StepCtx *ctx, void *state, Err *err)
{
        return kit_file_edit_undo(ctx, err);
}

static bool file_restore_dry(StepCtx *ctx, void *state, Err *err)
{
        const json_t *edit = NULL;
        AUTO_ERR why = { 0 };
        const char *step = step_str(ctx, "step");
        AUTO_FREE char *clean = text_clean_str(step);
        step_will(ctx, "saved", step_id(ctx), WILL_COME);
        if (step_will_be(ctx, "saved", step) == WILL_COME || !step_known(ctx, "step"))
                return true;
        if (saved_by(ctx, &edit, &why))
                dry_replaceable(ctx, jx_str(edit, "file", ""));
        else
                step_problem(ctx, "step %s has saved no file, and will save none before this one",
                             clean);
        return true;
}
