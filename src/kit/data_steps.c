/* data_steps.c: a transfer, seen from a step. */
#include "kit/data_steps.h"

#include <errno.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/io.h"
#include "kit/pg_steps.h"
#include "place/place.h"
#include "transfer/landing.h"

const ParamSpec kit_transfer_fields[] = {
        { .name = "database", .type = PARAM_NAME, .help = "name of the database that was made" },
        { .name = "bundle",
          .type = PARAM_PATH,
          .help = "bundle written in the same pass, or empty" },
        { .name = "bundle_sha256", .type = PARAM_STRING, .help = "SHA-256 of that bundle" },
        { .name = "bundle_size", .type = PARAM_SIZE, .help = "size of that bundle" },
        { .name = "tables", .type = PARAM_INT, .help = "number of tables, partitions included" },
        { .name = "rows", .type = PARAM_INT, .help = "rows of all tables" },
        { .name = "bytes", .type = PARAM_SIZE, .help = "bytes of all rows as COPY text" },
        { .name = "objects", .type = PARAM_INT, .help = "objects of the schema" },
        { .name = "sequences", .type = PARAM_INT, .help = "number of sequences" },
        { .name = "large_objects", .type = PARAM_INT, .help = "number of large objects" },
        { .name = "client", .type = PARAM_STRING, .help = "the pg_dump that wrote the schema" },
        { .name = "tolerated",
          .type = PARAM_LIST,
          .item = PARAM_MAP,
          .help = "objects that failed and were tolerated: object, sqlstate, message" },
        { 0 },
};

/* ---- hooks ---- */

static void on_progress(void *ctx, const Progress *p)
{
        step_progress(ctx, p);
}

static void on_say(void *arg, const char *text)
{
        step_say((StepCtx *)arg, "%s", text);
}

static bool on_error(void *arg, const char *object, const Err *error)
{
        return step_tolerates(arg, object, error);
}

static void data_steps_on_cancel(void *arg)
{
        transfer_cancel(arg);
}

static int on_jobs(void *arg, int delta)
{
        return transfer_change_jobs(arg, delta);
}

void kit_jobs_check(StepCtx *ctx)
{
        int64_t jobs = step_int(ctx, "jobs");
        if (jobs < 0 || jobs > TRANSFER_JOBS)
                step_problem(ctx, "jobs: %lld is not a number from 0 to %d", (long long)jobs,
                             TRANSFER_JOBS);
}

Transfer *kit_transfer(StepCtx *ctx, StepTransfer *st)
{
        int64_t jobs = step_int(ctx, "jobs");
        st->ctx = ctx;
        st->t = transfer_new(&(TransferHooks){ .progress = on_progress,
                                               .say = on_say,
                                               .tolerate = on_error,
                                               .cancel = step_cancel_flag(ctx),
                                               .arg = ctx,
                                               .jobs = (int)MAX(0, MIN(jobs, TRANSFER_JOBS)) });
        st->cancel = step_on_cancel(ctx, data_steps_on_cancel, st->t);
        step_on_jobs(ctx, on_jobs, st->t);
        return st->t;
}

void kit_transfer_done(StepTransfer *st)
{
        if (!st->t)
                return;
        step_uncancel(st->ctx, st->cancel);
        step_on_jobs(st->ctx, NULL, NULL);
        st->t = transfer_free(st->t);
}

static void data_steps_on_notice(void *arg, const char *severity, const char *text)
{
        step_log(arg, str_eq(severity, "WARNING") ? SAY_WARN : SAY_DEBUG, "server", "%s: %s",
                 severity, text);
}

bool kit_transfer_params(StepCtx *ctx, const Target *t, const char *database, PgParams *ret,
                         Err *err)
{
        if (!place_pg_params(step_arena(ctx), t, database, ret, err))
                return false;
        ret->app = arena_printf(step_arena(ctx), "pgsherpa/%s/%s", step_run_id(ctx), step_id(ctx));
        ret->notice = data_steps_on_notice;
        ret->notice_arg = ctx;
        return true;
}

const char *kit_target_image(StepCtx *ctx, const Target *t)
{
        return place_image(step_arena(ctx), t, step_cancel_flag(ctx));
}

void kit_transfer_results(StepCtx *ctx, const TransferResult *r)
{
        char bytes[24];
        step_result_int(ctx, "tables", r->tables);
        step_result_int(ctx, "rows", r->rows);
        step_result_int(ctx, "bytes", r->bytes);
        step_result_int(ctx, "objects", r->objects);
        step_result_int(ctx, "sequences", r->sequences);
        step_result_int(ctx, "large_objects", r->large_objects);
        step_result_str(ctx, "client", r->client ? r->client : "");
        step_result_set(ctx, "tolerated", json_incref(r->tolerated));
        size_t tolerated = json_array_size(r->tolerated);
        AUTO_FREE char *extra =
                tolerated ? xasprintf(", %s tolerated", THINGS(tolerated, "error")) : NULL;
        step_report(ctx, "%s, %s, %s, %s%s", THINGS(r->tables, "table"), THINGS(r->rows, "row"),
                    fmt_bytes(r->bytes, bytes), THINGS(r->objects, "object"), extra ? extra : "");
}

/* ---- the temporary database ---- */

static bool data_steps_remember(void *ctx, json_t *memory, Err *err)
{
        return step_remember((StepCtx *)ctx, memory, err);
}

/* What this step remembers of its temporary database; .temporary NULL: nothing yet. */
static Landing data_steps_remembered(StepCtx *ctx)
{
        Landing l = { .remember = data_steps_remember, .arg = ctx };
        landing_recall(&l, step_remembered(ctx));
        return l;
}

static bool drop_remembered(StepCtx *ctx, Err *err)
{
        AUTO_LANDING l = data_steps_remembered(ctx);
        PgParams p;
        bool dropped = false;
        if (!l.temporary)
                return true;
        if (!kit_transfer_params(ctx, step_target(ctx), NULL, &p, err))
                return false;
        l.target = &p;
        if (!landing_drop(&l, &dropped, err))
                return false;
        if (dropped)
                step_say(ctx, "dropped the temporary database %s", l.temporary);
        return true;
}

bool kit_part_remove(StepCtx *ctx, Err *err)
{
        const char *path = jx_str(step_remembered(ctx), "bundle", NULL);
        if (!path)
                return true;
        AUTO_FREE char *part = xasprintf("%s.part", path);
        if (unlink(part) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing the unfinished %s", part);
        return io_exists(path) || bundle_unlock(path, step_run_id(ctx), NULL, err);
}

bool kit_bundle_begin(StepCtx *ctx, const char *root, const char *name, const char **ret, Err *err)
{
        AUTO_FREE char *path = NULL;
        if (!bundle_choose(root, name, &path, err))
                return false;
        json_t *m = json_object();
        jx_set_str(m, "bundle", path);
        jx_set(m, "results", json_object());
        *ret = arena_strdup(step_arena(ctx), path);
        return step_remember(ctx, m, err) && bundle_lock(path, step_run_id(ctx), err);
}

bool kit_bundle_undo(StepCtx *ctx, Err *err)
{
        const char *path = jx_str(step_remembered(ctx), "bundle", NULL);
        return kit_part_remove(ctx, err) &&
               (!path || bundle_unlock(path, step_run_id(ctx), NULL, err));
}

bool kit_temporary_begin(StepCtx *ctx, const char **ret_name, const char **ret_marker, Err *err)
{
        PgParams p;
        AUTO_LANDING l = { .target = &p, .remember = data_steps_remember, .arg = ctx };
        if (!drop_remembered(ctx, err) || !kit_part_remove(ctx, err) ||
            !kit_transfer_params(ctx, step_target(ctx), NULL, &p, err))
                return false;
        l.marker =
                xasprintf("pgsherpa run %s, step %s: being loaded", step_run_id(ctx), step_id(ctx));
        if (!landing_begin(&l, step_run_id(ctx), err))
                return false;
        *ret_name = arena_strdup(step_arena(ctx), l.temporary);
        *ret_marker = arena_strdup(step_arena(ctx), l.marker);
        return true;
}

bool kit_temporary_created(void *ctx, int64_t oid, Err *err)
{
        AUTO_LANDING l = data_steps_remembered(ctx);
        return landing_created(&l, oid, err);
}

bool kit_temporary_finish(StepCtx *ctx, Err *err)
{
        AUTO_LANDING l = data_steps_remembered(ctx);
        return landing_whole(&l, json_deep_copy(step_results(ctx)), err);
}

bool kit_temporary_probe(StepCtx *ctx, Found *ret, Err *err)
{
        const json_t *results = jx_get(step_remembered(ctx), "results");
        const char *bundle = jx_str(results, "bundle", "");
        AUTO_LANDING l = data_steps_remembered(ctx);
        AUTO_PG Pg *pg = NULL;
        int64_t oid = 0;
        *ret = FOUND_NOTHING;
        if (!l.temporary)
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !landing_there(&l, pg, &oid, err))
                return false;
        bool whole = oid && oid == l.oid && l.whole;
        if (whole && (!*bundle || io_exists(bundle))) {
                json_object_update(step_results(ctx), (json_t *)results);
                *ret = FOUND_ALL;
        } else if (oid) {
                *ret = FOUND_PART;
        }
        return true;
}

bool kit_temporary_undo(StepCtx *ctx, Err *err)
{
        return drop_remembered(ctx, err) && kit_bundle_undo(ctx, err);
}
