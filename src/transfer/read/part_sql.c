#include "transfer/read/part_sql.h"

#include "transfer/choose/content.h"

bool part_whole(const Part *p)
{
        return p->of == 1;
}

static void column_list(const Table *t, Sql *q)
{
        for (size_t i = 0; i < t->n_columns; i++) {
                if (i > 0)
                        sql_add(q, ", ");
                sql_ident(q, t->columns[i]);
        }
}

static void options(const Table *t, const char *encoding, bool freeze, Sql *q)
{
        if (t->binary) {
                sql_add(q, "(FORMAT binary"); /* encoding is the session's: see format.h */
        } else {
                sql_add(q, "(ENCODING ");
                sql_value(q, encoding);
        }
        if (freeze)
                sql_add(q, ", FREEZE true");
        sql_add(q, ")");
}

static void part_names(const char *schema, const char *name, const Table *t, Sql *q)
{
        sql_qname(q, schema, name);
        if (t->n_columns > 0) { /* a table without columns still has rows */
                sql_add(q, " (");
                column_list(t, q);
                sql_add(q, ")");
        }
}

static void bound(const Table *t, int64_t at, Sql *q)
{
        if (t->key) {
                sql_int(q, at);
                return;
        }
        AUTO_FREE char *tid = xasprintf("(%lld,0)", (long long)at);
        sql_value(q, tid);
        sql_add(q, "::pg_catalog.tid");
}

static void column(const Table *t, Sql *q)
{
        if (t->key)
                sql_ident(q, t->key);
        else
                sql_add(q, "ctid");
}

/* The first part has no lower bound and the last no upper one: what lies outside of what was
 * known when the table was cut (blocks added since, keys without statistics) is theirs. */
static void part_range(const Part *p, Sql *q)
{
        const Table *t = p->table;
        bool first = p->index == 0, last = p->index == p->of - 1;
        sql_add(q, " WHERE ");
        if (!first) {
                column(t, q);
                sql_add(q, " >= ");
                bound(t, p->first, q);
        }
        if (!first && !last)
                sql_add(q, " AND ");
        if (!last) {
                column(t, q);
                sql_add(q, " < ");
                bound(t, p->end, q);
        }
        if (first && t->key) {
                sql_add(q, " OR ");
                column(t, q);
                sql_add(q, " IS NULL");
        }
}

static void read_list(const Table *t, Sql *q)
{
        for (size_t i = 0; i < t->n_columns; i++) {
                bool around = t->before && t->before[i];
                if (i > 0)
                        sql_add(q, ", ");
                if (around)
                        sql_rendered(q, t->before[i]);
                sql_ident(q, t->columns[i]);
                if (around)
                        sql_rendered(q, t->after[i]);
        }
}

void part_out_sql(const Part *p, const char *encoding, Sql *q)
{
        const Table *t = p->table;
        sql_add(q, "COPY ");
        if (t->condition || t->before || !part_whole(p)) {
                sql_add(q, "(SELECT ");
                read_list(t, q);
                sql_add(q, " FROM ONLY ");
                sql_qname(q, t->schema, t->name);
                if (!part_whole(p)) {
                        part_range(p, q);
                } else if (t->condition) {
                        sql_add(q, " ");
                        sql_rendered(q, t->condition); /* pg_extension.extcondition */
                }
                sql_add(q, ")");
        } else {
                part_names(t->schema, t->name, t, q);
        }
        sql_add(q, " TO STDOUT ");
        options(t, encoding, false, q);
}

void part_in_sql(const Part *p, const char *encoding, bool freeze, Sql *q)
{
        const Table *t = p->table;
        sql_add(q, "COPY ");
        if (t->root_name)
                part_names(t->root_schema, t->root_name, t, q);
        else
                part_names(t->schema, t->name, t, q);
        sql_add(q, " FROM STDIN ");
        options(t, encoding, freeze, q);
}
