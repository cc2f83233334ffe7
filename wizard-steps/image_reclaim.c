/* image_reclaim.c: room on the disk: images no container was made from, and build cache.
 *
 * Lists all of it with sizes; removes exactly what was chosen by name, and never a volume. A name
 * that is of no unused image is an error before anything goes. */
#include "base/fmt.h"
#include "base/text.h"
#include "host/disk.h"
#include "kit/docker.h"

static const ParamSpec params[] = {
        { .name = "images",
          .type = PARAM_LIST,
          .item = PARAM_STRING,
          .fallback = "[]",
          .help = "images to remove, exactly as they are called; empty: only list" },
        { .name = "build_cache",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "empty the build cache too" },
        { 0 },
};
static const ParamSpec image_fields[] = {
        { .name = "name", .type = PARAM_STRING, .help = "image" },
        { .name = "id", .type = PARAM_STRING, .help = "its id" },
        { .name = "size", .type = PARAM_SIZE, .help = "bytes" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "images",
          .type = PARAM_LIST,
          .fields = image_fields,
          .help = "unused images there were" },
        { .name = "build_cache", .type = PARAM_SIZE, .help = "bytes of build cache there were" },
        { .name = "removed", .type = PARAM_LIST, .help = "images that were removed" },
        { .name = "free",
          .type = PARAM_SIZE,
          .help = "free bytes afterwards, where Docker keeps its data" },
        { 0 },
};

static bool image_reclaim_check(StepCtx *ctx, void *state, Err *err);
static bool image_reclaim_plan(StepCtx *ctx, void *state, Err *err);
static bool image_reclaim_dry(StepCtx *ctx, void *state, Err *err);
static bool image_reclaim_run(StepCtx *ctx, void *state, Err *err);
static bool image_reclaim_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_image_reclaim = {
        .name = "image.reclaim",
        .summary = "List unused images, and remove those you chose",
        .traits = STEP_IDEMPOTENT | STEP_DESTRUCTIVE,
        .params = params,
        .results = results,
        .check = image_reclaim_check,
        .plan = image_reclaim_plan,
        .dry = image_reclaim_dry,
        .run = image_reclaim_run,
        .probe = image_reclaim_probe,
};

static const json_t *unused_one(const json_t *list, const char *name)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one) {
                if (str_eq(jx_str(one, "name", ""), name))
                        return one;
        }
        return NULL;
}

/* An attempt that was killed had it on its list: it may be gone by now. */
static bool began_before(StepCtx *ctx)
{
        return jx_get(step_remembered(ctx), "images") != NULL;
}

static bool image_reclaim_check(StepCtx *ctx, void *state, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_JSON found = NULL;
        AUTO_JSON chosen = kit_names(ctx, "images");
        if (!disk_reclaimable(&look, &found, err))
                return false;
        size_t i;
        json_t *name;
        json_array_foreach(chosen, i, name) {
                AUTO_JSON there = NULL;
                if (unused_one(jx_get(found, "images"), json_string_value(name)) ||
                    began_before(ctx))
                        continue;
                if (!docker_inspect(&look, DOCKER_IMAGE, json_string_value(name), &there, err))
                        return false;
                AUTO_FREE char *clean = text_clean_str(json_string_value(name));
                step_problem(ctx,
                             there ? "image %s is used by a container" : "there is no image %s",
                             clean);
        }
        return true;
}

static bool image_reclaim_plan(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON chosen = kit_names(ctx, "images");
        size_t i;
        json_t *name;
        step_plan(ctx, "$ docker images; docker system df");
        json_array_foreach(chosen, i, name)
                step_plan(ctx, "$ docker image rm %s", json_string_value(name));
        if (step_bool(ctx, "build_cache"))
                step_plan(ctx, "$ docker builder prune --force");
        return true;
}

/* All of them, or none: the first time, each must be there to be removed. */
static bool image_reclaim_begin(StepCtx *ctx, const json_t *images, const json_t *chosen, Err *err)
{
        size_t i;
        json_t *name;
        if (began_before(ctx))
                return true;
        json_array_foreach(chosen, i, name) {
                AUTO_FREE char *clean = text_clean_str(json_string_value(name));
                if (!unused_one(images, json_string_value(name)))
                        return err_set(err, ERR_USER,
                                       "image %s is not there any more, or is used "
                                       "now; nothing was removed",
                                       clean);
        }
        json_t *before = json_object();
        jx_set(before, "images", json_deep_copy(chosen));
        return step_remember(ctx, before, err);
}

static bool image_reclaim_run(StepCtx *ctx, void *state, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_JSON found = NULL;
        AUTO_JSON chosen = kit_names(ctx, "images");
        if (!disk_reclaimable(&call, &found, err) ||
            !image_reclaim_begin(ctx, jx_get(found, "images"), chosen, err))
                return false;
        json_t *removed = json_array(), *images = jx_get(found, "images"), *name, *one;
        char size[24];
        size_t i;
        step_result_set(ctx, "images", json_incref(images));
        step_result_int(ctx, "build_cache", jx_int(found, "build_cache", 0));
        step_result_set(ctx, "removed", removed);
        json_array_foreach(images, i, one)
                step_say(ctx, "unused: %s, %s", jx_str(one, "name", ""),
                         fmt_bytes(jx_int(one, "size", 0), size));
        json_array_foreach(chosen, i, name) {
                if (!unused_one(images, json_string_value(name)))
                        continue; /* an attempt before this one removed it */
                AUTO_ARGV a = { 0 };
                argv_add_all(&a, (const char *const[]){ "docker", "image", "rm", "--no-prune", "--",
                                                        json_string_value(name), NULL });
                if (!docker_do(&call, &a, NULL, err))
                        return false;
                jx_append_str(removed, json_string_value(name));
        }
        if (step_bool(ctx, "build_cache")) {
                AUTO_ARGV a = { 0 };
                argv_add_all(
                        &a, (const char *const[]){ "docker", "builder", "prune", "--force", NULL });
                if (!docker_do(&call, &a, NULL, err))
                        return false;
        }
        AUTO_ROOM room = { 0 };
        if (!disk_room(&call, "docker-root", &room, err))
                return false;
        step_result_int(ctx, "free", room.free_bytes);
        step_report(ctx, "%s removed, %s free", THINGS(json_array_size(removed), "image"),
                    fmt_bytes(room.free_bytes, size));
        return true;
}

static bool image_reclaim_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_PART; /* what is gone is gone; again removes only the rest */
        return true;
}

static bool image_reclaim_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON chosen = kit_names(ctx, "images");
        size_t i;
        json_t *name;
        if (!step_known(ctx, "images"))
                return true;
        json_array_foreach(chosen, i, name)
                step_will(ctx, "image", json_string_value(name), WILL_GO);
        return image_reclaim_check(ctx, state, err);
}
