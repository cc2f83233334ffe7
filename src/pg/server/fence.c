#include "pg/fence.h"

#include <inttypes.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "pg/facts.h"
#include "pg/writes.h"

#define SHOWN 3 /* tables by name in the verdict's sentence */

/* By the names as the journal has them, which cleans what it writes: the list comes back from
 * there. */
static bool watched(const json_t *databases, const char *name)
{
        size_t i;
        json_t *d;
        AUTO_FREE char *clean = text_clean_str(name ? name : "");
        json_array_foreach(databases, i, d) {
                AUTO_FREE char *one =
                        text_clean_str(json_string_value(d) ? json_string_value(d) : "");
                if (str_eq(one, clean))
                        return true;
        }
        return json_array_size(databases) == 0;
}

/* Of a list of {"database", ..} those in watched databases. */
static void drop_unwatched(const json_t *databases, json_t *list)
{
        for (size_t i = json_array_size(list); i > 0; i--)
                if (!watched(databases, jx_str(json_array_get(list, i - 1), "database", NULL)))
                        json_array_remove(list, i - 1);
}

bool pg_fence_others(Pg *pg, const json_t *databases, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('pid', pid, 'user', usename, 'database', datname, "
                    "'application', application_name, 'address', coalesce(client_addr::text, "
                    "'local'), 'port', client_port, 'state', state, 'since', backend_start::text, "
                    "'command', "
                    "upper(substring(query from '[A-Za-z]+'))) from pg_stat_activity where "
                    "backend_type = 'client backend' and pid <> pg_backend_pid() and "
                    "application_name !~ '^pgsherpa(/|$)' and usename is not null order by "
                    "backend_start"); /* no user yet: somebody at the door (pg_isready) */
        if (!pg_json_rows(pg, &q, ret, err))
                return err_wrap(err, "looking who is connected");
        drop_unwatched(databases, *ret);
        return true;
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

/* A database that is being dropped, or lets nobody in, is not one that is written to. */
static bool gone(const Err *err)
{
        return str_eq(err->sqlstate, "3D000") || str_eq(err->sqlstate, "55000") ||
               str_eq(err->sqlstate, "57P01"); /* DROP .. WITH (FORCE) threw us out */
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

/* What the tables of one database counted; *ret is null when this role may not look into it, NULL
 * when it went away meanwhile. One that is dropped WITH (FORCE) while we connect ends the
 * connection without an SQLSTATE: it is asked once more. */
static bool writes_of(Pg *pg, const char *name, json_t **ret, Err *err)
{
        bool here = str_eq(name, pg_database(pg));
        for (int look = 0;; look++) {
                AUTO_PG Pg *other = NULL;
                AUTO_ERR why = { 0 };
                bool still = true;
                if ((here || pg_reopen_beside(pg, name, &other, &why)) &&
                    pg_writes_tables(here ? pg : other, ret, &why))
                        return true;
                *ret = str_eq(why.sqlstate, "42501") ? json_null() : NULL;
                if (!here && why.kind == ERR_LINK && !exists(pg, name, &still, err))
                        return false;
                if (*ret || gone(&why) || !still)
                        return true;
                if (here || why.kind != ERR_LINK || look == 2) {
                        err_move(err, &why);
                        return err_wrap(err, "counting writes in database %s", name);
                }
        }
}

/* By cleaned names, as in watched(). A template somebody made is a database like others. */
static bool writes_of_all(Pg *pg, const json_t *databases, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_JSON writes = json_object();
        if (!pg_ask(pg,
                    "select datname from pg_database where datallowconn and datname not in "
                    "('template0', 'template1') order by datname",
                    &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                if (!watched(databases, pg_cell(r, i, 0)))
                        continue;
                AUTO_FREE char *name = text_clean_str(pg_cell(r, i, 0));
                json_t *tables = NULL;
                if (!writes_of(pg, pg_cell(r, i, 0), &tables, err))
                        return false;
                if (tables)
                        jx_set(writes, name, tables);
        }
        *ret = writes;
        writes = NULL;
        return true;
}

/* A backend reports what it wrote when it leaves, up to 14 through a file half a second later:
 * asked until two answers in a row agree. */
static bool settled_writes(Pg *pg, const json_t *databases, json_t **ret, Err *err)
{
        AUTO_JSON before = NULL;
        for (int i = 0; i < 6; i++) {
                AUTO_JSON now = NULL;
                if (!writes_of_all(pg, databases, &now, err))
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
        sql_add(&q, "select json_build_object('system', case when "
                    "has_function_privilege('pg_control_system()', 'execute') then (select "
                    "system_identifier::text from pg_control_system()) end, 'lsn', case when "
                    "pg_is_in_recovery() then null else pg_current_wal_insert_lsn()::text end, "
                    "'started_at', pg_postmaster_start_time()::text, 'reset', (select "
                    "stats_reset::text from pg_stat_bgwriter), 'prepared', coalesce((select "
                    "json_agg(json_build_object('database', database)) from pg_prepared_xacts), "
                    "'[]'), 'subscriptions', coalesce((select json_agg(json_build_object('name', "
                    "s.subname, 'database', d.datname)) from pg_stat_subscription s join "
                    "pg_subscription u on u.oid = s.subid join pg_database d on d.oid = u.subdbid "
                    "where s.pid is not null), '[]'))");
        return pg_json_value(pg, &q, ret, err);
}

/* Things that write without being a client we could wait for: how many prepared transactions, which
 * subscriptions by name. */
static void hidden_writers(const json_t *databases, json_t *state)
{
        json_t *names = json_array(), *s;
        size_t i;
        drop_unwatched(databases, jx_get(state, "prepared"));
        drop_unwatched(databases, jx_get(state, "subscriptions"));
        json_array_foreach(jx_get(state, "subscriptions"), i, s)
                jx_append_str(names, jx_str(s, "name", ""));
        jx_set_int(state, "prepared", (int64_t)json_array_size(jx_get(state, "prepared")));
        jx_set(state, "subscriptions", names);
}

bool pg_fence_look(Pg *pg, const json_t *databases, json_t **ret, Err *err)
{
        AUTO_JSON state = NULL;
        json_t *part = NULL;
        if (!server_state(pg, &state, err) || !pg_fence_others(pg, databases, &part, err))
                return err_wrap(err, "looking over the fence");
        hidden_writers(databases, state);
        jx_set(state, "others", part);
        jx_set(state, "databases", databases ? json_deep_copy(databases) : json_array());
        if (!settled_writes(pg, databases, &part, err))
                return err_wrap(err, "looking over the fence");
        jx_set(state, "writes", part);
        *ret = state;
        state = NULL;
        return true;
}

typedef struct Verdict {
        json_t *changed; /* [{"database", "what", "rows", "tables"}] */
        json_t *unread;  /* names */
        Buf message;
} Verdict;

static void change(Verdict *v, const char *database, const char *what, json_t *tables)
{
        json_t *c = json_object(), *t;
        size_t i;
        int64_t rows = 0;
        json_array_foreach(tables, i, t)
                rows += jx_int(t, "inserted", 0) + jx_int(t, "updated", 0) +
                        jx_int(t, "deleted", 0);
        jx_set_str(c, "database", database);
        jx_set_str(c, "what", what);
        jx_set_int(c, "rows", rows);
        jx_set(c, "tables", tables ? tables : json_array());
        json_array_append_new(v->changed, c);
}

static void sentence(Verdict *v, const char *fmt, ...) PRINTF(2, 3);

static void sentence(Verdict *v, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *text = xvasprintf(fmt, ap);
        va_end(ap);
        buf_printf(&v->message, "%s%s", v->message.len ? "; " : "", text);
}

/* Rows, and by name the tables whose file is another one: TRUNCATE counts no row. */
static void compare_tables(Verdict *v, const char *database, const json_t *was, const json_t *is)
{
        bool lost = false;
        size_t i, named = 0;
        json_t *t;
        json_t *tables = pg_writes_between(was, is, &lost);
        if (lost) {
                change(v, database, "reset", tables);
                sentence(v, "the counters of database %s were reset, so nothing is proved",
                         database);
                return;
        }
        if (json_array_size(tables) == 0) {
                json_decref(tables);
                return;
        }
        change(v, database, "written", tables);
        int64_t rows =
                jx_int(json_array_get(v->changed, json_array_size(v->changed) - 1), "rows", 0);
        if (rows)
                sentence(v, "%" PRId64 " row%s written in database %s", rows,
                         rows == 1 ? " was" : "s were", database);
        json_array_foreach(tables, i, t) {
                const char *what = jx_str(t, "what", "");
                if (*what && named++ < SHOWN)
                        sentence(v, "table %.60s of database %s %s", jx_str(t, "table", "?"),
                                 database, what);
        }
        if (named > SHOWN)
                sentence(v, "and %zu more tables there", named - SHOWN);
}

/* One that came or went is a change: somebody else did that. */
static void compare_writes(Verdict *v, const json_t *before, const json_t *now)
{
        const char *name;
        json_t *was, *is;
        json_object_foreach((json_t *)(uintptr_t)before, name, was) {
                if ((is = jx_get(now, name)))
                        continue;
                change(v, name, "is gone", NULL);
                sentence(v, "database %s is gone", name);
        }
        json_object_foreach((json_t *)(uintptr_t)now, name, is) {
                was = jx_get(before, name);
                if (!was) {
                        change(v, name, "is new", NULL);
                        sentence(v, "database %s is new", name);
                } else if (json_is_object(was) && json_is_object(is)) {
                        compare_tables(v, name, was, is);
                } else {
                        jx_append_str(v->unread, name);
                }
        }
}

/* A health check by psql is there for a moment: who is asked about must be there twice. */
static bool look_past_passers_by(Pg *pg, const json_t *databases, json_t **ret, Err *err)
{
        for (int i = 0; i < 5; i++) {
                AUTO_JSON others = NULL;
                if (!pg_fence_others(pg, databases, &others, err))
                        return false;
                if (!json_array_size(others))
                        break;
                nanosleep(&(struct timespec){ .tv_nsec = 500 * 1000 * 1000 }, NULL);
        }
        return pg_fence_look(pg, databases, ret, err);
}

static char *message_of(Verdict *v)
{
        AUTO_FREE char *unread = jx_words(v->unread);
        const char *text = v->message.len ? buf_str(&v->message) : "nobody else wrote";
        if (!json_array_size(v->unread))
                return xstrdup(text);
        return xasprintf("%s; this role may not look into the database%s %s", text,
                         json_array_size(v->unread) == 1 ? "" : "s", unread);
}

bool pg_fence_close(Pg *pg, const json_t *opened, json_t **ret_verdict, Err *err)
{
        AUTO_JSON now = NULL;
        AUTO_JSON verdict = json_object();
        if (!look_past_passers_by(pg, jx_get(opened, "databases"), &now, err))
                return false;
        const char *was = jx_str(opened, "system", ""), *is = jx_str(now, "system", "");
        if (*was && !str_eq(was, is)) {
                err_set(err, ERR_USER, "this is not the server the fence was put around");
                return err_hint(err, "the fenced server was replaced or stopped before the fence "
                                     "was closed; compare the data instead");
        }
        Verdict v = { .changed = json_array(), .unread = json_array(), .message = buf_init(4096) };
        jx_set(verdict, "changed", v.changed);
        jx_set(verdict, "unread", v.unread);
        compare_writes(&v, jx_get(opened, "writes"), jx_get(now, "writes"));
        bool crashed = !str_eq(jx_str(opened, "reset", ""), jx_str(now, "reset", ""));
        if (crashed)
                sentence(&v,
                         "the server lost its counters meanwhile (a crash?), so nothing is proved");
        size_t others = json_array_size(jx_get(now, "others"));
        if (others)
                sentence(&v, "%zu other client%s connected", others, others == 1 ? " is" : "s are");
        AUTO_FREE char *message = message_of(&v);
        buf_done(&v.message);
        jx_set(verdict, "others", json_incref(jx_get(now, "others")));
        jx_set_str(verdict, "lsn_before", jx_str(opened, "lsn", NULL));
        jx_set_str(verdict, "lsn_after", jx_str(now, "lsn", NULL));
        jx_set_bool(verdict, "clean", json_array_size(v.changed) == 0 && others == 0 && !crashed);
        jx_set_str(verdict, "message", message);
        *ret_verdict = verdict;
        verdict = NULL;
        return true;
}
