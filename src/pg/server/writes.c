#include "pg/writes.h"

#include <time.h>

#include "base/text.h"
#include "pg/facts.h"
#include "pg/server/reported.h"

enum { OID, FILE_NODE, INS, UPD, DEL, N_FIELDS };

bool pg_writes_tables(Pg *pg, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(pg,
                    "select case when s.relid = 'pg_catalog.pg_largeobject'::regclass then "
                    "'large objects' else s.schemaname || '.' || s.relname end, s.relid, "
                    "pg_relation_filenode(s.relid), s.n_tup_ins, s.n_tup_upd, s.n_tup_del from "
                    "pg_stat_all_tables s where s.schemaname !~ '^pg_' and s.schemaname <> "
                    "'information_schema' or s.relid = "
                    "'pg_catalog.pg_largeobject'::regclass",
                    &r, err))
                return false;
        json_t *tables = json_object();
        for (int i = 0; i < pg_rows(r); i++) {
                json_t *one = json_array();
                for (int k = 0; k < N_FIELDS; k++)
                        json_array_append_new(one, json_integer(pg_cell_int(r, i, k + 1)));
                AUTO_FREE char *name = text_clean_str(pg_cell(r, i, 0)); /* as the journal has it */
                jx_set(tables, name, one);
        }
        *ret = tables;
        return true;
}

/* A backend that leaves reports what it wrote a moment later, up to 14 through a file: asked until
 * two answers in a row agree. One that stays: reported.h. */
bool pg_writes_settled(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON before = NULL;
        for (int i = 0; i < 5; i++) {
                json_t *now = NULL;
                if (!pg_writes_tables(pg, &now, err))
                        return false;
                bool same = before && json_equal(before, now);
                json_decref(before);
                before = now;
                if (same)
                        break;
                nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 100 * 1000 * 1000 }, NULL);
        }
        *ret = json_incref(before);
        return true;
}

/* "snapshot" moves with every transaction that wrote, in whichever database. */
static bool server(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('system', (select system_identifier::text from "
                    "pg_control_system()), 'database', current_database(), 'at', "
                    "clock_timestamp()::text, 'snapshot', txid_current_snapshot()::text)");
        return pg_json_value(pg, &q, ret, err);
}

/* Another text after pg_stat_reset() (the database's own time) and after a crash (the background
 * writer's: from 15 on the database then has none). Up to 14 a database has one only once somebody
 * reported there: asked after the counters. */
static bool set_reset(Pg *pg, json_t *look, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *reset = NULL;
        sql_add(&q, "select concat_ws(' ', (select coalesce(stats_reset::text, '-') from "
                    "pg_stat_database where datname = current_database()), (select stats_reset "
                    "from pg_stat_bgwriter))");
        if (!pg_query_value(pg, &q, &reset, err))
                return false;
        jx_set_str(look, "reset", reset);
        return true;
}

bool pg_writes_look(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON look = NULL;
        json_t *tables = NULL;
        if (!server(pg, &look, err) || !pg_writes_settled(pg, &tables, err))
                return err_wrap(err, "reading the write counters");
        jx_set(look, "tables", tables);
        if (!set_reset(pg, look, err))
                return err_wrap(err, "reading the write counters");
        *ret = json_incref(look);
        return true;
}

static int64_t field(const json_t *counted, int k)
{
        return json_integer_value(json_array_get(counted, (size_t)k));
}

/* What changed in one table; NULL when nothing did. *lost: its counters went back. */
static json_t *change_of(const char *table, const json_t *was, const json_t *is, bool *lost)
{
        static const char *const names[] = {
                [INS] = "inserted", [UPD] = "updated", [DEL] = "deleted"
        };
        bool same = was && is && field(was, OID) == field(is, OID), any = false;
        json_t *c = json_object();
        jx_set_str(c, "table", table);
        for (int k = INS; k <= DEL; k++) {
                int64_t n = field(is, k) - (same ? field(was, k) : 0);
                *lost = *lost || n < 0;
                any = any || n != 0;
                jx_set_int(c, names[k], MAX(n, 0));
        }
        const char *what = !is     ? "is gone"
                           : !same ? "is new"
                           : field(was, FILE_NODE) != field(is, FILE_NODE)
                                   ? "was truncated or rewritten"
                                   : "";
        jx_set_str(c, "what", what);
        if (any || *what)
                return c;
        json_decref(c);
        return NULL;
}

static int64_t weight(const json_t *c)
{
        return jx_int(c, "inserted", 0) + jx_int(c, "updated", 0) + jx_int(c, "deleted", 0);
}

static void add_sorted(json_t *list, json_t *c)
{
        size_t at = 0;
        while (at < json_array_size(list) && weight(json_array_get(list, at)) >= weight(c))
                at++;
        json_array_insert_new(list, at, c);
}

json_t *pg_writes_between(const json_t *was, const json_t *is, bool *ret_lost)
{
        json_t *list = json_array(), *one;
        const char *name;
        json_object_foreach((json_t *)(uintptr_t)is, name, one) {
                json_t *c = change_of(name, jx_get(was, name), one, ret_lost);
                if (c)
                        add_sorted(list, c);
        }
        json_object_foreach((json_t *)(uintptr_t)was, name, one) {
                if (!jx_get(is, name))
                        add_sorted(list, change_of(name, one, NULL, &(bool){ false }));
        }
        return list;
}

static void set_sums(json_t *since, const json_t *list)
{
        static const char *const sums[] = { "inserted", "updated", "deleted" };
        for (size_t k = 0; k < LEN(sums); k++) {
                size_t i;
                json_t *one;
                int64_t n = 0;
                json_array_foreach(list, i, one)
                        n += jx_int(one, sums[k], 0);
                jx_set_int(since, sums[k], n);
        }
}

/* No transaction wrote anything since then: a proof that needs no statistics. */
static bool stood_still(const json_t *then, const json_t *now)
{
        return str_eq(jx_str(then, "snapshot", "then"), jx_str(now, "snapshot", "now"));
}

bool pg_writes_since(Pg *pg, const json_t *then, json_t **ret, Err *err)
{
        AUTO_JSON now = NULL;
        AUTO_JSON tables = NULL;
        AUTO_JSON since = json_object();
        AUTO_FREE char *why = NULL;
        bool lost = false;
        int clients = 0;
        if (!server(pg, &now, err))
                return err_wrap(err, "reading the write counters");
        if (!str_eq(jx_str(then, "system", ""), jx_str(now, "system", "")))
                return err_set(err, ERR_USER,
                               "another server answers than the one whose writes were counted");
        bool still = stood_still(then, now);
        if (!still && (!pg_reported(pg, jx_str(then, "at", "-infinity"), &why, err) ||
                       !pg_writes_settled(pg, &tables, err) || !set_reset(pg, now, err)))
                return err_wrap(err, "reading the write counters");
        if (!pg_clients_here(pg, &clients, err))
                return false;
        json_t *list =
                still ? json_array() : pg_writes_between(jx_get(then, "tables"), tables, &lost);
        lost = !still && (lost || !str_eq(jx_str(then, "reset", ""), jx_str(now, "reset", "")));
        jx_set(since, "tables", list);
        set_sums(since, list);
        jx_set_int(since, "clients", clients);
        jx_set_bool(since, "sure", !lost && !why);
        if (lost || why)
                jx_set_str(since, "why", lost ? "the server's counters were reset meanwhile" : why);
        *ret = json_incref(since);
        return true;
}

/* ---- several databases ---- */

bool pg_writes_look_all(Pg *pg, const json_t *databases, json_t **ret, Err *err)
{
        AUTO_JSON looks = json_array();
        size_t i;
        json_t *v;
        json_array_foreach(databases, i, v) {
                AUTO_PG Pg *in = NULL;
                json_t *look = NULL;
                if (!pg_reopen_beside(pg, json_string_value(v), &in, err) ||
                    !pg_writes_look(in, &look, err))
                        return err_wrap(err, "database %s", json_string_value(v));
                json_array_append_new(looks, look);
        }
        *ret = json_object();
        jx_set(*ret, "databases", json_incref(looks));
        return true;
}

static void set_unsure(json_t *all, const char *why)
{
        jx_set_bool(all, "sure", false);
        if (!jx_get(all, "why"))
                jx_set_str(all, "why", why);
}

static void add_since(json_t *all, const char *database, const json_t *since)
{
        size_t i;
        json_t *t;
        json_array_foreach(jx_get(since, "tables"), i, t) {
                AUTO_FREE char *name = xasprintf("%s: %s", database, jx_str(t, "table", "?"));
                json_t *mine = json_deep_copy(t);
                jx_set_str(mine, "table", name);
                add_sorted(jx_get(all, "tables"), mine);
        }
        jx_set_int(all, "clients", jx_int(all, "clients", 0) + jx_int(since, "clients", 0));
        if (!jx_bool(since, "sure", false))
                set_unsure(all, jx_str(since, "why", ""));
}

bool pg_writes_since_all(Pg *pg, const json_t *then, json_t **ret, Err *err)
{
        AUTO_JSON all = json_object();
        size_t i;
        json_t *look;
        jx_set(all, "tables", json_array());
        jx_set_bool(all, "sure", true);
        json_array_foreach(jx_get(then, "databases"), i, look) {
                const char *name = jx_str(look, "database", "");
                AUTO_PG Pg *in = NULL;
                AUTO_JSON since = NULL;
                AUTO_ERR why = { 0 };
                if (!pg_reopen_beside(pg, name, &in, &why) ||
                    !pg_writes_since(in, look, &since, &why)) {
                        if (!str_eq(why.sqlstate, "3D000")) {
                                err_move(err, &why);
                                return err_wrap(err, "database %s", name);
                        }
                        AUTO_FREE char *words = xasprintf("database %s is gone", name);
                        set_unsure(all, words);
                        continue;
                }
                add_since(all, name, since);
        }
        set_sums(all, jx_get(all, "tables"));
        *ret = json_incref(all);
        return true;
}
