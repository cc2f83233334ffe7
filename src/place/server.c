/* server.c: what the engine asks of a target (engine/target.h): a server with SQL, a place by its
 * kind. */
#include "base/text.h"
#include "place/place.h"
#include "sql/sql.h"

static bool server_is(const Target *t)
{
        return str_eq(t->kind, "postgres");
}

bool place_pg_open(const Target *t, const char *database, Pg **ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        PgParams p = { 0 };
        if (!place_pg_params(a, t, database, &p, err))
                return false;
        p.app = "pgsherpa/identity";
        p.statement_timeout_ms = 30000;
        return pg_open(&p, ret, err);
}

static bool server_text(Pg *pg, const char *key, json_t *into, const Sql *q, Err *err)
{
        AUTO_FREE char *value = NULL;
        if (!pg_query_value(pg, q, &value, err))
                return false;
        jx_set_str(into, key, value);
        return true;
}

static bool server_identify(const Target *t, json_t **ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        if (!place_pg_open(t, NULL, &pg, err))
                return false;
        AUTO_SQL system = { 0 };
        AUTO_SQL version = { 0 };
        sql_add(&system, "select system_identifier::text from pg_control_system()");
        sql_add(&version, "show server_version");
        json_t *who = json_object();
        jx_set_int(who, "major", pg_major(pg));
        if (!server_text(pg, "system", who, &system, err) ||
            !server_text(pg, "version", who, &version, err)) {
                json_decref(who);
                return false;
        }
        *ret = who;
        return true;
}

bool place_identify(const Target *t, json_t **ret, Err *err)
{
        if (server_is(t))
                return server_identify(t, ret, err);
        const PlaceKind *kind = place_named(t->kind);
        json_t *who = json_object();
        if (kind && kind->identify && !kind->identify(t, who, err)) {
                json_decref(who);
                return false;
        }
        *ret = who;
        return true;
}

bool place_lock_name(const Target *t, char **ret, Err *err)
{
        AUTO_JSON who = NULL;
        const PlaceKind *kind = place_named(t->kind);
        *ret = NULL;
        if (!server_is(t))
                return !kind || !kind->lock_name || kind->lock_name(t, ret, err);
        if (!server_identify(t, &who, err))
                return false;
        *ret = xasprintf("system-%s", jx_str(who, "system", ""));
        return true;
}

/* {"sql", "equals"}: the statement is the runbook's own text, run read-only. */
static bool server_sql_condition(const Target *t, const json_t *cond, bool *ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        AUTO_SQL read_only = { 0 };
        sql_add(&read_only, "set default_transaction_read_only = on");
        if (!place_pg_open(t, NULL, &pg, err) || !pg_as_application(pg, err) ||
            !pg_exec(pg, &read_only, err))
                return false;
        AUTO_SQL q = { 0 };
        sql_operator(&q, jx_str(cond, "sql", ""));
        AUTO_FREE char *value = NULL;
        if (!pg_query_value(pg, &q, &value, err))
                return false;
        AUTO_FREE char *wanted = jx_words(jx_get(cond, "equals"));
        *ret = value && str_eq(value, wanted);
        return true;
}

static bool server_exists_condition(const Target *t, const Sql *q, bool *ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        AUTO_FREE char *value = NULL;
        if (!place_pg_open(t, NULL, &pg, err) || !pg_query_value(pg, q, &value, err))
                return false;
        *ret = str_eq(value, "t");
        return true;
}

bool place_done_if(const Target *t, const json_t *cond, bool *ret, Err *err)
{
        *ret = false;
        if (jx_get(cond, "sql"))
                return server_sql_condition(t, cond, ret, err);
        AUTO_SQL q = { 0 };
        if (jx_get(cond, "role")) {
                sql_add(&q, "select exists (select from pg_catalog.pg_roles where rolname = ");
                sql_value(&q, jx_str(cond, "role", ""));
                sql_add(&q, ")");
                return server_exists_condition(t, &q, ret, err);
        }
        if (jx_get(cond, "database")) {
                sql_add(&q, "select exists (select from pg_catalog.pg_database where datname = ");
                sql_value(&q, jx_str(cond, "database", ""));
                sql_add(&q, ")");
                return server_exists_condition(t, &q, ret, err);
        }
        AUTO_FREE char *known = xstrdup("sql, role, database");
        for (const PlaceKind *const *k = place_kinds; *k; k++) {
                const ParamSpec *row = (*k)->spec.condition;
                if (!row)
                        continue;
                if (jx_get(cond, row->name))
                        return (*k)->done_if(t, cond, ret, err);
                char *longer = xasprintf("%s, %s", known, row->name);
                free(known);
                known = longer;
        }
        return err_set(err, ERR_USER, "done_if: none of %s", known);
}
