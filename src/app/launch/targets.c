#include "app/launch/targets.h"

#include "app/launch/secrets.h"
#include "pg/fence.h"
#include "pg/writes.h"
#include "wizard-steps/open.h"

static bool is_kind(const Target *t, const char *kind)
{
        return str_eq(t->kind, kind);
}

static bool open_pg(const Target *t, const char *database, Pg **ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        PgParams p = { 0 };
        if (!target_pg_params(a, t, database, &p, err))
                return false;
        p.app = "pgsherpa/identity";
        p.statement_timeout_ms = 30000;
        return pg_open(&p, ret, err);
}

static bool one_text(Pg *pg, const char *key, json_t *into, const Sql *q, Err *err)
{
        AUTO_FREE char *value = NULL;
        if (!pg_query_value(pg, q, &value, err))
                return false;
        jx_set_str(into, key, value);
        return true;
}

static bool identify_pg(const Target *t, json_t **ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        if (!open_pg(t, NULL, &pg, err))
                return false;
        AUTO_SQL system = { 0 };
        AUTO_SQL version = { 0 };
        sql_add(&system, "select system_identifier::text from pg_control_system()");
        sql_add(&version, "show server_version");
        json_t *who = json_object();
        jx_set_int(who, "major", pg_major(pg));
        if (!one_text(pg, "system", who, &system, err) ||
            !one_text(pg, "version", who, &version, err)) {
                json_decref(who);
                return false;
        }
        *ret = who;
        return true;
}

static bool identify(void *app, const Target *t, json_t **ret, Err *err)
{
        if (is_kind(t, "postgres"))
                return identify_pg(t, ret, err);
        json_t *who = json_object();
        if (is_kind(t, "compose")) {
                Compose *c = NULL;
                if (!target_compose(t, &c, err)) {
                        json_decref(who);
                        return false;
                }
                jx_set_str(who, "project", compose_project(c));
                jx_set(who, "config_files", compose_config_files(c));
                compose_close(c);
        }
        *ret = who;
        return true;
}

static bool lock_name(void *app, const Target *t, char **ret, Err *err)
{
        AUTO_JSON who = NULL;
        *ret = NULL;
        if (is_kind(t, "host"))
                return true;
        if (!identify(app, t, &who, err))
                return false;
        *ret = is_kind(t, "compose") ? xasprintf("compose-%s", jx_str(who, "project", ""))
                                     : xasprintf("system-%s", jx_str(who, "system", ""));
        return true;
}

/* {"sql", "equals"}: the statement is the runbook's own text, run read-only. */
static bool sql_condition(const Target *t, const json_t *cond, bool *ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        AUTO_SQL read_only = { 0 };
        sql_add(&read_only, "set default_transaction_read_only = on");
        if (!open_pg(t, NULL, &pg, err) || !pg_as_application(pg, err) ||
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

static bool exists_condition(const Target *t, const Sql *q, bool *ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        AUTO_FREE char *value = NULL;
        if (!open_pg(t, NULL, &pg, err) || !pg_query_value(pg, q, &value, err))
                return false;
        *ret = str_eq(value, "t");
        return true;
}

static bool done_if(void *app, const Target *t, const json_t *cond, bool *ret, Err *err)
{
        *ret = false;
        if (jx_get(cond, "sql"))
                return sql_condition(t, cond, ret, err);
        AUTO_SQL q = { 0 };
        if (jx_get(cond, "role")) {
                sql_add(&q, "select exists (select from pg_catalog.pg_roles where rolname = ");
                sql_value(&q, jx_str(cond, "role", ""));
                sql_add(&q, ")");
                return exists_condition(t, &q, ret, err);
        }
        if (jx_get(cond, "database")) {
                sql_add(&q, "select exists (select from pg_catalog.pg_database where datname = ");
                sql_value(&q, jx_str(cond, "database", ""));
                sql_add(&q, ")");
                return exists_condition(t, &q, ret, err);
        }
        if (jx_get(cond, "compose_image")) {
                Compose *c = NULL;
                AUTO_FREE char *image = NULL;
                if (!target_compose(t, &c, err))
                        return false;
                bool ok = compose_service_image(c, jx_str(cond, "compose_image", ""), &image, err);
                compose_close(c);
                *ret = ok && str_eq(image, jx_str(cond, "equals", ""));
                return ok;
        }
        return err_set(err, ERR_USER, "done_if: none of sql, role, database, compose_image");
}

static bool secret(void *app, const char *name, const json_t *spec, const json_t *targets,
                   Secret **ret, Err *err)
{
        return secrets_load(name, spec, targets, ret, err);
}

static bool fence_close(void *app, const Target *t, const json_t *opened, json_t **ret_verdict,
                        Err *err)
{
        Pg *pg AUTO_PG = NULL;
        return open_pg(t, NULL, &pg, err) && pg_fence_close(pg, opened, ret_verdict, err);
}

static bool writes_since(void *app, const Target *t, const json_t *then, json_t **ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        if (jx_get(then, "databases"))
                return open_pg(t, NULL, &pg, err) && pg_writes_since_all(pg, then, ret, err);
        return open_pg(t, jx_str(then, "database", NULL), &pg, err) &&
               pg_writes_since(pg, then, ret, err);
}

TargetOps targets_ops(void)
{
        return (TargetOps){ .identify = identify,
                            .lock_name = lock_name,
                            .done_if = done_if,
                            .secret = secret,
                            .fence_close = fence_close,
                            .writes_since = writes_since };
}
