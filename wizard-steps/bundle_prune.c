/* bundle_prune.c: old backups go, by a rule that is read before it is applied. */
#include "base/clock.h"
#include "base/fmt.h"
#include "base/io.h"
#include "bundle/bundle.h"
#include "engine/step_ctx.h"
#include "kit/dry.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static const ParamSpec params[] = {
        { .name = "root", .type = PARAM_PATH, .help = "directory of the bundles" },
        { .name = "names", .type = PARAM_LIST, .help = "only bundles of these names" },
        { .name = "keep_last",
          .type = PARAM_INT,
          .fallback = "2",
          .help = "so many of each name stay" },
        { .name = "keep", .type = PARAM_DURATION, .fallback = "30d", .help = "younger ones stay" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "removed", .type = PARAM_LIST, .help = "paths of the bundles that were removed" },
        { .name = "kept", .type = PARAM_INT, .help = "how many stay" },
        { .name = "bytes", .type = PARAM_SIZE, .help = "room that was made" },
        { 0 },
};

static bool bundle_prune_check(StepCtx *ctx, void *state, Err *err);
static bool bundle_prune_step_plan(StepCtx *ctx, void *state, Err *err);
static bool bundle_prune_dry(StepCtx *ctx, void *state, Err *err);
static bool bundle_prune_run(StepCtx *ctx, void *state, Err *err);
static bool bundle_prune_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_bundle_prune = {
        .name = "bundle.prune",
        .summary = "Remove old backup bundles by a rule",
        .traits = STEP_IDEMPOTENT | STEP_DESTRUCTIVE,
        .params = params,
        .results = results,
        .check = bundle_prune_check,
        .plan = bundle_prune_step_plan,
        .dry = bundle_prune_dry,
        .run = bundle_prune_run,
        .probe = bundle_prune_probe,
};

static bool bundle_prune_check(StepCtx *ctx, void *state, Err *err)
{
        if (step_int(ctx, "keep_last") < 1)
                step_problem(ctx, "keep_last: at least one of each name stays");
        if (json_array_size(step_get(ctx, "names")) == 0)
                step_problem(ctx, "names: none are named");
        return true;
}

static bool bundle_prune_step_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# removes bundles named %s in %s but the last %s and those younger than %s",
                  step_words(ctx, "names"), step_words(ctx, "root"), step_words(ctx, "keep_last"),
                  step_words(ctx, "keep"));
        step_plan(ctx,
                  "# never the newest that was verified, never one that is some run's way back");
        return true;
}

static bool is_named(StepCtx *ctx, const json_t *row)
{
        size_t i;
        json_t *name;
        json_array_foreach(step_get(ctx, "names"), i, name) {
                AUTO_FREE char *encoded =
                        bundle_encode(json_string_value(name) ? json_string_value(name) : "");
                if (str_eq(jx_str(row, "name", ""), encoded))
                        return true;
        }
        return false;
}

static bool remove_one(StepCtx *ctx, const json_t *row, json_t *removed, int64_t *bytes, Err *err)
{
        const char *path = jx_str(row, "path", "");
        char size[24];
        if (!bundle_remove(path, err))
                return false;
        *bytes += jx_int(row, "size", 0);
        jx_append_str(removed, path);
        step_say(ctx, "removed %s (%s)", path, fmt_bytes(jx_int(row, "size", 0), size));
        return true;
}

static bool bundle_prune_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON list = json_array();
        BundleRule rule = { .keep_last = step_int(ctx, "keep_last"),
                            .keep_ms = step_int(ctx, "keep"),
                            .now_ms = clock_wall_ms() };
        json_t *removed = json_array(), *row;
        int64_t bytes = 0, kept = 0;
        char size[24];
        size_t i;
        step_result_set(ctx, "removed", removed);
        if (io_exists(step_str(ctx, "root"))) {
                json_decref(list);
                list = NULL;
                if (!bundle_list(step_str(ctx, "root"), &list, err))
                        return false;
        }
        bundle_prune_plan(list, &rule);
        json_array_foreach(list, i, row) {
                if (!is_named(ctx, row))
                        continue;
                if (jx_bool(row, "remove", false)) {
                        if (!remove_one(ctx, row, removed, &bytes, err))
                                return false;
                        continue;
                }
                kept++;
                step_say(ctx, "%s stays: %s", jx_str(row, "path", ""), jx_str(row, "why", ""));
        }
        step_result_int(ctx, "kept", kept);
        step_result_int(ctx, "bytes", bytes);
        step_report(ctx, "%zu removed, %s, %lld stay", json_array_size(removed),
                    fmt_bytes(bytes, size), (long long)kept);
        return true;
}

/* What is gone is gone, and the rule says the same again of the rest. */
static bool bundle_prune_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING;
        return true;
}

static bool bundle_prune_dry(StepCtx *ctx, void *state, Err *err)
{
        const char *root = step_str(ctx, "root");
        AUTO_JSON list = NULL;
        AUTO_ERR why = { 0 };
        if (step_known(ctx, "keep_last") && step_known(ctx, "names") &&
            !bundle_prune_check(ctx, state, err))
                return false;
        if (!step_known(ctx, "root") || !io_exists(root))
                return true;
        if (!bundle_list(root, &list, &why))
                step_problem(ctx, "root: %s", why.message);
        else
                dry_directory(ctx, "root", root);
        return true;
}
