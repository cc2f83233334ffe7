/* pg_rehearse.c: the whole schema, made on the target without rows and dropped again. What the
 * target does not take is known before anything is stopped, in its own words. */
#include "base/fmt.h"
#include "kit/data_steps.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "transfer/direction.h"

static const ParamSpec params[] = {
        { .name = "from", .type = PARAM_TARGET, .help = "server the database is on" },
        { .name = "database", .type = PARAM_NAME, .help = "database that is to go" },
        { .name = "skip",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "roles that are not made, as for pg.roles.copy" },
        { .name = "deep",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "ask every row about every constraint, not only about those that call functions "
                  "of users" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "refused",
          .type = PARAM_LIST,
          .help = "objects the server did not take, and why" },
        { .name = "roles",
          .type = PARAM_LIST,
          .help = "roles that were made for the rehearsal and are gone again" },
        { 0 },
};

static bool pg_rehearse_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_rehearse_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_rehearse_run(StepCtx *ctx, void *state, Err *err);
static bool pg_rehearse_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_rehearse_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_rehearse = {
        .name = "pg.rehearse",
        .summary = "Try a schema on another server, without rows",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_rehearse_plan,
        .dry = pg_rehearse_dry,
        .run = pg_rehearse_run,
        .probe = pg_rehearse_probe,
        .undo = pg_rehearse_undo,
};

static bool pg_rehearse_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx,
                  "CREATE DATABASE \"pgsherpa_%s_1\"   -- and in it every object of %s, no rows",
                  step_run_id(ctx), step_words(ctx, "database"));
        step_plan(ctx, "# lets the server read every function; then drops it all again");
        step_plan(ctx,
                  "# checks, reading only, that the rows of %s keep the rules their tables have",
                  step_words(ctx, "database"));
        step_plan_undo(ctx, "# what it made is gone when the step ends");
        return true;
}

/* Owners and grantees: without them every object would fail. They go again at the end. */
static bool make_roles(StepCtx *ctx, Pg *from, Pg *to, json_t **ret_made, Err *err)
{
        AUTO_JSON skip = kit_name_list(ctx, "skip");
        AUTO_JSON report = NULL;
        if (!kit_roles_copy(ctx, from, to, (RolesCopyOptions){ .skip = skip }, "roles", &report,
                            err))
                return false;
        *ret_made = json_incref(jx_get(report, "created"));
        return true;
}

/* The database first: it holds what belongs to the roles. */
static bool take_back(StepCtx *ctx, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        const json_t *roles = jx_get(step_remembered(ctx), "roles");
        if (!kit_temporary_undo(ctx, err))
                return false;
        if (!json_array_size(roles))
                return true;
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) || !kit_roles_drop(pg, roles, err))
                return false;
        json_t *m = json_object();
        jx_set(m, "roles", json_array()); /* a later step may make them again, to stay */
        return step_remember(ctx, m, err);
}

static void pg_rehearse_tell(StepCtx *ctx, const json_t *found)
{
        json_t *list = json_array();
        size_t i;
        json_t *j;
        json_array_foreach(found, i, j) {
                bool refused = str_eq(jx_str(j, "verdict", ""), "refused");
                AUTO_FREE char *words = direction_words(j);
                if (refused)
                        jx_append_str(list, words);
                step_log(ctx, refused ? SAY_ERROR : SAY_WARN, "server", "%s", words);
        }
        step_result_set(ctx, "refused", list);
        step_report(ctx, "%s not taken", THINGS(json_array_size(list), "object"));
}

static bool pg_rehearse_rehearse(StepCtx *ctx, const Target *from, Err *err)
{
        PgParams target;
        AUTO_JSON found = NULL;
        TransferCopy c = { .database = step_str(ctx, "database"),
                           .name = step_str(ctx, "database"),
                           .target = &target,
                           .created = kit_temporary_created,
                           .every_row = step_bool(ctx, "deep") };
        if (!kit_transfer_params(ctx, from, NULL, &c.source, err) ||
            !kit_transfer_params(ctx, step_target(ctx), NULL, &target, err) ||
            !kit_temporary_begin(ctx, &c.into, &c.marker, err))
                return false;
        c.source_image = kit_target_image(ctx, from);
        c.target_image = kit_target_image(ctx, step_target(ctx));
        AUTO_STEPTRANSFER st = { 0 };
        if (!transfer_rehearse(kit_transfer(ctx, &st), &c, &found, err))
                return false;
        pg_rehearse_tell(ctx, found);
        return true;
}

static bool pg_rehearse_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        AUTO_JSON made = NULL;
        const Target *from = step_param_target(ctx, "from", err);
        if (!from || !take_back(ctx, err) ||
            !kit_pg_open(ctx, from, step_str(ctx, "database"), &source, err) ||
            !kit_pg_open(ctx, step_target(ctx), NULL, &target, err) ||
            !make_roles(ctx, source, target, &made, err))
                return false;
        bool ok = pg_rehearse_rehearse(ctx, from, err);
        AUTO_ERR why = { 0 };
        if (!take_back(ctx, ok ? err : &why)) {
                if (!ok)
                        step_log(ctx, SAY_WARN, "pgsherpa", "not everything was dropped again: %s",
                                 why.message);
                return false;
        }
        step_result_set(ctx, "roles", json_incref(made));
        return ok;
}

/* What it found is not remembered: it costs little, and runs again. */
static bool pg_rehearse_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        if (!kit_temporary_probe(ctx, ret, err))
                return false;
        if (*ret == FOUND_NOTHING && json_array_size(jx_get(step_remembered(ctx), "roles")))
                *ret = FOUND_PART;
        return true;
}

static bool pg_rehearse_undo(StepCtx *ctx, void *state, Err *err)
{
        return take_back(ctx, err);
}

static bool pg_rehearse_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *from = NULL;
        AUTO_PG Pg *to = NULL;
        AUTO_PGRES PgRes *r = NULL;
        bool there = dry_pg_param(ctx, "from", step_str(ctx, "database"), &from) == SEEN_HERE;
        bool here = dry_pg(ctx, step_target(ctx), NULL, &to) == SEEN_HERE;
        if (here && !dry_may_create_database(ctx, to, "to rehearse in", err))
                return false;
        if (here && !pg_ask(to,
                            "select rolname from pg_roles where rolname = current_user and not "
                            "(rolsuper or rolcreaterole)",
                            &r, err))
                return false;
        if (here && pg_rows(r))
                step_problem(ctx,
                             "role %s may not create roles, which a rehearsal needs (ALTER ROLE .. "
                             "CREATEROLE)",
                             pg_cell(r, 0, 0));
        if (!there || !here)
                return true;
        const Target *source = step_param_target(ctx, "from", err);
        int major = MAX(pg_major(from), pg_major(to));
        return source &&
               dry_client(ctx, major, major == pg_major(to) ? step_target(ctx) : source, err);
}
