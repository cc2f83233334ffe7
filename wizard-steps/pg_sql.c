/* pg_sql.c: statements of the runbook's own, in one transaction whose fate can be asked for. */
#include "base/fmt.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/facts.h"
#include "pg/parse.h"

static const ParamSpec params[] = {
        { .name = "sql",
          .type = PARAM_SQL,
          .help = "statements; values only as ${lit:..}, names as ${ident:..}" },
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { .name = "transaction",
          .type = PARAM_BOOL,
          .fallback = "true",
          .help = "false for statements that cannot be in one; then a crash has to be asked "
                  "about" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "rows",
          .type = PARAM_INT,
          .help = "rows the last statement touched or returned" },
        { .name = "value", .type = PARAM_STRING, .help = "first value of the last statement" },
        { .name = "xid", .type = PARAM_STRING, .help = "the transaction" },
        { 0 },
};

static bool pg_sql_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_sql_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_sql_run(StepCtx *ctx, void *state, Err *err);
static bool pg_sql_probe(StepCtx *ctx, void *state, Found *ret, Err *err);

const StepKind step_pg_sql = {
        .name = "pg.sql",
        .summary = "Run SQL of the runbook's own in one transaction",
        .traits = STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_sql_plan,
        .dry = pg_sql_dry,
        .run = pg_sql_run,
        .probe = pg_sql_probe,
};

static bool pg_sql_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "%s%s%s", step_bool(ctx, "transaction") ? "begin; " : "",
                  step_words(ctx, "sql"), step_bool(ctx, "transaction") ? "; commit" : "");
        return true;
}

/* 13 has pg_current_xact_id(); before it was called txid_current(). */
static bool current_xid(Pg *pg, char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        if (pg_major(pg) >= 13)
                sql_add(&q, "select pg_catalog.pg_current_xact_id()::text");
        else
                sql_add(&q, "select pg_catalog.txid_current()::text");
        return pg_query_value(pg, &q, ret, err);
}

static void pg_sql_tell(StepCtx *ctx, const PgRes *r, const char *xid)
{
        int64_t rows = pg_columns(r) ? pg_rows(r) : pg_affected(r);
        const char *value = pg_columns(r) && pg_rows(r) ? pg_cell(r, 0, 0) : NULL;
        step_result_int(ctx, "rows", rows);
        step_result_str(ctx, "value", value ? value : "");
        step_result_str(ctx, "xid", xid ? xid : "");
        step_report(ctx, "%s%s%s", THINGS(rows, "row"), value ? ", " : "", value ? value : "");
}

static bool run_in_transaction(StepCtx *ctx, Pg *pg, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        AUTO_FREE char *xid = NULL;
        sql_operator(&q, step_str(ctx, "sql"));
        if (!pg_do(pg, "begin", err) || !pg_query(pg, &q, &r, err) || !current_xid(pg, &xid, err))
                return false;
        json_t *memory = json_object();
        jx_set_str(memory, "xid", xid);
        if (!step_remember(ctx, memory, err) || !pg_do(pg, "commit", err))
                return false;
        pg_sql_tell(ctx, r, xid);
        return true;
}

static bool pg_sql_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        if (!kit_pg(ctx, &pg, err) || !pg_as_application(pg, err))
                return false;
        if (step_bool(ctx, "transaction")) {
                if (run_in_transaction(ctx, pg, err))
                        return true;
                AUTO_ERR ignored = { 0 };
                (void)!pg_do(pg, "rollback", &ignored);
                return err_wrap(err, "running the runbook's SQL");
        }
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        json_t *memory = json_object();
        jx_set_bool(memory, "started", true);
        sql_operator(&q, step_str(ctx, "sql"));
        if (!step_remember(ctx, memory, err) || !pg_query(pg, &q, &r, err))
                return err_wrap(err, "running the runbook's SQL");
        pg_sql_tell(ctx, r, NULL);
        return true;
}

static bool ask_fate(Pg *pg, const char *xid, char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        if (pg_major(pg) >= 13)
                sql_add(&q, "select pg_catalog.pg_xact_status(");
        else
                sql_add(&q, "select pg_catalog.txid_status(");
        sql_value(&q, xid);
        if (pg_major(pg) >= 13)
                sql_add(&q, "::pg_catalog.xid8)");
        else
                sql_add(&q, "::bigint)");
        return pg_query_value(pg, &q, ret, err);
}

static bool pg_sql_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_FREE char *fate = NULL;
        const json_t *memory = step_remembered(ctx);
        const char *xid = jx_str(memory, "xid", NULL);
        *ret = jx_get(memory, "started") ? FOUND_PART : FOUND_NOTHING;
        if (!xid)
                return true;
        if (!kit_pg(ctx, &pg, err) || !ask_fate(pg, xid, &fate, err))
                return err_wrap(err, "asking what became of transaction %s", xid);
        if (str_eq(fate, "committed"))
                *ret = FOUND_ALL;
        else if (str_eq(fate, "aborted"))
                *ret = FOUND_NOTHING;
        else
                *ret = str_eq(fate, "in progress") ? FOUND_BUSY : FOUND_DRIFT;
        step_result_str(ctx, "xid", xid);
        return true;
}

/* Read by the server, not run. Several statements are not: the second may need what the first
 * makes. What an earlier step makes is not there either. */
static bool pg_sql_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_ERR why = { 0 };
        AUTO_SQL q = { 0 };
        bool one = false;
        const char *sql = step_str(ctx, "sql");
        if (!sql[strspn(sql, " \t\r\n;")])
                step_problem(ctx, "sql: there is no statement");
        bool before = dry_will_be_on(ctx, step_target(ctx), "anything", "") == WILL_COME ||
                      step_will_be(ctx, "anything", "anywhere") == WILL_COME;
        dry_will_on(ctx, step_target(ctx), "anything", "", WILL_COME);
        if (dry_pg_on(ctx, &pg) != SEEN_HERE || !step_known(ctx, "sql"))
                return true;
        sql_operator(&q, sql);
        if (!pg_as_application(pg, err))
                return false;
        if (pg_parses(pg, &q, &one, &why)) {
                if (!one)
                        step_unseen(ctx, "several statements are only read when they are run");
                return true;
        }
        /* 42P01 and its like: a name that leads nowhere, yet. */
        if (before && (str_eq(why.sqlstate, "42P01") || str_eq(why.sqlstate, "42703") ||
                       str_eq(why.sqlstate, "42883") || str_eq(why.sqlstate, "42704") ||
                       str_eq(why.sqlstate, "3F000")))
                step_unseen(ctx, "%s; an earlier step may make it", why.message);
        else
                step_problem(ctx, "%s", why.message);
        return true;
}
