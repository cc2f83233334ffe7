/* extension_tables.c: rows of extensions' own tables, and in which order they go in.
 *
 * An extension says with pg_extension_config_dump() which of its tables hold what is its user's
 * (pg_extension.extconfig). Those tables, and the foreign keys among them, are there as soon as the
 * extension is made; rows of them that go in in any order may break such a key. And others depend
 * on them without a word in any catalog: a geography of a projection of one's own is only read when
 * its row of spatial_ref_sys is there. So they all go first, in one transaction, each table after
 * those it refers to; keys that can be deferred are. (pg_dump sorts its entries like this for one
 * process; pg_restore -j does not.) */
#include "transfer/make/extension_tables.h"

#include "base/buf.h"
#include "pg/extension.h"
#include "pg/facts.h"
#include "transfer/choose/content.h"

/* Deep enough for every chain of keys; only a ring gets there. */
#define RING 100

static void order_sql(Sql *q)
{
        sql_add(q, "with recursive ours(oid) as (select c.oid from pg_extension e, "
                   "unnest(e.extconfig) u(oid) join pg_class c on c.oid = u.oid where c.relkind in "
                   "('r', 'p')), keys as (select distinct k.conrelid, k.confrelid from "
                   "pg_constraint k join ours a on a.oid = k.conrelid join ours b on b.oid = "
                   "k.confrelid where k.contype = 'f' and not k.condeferrable and k.conrelid <> "
                   "k.confrelid), depth(oid, n) as (select oid, 0 from ours union select "
                   "k.conrelid, d.n + 1 from depth d join keys k on k.confrelid = d.oid where d.n "
                   "< ");
        sql_int(q, RING);
        sql_add(q, ") select n.nspname, c.relname, max(d.n), exists (select from pg_trigger g "
                   "where g.tgrelid = c.oid and not g.tgisinternal and g.tgtype & 7 = 7) from "
                   "depth d join pg_class c on c.oid = d.oid join pg_namespace n on n.oid = "
                   "c.relnamespace group by 1, 2, c.oid order by 3, 1, 2");
        /* 7: for each row, before, insert (catalog/pg_trigger.h) */
}

static Table *extension_table_find(const Content *c, const char *schema, const char *name)
{
        for (size_t i = 0; i < c->n_tables; i++)
                if (str_eq(c->tables[i].name, name) && str_eq(c->tables[i].schema, schema))
                        return &c->tables[i];
        return NULL;
}

bool extension_tables_order(Pg *to, const Content *c, Arena *a, Table ***ret, size_t *ret_n,
                            Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        order_sql(&q);
        *ret_n = 0;
        if (!pg_query(to, &q, &r, err))
                return err_wrap(err, "listing the tables that extensions have");
        *ret = arena_new_array(a, Table *, (size_t)pg_rows(r) + 1);
        for (int i = 0; i < pg_rows(r); i++) {
                Table *t = extension_table_find(c, pg_cell(r, i, 0), pg_cell(r, i, 1));
                if (!t || t->ours_alone || t->root_name)
                        continue;
                t->merges = pg_cell_bool(r, i, 3);
                (*ret)[(*ret_n)++] = t;
        }
        return true;
}

bool extension_tables_merged(Pg *to, const char *table, int64_t sent, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_SQL count = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        AUTO_FREE char *there = NULL;
        *ret = false;
        sql_add(&q, "select n.nspname, c.relname, u.cond from pg_catalog.pg_extension e, "
                    "unnest(e.extconfig, e.extcondition) u(oid, cond) join pg_catalog.pg_class c "
                    "on c.oid = u.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
                    "where n.nspname || '.' || c.relname = ");
        sql_value(&q, table);
        sql_add(&q, " and exists (select from pg_catalog.pg_trigger g where g.tgrelid = c.oid and "
                    "not g.tgisinternal and g.tgtype & 7 = 7)");
        if (!pg_query(to, &q, &r, err))
                return false;
        if (pg_rows(r) == 0)
                return true;
        sql_add(&count, "select count(*) from only ");
        sql_qname(&count, pg_cell(r, 0, 0), pg_cell(r, 0, 1));
        sql_add(&count, " ");
        /* pg_extension.extcondition */
        sql_rendered(&count, pg_cell(r, 0, 2) ? pg_cell(r, 0, 2) : "");
        if (!pg_query_value(to, &count, &there, err))
                return false;
        *ret = atoll(there) >= sent;
        return true;
}

static bool rings(Pg *in, Buf *names, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        order_sql(&q);
        if (!pg_query(in, &q, &r, err))
                return err_wrap(err, "listing the tables that extensions have");
        for (int i = 0; i < pg_rows(r); i++)
                if (pg_cell_int(r, i, 2) >= RING)
                        buf_printf(names, "%s%s.%s", names->len ? ", " : "", pg_cell(r, i, 0),
                                   pg_cell(r, i, 1));
        return true;
}

bool extension_tables_risks(Pg *in, const json_t *extensions, json_t **ret, Err *err)
{
        AUTO_BUF names = buf_init(4096);
        AUTO_JSON list = json_array();
        size_t i;
        json_t *e;
        if (!rings(in, &names, err))
                return false;
        if (names.len) {
                AUTO_FREE char *line = xasprintf("it cannot be restored by pgsherpa: rows of "
                                                 "extensions' tables refer to each other in a "
                                                 "ring, and none of them can be "
                                                 "the first: %s",
                                                 buf_str(&names));
                jx_append_str(list, line);
        }
        json_array_foreach(extensions, i, e) {
                const PgExtension *x = pg_extension_find(jx_str(e, "name", ""));
                AUTO_FREE char *line = NULL;
                if (x && x->same_version)
                        line = xasprintf("extension %s: its rows only fit the version that wrote "
                                         "them: a server to restore into must "
                                         "have %s",
                                         x->name, jx_str(e, "version", "?"));
                else if (x && x->home)
                        line = xasprintf("extension %s: it can only be restored into the database "
                                         "that %s names on that server",
                                         x->name, x->home);
                if (line)
                        jx_append_str(list, line);
        }
        *ret = json_incref(list);
        return true;
}

/* ---- another version of the extension ---- */

#define CONFIGURED                                                                                 \
        "pg_extension e, unnest(e.extconfig, e.extcondition) u(oid, cond) join pg_class c on "     \
        "c.oid = u.oid "                                                                           \
        "join pg_namespace n on n.oid = c.relnamespace "

static bool known_there(Pg *to, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select coalesce(jsonb_object_agg(t.name, t.known), '{}') from (select "
                    "quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name, "
                    "jsonb_object_agg(a.attname, true) as known from " CONFIGURED
                    "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not "
                    "a.attisdropped group by 1) t");
        return pg_json_value(to, &q, ret, err);
}

static bool versions_there(Pg *to, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "select coalesce(jsonb_object_agg(extname, extversion), '{}') from pg_extension");
        return pg_json_value(to, &q, ret, err);
}

static bool has_rows(Pg *from, const char *schema, const char *table, const char *condition,
                     bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select 1 from ");
        sql_qname(&q, schema, table);
        sql_add(&q, " ");
        sql_rendered(&q, condition ? condition : ""); /* pg_extension.extcondition */
        sql_add(&q, " limit 1");
        if (!pg_query(from, &q, &r, err))
                return false;
        *ret = pg_rows(r) > 0;
        return true;
}

bool extension_tables_columns(Pg *from, Pg *to, json_t *found, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_JSON known = NULL;
        AUTO_JSON versions = NULL;
        if (!known_there(to, &known, err) || !versions_there(to, &versions, err) ||
            !pg_ask(from,
                    "select n.nspname, c.relname, quote_ident(n.nspname) || '.' || "
                    "quote_ident(c.relname), "
                    "u.cond, e.extname, e.extversion, a.attname from " CONFIGURED
                    "join pg_attribute a on "
                    "a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated "
                    "= '' where c.relkind = 'r' order by 3, a.attnum",
                    &r, err))
                return err_wrap(err, "looking at what extensions keep");
        for (int i = 0; i < pg_rows(r); i++) {
                const json_t *there = jx_get(known, pg_cell(r, i, 2));
                bool any = false;
                if (!there || jx_get(there, pg_cell(r, i, 6)))
                        continue;
                if (!has_rows(from, pg_cell(r, i, 0), pg_cell(r, i, 1), pg_cell(r, i, 3), &any,
                              err))
                        return err_wrap(err, "looking at what extensions keep");
                if (!any)
                        continue;
                json_t *j = json_object();
                AUTO_FREE char *object = xasprintf("extension %s", pg_cell(r, i, 4));
                AUTO_FREE char *what =
                        xasprintf("its rows in %s have a column %s, which its "
                                  "version "
                                  "there does "
                                  "not know "
                                  "(here %s, "
                                  "there %s)",
                                  pg_cell(r, i, 2), pg_cell(r, i, 6), pg_cell(r, i, 5),
                                  jx_str(versions, pg_cell(r, i, 4), "?"));
                jx_set_str(j, "object", object);
                jx_set_str(j, "what", what);
                jx_set_str(j, "verdict", "refused");
                json_array_append_new(found, j);
        }
        return true;
}
