/* pg_server_settings.c: settings of a whole server, from one to another: ALTER SYSTEM and lines of
 * its own postgresql.conf, pg_hba.conf, pg_ident.conf. With `restart` the new server is started
 * with them, before anything depends on it: a library it lacks, or a file, shows now. */
#include "base/fmt.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "kit/service.h"
#include "pg/server_settings.h"

static const ParamSpec params[] = {
        { .name = "from", .type = PARAM_TARGET, .help = "server the settings come from" },
        { .name = "files",
          .type = PARAM_STRING,
          .fallback = "carry",
          .help = "carry: pg_hba.conf and pg_ident.conf go along; try: only see whether they would "
                  "be read" },
        { .name = "restart",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "container of the new server, started anew with them" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "120s",
          .help = "time until it answers again" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "settings", .type = PARAM_LIST, .help = "settings that were set" },
        { .name = "files", .type = PARAM_LIST, .help = "files that went along" },
        { .name = "refused",
          .type = PARAM_LIST,
          .help = "what the new server does not take, in its words" },
        { 0 },
};

static const char *const verdict[] = { "refused", NULL };

static bool pg_server_settings_check(StepCtx *ctx, void *state, Err *err);
static bool pg_server_settings_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_server_settings_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_server_settings_run(StepCtx *ctx, void *state, Err *err);
static bool pg_server_settings_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_server_settings_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_server_settings = {
        .name = "pg.server.settings",
        .summary = "Give a server another one's settings and access rules",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .check = pg_server_settings_check,
        .plan = pg_server_settings_plan,
        .dry = pg_server_settings_dry,
        .run = pg_server_settings_run,
        .probe = pg_server_settings_probe,
        .undo = pg_server_settings_undo,
};

static bool pg_server_settings_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "alter system set ..   # each setting of %s that is not the image's",
                  step_words(ctx, "from"));
        step_plan(ctx,
                  "# access rules (pg_hba.conf, pg_ident.conf) become those of the other server");
        if (*step_str(ctx, "restart"))
                step_plan(ctx, "$ docker restart %s", step_words(ctx, "restart"));
        step_plan_undo(ctx, "# puts settings and files back as they were");
        step_plan_undo(ctx, "alter system reset ..");
        return true;
}

static bool pg_server_settings_check(StepCtx *ctx, void *state, Err *err)
{
        if (!str_eq(step_str(ctx, "files"), "carry") && !str_eq(step_str(ctx, "files"), "try"))
                step_problem(ctx, "files: `%s` is neither carry nor try", step_str(ctx, "files"));
        return true;
}

/* The files of a fresh server hold no password; those of the old one may, and are never
 * remembered. */
static bool remember_before(StepCtx *ctx, Pg *target, Err *err)
{
        AUTO_FREE char *hba = NULL;
        AUTO_FREE char *ident = NULL;
        if (jx_get(step_remembered(ctx), "hba"))
                return true;
        if (!pg_server_file_read(target, "hba_file", &hba, err) ||
            !pg_server_file_read(target, "ident_file", &ident, err))
                return false;
        json_t *m = json_object();
        jx_set_str(m, "hba", hba);
        jx_set_str(m, "ident", ident);
        return step_remember(ctx, m, err);
}

static bool remember_settings(StepCtx *ctx, const json_t *report, Err *err)
{
        json_t *m = json_object();
        jx_set(m, "settings", json_incref(jx_get(report, "settings")));
        return step_remember(ctx, m, err);
}

static bool pg_server_settings_restart(StepCtx *ctx, Err *err)
{
        HostCall call = kit_call(ctx);
        const char *name = step_str(ctx, "restart");
        AUTO_ARGV a = { 0 };
        if (!*name)
                return true;
        argv_add_all(&a, (const char *const[]){ "docker", "restart", "-t", "120", name, NULL });
        Wellness well = { .health = "pg_isready",
                          .within_ms = step_int(ctx, "within"),
                          .user = jx_str(step_target(ctx)->spec, "user", "postgres"),
                          .database = "postgres" };
        return (docker_do(&call, &a, NULL, err) && kit_service_wait(ctx, name, &well, NULL, err)) ||
               err_wrap(err, "starting the new server with the old one's settings");
}

static bool pg_server_settings_run(StepCtx *ctx, void *state, Err *err)
{
        static const char *const keys[] = { "settings", "files", "refused", NULL };
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON report = NULL;
        size_t i;
        json_t *v;
        const Target *from = step_param_target(ctx, "from", err);
        bool only_try = str_eq(step_str(ctx, "files"), "try");
        if (!from || !kit_pg_open(ctx, from, NULL, &source, err) ||
            !kit_pg_open(ctx, step_target(ctx), NULL, &target, err) ||
            !remember_before(ctx, target, err) ||
            !pg_server_settings_carry(source, target, only_try, &report, err) ||
            !remember_settings(ctx, report, err))
                return false;
        kit_results_from(ctx, report, keys);
        json_array_foreach(jx_get(report, "refused"), i, v)
                step_log(ctx, SAY_ERROR, "server", "%s", json_string_value(v));
        json_array_foreach(jx_get(report, "settings"), i, v)
                step_say(ctx, "set: %s", json_string_value(v));
        target = pg_close(target);
        step_report(ctx, "%s set, %s %s, %zu refused",
                    THINGS(json_array_size(jx_get(report, "settings")), "setting"),
                    THINGS(json_array_size(jx_get(report, "files")), "file"),
                    only_try ? "readable" : "along", json_array_size(jx_get(report, "refused")));
        return json_array_size(jx_get(report, "refused")) || pg_server_settings_restart(ctx, err);
}

static bool pg_server_settings_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING; /* once more is the same as once */
        return true;
}

static bool pg_server_settings_undo(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        const json_t *m = step_remembered(ctx);
        const char *hba = jx_str(m, "hba", NULL), *ident = jx_str(m, "ident", NULL);
        if (!hba)
                return true;
        return kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) &&
               pg_server_settings_reset(pg, jx_get(m, "settings"), err) &&
               pg_server_file_write(pg, "hba_file", hba, err) &&
               pg_server_file_write(pg, "ident_file", ident, err) &&
               pg_do(pg, "select pg_reload_conf()", err);
}

static bool dry_super(StepCtx *ctx, Pg *pg, const char *side, Err *err)
{
        bool super = false;
        if (!dry_superuser(pg, &super, err))
                return false;
        if (!super)
                step_problem(
                        ctx,
                        "%s: only a superuser reads and writes a server's own files and settings",
                        side);
        return true;
}

static bool pg_server_settings_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON c = NULL;
        const char *name = step_str(ctx, "restart");
        if (!pg_server_settings_check(ctx, state, err) ||
            (dry_pg_param(ctx, "from", NULL, &source) == SEEN_HERE &&
             !dry_super(ctx, source, "the old server", err)) ||
            (dry_pg(ctx, step_target(ctx), NULL, &target) == SEEN_HERE &&
             (!dry_super(ctx, target, "the new server", err) || !dry_writable(ctx, target, err))))
                return false;
        if (!*name || !step_known(ctx, "restart"))
                return true;
        if (dry_container(ctx, name, &c, err) == SEEN_NOT && err->kind == ERR_NONE)
                step_problem(ctx, "restart: there is no container %s, and no earlier step makes it",
                             name);
        return err->kind == ERR_NONE;
}
