/* pg_restore.c: a database out of a bundle, or a dump of another tool, into a temporary one
 * here. */

#include <sys/stat.h>

#include "base/io.h"
#include "kit/data_steps.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "transfer/source_file.h"

#define READ_BEFORE (256 << 20) /* plain SQL up to this size is read whole by check() */

static const ParamSpec params[] = {
        { .name = "bundle",
          .type = PARAM_PATH,
          .help = "bundle to restore from, or a dump: SQL (also .gz, .zst), pg_dump -Fc, -Ft, "
                  "-Fd" },
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database in it, when it holds several" },
        { .name = "into",
          .type = PARAM_STRING,
          .fallback = "temporary",
          .help = "temporary: a name of its own, to be compared and then renamed" },
        JOBS_PARAM,
        { 0 },
};

static bool pg_restore_check(StepCtx *ctx, void *state, Err *err);
static bool pg_restore_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_restore_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_restore_run(StepCtx *ctx, void *state, Err *err);
static bool pg_restore_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err);
static bool pg_restore_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_restore = {
        .name = "pg.restore",
        .summary = "Restore a database from a bundle or a dump",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = kit_transfer_fields,
        .check = pg_restore_check,
        .plan = pg_restore_plan,
        .dry = pg_restore_dry,
        .run = pg_restore_run,
        .probe = pg_restore_probe,
        .undo = pg_restore_undo,
};

static bool open_dump(StepCtx *ctx, Transfer *t, SourceFile **ret, Err *err)
{
        return source_file_open(t,
                                &(SourceOpen){ .path = step_str(ctx, "bundle"),
                                               .database = step_str(ctx, "database"),
                                               .image = kit_target_image(ctx, step_target(ctx)) },
                                ret, err);
}

/* A dump of 100 GB is read when the step runs: before anything is made, but not here. */
static bool pg_restore_look(StepCtx *ctx, SourceKind kind, Err *err)
{
        struct stat st;
        if (kind == SOURCE_BUNDLE) {
                AUTO_BUNDLE b = NULL;
                return bundle_open(step_str(ctx, "bundle"), &b, err) &&
                       bundle_database(b, step_str(ctx, "database"), err);
        }
        if (kind == SOURCE_SQL && stat(step_str(ctx, "bundle"), &st) == 0 &&
            st.st_size > READ_BEFORE)
                return true;
        AUTO_STEPTRANSFER transfer = { 0 };
        AUTO_SOURCEFILE f = NULL;
        return open_dump(ctx, kit_transfer(ctx, &transfer), &f, err);
}

static bool pg_restore_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *to = NULL;
        AUTO_ERR why = { 0 };
        SourceKind kind;
        if (!source_kind(step_str(ctx, "bundle"), &kind, &why) || !pg_restore_look(ctx, kind, &why))
                step_problem(ctx, "%s", why.message);
        kit_jobs_check(ctx);
        if (!str_eq(step_str(ctx, "into"), "temporary"))
                step_problem(ctx,
                             "into: only `temporary` is known; pg.database.rename gives the name");
        return kit_pg_open(ctx, step_target(ctx), NULL, &to, err);
}

static bool pg_restore_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# reads %s to its end; checksums of a bundle are checked on the way",
                  step_words(ctx, "bundle"));
        step_plan(ctx,
                  "CREATE DATABASE \"pgsherpa_%s_1\" TEMPLATE template0 ..   -- as the file says",
                  step_run_id(ctx));
        step_plan(ctx, "COPY each table FROM STDIN, then indexes, constraints, grants");
        step_plan_undo(ctx,
                       "# drops database pgsherpa_%s_1, which this run made, with every row in it",
                       step_run_id(ctx));
        step_plan_undo(ctx,
                       "DROP DATABASE \"pgsherpa_%s_1\" WITH (FORCE)   -- the one this run "
                       "made, with every row written to it since",
                       step_run_id(ctx));
        return true;
}

/* Plain SQL is read to its end before the database is made. */
static bool pg_restore_from(StepCtx *ctx, Transfer *t, TransferRestore *c, SourceKind kind,
                            TransferResult *r, Err *err)
{
        AUTO_BUNDLE b = NULL;
        AUTO_SOURCEFILE f = NULL;
        bool ok = kind == SOURCE_BUNDLE ? bundle_open(step_str(ctx, "bundle"), &b, err)
                                        : open_dump(ctx, t, &f, err);
        if (!ok || !kit_temporary_begin(ctx, &c->into, &c->marker, err))
                return false;
        c->bundle = b;
        step_result_str(ctx, "database", c->into);
        step_result_str(ctx, "bundle", step_str(ctx, "bundle"));
        return f ? source_file_restore(t, f, c, r, err) : transfer_restore(t, c, r, err);
}

static bool pg_restore_run(StepCtx *ctx, void *state, Err *err)
{
        PgParams target;
        SourceKind kind;
        TransferRestore c = { .database = step_str(ctx, "database"),
                              .target = &target,
                              .created = kit_temporary_created };
        if (!source_kind(step_str(ctx, "bundle"), &kind, err) ||
            !kit_transfer_params(ctx, step_target(ctx), NULL, &target, err))
                return false;
        AUTO_STEPTRANSFER st = { 0 };
        TransferResult r = { 0 };
        bool ok = pg_restore_from(ctx, kit_transfer(ctx, &st), &c, kind, &r, err);
        if (ok)
                kit_transfer_results(ctx, &r);
        transfer_result_done(&r);
        return ok && kit_temporary_finish(ctx, err);
}

static bool pg_restore_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err)
{
        return kit_temporary_probe(ctx, ret_found, err);
}

static bool pg_restore_undo(StepCtx *ctx, void *state, Err *err)
{
        return kit_temporary_undo(ctx, err);
}

static bool pg_restore_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *to = NULL;
        AUTO_ERR why = { 0 };
        SourceKind kind;
        const char *path = step_str(ctx, "bundle");
        bool later = step_will_be(ctx, "file", path) == WILL_COME ||
                     (step_will_be(ctx, "anything", "anywhere") == WILL_COME && !io_exists(path));
        kit_jobs_check(ctx);
        if (step_known(ctx, "into") && !str_eq(step_str(ctx, "into"), "temporary"))
                step_problem(ctx,
                             "into: only `temporary` is known; pg.database.rename gives the name");
        if (later)
                step_unseen(ctx, "an earlier step makes %s", path);
        else if (step_known(ctx, "bundle") && step_known(ctx, "database") &&
                 (!source_kind(path, &kind, &why) || !pg_restore_look(ctx, kind, &why)))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        if (dry_pg(ctx, step_target(ctx), NULL, &to) != SEEN_HERE)
                return true;
        return dry_may_create_database(ctx, to, "to load it into", err) &&
               dry_connections(ctx, to, 2, err);
}
