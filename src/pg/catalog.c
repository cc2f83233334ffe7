#include "pg/catalog.h"

#define SEQUENCES_PER_QUERY 100         /* one round trip a sequence is slow for thousands */

static bool read_kind(Pg *pg, const CatalogQuery *c, json_t *objects, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add_literal_(&q, c->sql);
        if (!pg_query(pg, &q, &r, err))
                return err_wrap(err, "reading the catalog (%s)", c->kind);
        json_t *kind = json_object();
        jx_set(objects, c->kind, kind);
        for (int i = 0; i < pg_rows(r); i++) {
                json_error_t why;
                json_t *aspects = json_loads(pg_cell(r, i, 1), JSON_ALLOW_NUL, &why);
                if (!aspects)
                        return err_set(err, ERR_SERVER, "the catalog's JSON cannot be read: %s",
                                       why.text);
                jx_set(kind, pg_cell(r, i, 0), aspects);
        }
        return true;
}

static bool read_all(Pg *pg, const CatalogQuery *queries, json_t *objects, Err *err)
{
        int major = pg_major(pg);
        for (const CatalogQuery *c = queries; c->kind; c++)
                if (major >= c->since && (!c->before || major < c->before) &&
                    !read_kind(pg, c, objects, err))
                        return false;
        return true;
}

/* pg_sequences hides the value of a sequence nobody has called; setval(.., false) is lost
 * there. So each sequence is read itself, a hundred in a query. */
static bool read_sequences(Pg *pg, json_t *sequences, Err *err)
{
        json_t *names[SEQUENCES_PER_QUERY];
        const char *key;
        json_t *aspects;
        size_t n = 0;
        size_t left = json_object_size(sequences);
        AUTO_SQL q = { 0 };
        json_object_foreach(sequences, key, aspects) {
                if (n)
                        sql_add(&q, " union all ");
                sql_add(&q, "select ");
                sql_int(&q, (int64_t)n);
                sql_add(&q, ", last_value, is_called from ");
                sql_rendered(&q, key);          /* quote_ident() of the server made it */
                names[n++] = aspects;
                left--;
                if (n < SEQUENCES_PER_QUERY && left)
                        continue;
                AUTO_PGRES PgRes *r = NULL;
                if (!pg_query(pg, &q, &r, err))
                        return err_wrap(err, "reading sequences");
                for (int i = 0; i < pg_rows(r); i++) {
                        json_t *to = names[pg_cell_int(r, i, 0)];
                        jx_set_int(to, "last_value", pg_cell_int(r, i, 1));
                        jx_set_bool(to, "is_called", pg_cell_bool(r, i, 2));
                }
                sql_free(&q);
                n = 0;
        }
        return true;
}

bool pg_catalog_read(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON objects = json_object();
        if (!pg_do(pg, "set local quote_all_identifiers = on", err) ||
            !read_all(pg, pg_catalog_others, objects, err) ||
            !read_all(pg, pg_catalog_relations, objects, err) ||
            !read_sequences(pg, jx_get(objects, "sequence"), err))
                return false;
        *ret = objects;
        objects = NULL;
        return true;
}
