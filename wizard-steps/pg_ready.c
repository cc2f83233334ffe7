/* pg_ready.c: wait until a server really answers: a login over TCP and SELECT 1.
 *
 * While an image's init scripts run, a temporary server answers on the socket (pg_isready says
 * yes) and goes away again. It listens on no address, and that is how it is told apart. */
#include "base/clock.h"
#include "base/fmt.h"
#include "kit/pg_steps.h"

static const ParamSpec params[] = {
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "120s",
          .help = "how long to wait" },
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "version", .type = PARAM_VERSION, .help = "version of the server" },
        { .name = "major", .type = PARAM_INT, .help = "its major" },
        { .name = "waited_ms", .type = PARAM_INT, .help = "how long it took" },
        { 0 },
};

static bool pg_ready_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_ready_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_ready = {
        .name = "pg.ready",
        .summary = "Wait until a server answers a login over TCP",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_ready_plan,
        .run = pg_ready_run,
};

static bool pg_ready_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "select 1   # by TCP, again and again, for at most %s ms",
                  step_words(ctx, "within"));
        return true;
}

static bool pg_ready_once(StepCtx *ctx, char **ret_version, int *ret_major, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGRES PgRes *r = NULL;
        if (!kit_pg(ctx, &pg, err) ||
            !pg_ask(pg,
                    "select split_part(current_setting('server_version'), ' ', 1), "
                    "current_setting('listen_addresses') <> '' or inet_client_addr() is not null",
                    &r, err))
                return false;
        if (!pg_cell_bool(r, 0, 1))
                return err_set(err, ERR_LINK,
                               "only the temporary server of the init phase answers");
        *ret_version = xstrdup(pg_cell(r, 0, 0));
        *ret_major = pg_major(pg);
        return true;
}

/* Not there yet, not up yet, or its container not yet: wait. A wrong password does not heal. */
static bool may_come(const Err *err)
{
        return err_is_retryable(err) || err->kind == ERR_USER || err->kind == ERR_COMMAND ||
               str_eq(err->sqlstate, "3D000");
}

static bool pg_ready_run(StepCtx *ctx, void *state, Err *err)
{
        int64_t began = clock_boot_ms(), within = step_int(ctx, "within");
        AUTO_FREE char *version = NULL;
        int major = 0;
        for (;;) {
                err_clear(err);
                if (pg_ready_once(ctx, &version, &major, err))
                        break;
                if (!may_come(err))
                        return false;
                if (clock_boot_ms() - began > within) {
                        err_wrap(err, "the server did not become ready in %d s",
                                 (int)(within / 1000));
                        return err->hint ? false : err_hint(err, "look at the server's own log");
                }
                if (!step_sleep(ctx, 500)) {
                        err_clear(err);
                        return err_set(err, ERR_CANCELLED, "stopped while waiting for the server");
                }
        }
        char took[24];
        step_result_str(ctx, "version", version);
        step_result_int(ctx, "major", major);
        step_result_int(ctx, "waited_ms", clock_boot_ms() - began);
        step_report(ctx, "PostgreSQL %s, ready after %s", version,
                    fmt_duration(clock_boot_ms() - began, took));
        return true;
}
