#include "pg/tabledata.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/digest.h"
#include "pg/catalog.h"
#include "pg/facts.h"

typedef struct Column {
        const char *name;
        const char *schema, *type;      /* of the base type, when it is a domain */
} Column;

typedef struct TableRef {
        const char *key;                /* quoted, as in the catalog                        */
        const char *schema, *name;
        bool        only;               /* false: a hash-partitioned root, read as a whole  */
        int64_t     bytes, estimate;
        Column     *columns;
        int         n_columns;
} TableRef;

const char *table_data_method(int major_a, int major_b, bool same_encoding)
{
        if (!same_encoding)
                return "stream";
        return major_a >= 14 && major_b >= 14 ? "record" : "columns";
}

/* ---- what there is to read ---- */

/* Every ordinary table by itself; of a table partitioned by hash only the root, since rows of
 * an enum key move between leaves when the enum's OIDs change (pg_dump.c says the same). */
static bool list_tables(Pg *pg, Arena *a, TableRef **ret, int *ret_n, PgRes **keep, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "with recursive hashed(oid) as (select oid from pg_class c join "
                "pg_partitioned_table p on p.partrelid = c.oid where p.partstrat = 'h' union "
                "select i.inhrelid from pg_inherits i join hashed h on h.oid = i.inhparent) "
                "select c.oid, n.nspname, c.relname, c.relkind = 'r', "
                "case when c.relkind = 'r' then pg_table_size(c.oid) else coalesce((select "
                "sum(pg_table_size(t.relid)) from pg_partition_tree(c.oid) t where t.isleaf), 0) "
                "end, greatest(c.reltuples, 0)::bigint, " CAT_REL("n", "c")
                " from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where " CAT_USER_SCHEMA("n") " and c.relpersistence <> 't' and "
                CAT_NOT_EXT("pg_class", "c.oid") " and (c.relkind = 'r' and c.oid not in (select "
                "oid from hashed) or c.relkind = 'p' and c.oid in (select oid from hashed) and "
                "not exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent "
                "in (select oid from hashed))) order by c.oid");
        if (!pg_query(pg, &q, keep, err))
                return err_wrap(err, "listing tables");
        int n = pg_rows(*keep);
        TableRef *tables = arena_new_array(a, TableRef, (size_t)n + 1);
        for (int i = 0; i < n; i++)
                tables[i] = (TableRef){ .schema = pg_cell(*keep, i, 1),
                                        .name = pg_cell(*keep, i, 2),
                                        .only = pg_cell_bool(*keep, i, 3),
                                        .bytes = pg_cell_int(*keep, i, 4),
                                        .estimate = pg_cell_int(*keep, i, 5),
                                        .key = pg_cell(*keep, i, 6) };
        *ret = tables;
        *ret_n = n;
        return true;
}

/* Columns in order, domains seen through to their base; a virtual column (18) holds nothing. */
static bool list_columns(Pg *pg, Arena *a, TableRef *tables, int n, const PgRes *oids,
                         PgRes **keep, Err *err)
{
        if (!pg_ask(pg, "with recursive base(oid, root) as (select oid, oid from pg_type where "
                    "typtype <> 'd' union all select t.oid, b.root from pg_type t join base b on "
                    "b.oid = t.typbasetype where t.typtype = 'd') "
                    "select a.attrelid, a.attname, tn.nspname, t.typname from pg_class c join "
                    "pg_attribute a on a.attrelid = c.oid join base b on b.oid = a.atttypid join "
                    "pg_type t on t.oid = b.root join pg_namespace tn on tn.oid = t.typnamespace "
                    "where c.relkind in ('r', 'p') and c.oid >= 16384 and a.attnum > 0 and not "
                    "a.attisdropped and a.attgenerated <> 'v' order by a.attrelid, "
                    /* a child table that got its parent later has its columns in another order */
                    "a.attname collate \"C\"",
                    keep, err))
                return err_wrap(err, "listing columns");
        int row = 0, rows = pg_rows(*keep);
        for (int i = 0; i < n; i++) {           /* both sorted by oid: one pass */
                int64_t oid = pg_cell_int(oids, i, 0);
                while (row < rows && pg_cell_int(*keep, row, 0) < oid)
                        row++;
                int first = row;
                while (row < rows && pg_cell_int(*keep, row, 0) == oid)
                        row++;
                tables[i].n_columns = row - first;
                tables[i].columns = arena_new_array(a, Column, (size_t)(row - first) + 1);
                for (int c = first; c < row; c++)
                        tables[i].columns[c - first] =
                                (Column){ .name = pg_cell(*keep, c, 1),
                                          .schema = pg_cell(*keep, c, 2),
                                          .type = pg_cell(*keep, c, 3) };
        }
        return true;
}

/* ---- one row's hash ---- */

static bool one_of(const char *type, const char *const *list)
{
        for (; *list; list++)
                if (str_eq(type, *list))
                        return true;
        return false;
}

/* Types whose hash tells apart everything their text tells apart. */
static const char *const as_is[] = { "bool", "char", "int2", "int4", "int8", "oid", "name", "uuid",
                                     "bytea", "date", "time", "timestamp", "timestamptz", "inet",
                                     "cidr", "macaddr", "macaddr8", "pg_lsn", NULL };

static void add_column(Sql *q, const Column *c)
{
        static const struct { const char *type, *before; } binary[] = {
                { "numeric", "numeric_send(" },   { "float4", "float4send(" },
                { "float8", "float8send(" },      { "interval", "interval_send(" },
                { "timetz", "timetz_send(" },     { "money", "cash_send(" },
                { "bpchar", "bpcharsend(" },
        };
        bool core = str_eq(c->schema, "pg_catalog");
        const char *close = "";
        if (core && (str_eq(c->type, "text") || str_eq(c->type, "varchar"))) {
                close = " collate \"C\"";
        } else if (!core || !one_of(c->type, as_is)) {
                close = "::text collate \"C\"";
                for (size_t i = 0; core && i < LEN(binary); i++)
                        if (str_eq(c->type, binary[i].type)) {
                                sql_add_literal_(q, binary[i].before);
                                close = ")";
                        }
        }
        sql_add(q, "pgsherpa_row.");
        sql_ident(q, c->name);
        sql_add_literal_(q, close);
}

static void add_row_hash(Sql *q, const TableRef *t, bool record)
{
        sql_add_literal_(q, record ? "hash_record_extended(row(" : "hash_array_extended(array[");
        for (int i = 0; i < t->n_columns; i++) {
                if (i)
                        sql_add(q, ", ");
                if (!record)
                        sql_add(q, "hash_array_extended(array[");
                add_column(q, &t->columns[i]);
                if (!record)
                        sql_add(q, "], 0)");
        }
        sql_add_literal_(q, record ? "), 0)" : "], 0)");
}

static void add_from(Sql *q, const TableRef *t)
{
        if (t->only)
                sql_add(q, " from only ");
        else
                sql_add(q, " from ");
        sql_qname(q, t->schema, t->name);
        sql_add(q, " as pgsherpa_row");
}

/* ---- reading ---- */

/* Rows as text in one client encoding, hashed here: 64 bits of SHA-256 each, summed. */
static bool read_stream(Pg *pg, const TableRef *t, int64_t *ret_rows, char **ret_hash, Err *err)
{
        AUTO_SQL q = { 0 };
        uint64_t sum = 0;
        sql_add(&q, "copy (select ");
        for (int i = 0; i < t->n_columns; i++) {
                if (i)
                        sql_add(&q, ", ");
                sql_add(&q, "pgsherpa_row.");
                sql_ident(&q, t->columns[i].name);
        }
        add_from(&q, t);
        sql_add(&q, ") to stdout");
        *ret_rows = 0;
        if (!pg_copy_out_begin(pg, &q, err))
                return false;
        for (;;) {
                char *row = NULL;
                size_t n = 0;
                if (!pg_copy_read(pg, &row, &n, err))
                        return false;
                if (!row)
                        break;
                char hex[65];
                digest_hex_of(row, n, hex);
                pg_copy_free(row);
                hex[16] = '\0';
                sum += strtoull(hex, NULL, 16);
                (*ret_rows)++;
        }
        *ret_hash = xasprintf("%" PRIu64, sum);
        return true;
}

static bool read_hash(Pg *pg, const TableRef *t, const char *method, int64_t *ret_rows,
                      char **ret_hash, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select count(*), ");
        if (t->n_columns && method) {
                sql_add(&q, "coalesce(sum(");
                add_row_hash(&q, t, str_eq(method, "record"));
                sql_add(&q, "), 0)");
        } else {
                sql_add(&q, "null");
        }
        add_from(&q, t);
        if (!pg_query(pg, &q, &r, err))
                return false;
        *ret_rows = pg_cell_int(r, 0, 0);
        const char *hash = pg_cell(r, 0, 1);
        *ret_hash = hash ? xstrdup(hash) : NULL;
        return true;
}

static bool read_table(Pg *pg, const TableRef *t, const TableDataOptions *o, json_t *to, Err *err)
{
        int64_t rows = t->estimate;
        AUTO_FREE char *hash = NULL;
        bool ok = true;
        if (o->exact && str_eq(o->method, "stream") && t->n_columns)
                ok = read_stream(pg, t, &rows, &hash, err);
        else if (o->exact)
                ok = read_hash(pg, t, o->method, &rows, &hash, err);
        if (!ok)
                return err_wrap(err, "reading table %s", t->key);
        json_t *d = json_object();
        jx_set_int(d, "rows", rows);
        jx_set_int(d, "bytes", t->bytes);
        if (hash)
                jx_set_str(d, "hash", hash);
        jx_set(to, t->key, d);
        return true;
}

bool table_data_read(Pg *pg, const TableDataOptions *o, json_t **ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        AUTO_PGRES PgRes *rows = NULL;
        AUTO_PGRES PgRes *columns = NULL;
        AUTO_JSON data = json_object();
        TableRef *tables = NULL;
        int n = 0;
        int64_t total = 0, done = 0;
        if (!list_tables(pg, a, &tables, &n, &rows, err) ||
            !list_columns(pg, a, tables, n, rows, &columns, err))
                return false;
        for (int i = 0; i < n; i++)
                total += tables[i].bytes;
        for (int i = 0; i < n; i++) {
                if (o->cancel && *o->cancel)
                        return err_set(err, ERR_CANCELLED, "stopped while reading tables");
                if (!read_table(pg, &tables[i], o, data, err))
                        return false;
                done += tables[i].bytes;
                if (o->progress)
                        o->progress(o->progress_arg, tables[i].key, i + 1, n, done, total);
        }
        *ret = data;
        data = NULL;
        return true;
}

/* Pages of nothing but zeros are left out: a hole in a sparse object comes back from a dump as
 * zeros, and both read the same. Where the last page ends is summed on its own. */
bool table_data_large_objects(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *may = NULL;
        if (!pg_ask(pg, "select has_table_privilege('pg_largeobject', 'select')", &may, err))
                return false;
        sql_add(&q, "select jsonb_build_object('count', (select count(*) from "
                "pg_largeobject_metadata), 'owners', (select coalesce(sum(hashtextextended(m.oid "
                "|| ' ' || pg_get_userbyid(m.lomowner) || ' ' || "
                CAT_ACL("m.lomacl", "'L'", "m.lomowner") "::text collate \"C\", 0)), 0)::text from "
                "pg_largeobject_metadata m), ");
        if (pg_cell_bool(may, 0, 0))
                sql_add(&q, "'content', (select coalesce(sum(hash_array_extended(array[l.loid::"
                        "bigint, l.pageno::bigint, hash_array_extended(array[l.data], 0)], 0)), 0)"
                        "::text from pg_largeobject l where btrim(l.data, '\\x00'::bytea) <> "
                        "''::bytea), 'bytes', (select coalesce(sum(e.size), 0) from (select "
                        "max(pageno::bigint * 2048 + length(data)) as size from pg_largeobject "
                        "group by loid) e))");
        else
                sql_add(&q, "'content', null, 'bytes', null)");
        return pg_json_value(pg, &q, ret, err) || err_wrap(err, "reading large objects");
}
