/* table_record.c: what a bundle's manifest says of a table: written, read, and held against
 * rows. */
#include <stdio.h>

#include "transfer/choose/content.h"
#include "transfer/read/part.h"
#include "transfer/state/transfer_state.h"

char *table_member_dir(const PartSink *s, const Table *t)
{
        AUTO_FREE char *name = bundle_table_dir(t->schema, t->name);
        return xasprintf("%s/data/%s", s->bundle_dir, name);
}

json_t *table_record(const PartSink *s, const Table *t)
{
        json_t *j = json_object(), *columns = json_array();
        char hash[32];
        AUTO_FREE char *dir = table_member_dir(s, t);
        AUTO_FREE char *stem = xasprintf("%s/", dir);
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)t->hash);
        jx_set_str(j, "schema", t->schema);
        jx_set_str(j, "name", t->name);
        jx_set_str(j, "dir", stem);
        jx_set_str(j, "format", t->binary ? "binary" : "text");
        jx_set_str(j, "encoding", s->encoding);
        for (size_t i = 0; i < t->n_columns; i++)
                jx_append_str(columns, t->columns[i]);
        jx_set(j, "columns", columns);
        jx_set_int(j, "rows", t->rows);
        jx_set_int(j, "bytes", t->bytes);
        jx_set_str(j, "hash", hash);
        jx_set_int(j, "parts", t->members);
        jx_set_bool(j, "fresh", t->ours_alone);
        if (t->root_name && !t->later) {
                json_t *root = json_object();
                jx_set_str(root, "schema", t->root_schema);
                jx_set_str(root, "name", t->root_name);
                jx_set(j, "via_root", root);
        }
        return j;
}

void table_from_record(Arena *a, const json_t *j, Table *t)
{
        const json_t *columns = jx_get(j, "columns"), *root = jx_get(j, "via_root");
        t->schema = arena_strdup(a, jx_str(j, "schema", ""));
        t->name = arena_strdup(a, jx_str(j, "name", ""));
        t->n_columns = json_array_size(columns);
        t->columns = arena_new_array(a, const char *, t->n_columns + 1);
        for (size_t i = 0; i < t->n_columns; i++)
                t->columns[i] = arena_strdup(a, json_string_value(json_array_get(columns, i)));
        if (json_is_object(root)) {
                t->root_schema = arena_strdup(a, jx_str(root, "schema", ""));
                t->root_name = arena_strdup(a, jx_str(root, "name", ""));
        }
        t->ours_alone = jx_bool(j, "fresh", false);
        t->binary = str_eq(jx_str(j, "format", "text"), "binary");
        t->size = jx_int(j, "bytes", 0);
        t->expected = jx_int(j, "rows", 0);
}

bool rows_as_recorded(int64_t rows, uint64_t hash, const json_t *record, Err *err)
{
        char hex[32];
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)hash);
        if (rows != jx_int(record, "rows", -1))
                return err_set(err, ERR_USER, "the bundle holds %lld rows, its manifest says %lld",
                               (long long)rows, (long long)jx_int(record, "rows", -1));
        return str_eq(hex, jx_str(record, "hash", "")) ||
               err_set(err, ERR_USER,
                       "the rows in the bundle are not those its manifest describes");
}

bool table_as_recorded(const Table *t, const json_t *record, Err *err)
{
        return rows_as_recorded(t->rows, t->hash, record, err);
}
