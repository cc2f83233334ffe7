/* pg_dump.c: a file as the server's own pg_dump writes it, read to its end. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/io.h"
#include "kit/data_steps.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "transfer/wide.h"

static const ParamSpec params[] = {
        { .name = "root", .type = PARAM_PATH, .help = "directory for dumps; made when missing" },
        { .name = "name",
          .type = PARAM_STRING,
          .fallback = "~",
          .help = "name, if not the database's; date and time are added" },
        { .name = "database", .type = PARAM_NAME, .help = "database to dump" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "path", .type = PARAM_PATH, .help = "the dump" },
        { .name = "size", .type = PARAM_SIZE, .help = "its size" },
        { .name = "sha256", .type = PARAM_STRING, .help = "its SHA-256" },
        { .name = "client", .type = PARAM_VERSION, .help = "version of the pg_dump that wrote it" },
        { 0 },
};

static bool pg_dump_check(StepCtx *ctx, void *state, Err *err);
static bool pg_dump_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_dump_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_dump_run(StepCtx *ctx, void *state, Err *err);
static bool pg_dump_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err);
static bool pg_dump_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_dump = {
        .name = "pg.dump",
        .summary = "Dump a database with pg_dump, and read it to the end",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .check = pg_dump_check,
        .plan = pg_dump_plan,
        .dry = pg_dump_dry,
        .run = pg_dump_run,
        .probe = pg_dump_probe,
        .undo = pg_dump_undo,
};

static bool pg_dump_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGCLIENT client = { 0 };
        AUTO_ERR why = { 0 };
        if (!kit_pg_open(ctx, step_target(ctx), step_str(ctx, "database"), &pg, err))
                return false;
        if (!pg_clients_from(pg_major(pg), kit_target_image(ctx, step_target(ctx)), &client, &why))
                step_problem(ctx, "%s", why.message);
        AUTO_FREE char *wide = NULL;
        if (!wide_row(pg, &wide, err))
                return false;
        if (wide)
                step_problem(ctx,
                             "%s: take bundle.create, whose rows carry it, and leave this step out",
                             wide);
        return true;
}

static bool pg_dump_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx,
                  "$ pg_dump -Fc -d \"dbname='%s'\" > %s/..dump.part   -- the server's own major",
                  step_words(ctx, "database"), step_words(ctx, "root"));
        step_plan(ctx, "$ pg_restore -f /dev/null   -- all of it, then it gets its name");
        step_plan_undo(ctx, "# an unfinished dump is removed, a finished one is kept");
        return true;
}

static bool remove_part(StepCtx *ctx, Err *err)
{
        const char *path = jx_str(step_remembered(ctx), "dump", NULL);
        AUTO_FREE char *part = path ? xasprintf("%s.part", path) : NULL;
        if (part && unlink(part) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing the unfinished %s", part);
        return true;
}

static char *pg_dump_choose(StepCtx *ctx)
{
        const char *name = step_str(ctx, "name");
        AUTO_FREE char *encoded = bundle_encode(*name ? name : step_str(ctx, "database"));
        time_t now = (time_t)(clock_wall_ms() / 1000);
        struct tm tm;
        char stamp[32];
        localtime_r(&now, &tm);
        strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &tm);
        return xasprintf("%s/%s_%s.dump", step_str(ctx, "root"), encoded, stamp);
}

static bool pg_dump_run(StepCtx *ctx, void *state, Err *err)
{
        TransferDump d = { .database = step_str(ctx, "database"),
                           .image = kit_target_image(ctx, step_target(ctx)) };
        AUTO_FREE char *path = pg_dump_choose(ctx);
        if (!remove_part(ctx, err) || !io_mkdir_p(step_str(ctx, "root"), 0700, err) ||
            !kit_transfer_params(ctx, step_target(ctx), NULL, &d.source, err))
                return false;
        d.path = path;
        json_t *m = json_object();
        jx_set_str(m, "dump", path);
        if (!step_remember(ctx, m, err))
                return false;
        AUTO_STEPTRANSFER st = { 0 };
        TransferDumpDone done;
        char size[24];
        if (!transfer_dump(kit_transfer(ctx, &st), &d, &done, err))
                return false;
        step_result_str(ctx, "path", path);
        step_result_int(ctx, "size", done.size);
        step_result_str(ctx, "sha256", done.sha256);
        step_result_str(ctx, "client", done.client);
        step_artifact(ctx, "dump", path, done.size, done.sha256);
        step_report(ctx, "%s, %s, read to its end by pg_restore %s", path,
                    fmt_bytes(done.size, size), done.client);
        return true;
}

static bool pg_dump_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err)
{
        /* A finished file of an earlier try is not asked for its hash: a new one is made. */
        const char *path = jx_str(step_remembered(ctx), "dump", NULL);
        AUTO_FREE char *part = path ? xasprintf("%s.part", path) : NULL;
        *ret_found = part && io_exists(part) ? FOUND_PART : FOUND_NOTHING;
        return true;
}

static bool pg_dump_undo(StepCtx *ctx, void *state, Err *err)
{
        return remove_part(ctx, err);
}

static bool pg_dump_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_FREE char *wide = NULL;
        int64_t bytes = 0;
        if (step_known(ctx, "root"))
                dry_directory(ctx, "root", step_str(ctx, "root"));
        if (dry_pg(ctx, step_target(ctx), step_str(ctx, "database"), &pg) != SEEN_HERE)
                return true;
        if (!dry_client(ctx, pg_major(pg), step_target(ctx), err) || !dry_readable(ctx, pg, err) ||
            !dry_table_bytes(pg, &bytes, err))
                return false;
        if (step_known(ctx, "root"))
                dry_room(ctx, step_str(ctx, "root"), bytes / 16, "root");
        if (step_has_problems(ctx))
                return true;
        if (!wide_row(pg, &wide, err))
                return false;
        if (wide)
                step_problem(ctx,
                             "%s: take bundle.create, whose rows carry it, and leave this step out",
                             wide);
        return true;
}
