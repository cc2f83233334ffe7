#include "pg/extension_rows.h"

#include "base/buf.h"
#include "pg/extension.h"
#include "pg/facts.h"

#define KEYS_NAMED 5

/* One table of which an extension keeps only a part. */
typedef struct Part {
        const char *schema, *name, *condition, *key; /* key: its primary key, quoted and joined */
        const char *extension, *version, *shown;
} Part;

static bool parts(Pg *pg, PgRes **ret, Err *err)
{
        return pg_ask(pg,
                      "select n.nspname, c.relname, u.cond, k.cols, e.extname, e.extversion, "
                      "n.nspname || '.' || c.relname from pg_extension e, unnest(e.extconfig, "
                      "e.extcondition) u(oid, cond) join pg_class c on c.oid = u.oid join "
                      "pg_namespace n on n.oid = c.relnamespace join lateral (select "
                      "string_agg('t.' || quote_ident(a.attname), ', ' order by o.n) as cols "
                      "from pg_index i, unnest(i.indkey::int2[]) with ordinality o(att, n) "
                      "join pg_attribute a on a.attnum = o.att where i.indrelid = c.oid and "
                      "i.indisprimary and a.attrelid = c.oid) k on k.cols is not null where "
                      "c.relkind = 'r' and btrim(u.cond) <> '' and has_schema_privilege(n.oid, "
                      "'usage') and has_table_privilege(c.oid, 'select') order "
                      "by 1, 2",
                      ret, err) ||
               err_wrap(err, "listing what extensions keep in part");
}

static Part part_of(const PgRes *r, int i)
{
        return (Part){ pg_cell(r, i, 0), pg_cell(r, i, 1), pg_cell(r, i, 2), pg_cell(r, i, 3),
                       pg_cell(r, i, 4), pg_cell(r, i, 5), pg_cell(r, i, 6) };
}

/* " from only s.t t where .. outside of the condition": a part's own rows. */
static void brought_sql(Sql *q, const Part *p)
{
        sql_add(q, " from only ");
        sql_qname(q, p->schema, p->name);
        sql_add(q, " t where not exists (select from (select ctid as at from only ");
        sql_qname(q, p->schema, p->name);
        sql_add(q, " ");
        sql_rendered(q, p->condition); /* pg_extension.extcondition */
        sql_add(q, ") x where x.at = t.ctid)");
}

/* {key: hash} */
static bool hashes(Pg *pg, const Part *p, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select coalesce(jsonb_object_agg(row(");
        sql_rendered(&q, p->key);
        sql_add(&q, ")::text, md5(row(t.*)::text)), '{}')");
        brought_sql(&q, p);
        return pg_json_value(pg, &q, ret, err);
}

/* Names of rows that are other ones, or only on one side. */
static json_t *differing(const json_t *a, const json_t *b)
{
        json_t *keys = json_array(), *v;
        const char *key;
        json_object_foreach((json_t *)a, key, v)
                if (!json_equal(v, json_object_get(b, key)))
                        jx_append_str(keys, key);
        json_object_foreach((json_t *)b, key, v)
                if (!json_object_get(a, key))
                        jx_append_str(keys, key);
        return keys;
}

static bool find_part(const PgRes *r, const Part *p, Part *ret)
{
        for (int i = 0; i < pg_rows(r); i++) {
                *ret = part_of(r, i);
                if (str_eq(ret->schema, p->schema) && str_eq(ret->name, p->name))
                        return true;
        }
        return false;
}

static bool one(Pg *source, Pg *target, const Part *s, const Part *t, json_t *list, Err *err)
{
        AUTO_JSON a = NULL;
        AUTO_JSON b = NULL;
        if (!hashes(source, s, &a, err) || !hashes(target, t, &b, err))
                return err_wrap(err, "reading table %s of extension %s", s->shown, s->extension);
        json_t *keys = differing(a, b), *j;
        if (json_array_size(keys) == 0) {
                json_decref(keys);
                return true;
        }
        j = json_object();
        jx_set_str(j, "extension", s->extension);
        jx_set_str(j, "table", s->shown);
        jx_set_int(j, "rows", (int64_t)json_array_size(keys));
        jx_set_str(j, "here", s->version);
        jx_set_str(j, "there", t->version);
        jx_set(j, "keys", keys);
        json_array_append_new(list, j);
        return true;
}

bool pg_extension_rows_changed(Pg *source, Pg *target, json_t **ret, Err *err)
{
        AUTO_PGRES PgRes *here = NULL;
        AUTO_PGRES PgRes *there = NULL;
        if (!parts(source, &here, err) || !parts(target, &there, err))
                return false;
        AUTO_JSON list = json_array();
        for (int i = 0; i < pg_rows(here); i++) {
                Part s = part_of(here, i), t;
                const PgExtension *x = pg_extension_find(s.extension);
                if (x && x->writes_own)
                        continue;
                if (find_part(there, &s, &t) && !one(source, target, &s, &t, list, err))
                        return false;
        }
        *ret = json_incref(list);
        return true;
}

json_t *pg_extension_rows_words(const json_t *changed)
{
        json_t *words = json_array(), *j;
        size_t i;
        json_array_foreach(changed, i, j) {
                const json_t *keys = jx_get(j, "keys");
                int64_t n = jx_int(j, "rows", 0);
                bool same = json_equal(jx_get(j, "here"), jx_get(j, "there"));
                AUTO_BUF named = buf_init(4096);
                for (size_t k = 0; k < json_array_size(keys) && k < KEYS_NAMED; k++)
                        buf_printf(&named, "%s%s", k ? ", " : "",
                                   json_string_value(json_array_get(keys, k)));
                AUTO_FREE char *line =
                        same ? xasprintf("%lld row%s of %s %s not as extension %s brings %s, and "
                                         "no dump carries that: %s%s",
                                         (long long)n, n == 1 ? "" : "s", jx_str(j, "table", ""),
                                         n == 1 ? "is" : "are", jx_str(j, "extension", ""),
                                         n == 1 ? "it" : "them", buf_str(&named),
                                         n > KEYS_NAMED ? ", .." : "")
                             : xasprintf("%lld row%s of %s come%s with extension %s and differ%s "
                                         "between its versions (here %s, there "
                                         "%s): what somebody changed among them is not carried",
                                         (long long)n, n == 1 ? "" : "s", jx_str(j, "table", ""),
                                         n == 1 ? "s" : "", jx_str(j, "extension", ""),
                                         n == 1 ? "s" : "", jx_str(j, "here", "?"),
                                         jx_str(j, "there", "?"));
                jx_append_str(words, line);
        }
        return words;
}

/* ---- carrying them ---- */

static void these_sql(Sql *q, const Part *p, const json_t *keys)
{
        size_t i;
        json_t *k;
        sql_add(q, " and row(");
        sql_rendered(q, p->key);
        sql_add(q, ")::text = any (array[");
        json_array_foreach(keys, i, k) {
                sql_add_literal_(q, i ? ", " : "");
                sql_value(q, json_string_value(k));
        }
        sql_add(q, "]::text[])");
}

static bool carry_one(Pg *source, Pg *target, const Part *s, const Part *t, const json_t *keys,
                      Err *err)
{
        AUTO_SQL from = { 0 };
        AUTO_SQL gone = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&from, "select row(t.*)::text");
        brought_sql(&from, s);
        these_sql(&from, s, keys);
        sql_add(&gone, "delete");
        brought_sql(&gone, t);
        these_sql(&gone, t, keys);
        if (!pg_query(source, &from, &r, err) || !pg_exec(target, &gone, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_SQL in = { 0 };
                sql_add(&in, "insert into ");
                sql_qname(&in, t->schema, t->name);
                sql_add(&in, " select (");
                sql_value(&in, pg_cell(r, i, 0));
                sql_add(&in, "::");
                sql_qname(&in, t->schema, t->name);
                sql_add(&in, ").*");
                if (!pg_exec(target, &in, err))
                        return false;
        }
        return true;
}

static bool carry_all(Pg *source, Pg *target, const json_t *changed, int64_t *ret_rows, Err *err)
{
        AUTO_PGRES PgRes *here = NULL;
        AUTO_PGRES PgRes *there = NULL;
        size_t i;
        json_t *j;
        if (!parts(source, &here, err) || !parts(target, &there, err))
                return false;
        json_array_foreach(changed, i, j)
                for (int k = 0; k < pg_rows(here); k++) {
                        Part s = part_of(here, k), t;
                        if (!str_eq(s.shown, jx_str(j, "table", "")) || !find_part(there, &s, &t) ||
                            !str_eq(s.version, t.version))
                                continue;
                        if (!carry_one(source, target, &s, &t, jx_get(j, "keys"), err))
                                return err_wrap(err, "rows of %s", s.shown);
                        *ret_rows += jx_int(j, "rows", 0);
                }
        return true;
}

bool pg_extension_rows_carry(Pg *source, Pg *target, int64_t *ret_rows, Err *err)
{
        AUTO_JSON changed = NULL;
        AUTO_ERR ignored = { 0 };
        *ret_rows = 0;
        if (!pg_extension_rows_changed(source, target, &changed, err) ||
            !pg_do(target, "begin", err))
                return false;
        if (carry_all(source, target, changed, ret_rows, err))
                return pg_do(target, "commit", err);
        (void)!pg_do(target, "rollback", &ignored);
        return false;
}
