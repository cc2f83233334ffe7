/* host_disk.c: is there room, on the filesystem that really takes it? (A2) */
#include "base/fmt.h"
#include "host/disk.h"
#include "kit/docker.h"

static const ParamSpec need_fields[] = {
        { .name = "path", .type = PARAM_STRING, .help = "directory, or docker-root" },
        { .name = "free", .type = PARAM_SIZE, .help = "bytes that will be needed there" },
        { 0 },
};
static const ParamSpec params[] = {
        { .name = "need",
          .type = PARAM_LIST,
          .fields = need_fields,
          .help = "what is needed where" },
        { .name = "floor",
          .type = PARAM_SIZE,
          .fallback = "500MB",
          .help = "what must stay free in any case" },
        { 0 },
};

static const ParamSpec room_fields[] = {
        { .name = "path", .type = PARAM_STRING, .help = "as asked" },
        { .name = "measured", .type = PARAM_PATH, .help = "directory that was measured" },
        { .name = "need", .type = PARAM_SIZE, .help = "needed" },
        { .name = "free", .type = PARAM_SIZE, .help = "free" },
        { .name = "missing",
          .type = PARAM_SIZE,
          .help = "missing on that filesystem, all needs together" },
        { .name = "words", .type = PARAM_STRING, .help = "the same as a sentence" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "rooms",
          .type = PARAM_LIST,
          .fields = room_fields,
          .help = "every place that was measured" },
        { .name = "short",
          .type = PARAM_LIST,
          .fields = room_fields,
          .help = "places without enough room" },
        { .name = "reclaimable",
          .type = PARAM_ANY,
          .help = "unused images and build cache with sizes, when room is short" },
        { .name = "hint",
          .type = PARAM_STRING,
          .help = "what could be removed, the biggest first, when room is short" },
        { 0 },
};

static const char *const verdict[] = { "short", NULL };

static bool host_disk_plan(StepCtx *ctx, void *state, Err *err);
static bool host_disk_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_host_disk = {
        .name = "host.disk",
        .summary = "Measure free space where it will be needed",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_LASTS,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = host_disk_plan,
        .run = host_disk_run,
};

#define MAX_NEEDS 16

typedef struct Measured {
        const char *path;
        int64_t need, missing;
        DiskRoom room;
} Measured;

static bool host_disk_plan(StepCtx *ctx, void *state, Err *err)
{
        size_t i;
        json_t *n;
        json_array_foreach(step_get(ctx, "need"), i, n)
                step_plan(ctx, "$ df -B1 %s",
                          str_eq(jx_str(n, "path", "?"), "docker-root")
                                  ? "(where Docker keeps its data)"
                                  : jx_str(n, "path", "?"));
        return true;
}

static json_t *host_disk_record(const Measured *m, int64_t floor)
{
        json_t *r = json_object();
        jx_set_str(r, "path", m->path);
        jx_set_str(r, "measured", m->room.measured);
        jx_set_int(r, "need", m->need);
        jx_set_int(r, "free", m->room.free_bytes);
        jx_set_int(r, "missing", m->missing);
        char need[24], room[24], missing[24], keep[24];
        AUTO_FREE char *words =
                xasprintf("%s: %s needed, %s free on %s", m->path, fmt_bytes(m->need, need),
                          fmt_bytes(m->room.free_bytes, room), m->room.measured);
        if (m->missing) {
                char *more = xasprintf("%s, %s short (%s must stay free)", words,
                                       fmt_bytes(m->missing, missing), fmt_bytes(floor, keep));
                free(words);
                words = more;
        }
        jx_set_str(r, "words", words);
        return r;
}

/* Two needs on one filesystem add up, and the floor stays below both. */
static void add_up(Measured *all, size_t n, int64_t floor)
{
        for (size_t i = 0; i < n; i++) {
                int64_t sum = floor;
                for (size_t k = 0; k < n; k++)
                        if (all[k].room.device == all[i].room.device)
                                sum += all[k].need;
                all[i].missing = MAX(sum - all[i].room.free_bytes, 0);
        }
}

#define MOST_NAMED  12 /* in the log */
#define MOST_HINTED 4  /* on the screen of the failure */

/* What could go, by name and size: the biggest first, as far as a screen takes it. */
static void tell_reclaimable(StepCtx *ctx, const json_t *reclaim)
{
        AUTO_JSON left = json_array();
        AUTO_BUF hint = buf_init(2000);
        json_array_extend(left, jx_get(reclaim, "images"));
        char size[24];
        buf_printf(&hint, "unused images and build cache could give back %s",
                   fmt_bytes(jx_int(reclaim, "total", 0), size));
        step_say(ctx, "%s", buf_str(&hint));
        for (int shown = 0; json_array_size(left) && shown < MOST_NAMED; shown++) {
                size_t i, most = 0;
                json_t *one;
                json_array_foreach(left, i, one)
                        if (jx_int(one, "size", 0) > jx_int(json_array_get(left, most), "size", 0))
                                most = i;
                one = json_array_get(left, most);
                step_say(ctx, "  %s, %s", jx_str(one, "name", ""),
                         fmt_bytes(jx_int(one, "size", 0), size));
                if (shown < MOST_HINTED)
                        buf_printf(&hint, "%s%.200s, %s", shown ? "; " : ": ",
                                   jx_str(one, "name", ""), size);
                json_array_remove(left, most);
        }
        if (json_array_size(left))
                step_say(ctx, "  and %zu more", json_array_size(left));
        if (jx_int(reclaim, "build_cache", 0))
                step_say(ctx, "  build cache, %s",
                         fmt_bytes(jx_int(reclaim, "build_cache", 0), size));
        if (json_array_size(jx_get(reclaim, "images")) > MOST_HINTED)
                buf_printf(&hint, "; and %zu more",
                           json_array_size(jx_get(reclaim, "images")) - MOST_HINTED);
        buf_adds(&hint, ". `pgsherpa run make-room` removes those you name");
        if (jx_int(reclaim, "total", 0))
                step_result_str(ctx, "hint", buf_str(&hint));
}

static bool host_disk_tell(StepCtx *ctx, const Measured *all, size_t n, int64_t floor, Err *err)
{
        json_t *rooms = json_array(), *lacking = json_array();
        step_result_set(ctx, "rooms", rooms);
        step_result_set(ctx, "short", lacking);
        char need[24], room[24], missing[24];
        for (size_t i = 0; i < n; i++) {
                json_t *r = host_disk_record(&all[i], floor);
                json_array_append_new(rooms, r);
                step_say(ctx, "%s", jx_str(r, "words", ""));
                if (all[i].missing)
                        json_array_append(lacking, r);
        }
        if (json_array_size(lacking) == 0) {
                step_report(ctx, "%s free for %s",
                            n ? fmt_bytes(all[0].room.free_bytes, room) : "nothing",
                            n ? fmt_bytes(all[0].need, need) : "nothing");
                return true;
        }
        HostCall look = kit_look(ctx);
        json_t *reclaim = NULL;
        AUTO_ERR why = { 0 };
        if (disk_reclaimable(&look, &reclaim, &why)) {
                tell_reclaimable(ctx, reclaim);
                step_result_set(ctx, "reclaimable", reclaim);
        }
        int64_t most = 0;
        for (size_t i = 0; i < n; i++)
                most = MAX(most, all[i].missing);
        step_report(ctx, "%s missing", fmt_bytes(most, missing));
        return true;
}

static bool host_disk_run(StepCtx *ctx, void *state, Err *err)
{
        Measured all[MAX_NEEDS] = { 0 };
        HostCall look = kit_look(ctx);
        const json_t *needs = step_get(ctx, "need");
        size_t n = 0, i;
        json_t *one;
        bool ok = true;
        if (json_array_size(needs) > MAX_NEEDS)
                return err_set(err, ERR_USER, "more than %d places", MAX_NEEDS);
        json_array_foreach(needs, i, one) {
                Measured *m = &all[n++];
                m->path = jx_str(one, "path", "");
                m->need = jx_int(one, "free", 0);
                ok = ok && disk_room(&look, m->path, &m->room, err);
        }
        add_up(all, n, step_int(ctx, "floor"));
        ok = ok && host_disk_tell(ctx, all, n, step_int(ctx, "floor"), err);
        for (i = 0; i < n; i++)
                disk_room_done(&all[i].room);
        return ok;
}
