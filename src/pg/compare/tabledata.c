#include "pg/tabledata.h"

#include "base/arena.h"
#include "pg/catalog.h"
#include "pg/facts.h"
#include "pg/tablereader.h"

const char *table_data_method(bool same_encoding)
{
        return same_encoding ? "server" : "stream";
}

bool table_data_snapshot(Pg *pg, char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select pg_export_snapshot()");
        return pg_query_value(pg, &q, ret, err) || err_wrap(err, "exporting the snapshot");
}

json_t *table_data_record(const TableRef *t, const TableResult *r, const char *method)
{
        json_t *d = json_object();
        jx_set_int(d, "rows", r ? r->rows : t->estimate);
        jx_set_int(d, "bytes", t->bytes);
        if (t->of_extension) {
                json_t *columns = json_array();
                for (int i = 0; i < t->n_columns; i++)
                        jx_append_str(columns, t->columns[i].name);
                jx_set_bool(d, "of_extension", true);
                jx_set(d, "columns", columns);
        }
        if (!r)
                return d;
        jx_set_int(d, "ms", r->ms);
        jx_set_str(d, "method", r->hash ? method : "count");
        if (r->hash)
                jx_set_str(d, "hash", r->hash);
        if (r->computed)
                jx_set_str(d, "computed", r->computed);
        if (r->error)
                jx_set_str(d, "error", r->error);
        return d;
}

/* Somebody wants out, or wants to see how far it is. */
static void look(TableReader *reader, const TableDataOptions *o)
{
        TableReadState s;
        if (o->cancel && flag_up(o->cancel))
                table_reader_stop(reader);
        table_reader_state(reader, &s);
        if (o->progress)
                o->progress(o->progress_arg, s.table, s.tables, s.tables_total, s.bytes,
                            s.bytes_total);
}

static bool read_rows(Pg *pg, const TableRef *tables, int n, const TableDataOptions *o,
                      TableReader **ret, Err *err)
{
        AUTO_FREE char *snapshot = NULL;
        if (!table_data_snapshot(pg, &snapshot, err))
                return false;
        TableReadOptions ro = {
                .method = o->method, .seed = o->seed, .snapshot = snapshot, .jobs = o->jobs
        };
        if (!table_reader_start(pg, tables, n, &ro, ret, err))
                return false;
        while (!table_reader_poll(*ret, 50))
                look(*ret, o);
        if (!table_reader_finish(*ret, err))
                return false;
        look(*ret, o);
        const TableResult *r = table_reader_results(*ret);
        for (int i = 0; i < n; i++)
                if (r[i].error)
                        return err_set(err, ERR_SERVER, "reading table %s: %s", tables[i].key,
                                       r[i].error);
        return true;
}

bool table_data_read(Pg *pg, const TableDataOptions *o, json_t **ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        AUTO_TABLEREADER reader = NULL;
        TableRef *tables = NULL;
        int n = 0;
        if (!table_list(pg, a, NULL, &tables, &n, err))
                return false;
        table_list_as_recorded(tables, n, o->recorded);
        if (o->exact && !read_rows(pg, tables, n, o, &reader, err))
                return false;
        json_t *data = json_object();
        for (int i = 0; i < n; i++)
                jx_set(data, tables[i].key,
                       table_data_record(&tables[i],
                                         reader ? &table_reader_results(reader)[i] : NULL,
                                         o->method));
        *ret = data;
        return true;
}

/* Where a page lies is its hash's seed, and all is mixed once more: pages that change places
 * between objects are seen. */
static void pages_sql(Sql *q, uint64_t seed)
{
        sql_add(q, "'content', (select coalesce(sum(hashint8extended(");
        sql_int(q, (int64_t)(seed & INT64_MAX));
        sql_add(q, ", hash_array_extended(array[l.data], l.loid::bigint << 32 | l.pageno))), "
                   "0)::text from pg_largeobject l where btrim(l.data, '\\x00'::bytea) <> "
                   "''::bytea), 'bytes', (select coalesce(sum(e.size), 0) from (select "
                   "max(pageno::bigint * 2048 + length(data)) as size from pg_largeobject group by "
                   "loid) e))");
}

/* Pages of nothing but zeros are left out: a hole in a sparse object comes back from a dump as
 * zeros, and both read the same. Where the last page ends is summed on its own. */
bool table_data_large_objects(Pg *pg, uint64_t seed, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *may = NULL;
        if (!pg_ask(pg, "select has_table_privilege('pg_largeobject', 'select')", &may, err))
                return false;
        sql_add(&q,
                "select jsonb_build_object('count', (select count(*) from "
                "pg_largeobject_metadata), 'owners', (select coalesce(sum(hashtextextended(m.oid "
                "|| ' ' || pg_get_userbyid(m.lomowner) || ' ' || " CAT_ACL(
                        "m.lomacl", "'L'", "m.lomowner") "::text collate \"C\", 0)), 0)::text from "
                                                         "pg_largeobject_metadata m), ");
        if (pg_cell_bool(may, 0, 0))
                pages_sql(&q, seed);
        else
                sql_add(&q, "'content', null, 'bytes', null)");
        return pg_json_value(pg, &q, ret, err) || err_wrap(err, "reading large objects");
}
