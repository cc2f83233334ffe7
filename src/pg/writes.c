#include "pg/writes.h"

#include <time.h>

#include "base/text.h"
#include "pg/facts.h"

enum { OID, FILE_NODE, INS, UPD, DEL, N_FIELDS };

static bool counters(Pg *pg, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(pg, "select case when s.relid = 'pg_catalog.pg_largeobject'::regclass then 'large objects' "
                    "else s.schemaname || '.' || s.relname end, s.relid, pg_relation_filenode(s.relid), "
                    "s.n_tup_ins, s.n_tup_upd, s.n_tup_del from pg_stat_all_tables s where "
                    "s.schemaname !~ '^pg_' and s.schemaname <> 'information_schema' or "
                    "s.relid = 'pg_catalog.pg_largeobject'::regclass", &r, err))
                return false;
        json_t *tables = json_object();
        for (int i = 0; i < pg_rows(r); i++) {
                json_t *one = json_array();
                for (int k = 0; k < N_FIELDS; k++)
                        json_array_append_new(one, json_integer(pg_cell_int(r, i, k + 1)));
                AUTO_FREE char *name = text_clean_str(pg_cell(r, i, 0));        /* as the journal has it */
                jx_set(tables, name, one);
        }
        *ret = tables;
        return true;
}

/* A backend reports what it wrote up to a second later, up to 14 through a file: asked until two
 * answers in a row agree. */
static bool settled(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON before = NULL;
        for (int i = 0; i < 5; i++) {
                json_t *now = NULL;
                if (!counters(pg, &now, err))
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

static bool server(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('system', (select system_identifier::text from "
                    "pg_control_system()), 'database', current_database(), 'reset', (select stats_reset::text "
                    "from pg_stat_database where datname = current_database()))");
        return pg_json_value(pg, &q, ret, err);
}

bool pg_writes_look(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON look = NULL;
        json_t *tables = NULL;
        if (!server(pg, &look, err) || !settled(pg, &tables, err))
                return err_wrap(err, "reading the write counters");
        jx_set(look, "tables", tables);
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
        static const char *const names[] = { [INS] = "inserted", [UPD] = "updated", [DEL] = "deleted" };
        bool same = was && is && field(was, OID) == field(is, OID), any = false;
        json_t *c = json_object();
        jx_set_str(c, "table", table);
        for (int k = INS; k <= DEL; k++) {
                int64_t n = field(is, k) - (same ? field(was, k) : 0);
                *lost = *lost || n < 0;
                any = any || n != 0;
                jx_set_int(c, names[k], MAX(n, 0));
        }
        const char *what = !is ? "is gone" : !same ? "is new"
                           : field(was, FILE_NODE) != field(is, FILE_NODE) ? "was truncated or rewritten" : "";
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

bool pg_writes_since(Pg *pg, const json_t *then, json_t **ret, Err *err)
{
        AUTO_JSON now = NULL;
        AUTO_JSON since = json_object();
        if (!pg_writes_look(pg, &now, err))
                return false;
        if (!str_eq(jx_str(then, "system", ""), jx_str(now, "system", "")))
                return err_set(err, ERR_USER, "another server answers than the one whose writes were counted");
        const json_t *was = jx_get(then, "tables"), *is = jx_get(now, "tables");
        bool lost = !str_eq(jx_str(then, "reset", ""), jx_str(now, "reset", ""));
        json_t *list = json_array(), *one;
        jx_set(since, "tables", list);
        const char *name;
        json_object_foreach((json_t *)(uintptr_t)is, name, one) {
                json_t *c = change_of(name, jx_get(was, name), one, &lost);
                if (c)
                        add_sorted(list, c);
        }
        json_object_foreach((json_t *)(uintptr_t)was, name, one) {
                if (!jx_get(is, name))
                        add_sorted(list, change_of(name, one, NULL, &(bool){ false }));
        }
        static const char *const sums[] = { "inserted", "updated", "deleted" };
        for (size_t k = 0; k < LEN(sums); k++) {
                size_t i;
                int64_t n = 0;
                json_array_foreach(list, i, one)
                        n += jx_int(one, sums[k], 0);
                jx_set_int(since, sums[k], n);
        }
        jx_set_bool(since, "sure", !lost);
        if (lost)
                jx_set_str(since, "why", "the server's counters were reset meanwhile");
        *ret = json_incref(since);
        return true;
}
