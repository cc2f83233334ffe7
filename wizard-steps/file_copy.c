/* file_copy.c: a small file (a compose file, a .env) to its place; what was there is saved. */
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "kit/dry.h"
#include "kit/file_edit.h"

static const ParamSpec params[] = {
        { .name = "from", .type = PARAM_PATH, .help = "file to copy" },
        { .name = "to",
          .type = PARAM_PATH,
          .help = "where to; an existing file keeps its mode and owner" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "file", .type = PARAM_PATH, .help = "file that was written" },
        { .name = "sha256", .type = PARAM_STRING, .help = "of its content" },
        { 0 },
};

static bool file_copy_check(StepCtx *ctx, void *state, Err *err);
static bool file_copy_plan(StepCtx *ctx, void *state, Err *err);
static bool file_copy_dry(StepCtx *ctx, void *state, Err *err);
static bool file_copy_run(StepCtx *ctx, void *state, Err *err);
static bool file_copy_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool file_copy_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_file_copy = {
        .name = "file.copy",
        .summary = "Copy a small file to its place, keeping the old one",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .check = file_copy_check,
        .plan = file_copy_plan,
        .dry = file_copy_dry,
        .run = file_copy_run,
        .probe = file_copy_probe,
        .undo = file_copy_undo,
};

static bool file_copy_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_FREE char *bytes = NULL;
        AUTO_ERR why = { 0 };
        const char *to = step_str(ctx, "to");
        if (!io_read_file(step_str(ctx, "from"), LIMIT_COMPOSE_FILE, &bytes, NULL, &why))
                step_problem(ctx, "%s", why.message);
        if (io_exists(to) && access(to, W_OK) != 0)
                step_problem(ctx, "%s cannot be written by this user", to);
        return true;
}

static bool file_copy_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ cp %s %s", step_words(ctx, "from"), step_words(ctx, "to"));
        step_plan_undo(ctx, "# puts back what was at %s, if nobody else changed it",
                       step_words(ctx, "to"));
        return true;
}

static bool file_copy_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        char hex[65];
        if (!io_read_file(step_str(ctx, "from"), LIMIT_COMPOSE_FILE, &bytes, &n, err))
                return false;
        digest_hex_of(bytes, n, hex);
        json_t *found = json_object();
        jx_set_str(found, "file", step_str(ctx, "to"));
        jx_set_str(found, "sha256", hex);
        if (!kit_file_edit(ctx, step_str(ctx, "to"), bytes, n, found, err))
                return false;
        step_report(ctx, "%s written", step_str(ctx, "to"));
        return true;
}

static bool file_copy_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        return kit_file_edit_probe(ctx, ret, err);
}

static bool file_copy_undo(StepCtx *ctx, void *state, Err *err)
{
        return kit_file_edit_undo(ctx, err);
}

static bool file_copy_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_FREE char *bytes = NULL;
        AUTO_ERR why = { 0 };
        const char *from = step_str(ctx, "from"), *to = step_str(ctx, "to");
        bool comes = step_will_be(ctx, "file", from) == WILL_COME ||
                     (!io_exists(from) && step_will_be(ctx, "anything", "anywhere") == WILL_COME);
        if (step_known(ctx, "from") && comes)
                step_unseen(ctx, "%s is made by an earlier step", from);
        else if (step_known(ctx, "from") &&
                 !io_read_file(from, LIMIT_COMPOSE_FILE, &bytes, NULL, &why))
                step_problem(ctx, "%s", why.message);
        if (step_known(ctx, "to")) {
                dry_replaceable(ctx, to);
                step_will(ctx, "file", to, WILL_COME);
        }
        step_will(ctx, "saved", step_id(ctx), WILL_COME);
        return true;
}
