/* pg_database_rename.c: a loaded and compared database gets its real name.
 *
 * An empty database that has that name (an image's init script made it) is moved aside in the
 * same transaction, so that there is no moment without a database of that name, and is dropped
 * once the new one is in place. Databases are known by OID, not by name, so probe() and undo()
 * cannot mistake one for the other. */
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/database.h"
#include "pg/extension.h"
#include "transfer/landing.h"
#include "transfer/transfer.h"

static const ParamSpec params[] = {
        { .name = "from", .type = PARAM_NAME, .help = "name it has" },
        { .name = "to", .type = PARAM_NAME, .help = "name it gets" },
        { .name = "replace_empty",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "a database of that name may go if it has no object of a user" },
        { .name = "template",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "others may be made from it, as from the one it comes from" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "database", .type = PARAM_NAME, .help = "its name now" },
        { .name = "replaced", .type = PARAM_BOOL, .help = "an empty database was in its place" },
        { 0 },
};

static bool pg_database_rename_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_database_rename_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_database_rename_run(StepCtx *ctx, void *state, Err *err);
static bool pg_database_rename_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool pg_database_rename_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_database_rename = {
        .name = "pg.database.rename",
        .summary = "Give a loaded database its real name",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_database_rename_plan,
        .dry = pg_database_rename_dry,
        .run = pg_database_rename_run,
        .probe = pg_database_rename_probe,
        .undo = pg_database_rename_undo,
};

static bool pg_database_rename_plan(StepCtx *ctx, void *state, Err *err)
{
        if (step_bool(ctx, "replace_empty"))
                step_plan(ctx,
                          "# an empty database %s that is in the way is moved aside, then "
                          "dropped",
                          step_words(ctx, "to"));
        step_plan(ctx, "alter database \"%s\" rename to \"%s\"", step_words(ctx, "from"),
                  step_words(ctx, "to"));
        if (step_bool(ctx, "template"))
                step_plan(ctx, "alter database \"%s\" is_template true", step_words(ctx, "to"));
        step_plan_undo(ctx, "# gives it back the temporary name");
        step_plan_undo(ctx, "alter database \"%s\" rename to \"%s\"", step_words(ctx, "to"),
                       step_words(ctx, "from"));
        return true;
}

static bool may_replace(StepCtx *ctx, Pg *pg, const char *to, Err *err)
{
        AUTO_FREE char *what = NULL;
        bool empty = false;
        if (!step_bool(ctx, "replace_empty")) {
                err_set(err, ERR_SERVER, "database %s exists already", to);
                memcpy(err->sqlstate, "42P04", 6);
                return err_hint(err, "replace_empty: true lets an empty one go");
        }
        if (!pg_database_is_empty(pg, to, &empty, &what, err))
                return false;
        if (empty)
                return true;
        err_set(err, ERR_USER, "database %s is not empty: it has %s", to, what);
        return err_hint(err, "an application may have started against the new server; stop it and "
                             "look");
}

static bool pg_database_rename_breath(void *ctx)
{
        return step_sleep(ctx, 500);
}

/* Health checks connect for a moment: tried again. */
static bool pg_database_rename_swap(StepCtx *ctx, Pg *pg, const char *from, const char *to,
                                    const char *aside, Err *err)
{
        LandingName n = { .from = from,
                          .to = to,
                          .aside = aside,
                          .pause = pg_database_rename_breath,
                          .arg = ctx };
        return landing_name(pg, &n, err);
}

/* Its own connection is gone when the names change hands. */
static bool outline_of(Pg *pg, const char *name, json_t **ret, Err *err)
{
        AUTO_PG Pg *in = NULL;
        return pg_reopen(pg, name, &in, err) && transfer_database_definition(in, ret, err);
}

static bool pg_database_rename_remember(StepCtx *ctx, Pg *pg, const json_t *from, const json_t *to,
                                        const char *aside, Err *err)
{
        json_t *outline = NULL;
        if (to && !outline_of(pg, step_str(ctx, "to"), &outline, err))
                return false;
        json_t *memory = json_object();
        jx_set_str(memory, "from", jx_str(from, "name", ""));
        jx_set_str(memory, "oid", jx_str(from, "oid", ""));
        jx_set_str(memory, "to", step_str(ctx, "to"));
        if (to) {
                jx_set_str(memory, "aside", aside);
                jx_set(memory, "replaced", json_deep_copy(to));
                jx_set(memory, "outline", outline);
        }
        return step_remember(ctx, memory, err);
}

static bool set_template(StepCtx *ctx, Pg *pg, const char *name, bool yes, Err *err)
{
        AUTO_SQL q = { 0 };
        if (!step_bool(ctx, "template"))
                return true;
        sql_add(&q, "alter database ");
        sql_ident(&q, name);
        sql_add_literal_(&q, yes ? " is_template true" : " is_template false");
        return pg_exec(pg, &q, err) || err_wrap(err, "making %s a template", name);
}

static void say_extension(void *ctx, const char *line)
{
        step_log(ctx, SAY_OK, "pgsherpa", "%s", line);
}

static bool pg_database_rename_finish(StepCtx *ctx, Pg *pg, Err *err)
{
        const json_t *memory = step_remembered(ctx);
        const char *aside = jx_str(memory, "aside", NULL);
        LandingName n = { .to = step_str(ctx, "to"), .say = say_extension, .arg = ctx };
        AUTO_PG Pg *now = NULL; /* the other one may have broken at the last word */
        AUTO_FREE char *what = NULL;
        step_result_str(ctx, "database", step_str(ctx, "to"));
        step_result_bool(ctx, "replaced", aside != NULL);
        step_report(ctx, "%s is now %s%s", step_str(ctx, "from"), step_str(ctx, "to"),
                    aside ? " (an empty one was in its place)" : "");
        if (!pg_reopen(pg, NULL, &now, err) || !landing_named(now, &n, err) ||
            !set_template(ctx, now, step_str(ctx, "to"), true, err))
                return false;
        if (!aside)
                return true;
        if (!landing_put_away(now, aside, jx_str(jx_get(memory, "replaced"), "oid", ""), &what,
                              err))
                return false;
        if (!what)
                return true;
        err_set(err, ERR_USER,
                "%s has its name, but at the last moment somebody wrote to the empty database "
                "that was there: it was kept, it is called %s now, and it has %s",
                step_str(ctx, "to"), aside, what);
        return err_hint(err,
                        "an application may have started against the new server; stop it and "
                        "look. Then drop or rename %s, and try again",
                        aside);
}

static bool pg_database_rename_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON a = NULL;
        AUTO_JSON b = NULL;
        const char *from = step_str(ctx, "from"), *to = step_str(ctx, "to");
        if (!kit_pg_beside(ctx, from, to, &pg, err) || !pg_database_describe(pg, from, &a, err) ||
            !pg_database_describe(pg, to, &b, err))
                return false;
        const char *ours = jx_str(step_remembered(ctx), "oid", "");
        if (b && *ours && str_eq(ours, jx_str(b, "oid", "")))
                return pg_database_rename_finish(ctx, pg,
                                                 err); /* the swap was committed before a crash */
        if (!a)
                return err_set(err, ERR_USER, "there is no database %s", from);
        if (b && !may_replace(ctx, pg, to, err))
                return false;
        /* Its own short name, never the old name with a suffix: 63 bytes cut it back. */
        const char *aside =
                b ? arena_printf(step_arena(ctx), "pgsherpa_%.30s_aside", step_run_id(ctx)) : NULL;
        return pg_database_rename_remember(ctx, pg, a, b, aside, err) &&
               pg_database_rename_swap(ctx, pg, from, to, aside, err) &&
               pg_database_rename_finish(ctx, pg, err);
}

static bool something_waits(const Pg *pg, const char *database, bool *ret, Err *err)
{
        AUTO_PG Pg *in = NULL;
        AUTO_JSON waits = NULL;
        if (!pg_reopen(pg, database, &in, err) || !pg_later_waits(in, false, &waits, err))
                return false;
        *ret = waits != NULL;
        return true;
}

static bool pg_database_rename_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON a = NULL;
        AUTO_JSON b = NULL;
        AUTO_JSON aside = NULL;
        const json_t *memory = step_remembered(ctx);
        const char *oid = jx_str(memory, "oid", "");
        const char *from = jx_str(memory, "from", ""), *to = jx_str(memory, "to", "");
        *ret = FOUND_NOTHING;
        if (!*oid)
                return true;
        if (!kit_pg_beside(ctx, from, to, &pg, err) || !pg_database_describe(pg, from, &a, err) ||
            !pg_database_describe(pg, to, &b, err) ||
            !pg_database_describe(pg, jx_str(memory, "aside", ""), &aside, err))
                return false;
        bool part = aside != NULL;
        if (b && str_eq(oid, jx_str(b, "oid", ""))) {
                if (!part && !something_waits(pg, to, &part, err))
                        return false;
                *ret = part ? FOUND_PART : FOUND_ALL;
        } else if (!a || !str_eq(oid, jx_str(a, "oid", ""))) {
                *ret = FOUND_DRIFT;
        }
        if (*ret == FOUND_ALL) {
                step_result_str(ctx, "database", to);
                step_result_bool(ctx, "replaced", jx_get(memory, "aside") != NULL);
        }
        return true;
}

/* The empty one that was dropped is made again. */
static bool bring_back(StepCtx *ctx, Pg *pg, const char *name, Err *err)
{
        const json_t *outline = jx_get(step_remembered(ctx), "outline");
        AUTO_FREE char *names = jx_words(jx_get(outline, "set"));
        if (!transfer_database_recreate(pg, outline, name, err))
                return false;
        if (json_array_size(jx_get(outline, "set")))
                step_log(ctx, SAY_WARN, "pgsherpa",
                         "database %s is there again, without the settings it had: %s", name,
                         names);
        return true;
}

static bool pg_database_rename_undo(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON now = NULL;
        AUTO_JSON aside = NULL;
        const json_t *memory = step_remembered(ctx);
        const json_t *replaced = jx_get(memory, "replaced");
        const char *oid = jx_str(memory, "oid", ""), *from = jx_str(memory, "from", "");
        const char *to = jx_str(memory, "to", "");
        if (!*oid)
                return true;
        if (!kit_pg_beside(ctx, from, to, &pg, err) || !pg_database_describe(pg, to, &now, err) ||
            !pg_database_describe(pg, jx_str(memory, "aside", ""), &aside, err))
                return false;
        if (now && str_eq(oid, jx_str(now, "oid", ""))) {
                if (!set_template(ctx, pg, to, false, err) ||
                    !pg_database_rename_swap(ctx, pg, to, from, NULL, err))
                        return false;
        } else {
                json_t *a = NULL;
                if (!pg_database_describe(pg, from, &a, err))
                        return false;
                bool back = a && str_eq(oid, jx_str(a, "oid", ""));
                json_decref(a);
                if (!back)
                        return err_set(err, ERR_USER,
                                       "neither %s nor %s is the database that was "
                                       "renamed",
                                       from, to);
                if (now)
                        return true; /* nothing had happened, or all is undone */
        }
        if (aside && str_eq(jx_str(aside, "oid", ""), jx_str(replaced, "oid", "")))
                return pg_database_rename_swap(ctx, pg, jx_str(memory, "aside", ""), to, NULL, err);
        return !replaced || bring_back(ctx, pg, to, err);
}

static bool dry_to(StepCtx *ctx, Pg *pg, const char *to, Err *err)
{
        AUTO_JSON there = NULL;
        AUTO_ERR why = { 0 };
        Will will = dry_will_be_on(ctx, step_target(ctx), "database", to);
        dry_pg_name(ctx, "database", to);
        if (will == WILL_GO)
                return true;
        if (!pg_database_describe(pg, to, &there, err))
                return false;
        if (!there && will == WILL_COME)
                step_unseen(ctx, "database %s is made by an earlier step", to);
        if (!there)
                return true;
        if (!may_replace(ctx, pg, to, &why)) {
                step_problem(ctx, "%s", why.message);
                return true;
        }
        json_decref(there);
        there = NULL;
        return dry_owns_database(ctx, pg, to, &there, err) && dry_nobody_in(ctx, pg, to, err);
}

static bool pg_database_rename_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        const char *from = step_str(ctx, "from"), *to = step_str(ctx, "to");
        bool knows_from = step_known(ctx, "from"), knows_to = step_known(ctx, "to");
        if (dry_pg(ctx, step_target(ctx), NULL, &pg) == SEEN_HERE) {
                Will will = dry_will_be_on(ctx, step_target(ctx), "database", from);
                if (!dry_may_create_database(ctx, pg, "and may therefore not rename one", err))
                        return false;
                if (knows_from && !dry_owns_database(ctx, pg, from, &there, err))
                        return false;
                if (knows_from &&
                    ((!there && will != WILL_COME && !step_has_problems(ctx)) || will == WILL_GO))
                        step_problem(ctx, "there is no database %s", from);
                if ((there && !dry_nobody_in(ctx, pg, from, err)) ||
                    (knows_to && !dry_to(ctx, pg, to, err)))
                        return false;
        }
        if (knows_from)
                dry_will_on(ctx, step_target(ctx), "database", from, WILL_GO);
        if (knows_to)
                dry_will_on(ctx, step_target(ctx), "database", to, WILL_COME);
        return true;
}
