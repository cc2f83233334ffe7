/* pg_clients.c: is there a pg_dump that fits both servers, before anything is stopped? */
#include "kit/pg_steps.h"
#include "pg/clients.h"

static const ParamSpec params[] = {
        { .name = "from",
          .type = PARAM_TARGET,
          .fallback = "~",
          .help = "server the data comes from, when `on` is where it goes" },
        { .name = "to",
          .type = PARAM_INT,
          .fallback = "0",
          .help = "major the data goes to, when `on` is where it comes from" },
        { .name = "image",
          .type = PARAM_IMAGE,
          .fallback = "~",
          .help = "image that may have the clients, besides postgres:MAJOR" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "usable", .type = PARAM_BOOL, .help = "a client for the move was found" },
        { .name = "dump_major", .type = PARAM_INT, .help = "major of the pg_dump to be used" },
        { .name = "dump_version", .type = PARAM_STRING, .help = "its version" },
        { .name = "dump_where", .type = PARAM_STRING, .help = "directory or image it is in" },
        { .name = "rollback_usable",
          .type = PARAM_BOOL,
          .help = "a client of the source's own major was found" },
        { .name = "rollback_reads_restrict",
          .type = PARAM_BOOL,
          .help = "the source's psql can read plain dumps of newer clients" },
        { .name = "problem", .type = PARAM_STRING, .help = "why not usable" },
        { 0 },
};

static bool pg_clients_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_clients_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_clients = {
        .name = "pg.clients",
        .summary = "Find a pg_dump and pg_restore that fit both servers",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .plan = pg_clients_plan,
        .run = pg_clients_run,
};

static bool pg_clients_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# looks for pg_dump and pg_restore: PGSHERPA_PG_BIN_<major>, "
                       "/usr/lib/postgresql/<major>/bin, an image that is here");
        return true;
}

static bool version_of(StepCtx *ctx, const Target *t, int *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        if (!kit_pg_open(ctx, t, NULL, &pg, err))
                return false;
        *ret = pg_version(pg);
        return true;
}

/* Version of the source, and the newer of the two majors. */
static bool pg_clients_majors(StepCtx *ctx, int *ret_source, int *ret_newer, Err *err)
{
        int on = 0, from = 0;
        if (!version_of(ctx, step_target(ctx), &on, err))
                return false;
        *ret_source = on;
        *ret_newer = MAX(on / 10000, (int)step_int(ctx, "to"));
        if (!step_get(ctx, "from"))
                return true;
        const Target *t = step_param_target(ctx, "from", err);
        if (!t || !version_of(ctx, t, &from, err))
                return false;
        *ret_source = from;
        *ret_newer = MAX(on, from) / 10000;
        return true;
}

static bool pg_clients_run(StepCtx *ctx, void *state, Err *err)
{
        int source = 0, newer = 0;
        AUTO_PGCLIENT dump = { 0 };
        AUTO_PGCLIENT back = { 0 };
        AUTO_ERR why = { 0 };
        AUTO_ERR why_not_back = { 0 };
        if (!pg_clients_majors(ctx, &source, &newer, err))
                return false;
        const char *image = step_str(ctx, "image");
        bool usable = pg_clients_from(newer, image, &dump, &why);
        bool rollback = pg_clients_find(source / 10000, NULL, &back, &why_not_back);
        AUTO_FREE char *where = usable ? pg_client_words(&dump) : NULL;
        step_result_bool(ctx, "usable", usable);
        step_result_int(ctx, "dump_major", usable ? dump.major : 0);
        step_result_str(ctx, "dump_version", usable ? dump.version : "");
        step_result_str(ctx, "dump_where", usable ? (dump.dir ? dump.dir : dump.image) : "");
        step_result_bool(ctx, "rollback_usable", rollback);
        /* Without one here, the psql beside the old server is as old as that server. */
        PgClient there = { .version_num = rollback ? back.version_num : source };
        step_result_bool(ctx, "rollback_reads_restrict", pg_client_knows_restrict(&there));
        step_result_str(ctx, "problem", usable ? "" : why.message);
        if (!usable) {
                step_log(ctx, SAY_ERROR, "pgsherpa", "%s", why.message);
                step_say(ctx, "%s", why.hint ? why.hint : "");
        }
        step_report(ctx, "%s", usable ? where : why.message);
        return true;
}
