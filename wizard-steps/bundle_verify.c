/* bundle_verify.c: every byte of a bundle, read back. */
#include "base/fmt.h"
#include "kit/data_steps.h"

static const ParamSpec params[] = {
        { .name = "bundle", .type = PARAM_PATH, .help = "bundle to read" },
        { 0 },
};

static const ParamSpec bad_fields[] = {
        { .name = "member", .type = PARAM_STRING, .help = "which one" },
        { .name = "why", .type = PARAM_STRING, .help = "what is wrong with it" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "bad",
          .type = PARAM_LIST,
          .fields = bad_fields,
          .help = "members that are damaged" },
        { .name = "members", .type = PARAM_INT, .help = "number of members read" },
        { .name = "bytes", .type = PARAM_SIZE, .help = "bytes read" },
        { .name = "plain_bytes", .type = PARAM_SIZE, .help = "bytes they unpack to" },
        { .name = "rows", .type = PARAM_INT, .help = "rows counted in the tables" },
        { .name = "notes", .type = PARAM_LIST, .help = "how dumps were read" },
        { 0 },
};

static const char *const verdict[] = { "bad", NULL };

static bool bundle_verify_plan(StepCtx *ctx, void *state, Err *err);
static bool bundle_verify_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_bundle_verify = {
        .name = "bundle.verify",
        .summary = "Read every byte of a bundle back",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = bundle_verify_plan,
        .run = bundle_verify_run,
};

static bool bundle_verify_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx,
                  "# reads every byte of %s back: checksums, and rows against its list of contents",
                  step_words(ctx, "bundle"));
        step_plan(ctx, "$ pg_restore -f /dev/null   -- for a pg_dump in it");
        return true;
}

static bool bundle_verify_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_STEPTRANSFER st = { 0 };
        Transfer *t = kit_transfer(ctx, &st);
        BundleReport r = { 0 };
        char bytes[24];
        if (!transfer_verify(t, step_str(ctx, "bundle"), &r, err)) {
                bundle_report_done(&r);
                return false;
        }
        size_t bad = json_array_size(r.bad), i;
        json_t *j;
        json_array_foreach(r.notes, i, j)
                step_say(ctx, "%s", json_string_value(j));
        json_array_foreach(r.bad, i, j)
                step_log(ctx, SAY_ERROR, "pgsherpa", "%s: %s", jx_str(j, "member", ""),
                         jx_str(j, "why", ""));
        step_result_set(ctx, "bad", json_incref(r.bad));
        step_result_set(ctx, "notes", json_incref(r.notes));
        step_result_int(ctx, "members", r.members);
        step_result_int(ctx, "bytes", r.bytes);
        step_result_int(ctx, "plain_bytes", r.plain_bytes);
        step_result_int(ctx, "rows", r.rows);
        if (bad)
                step_report(ctx, "damaged: %zu of %s", bad, THINGS(r.members, "member"));
        else
                step_report(ctx, "%s, %s, %s: every byte as written", THINGS(r.members, "member"),
                            fmt_bytes(r.bytes, bytes), THINGS(r.rows, "row"));
        bundle_report_done(&r);
        return true;
}
