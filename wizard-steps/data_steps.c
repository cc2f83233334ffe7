/* data_steps.c: a transfer, seen from a step. */
#include "wizard-steps/data_steps.h"

#include <errno.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/io.h"
#include "host/docker.h"

const ParamSpec transfer_results[] = {
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

static void on_progress(void *arg, const TransferProgress *p)
{
        ProgressRow rows[8];
        size_t n = MIN(p->n_rows, LEN(rows));
        for (size_t i = 0; i < n; i++)
                rows[i] = (ProgressRow){ .name = p->rows[i].name,
                                         .done = p->rows[i].done,
                                         .total = p->rows[i].total,
                                         .rate = p->rows[i].rate,
                                         .eta_ms = -1 };
        step_progress(arg, &(Progress){ .unit = p->unit,
                                        .done = p->done,
                                        .total = p->total,
                                        .rate = p->rate,
                                        .eta_ms = p->eta_ms,
                                        .label = p->stage,
                                        .rows = rows,
                                        .n_rows = n,
                                        .things_done = p->things_done,
                                        .things_total = p->things_total,
                                        .workers = p->workers });
}

static void on_say(void *arg, const char *text)
{
        step_say((StepCtx *)arg, "%s", text);
}

static bool on_error(void *arg, const char *object, const Err *error)
{
        return step_tolerates(arg, object, error);
}

static void on_cancel(void *arg)
{
        transfer_cancel(arg);
}

static int on_jobs(void *arg, int delta)
{
        return transfer_change_jobs(arg, delta);
}

void step_jobs_check(StepCtx *ctx)
{
        int64_t jobs = step_int(ctx, "jobs");
        if (jobs < 0 || jobs > TRANSFER_JOBS)
                step_problem(ctx, "jobs: %lld is not a number from 0 to %d", (long long)jobs,
                             TRANSFER_JOBS);
}

Transfer *step_transfer(StepCtx *ctx, StepTransfer *st)
{
        int64_t jobs = step_int(ctx, "jobs");
        st->ctx = ctx;
        st->t = transfer_new(&(TransferHooks){ .progress = on_progress,
                                               .say = on_say,
                                               .tolerate = on_error,
                                               .cancel = step_cancel_flag(ctx),
                                               .arg = ctx,
                                               .jobs = (int)MAX(0, MIN(jobs, TRANSFER_JOBS)) });
        st->cancel = step_on_cancel(ctx, on_cancel, st->t);
        step_on_jobs(ctx, on_jobs, st->t);
        return st->t;
}

void step_transfer_done(StepTransfer *st)
{
        if (!st->t)
                return;
        step_uncancel(st->ctx, st->cancel);
        step_on_jobs(st->ctx, NULL, NULL);
        st->t = transfer_free(st->t);
}

static void on_notice(void *arg, const char *severity, const char *text)
{
        step_log(arg, str_eq(severity, "WARNING") ? SAY_WARN : SAY_DEBUG, "server", "%s: %s",
                 severity, text);
}

bool step_transfer_params(StepCtx *ctx, const Target *t, const char *database, PgParams *ret,
                          Err *err)
{
        if (!target_pg_params(step_arena(ctx), t, database, ret, err))
                return false;
        ret->app = arena_printf(step_arena(ctx), "pgsherpa/%s/%s", step_run_id(ctx), step_id(ctx));
        ret->notice = on_notice;
        ret->notice_arg = ctx;
        return true;
}

const char *step_target_image(StepCtx *ctx, const Target *t)
{
        AUTO_ERR ignored = { 0 }; /* clients may be elsewhere too */
        AUTO_JSON info = NULL;
        const json_t *via = jx_get(t->spec, "via");
        const char *name = jx_str(via, "container", NULL);
        AUTO_FREE char *id = NULL;
        if (!name && jx_get(via, "compose")) {
                const json_t *c = jx_get(via, "compose");
                const char *word =
                        json_is_string(c) ? json_string_value(c) : jx_str(c, "$target", NULL);
                const json_t *stack = word ? jx_get(t->all, word) : c;
                AUTO_COMPOSE compose = NULL;
                if (compose_open(jx_str(stack, "dir", ""), jx_str(stack, "project", NULL), &compose,
                                 &ignored) &&
                    compose_service_container(compose, jx_str(via, "service", ""), &id, &ignored))
                        name = id;
        }
        HostCall call = { .cancel = step_cancel_flag(ctx) };
        if (!name || !docker_inspect(&call, DOCKER_CONTAINER, name, &info, &ignored) || !info)
                return NULL;
        return arena_strdup(step_arena(ctx), container_image(info));
}

void step_transfer_results(StepCtx *ctx, const TransferResult *r)
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

static bool drop_remembered(StepCtx *ctx, Err *err)
{
        const json_t *m = step_remembered(ctx);
        const char *name = jx_str(m, "database", NULL);
        PgParams p;
        bool dropped = false;
        if (!name)
                return true;
        if (!step_transfer_params(ctx, step_target(ctx), NULL, &p, err) ||
            !transfer_drop(&p, name, jx_int(m, "oid", 0), jx_str(m, "marker", NULL), &dropped, err))
                return false;
        if (dropped)
                step_say(ctx, "dropped the temporary database %s", name);
        return true;
}

bool step_part_remove(StepCtx *ctx, Err *err)
{
        const char *path = jx_str(step_remembered(ctx), "bundle", NULL);
        if (!path)
                return true;
        AUTO_FREE char *part = xasprintf("%s.part", path);
        if (unlink(part) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing the unfinished %s", part);
        return io_exists(path) || bundle_unlock(path, step_run_id(ctx), NULL, err);
}

bool step_bundle_begin(StepCtx *ctx, const char *root, const char *name, const char **ret, Err *err)
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

bool step_bundle_undo(StepCtx *ctx, Err *err)
{
        const char *path = jx_str(step_remembered(ctx), "bundle", NULL);
        return step_part_remove(ctx, err) &&
               (!path || bundle_unlock(path, step_run_id(ctx), NULL, err));
}

bool step_temporary_begin(StepCtx *ctx, const char **ret_name, const char **ret_marker, Err *err)
{
        PgParams p;
        AUTO_FREE char *name = NULL;
        if (!drop_remembered(ctx, err) || !step_part_remove(ctx, err) ||
            !step_transfer_params(ctx, step_target(ctx), NULL, &p, err) ||
            !transfer_temporary_name(&p, step_run_id(ctx), &name, err))
                return false;
        *ret_name = arena_strdup(step_arena(ctx), name);
        *ret_marker = arena_printf(step_arena(ctx), "pgsherpa run %s, step %s: being loaded",
                                   step_run_id(ctx), step_id(ctx));
        json_t *m = json_object();
        jx_set_str(m, "database", *ret_name);
        jx_set_str(m, "marker", *ret_marker);
        jx_set_int(m, "oid", 0);
        jx_set_bool(m, "whole", false);
        return step_remember(ctx, m, err);
}

bool step_temporary_created(void *ctx, int64_t oid, Err *err)
{
        json_t *m = json_object();
        jx_set_int(m, "oid", oid);
        return step_remember(ctx, m, err);
}

bool step_temporary_finish(StepCtx *ctx, Err *err)
{
        json_t *m = json_object();
        jx_set_bool(m, "whole", true);
        jx_set(m, "results", json_deep_copy(step_results(ctx)));
        return step_remember(ctx, m, err);
}

static bool find_oid(StepCtx *ctx, const char *name, int64_t *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select oid from pg_database where datname = ");
        sql_value(&q, name);
        if (!step_pg_open(ctx, step_target(ctx), NULL, &pg, err) || !pg_query(pg, &q, &r, err))
                return false;
        *ret = pg_rows(r) ? pg_cell_int(r, 0, 0) : 0;
        return true;
}

bool step_temporary_probe(StepCtx *ctx, Found *ret, Err *err)
{
        const json_t *m = step_remembered(ctx);
        const char *name = jx_str(m, "database", NULL), *bundle;
        int64_t oid = 0;
        *ret = FOUND_NOTHING;
        if (!name)
                return true;
        if (!find_oid(ctx, name, &oid, err))
                return false;
        bool whole = oid && oid == jx_int(m, "oid", 0) && jx_bool(m, "whole", false);
        bundle = jx_str(jx_get(m, "results"), "bundle", "");
        if (whole && (!*bundle || io_exists(bundle))) {
                json_object_update(step_results(ctx), jx_get(m, "results"));
                *ret = FOUND_ALL;
        } else if (oid) {
                *ret = FOUND_PART;
        }
        return true;
}

bool step_temporary_undo(StepCtx *ctx, Err *err)
{
        return drop_remembered(ctx, err) && step_bundle_undo(ctx, err);
}
