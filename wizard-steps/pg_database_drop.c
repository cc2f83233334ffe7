/* pg_database_drop.c: a database goes. Behind a typed gate, and never by a pattern. */
#include "base/fmt.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/database.h"

static const ParamSpec params[] = {
        { .name = "name", .type = PARAM_NAME, .help = "name of the database" },
        { .name = "force",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "end the sessions in it" },
        { .name = "only_if_empty",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "refuse when it has any object of a user" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "dropped", .type = PARAM_BOOL, .help = "false when there was none" },
        { .name = "size", .type = PARAM_SIZE, .help = "what it had, in bytes" },
        { 0 },
};

static bool pg_database_drop_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_database_drop_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_database_drop_run(StepCtx *ctx, void *state, Err *err);
static bool pg_database_drop_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_pg_database_drop = {
        .name = "pg.database.drop",
        .summary = "Drop a database",
        .traits = STEP_IDEMPOTENT | STEP_DESTRUCTIVE | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_database_drop_plan,
        .dry = pg_database_drop_dry,
        .run = pg_database_drop_run,
        .probe = pg_database_drop_probe,
};

static bool pg_database_drop_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "drop database \"%s\"%s", step_words(ctx, "name"),
                  step_bool(ctx, "force") ? " with (force)" : "");
        return true;
}

static bool may_go(StepCtx *ctx, Pg *pg, const char *name, Err *err)
{
        AUTO_FREE char *what = NULL;
        bool empty = true;
        if (!step_bool(ctx, "only_if_empty"))
                return true;
        if (!pg_database_is_empty(pg, name, &empty, &what, err))
                return false;
        return empty || err_set(err, ERR_USER, "database %s is not empty: it has %s", name, what);
}

static bool pg_database_drop_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PG Pg *beside = NULL;
        AUTO_JSON there = NULL;
        const char *name = step_str(ctx, "name");
        char size[24];
        if (str_eq(name, "template0") || str_eq(name, "template1") || str_eq(name, "postgres"))
                return err_set(err, ERR_USER, "database %s belongs to the server and stays", name);
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_database_describe(pg, name, &there, err))
                return false;
        step_result_bool(ctx, "dropped", there != NULL);
        step_result_int(ctx, "size", jx_int(there, "size", 0));
        if (!there) {
                step_report(ctx, "there is no database %s", name);
                return true;
        }
        if (!may_go(ctx, pg, name, err) || !kit_pg_beside(ctx, name, name, &beside, err))
                return false;
        pg = pg_close(pg);
        if (!pg_database_drop(beside, name, step_bool(ctx, "force"), err))
                return false;
        step_report(ctx, "%s dropped, %s", name, fmt_bytes(jx_int(there, "size", 0), size));
        return true;
}

static bool pg_database_drop_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        if (!kit_pg_open(ctx, step_target(ctx), "postgres", &pg, err) ||
            !pg_database_describe(pg, step_str(ctx, "name"), &there, err))
                return false;
        *ret = there ? FOUND_NOTHING : FOUND_ALL;
        step_result_bool(ctx, "dropped", true);
        return true;
}

/* What DROP DATABASE itself refuses. */
static bool dry_free(StepCtx *ctx, Pg *pg, const char *name, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select d.datistemplate, (select count(*) from pg_replication_slots s where "
                    "s.database = d.datname), (select count(*) from pg_prepared_xacts p where "
                    "p.database = d.datname) from pg_database d where d.datname = ");
        sql_value(&q, name);
        if (!pg_query(pg, &q, &r, err))
                return false;
        if (pg_rows(r) && pg_cell_bool(r, 0, 0))
                step_problem(ctx,
                             "database %s is a template, and cannot be dropped (ALTER DATABASE .. "
                             "IS_TEMPLATE false)",
                             name);
        if (pg_rows(r) && pg_cell_int(r, 0, 1))
                step_problem(ctx, "database %s has replication slots", name);
        if (pg_rows(r) && pg_cell_int(r, 0, 2))
                step_problem(ctx, "database %s has prepared transactions", name);
        return true;
}

static bool pg_database_drop_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        AUTO_ERR why = { 0 };
        const char *name = step_str(ctx, "name");
        if (!step_known(ctx, "name"))
                return true;
        if (dry_pg(ctx, step_target(ctx), NULL, &pg) == SEEN_HERE) {
                if (!dry_owns_database(ctx, pg, name, &there, err))
                        return false;
                if (there && !may_go(ctx, pg, name, &why))
                        step_problem(ctx, "%s", why.message);
                if (there && (!dry_free(ctx, pg, name, err) ||
                              (!step_bool(ctx, "force") && !dry_nobody_in(ctx, pg, name, err))))
                        return false;
        }
        dry_will_on(ctx, step_target(ctx), "database", name, WILL_GO);
        return true;
}
