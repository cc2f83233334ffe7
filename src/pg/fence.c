#include "pg/fence.h"

#include <inttypes.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "pg/facts.h"

bool pg_fence_others(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('pid', pid, 'user', usename, 'database', datname, "
                "'application', application_name, 'address', coalesce(client_addr::text, "
                "'local'), 'state', state, 'since', backend_start::text, 'command', "
                "upper(substring(query from '[A-Za-z]+'))) from pg_stat_activity where "
                "backend_type = 'client backend' and pid <> pg_backend_pid() and "
                "application_name !~ '^pgsherpa(/|$)' and usename is not null order by "
                "backend_start");         /* no user yet: somebody at the door (pg_isready) */
        return pg_json_rows(pg, &q, ret, err) || err_wrap(err, "looking who is connected");
}

bool pg_fence_terminate(Pg *pg, const json_t *others, int *ret_n, Err *err)
{
        size_t i;
        json_t *o;
        *ret_n = 0;
        json_array_foreach(others, i, o) {
                AUTO_SQL q = { 0 };
                AUTO_FREE char *value = NULL;
                sql_add(&q, "select pg_terminate_backend(pid) from pg_stat_activity where pid = ");
                sql_int(&q, jx_int(o, "pid", 0));
                /* The pid may be somebody else's by now. */
                sql_add(&q, " and backend_start::text = ");
                sql_value(&q, jx_str(o, "since", ""));
                if (!pg_query_value(pg, &q, &value, err))
                        return err_wrap(err, "ending the connection of %s",
                                        jx_str(o, "user", "somebody"));
                *ret_n += str_eq(value, "t");
        }
        return true;
}

/* Rows ever written to user tables and large objects of the connected database. */
static bool writes_here(Pg *pg, int64_t *ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(pg, "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from "
                    "pg_stat_all_tables where schemaname !~ '^pg_' and schemaname <> "
                    "'information_schema' or relid = 'pg_largeobject'::regclass", &r, err))
                return false;
        *ret = pg_cell_int(r, 0, 0);
        return true;
}

/* A database that is being dropped, or lets nobody in, is not one that is written to. */
static bool gone(const Err *err)
{
        return str_eq(err->sqlstate, "3D000") || str_eq(err->sqlstate, "55000") ||
               str_eq(err->sqlstate, "42501") ||
               str_eq(err->sqlstate, "57P01");  /* DROP .. WITH (FORCE) threw us out */
}

static bool exists(Pg *pg, const char *name, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *value = NULL;
        sql_add(&q, "select exists (select from pg_database where datname = ");
        sql_value(&q, name);
        sql_add(&q, ")");
        if (!pg_query_value(pg, &q, &value, err))
                return false;
        *ret = str_eq(value, "t");
        return true;
}

/* The writes of one database; *ret is -1 when it went away meanwhile. One that is dropped WITH
 * (FORCE) while we connect ends the connection without an SQLSTATE: it is asked once more. */
static bool writes_of(Pg *pg, const char *name, int64_t *ret, Err *err)
{
        bool here = str_eq(name, pg_database(pg));
        for (int look = 0;; look++) {
                AUTO_PG Pg *other = NULL;
                AUTO_ERR why = { 0 };
                bool still = true;
                if ((here || pg_reopen(pg, name, &other, &why)) &&
                    writes_here(here ? pg : other, ret, &why))
                        return true;
                *ret = -1;
                if (!here && why.kind == ERR_LINK && !exists(pg, name, &still, err))
                        return false;
                if (gone(&why) || !still)
                        return true;
                if (here || why.kind != ERR_LINK || look == 2) {
                        err_move(err, &why);
                        return err_wrap(err, "counting writes in database %s", name);
                }
        }
}

static bool writes_of_all(Pg *pg, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_JSON writes = json_object();
        if (!pg_ask(pg, "select datname from pg_database where datallowconn and not datistemplate "
                    "order by datname", &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                const char *name = pg_cell(r, i, 0);
                int64_t n = -1;
                if (!writes_of(pg, name, &n, err))
                        return false;
                if (n >= 0)
                        jx_set_int(writes, name, n);
        }
        *ret = writes;
        writes = NULL;
        return true;
}

/* A backend reports what it wrote when it leaves, up to 14 through a file half a second later:
 * asked until two answers in a row agree. */
static bool settled_writes(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON before = NULL;
        for (int i = 0; i < 6; i++) {
                AUTO_JSON now = NULL;
                if (!writes_of_all(pg, &now, err))
                        return false;
                bool same = before && json_equal(before, now);
                json_decref(before);
                before = json_incref(now);
                if (same)
                        break;
                nanosleep(&(struct timespec){ .tv_nsec = 600 * 1000 * 1000 }, NULL);
        }
        *ret = before;
        before = NULL;
        return true;
}

static bool server_state(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('system', case when has_function_privilege("
                "'pg_control_system()', 'execute') then (select system_identifier::text from "
                "pg_control_system()) end, 'lsn', case when pg_is_in_recovery() then null else "
                "pg_current_wal_insert_lsn()::text end, 'started_at', "
                "pg_postmaster_start_time()::text, 'prepared', (select count(*) from "
                "pg_prepared_xacts), 'subscriptions', coalesce((select json_agg(subname) from "
                "pg_stat_subscription where pid is not null), '[]'))");
        return pg_json_value(pg, &q, ret, err);
}

bool pg_fence_look(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON state = NULL;
        json_t *part = NULL;
        if (!server_state(pg, &state, err) || !pg_fence_others(pg, &part, err))
                return err_wrap(err, "looking over the fence");
        jx_set(state, "others", part);
        if (!settled_writes(pg, &part, err))
                return err_wrap(err, "looking over the fence");
        jx_set(state, "writes", part);
        *ret = state;
        state = NULL;
        return true;
}

static void note_change(json_t *changed, Buf *message, const char *database, int64_t n)
{
        json_t *c = json_object();
        jx_set_str(c, "database", database);
        jx_set_int(c, "rows", n);
        json_array_append_new(changed, c);
        if (n >= 0)
                buf_printf(message, "%s%" PRId64 " rows were written in database %s",
                           message->len ? "; " : "", n, database);
        else
                buf_printf(message, "%sthe counters of database %s were reset, so nothing is "
                           "proved", message->len ? "; " : "", database);
}

/* What was seen first came back through the journal, which cleans names: so must these be. */
static json_t *clean_names(const json_t *writes)
{
        const char *name;
        json_t *n;
        json_t *clean = json_object();
        json_object_foreach((json_t *)writes, name, n) {
                AUTO_FREE char *text = text_clean_str(name);
                jx_set(clean, text, json_incref(n));
        }
        return clean;
}

/* Databases that came or went since then are no proof of anything: named as a change. */
static void compare_writes(const json_t *before, const json_t *now, json_t *changed, Buf *message)
{
        const char *name;
        json_t *n;
        AUTO_JSON clean = clean_names(now);
        json_object_foreach((json_t *)before, name, n) {
                AUTO_FREE char *text = text_clean_str(name);
                const json_t *is = jx_get(clean, text);
                if (!is) {
                        buf_printf(message, "%sdatabase %s is gone", message->len ? "; " : "",
                                   text);
                        jx_append_str(changed, text);
                } else if (json_integer_value(is) != json_integer_value(n)) {
                        note_change(changed, message, text,
                                    json_integer_value(is) - json_integer_value(n));
                }
        }
}

/* A health check by psql is there for a moment: who is asked about must be there twice. */
static bool look_past_passers_by(Pg *pg, json_t **ret, Err *err)
{
        for (int i = 0; i < 5; i++) {
                AUTO_JSON others = NULL;
                if (!pg_fence_others(pg, &others, err))
                        return false;
                if (!json_array_size(others))
                        break;
                nanosleep(&(struct timespec){ .tv_nsec = 500 * 1000 * 1000 }, NULL);
        }
        return pg_fence_look(pg, ret, err);
}

bool pg_fence_close(Pg *pg, const json_t *opened, json_t **ret_verdict, Err *err)
{
        AUTO_JSON now = NULL;
        AUTO_JSON verdict = json_object();
        AUTO_BUF message = buf_init(4096);
        json_t *changed = json_array();
        jx_set(verdict, "changed", changed);
        if (!look_past_passers_by(pg, &now, err))
                return false;
        const char *was = jx_str(opened, "system", ""), *is = jx_str(now, "system", "");
        if (*was && !str_eq(was, is)) {
                err_set(err, ERR_USER, "this is not the server the fence was put around");
                return err_hint(err, "the fenced server was replaced or stopped before the fence "
                                     "was closed; compare the data instead");
        }
        compare_writes(jx_get(opened, "writes"), jx_get(now, "writes"), changed, &message);
        size_t others = json_array_size(jx_get(now, "others"));
        if (others)
                buf_printf(&message, "%s%zu other clients are connected", message.len ? "; " : "",
                           others);
        jx_set(verdict, "others", json_incref(jx_get(now, "others")));
        jx_set_str(verdict, "lsn_before", jx_str(opened, "lsn", NULL));
        jx_set_str(verdict, "lsn_after", jx_str(now, "lsn", NULL));
        jx_set_bool(verdict, "clean", json_array_size(changed) == 0 && others == 0);
        jx_set_str(verdict, "message", message.len ? buf_str(&message) : "nobody else wrote");
        *ret_verdict = verdict;
        verdict = NULL;
        return true;
}
