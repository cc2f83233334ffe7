/* catalog_cursor.c: the objects of one kind, one after the other, in an order that two servers
 * share. A database of five thousand tables has tens of thousands of columns: two catalogs are
 * merged like two sorted files, and never both in memory. */
#include "pg/catalog.h"

#include "base/jsonx.h"

#define BATCH 500 /* objects in hand; a round trip costs less than they do */

struct CatalogCursor {
        Pg *pg;
        bool sequences, open;
        PgRes *batch, *values; /* values: of the sequences in the batch, by position */
        int row;
        char *text; /* of a sequence, with its value */
};

/* In the order of the names' bytes as this side sees them: UTF-8, whatever the server has. */
static void declare_sql(Sql *q, const SqlFile *f, int major)
{
        sql_add(q, "declare pgsherpa_catalog no scroll cursor for select q.o, q.a from (");
        sql_file(q, f, major);
        sql_add(q, ") q(o, a) order by case when getdatabaseencoding() in ('UTF8', 'SQL_ASCII') "
                   "then textsend(q.o) else convert_to(q.o, 'UTF8') end");
}

bool pg_catalog_open(Pg *pg, const char *kind, CatalogCursor **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        const SqlFile *f = sql_file_find(pg_catalog_files, kind);
        CatalogCursor *cursor = xcalloc(1, sizeof *cursor);
        cursor->pg = pg;
        cursor->sequences = str_eq(kind, "sequence");
        cursor->open = f != NULL;
        *ret = cursor;
        if (!f)
                return true; /* a kind of an inventory that another pgsherpa made */
        declare_sql(&q, f, pg_major(pg));
        if (pg_exec(pg, &q, err))
                return true;
        *ret = pg_catalog_close(cursor);
        return err_wrap(err, "reading the catalog (%s)", kind);
}

/* pg_sequences hides the value of a sequence nobody has called; setval(.., false) is lost
 * there. So each sequence is read itself, a batch in a query. */
static bool read_values(CatalogCursor *c, Err *err)
{
        AUTO_SQL q = { 0 };
        c->values = pg_res_free(c->values);
        for (int i = 0; i < pg_rows(c->batch); i++) {
                if (i)
                        sql_add(&q, " union all ");
                sql_add(&q, "select ");
                sql_int(&q, i);
                sql_add(&q, ", last_value, is_called from ");
                sql_rendered(&q, pg_cell(c->batch, i, 0)); /* quote_ident() made it */
        }
        sql_add(&q, " order by 1");
        return pg_query(c->pg, &q, &c->values, err) || err_wrap(err, "reading sequences");
}

static bool fetch(CatalogCursor *c, Err *err)
{
        AUTO_SQL q = { 0 };
        c->batch = pg_res_free(c->batch);
        c->row = 0;
        sql_add(&q, "fetch ");
        sql_int(&q, c->sequences ? 100 : BATCH);
        sql_add(&q, " from pgsherpa_catalog");
        return pg_query(c->pg, &q, &c->batch, err) &&
               (!c->sequences || pg_rows(c->batch) == 0 || read_values(c, err));
}

static const char *with_value(CatalogCursor *c, Err *err)
{
        const char *text = pg_cell(c->batch, c->row, 1);
        AUTO_JSON j = jx_parse(text, strlen(text), err);
        if (!j)
                return NULL;
        jx_set_int(j, "last_value", pg_cell_int(c->values, c->row, 1));
        jx_set_bool(j, "is_called", pg_cell_bool(c->values, c->row, 2));
        free(c->text);
        c->text = jx_dump(j);
        return c->text;
}

bool pg_catalog_next(CatalogCursor *c, const char **ret_name, const char **ret_aspects, Err *err)
{
        *ret_name = *ret_aspects = NULL;
        if (!c->open)
                return true;
        if ((!c->batch || c->row >= pg_rows(c->batch)) && !fetch(c, err))
                return false;
        if (pg_rows(c->batch) == 0) {
                c->open = false;
                return pg_do(c->pg, "close pgsherpa_catalog", err);
        }
        *ret_aspects = c->sequences ? with_value(c, err) : pg_cell(c->batch, c->row, 1);
        *ret_name = pg_cell(c->batch, c->row++, 0);
        return *ret_aspects != NULL;
}

CatalogCursor *pg_catalog_close(CatalogCursor *c)
{
        if (!c)
                return NULL;
        pg_res_free(c->batch);
        pg_res_free(c->values);
        free(c->text);
        free(c);
        return NULL;
}

json_t *pg_catalog_kinds(void)
{
        json_t *kinds = json_object();
        for (const SqlFile *f = pg_catalog_files; f->name; f++)
                jx_set_bool(kinds, f->name, true);
        return kinds;
}
