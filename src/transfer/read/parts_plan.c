#include "transfer/read/parts_plan.h"

#include "transfer/choose/content.h"
#include "transfer/state/transfer_state.h"

#define SMALLEST ((int64_t)128 << 20) /* a table below is not cut */
#define PIECE    ((int64_t)64 << 20)  /* nor made into parts smaller than this */

/* A whole table is loaded frozen (and without WAL where the server allows that); in parts it
 * cannot be, and will be written once more by a vacuum. So only a table that would keep one
 * worker busy while the others have run out of work is cut: more than its share by a third.
 * Two parts for each worker, so that they end together. */
int parts_count(int64_t size, int64_t work, int jobs)
{
        if (jobs < 2 || size < SMALLEST || size <= work / jobs + work / jobs / 3)
                return 1;
        int64_t pieces = MIN(2 * (int64_t)jobs, size / PIECE);
        return (int)MAX(pieces, 1);
}

__extension__ typedef __int128 Wide; /* a key may span all of int8 */

static size_t uncut(Table *t, Arena *a, Part **ret)
{
        *ret = arena_new_array(a, Part, 1);
        **ret = (Part){ .table = t, .end = -1, .of = 1 };
        return 1;
}

static size_t cut(Table *t, int n, int64_t low, int64_t high, Arena *a, Part **ret)
{
        Wide span = (Wide)high - low;
        if (span < n)
                return uncut(t, a, ret);
        *ret = arena_new_array(a, Part, (size_t)n);
        for (int i = 0; i < n; i++) {
                int64_t first = (int64_t)(low + span * i / n),
                        end = (int64_t)(low + span * (i + 1) / n);
                (*ret)[i] = (Part){ .table = t, .first = first, .end = end, .index = i, .of = n };
        }
        return (size_t)n;
}

size_t parts_plan(Table *t, int64_t work, int jobs, Arena *a, Part **ret)
{
        int n = parts_count(t->size, work, jobs);
        if (t->condition || n < 2)
                return uncut(t, a, ret);
        return t->key ? cut(t, n, t->key_min, t->key_max, a, ret) : cut(t, n, 0, t->blocks, a, ret);
}

/* A member that is so long may hold a piece of a row that was cut: see bundle/stream.c. */
static bool rows_are_whole(const Bundle *b, const json_t *members)
{
        size_t i;
        json_t *name;
        json_array_foreach(members, i, name)
                if (bundle_plain_size(b, json_string_value(name)) >= BUNDLE_HUGE)
                        return false;
        return true;
}

size_t parts_plan_stored(Table *t, const Bundle *b, const json_t *record, int64_t work, int jobs,
                         Arena *a, Part **ret)
{
        int n = parts_count(t->size, work, jobs);
        if (n < 2)
                return uncut(t, a, ret);
        AUTO_JSON members = bundle_parts(b, jx_str(record, "dir", "?"));
        n = (int)MIN((size_t)n, json_array_size(members));
        if (n < 2 || !rows_are_whole(b, members))
                return uncut(t, a, ret);
        return cut(t, n, 0, (int64_t)json_array_size(members), a, ret);
}

/* ---- what a source says ---- */

static void blocks_sql(Sql *q)
{
        sql_add(q, "select c.oid, pg_relation_size(c.oid) / current_setting('block_size')::int "
                   "from pg_class c join pg_am am on am.oid = c.relam where c.relkind = 'r' and "
                   "am.amname = 'heap' and pg_table_size(c.oid) >= ");
        sql_int(q, SMALLEST);
}

static void keys_sql(Sql *q)
{
        sql_add(q, "select distinct on (c.oid) c.oid, a.attname from pg_class c "
                   "join pg_namespace n on n.oid = c.relnamespace "
                   "join pg_index i on i.indrelid = c.oid and i.indisunique and i.indisvalid "
                   "and i.indpred is null and i.indnkeyatts = 1 "
                   "join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] "
                   "and a.atttypid = any('{int2,int4,int8}'::regtype[]) "
                   "join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname "
                   "and s.attname = a.attname and not s.inherited and abs(s.correlation) >= 0.9 "
                   "where c.relkind = 'r' and pg_table_size(c.oid) >= ");
        sql_int(q, SMALLEST);
        sql_add(q, " order by c.oid, i.indisprimary desc, a.attnum");
}

static Table *table_of(Content *c, int64_t oid)
{
        for (size_t i = 0; i < c->n_tables; i++)
                if (c->tables[i].oid == oid)
                        return &c->tables[i];
        return NULL;
}

static bool key_of(Pg *from, Table *t, const char *key, Arena *a, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select min(");
        sql_ident(&q, key);
        sql_add(&q, ")::int8, max(");
        sql_ident(&q, key);
        sql_add(&q, ")::int8 from only ");
        sql_qname(&q, t->schema, t->name);
        if (!pg_query(from, &q, &r, err))
                return err_wrap(err, "looking at the keys of %s.%s", t->schema, t->name);
        if (pg_cell(r, 0, 0)) {
                t->key = arena_strdup(a, key);
                t->key_min = pg_cell_int(r, 0, 0);
                t->key_max = pg_cell_int(r, 0, 1);
        }
        return true;
}

static bool any_to_cut(const Content *c)
{
        for (size_t i = 0; i < c->n_tables; i++)
                if (c->tables[i].size >= SMALLEST)
                        return true;
        return false;
}

bool parts_read_bounds(Pg *from, Arena *a, Content *c, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        bool tids = pg_major(from) >= 14;
        if (!any_to_cut(c))
                return true; /* with thousands of tables the question takes a second */
        if (tids)
                blocks_sql(&q);
        else
                keys_sql(&q);
        if (!pg_query(from, &q, &r, err))
                return err_wrap(err, "looking at the big tables");
        for (int i = 0; i < pg_rows(r); i++) {
                Table *t = table_of(c, pg_cell_int(r, i, 0));
                if (!t)
                        continue;
                if (tids)
                        t->blocks = pg_cell_int(r, i, 1);
                else if (!key_of(from, t, pg_cell(r, i, 1), a, err))
                        return false;
        }
        return true;
}
