/* source.c: what is there to be read, as one moment of the source. */
#include "transfer/read/source.h"

#include "transfer/choose/content.h"
#include "transfer/read/parts_plan.h"
#include "transfer/read/props.h"
#include "transfer/state/transfer_state.h"

#define USER_SCHEMAS "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
#define NOT_OF_EXTENSION                                                                           \
        "not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and "          \
        "d.objid = c.oid and d.deptype = 'e')"

bool source_begin(Pg *pg, const char *snapshot, char **ret_snapshot, Err *err)
{
        if (!pg_begin_reading(pg, snapshot, err))
                return err_wrap(err, "reading the source");
        if (snapshot)
                return true;
        AUTO_SQL q = { 0 };
        sql_add(&q, "select pg_export_snapshot()");
        return pg_query_value(pg, &q, ret_snapshot, err) ||
               err_wrap(err, "taking a snapshot of the source");
}

static const char *cell(Arena *a, const PgRes *r, int row, int column)
{
        return arena_strdup(a, pg_cell(r, row, column));
}

static bool source_columns(Arena *a, const char *json, Table *t, Err *err)
{
        AUTO_JSON list = jx_parse(json, strlen(json), err);
        if (!list)
                return false;
        t->n_columns = json_array_size(list);
        t->columns = arena_new_array(a, const char *, t->n_columns + 1);
        for (size_t i = 0; i < t->n_columns; i++)
                t->columns[i] = arena_strdup(a, json_string_value(json_array_get(list, i)));
        return true;
}

#define COLUMNS                                                                                    \
        "(select coalesce(json_agg(a.attname::text order by a.attnum), '[]') from pg_attribute a " \
        "where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = "   \
        "'')"

/* Partitions by a hash that is another one on the target must be loaded through their root: enums
 * hash by OID, alone or within arrays, ranges and records; a nondeterministic collation by what
 * ICU makes of the text; a type that is not of the core by whatever its code does. */
#define THROUGH_ROOT                                                                               \
        "c.relispartition and exists (select from pg_partition_ancestors(c.oid) p(relid) "         \
        "join pg_partitioned_table pt on pt.partrelid = p.relid "                                  \
        "join pg_opclass oc on oc.oid = any(pt.partclass::oid[]) "                                 \
        "where pt.partstrat = 'h' and (oc.oid >= 16384 or oc.opcname in ('enum_ops', "             \
        "'array_ops', 'range_ops', 'multirange_ops', 'record_ops') or exists (select from "        \
        "pg_collation l where l.oid = any(pt.partcollation::oid[]) and not "                       \
        "l.collisdeterministic)))"

static void tables_sql(Sql *q)
{
        sql_add(q,
                "select n.nspname, c.relname, pg_table_size(c.oid), " COLUMNS ", "
                "case when " THROUGH_ROOT " then rn.nspname end, "
                "case when " THROUGH_ROOT " then rc.relname end, null::text, true, c.oid, "
                "greatest(c.reltuples, 0)::bigint "
                "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "left join pg_class rc on c.relispartition and rc.oid = pg_partition_root(c.oid) "
                "left join pg_namespace rn on rn.oid = rc.relnamespace "
                "where c.relkind = 'r' and c.relpersistence <> 't' and " USER_SCHEMAS
                " and " NOT_OF_EXTENSION " union all "
                "select n.nspname, c.relname, pg_table_size(c.oid), " COLUMNS ", "
                "null, null, u.cond, false, c.oid, 0 from pg_extension e, unnest(e.extconfig, "
                "e.extcondition) u(relid, cond) join pg_class c on c.oid = u.relid join "
                "pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' order by 3 "
                "desc, 1, 2");
}

static bool read_tables(Pg *pg, Arena *a, Content *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        tables_sql(&q);
        if (!pg_query(pg, &q, &r, err))
                return err_wrap(err, "listing the tables");
        ret->n_tables = (size_t)pg_rows(r);
        ret->tables = arena_new_array(a, Table, ret->n_tables + 1);
        for (int i = 0; i < pg_rows(r); i++) {
                Table *t = &ret->tables[i];
                t->schema = cell(a, r, i, 0);
                t->name = cell(a, r, i, 1);
                t->size = pg_cell_int(r, i, 2);
                if (!source_columns(a, pg_cell(r, i, 3), t, err))
                        return false;
                t->root_schema = cell(a, r, i, 4);
                t->root_name = cell(a, r, i, 5);
                t->condition = cell(a, r, i, 6);
                t->ours_alone = pg_cell_bool(r, i, 7) && !t->root_name;
                t->oid = pg_cell_int(r, i, 8);
                t->expected = pg_cell_int(r, i, 9);
                ret->total_size += t->size;
        }
        return true;
}

static bool read_sequences(Pg *pg, Arena *a, Content *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select n.nspname, c.relname from pg_class c "
                    "join pg_namespace n on n.oid = c.relnamespace "
                    "where c.relkind = 'S' and c.relpersistence <> 't' and " USER_SCHEMAS
                    " and (" NOT_OF_EXTENSION " or exists (select from pg_extension e "
                    "where c.oid = any(e.extconfig))) order by 1, 2");
        if (!pg_query(pg, &q, &r, err))
                return err_wrap(err, "listing the sequences");
        ret->n_sequences = (size_t)pg_rows(r);
        ret->sequences = arena_new_array(a, Sequence, ret->n_sequences + 1);
        for (int i = 0; i < pg_rows(r); i++) {
                Sequence *s = &ret->sequences[i];
                s->schema = cell(a, r, i, 0);
                s->name = cell(a, r, i, 1);
                AUTO_SQL one = { 0 };
                AUTO_PGRES PgRes *v = NULL;
                sql_add(&one, "select last_value, is_called from ");
                sql_qname(&one, s->schema, s->name);
                if (!pg_query(pg, &one, &v, err))
                        return err_wrap(err, "reading sequence %s.%s", s->schema, s->name);
                s->value = cell(a, v, 0, 0);
                s->is_called = pg_cell_bool(v, 0, 1);
        }
        return true;
}

bool source_extensions(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select e.extname, e.extversion, n.nspname from pg_extension e "
                    "join pg_namespace n on n.oid = e.extnamespace order by 1");
        if (!pg_query(pg, &q, &r, err))
                return err_wrap(err, "listing the extensions");
        *ret = json_array();
        for (int i = 0; i < pg_rows(r); i++) {
                json_t *e = json_object();
                jx_set_str(e, "name", pg_cell(r, i, 0));
                jx_set_str(e, "version", pg_cell(r, i, 1));
                jx_set_str(e, "schema", pg_cell(r, i, 2));
                json_array_append_new(*ret, e);
        }
        return true;
}

/* What building each index will cost, roughly: its size. The dump calls the index of a
 * constraint by its table and its own name. */
static bool read_indexes(Pg *pg, Content *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select n.nspname, t.relname, c.relname, pg_relation_size(c.oid) from pg_index "
                    "i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = "
                    "i.indrelid join pg_namespace n on n.oid = c.relnamespace where c.relkind = "
                    "'i' and " USER_SCHEMAS " and pg_relation_size(c.oid) > 65536");
        if (!pg_query(pg, &q, &r, err))
                return err_wrap(err, "listing the indexes");
        ret->indexes = json_object();
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_FREE char *alone = xasprintf("%s.%s", pg_cell(r, i, 0), pg_cell(r, i, 2));
                AUTO_FREE char *of =
                        xasprintf("%s.%s %s", pg_cell(r, i, 0), pg_cell(r, i, 1), pg_cell(r, i, 2));
                jx_set_int(ret->indexes, alone, pg_cell_int(r, i, 3));
                jx_set_int(ret->indexes, of, pg_cell_int(r, i, 3));
                ret->index_size += pg_cell_int(r, i, 3);
        }
        return true;
}

bool source_content(Pg *pg, Arena *a, Content *ret, Err *err)
{
        *ret = (Content){ 0 };
        AUTO_SQL q = { 0 };
        AUTO_SQL tables = { 0 };
        AUTO_FREE char *n = NULL;
        AUTO_FREE char *counted = NULL;
        sql_add(&q, "select count(*) from pg_largeobject_metadata");
        sql_add(&tables, "select count(*) from pg_class c join pg_namespace n on n.oid = "
                         "c.relnamespace where c.relkind in ('r', 'p') and c.relpersistence <> 't' "
                         "and " USER_SCHEMAS " and " NOT_OF_EXTENSION);
        if (!read_tables(pg, a, ret, err) || !parts_read_bounds(pg, a, ret, err) ||
            !read_sequences(pg, a, ret, err) || !read_indexes(pg, ret, err) ||
            !source_extensions(pg, &ret->extensions, err) ||
            !props_read(pg, &ret->properties, err) || !pg_query_value(pg, &q, &n, err) ||
            !pg_query_value(pg, &tables, &counted, err))
                return false;
        ret->large_objects = atoll(n);
        ret->counted = atoll(counted);
        return true;
}
