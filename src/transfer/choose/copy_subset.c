#include "transfer/choose/copy_subset.h"

#include "base/limits.h"
#include "transfer/choose/content.h"
#include "transfer/choose/subset.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

/* The content as a manifest has it, with each thing's place in the lists. */
static json_t *record_of(const Content *c)
{
        json_t *record = json_object(), *tables = json_array(), *sequences = json_array(),
               *blobs = json_object();
        jx_set(record, "tables", tables);
        jx_set(record, "sequences", sequences);
        jx_set(record, "large_objects", blobs);
        jx_set_int(blobs, "count", c->large_objects);
        for (size_t i = 0; i < c->n_tables; i++) {
                const Table *t = &c->tables[i];
                json_t *j = json_object();
                jx_set_int(j, "at", (int64_t)i);
                jx_set_str(j, "schema", t->schema);
                jx_set_str(j, "name", t->name);
                if (t->root_name) {
                        json_t *root = json_object();
                        jx_set_str(root, "schema", t->root_schema);
                        jx_set_str(root, "name", t->root_name);
                        jx_set(j, "via_root", root);
                }
                json_array_append_new(tables, j);
        }
        for (size_t i = 0; i < c->n_sequences; i++) {
                json_t *j = json_object();
                jx_set_int(j, "at", (int64_t)i);
                jx_set_str(j, "schema", c->sequences[i].schema);
                jx_set_str(j, "name", c->sequences[i].name);
                json_array_append_new(sequences, j);
        }
        return record;
}

static bool names_of(const TransferCopy *c, const json_t *record, Arena *a, TransferName **ret,
                     size_t *ret_n, Err *err)
{
        size_t i, n = json_array_size(c->only_schemas);
        json_t *word;
        *ret = arena_new_array(a, TransferName, n + json_array_size(c->only_tables) + 1);
        json_array_foreach(c->only_schemas, i, word)
                (*ret)[i] = (TransferName){ json_string_value(word), NULL };
        json_array_foreach(c->only_tables, i, word)
                if (!transfer_table_named(record, json_string_value(word), a, &(*ret)[n++], err))
                        return false;
        *ret_n = n;
        return true;
}

static bool subset_copy_is(const TocEntry *e, const char *class)
{
        return str_eq(e->class, class);
}

/* What the dump calls an extension is only its name. */
static bool subset_copy_brought(const Toc *toc, const char *extension)
{
        for (size_t i = 0; i < toc->n; i++)
                if (subset_copy_is(&toc->entries[i], "EXTENSION") &&
                    str_eq(toc->entries[i].name, extension))
                        return true;
        return false;
}

static void cut_content(const json_t *record, const Toc *toc, Content *c)
{
        size_t i;
        json_t *j;
        c->total_size = c->index_size = c->counted = c->large_objects = 0;
        c->n_tables = c->n_sequences = 0;
        json_array_foreach(jx_get(record, "tables"), i, j) {
                Table *t = &c->tables[c->n_tables++];
                *t = c->tables[jx_int(j, "at", 0)];
                c->total_size += t->size;
                if (t->root_name && !jx_get(j, "via_root")) {
                        t->root_schema = t->root_name = NULL;
                        t->ours_alone = true;
                }
        }
        json_array_foreach(jx_get(record, "sequences"), i, j)
                c->sequences[c->n_sequences++] = c->sequences[jx_int(j, "at", 0)];
        for (i = 0; i < toc->n; i++) {
                const TocEntry *e = &toc->entries[i];
                AUTO_FREE char *key = xasprintf("%s.%s", e->schema ? e->schema : "", e->name);
                c->counted += subset_copy_is(e, "TABLE");
                if (subset_copy_is(e, "INDEX") || subset_copy_is(e, "CONSTRAINT"))
                        c->index_size += jx_int(c->indexes, key, 0);
        }
        for (i = json_array_size(c->extensions); i-- > 0;)
                if (!subset_copy_brought(toc, jx_str(json_array_get(c->extensions, i), "name", "")))
                        json_array_remove(c->extensions, i);
}

static json_t *words_of(const TransferCopy *c, json_t *left_out)
{
        json_t *words = json_object();
        jx_set(words, "tables",
               c->only_tables ? json_incref((json_t *)c->only_tables) : json_array());
        jx_set(words, "schemas",
               c->only_schemas ? json_incref((json_t *)c->only_schemas) : json_array());
        jx_set(words, "left_out", json_incref(left_out));
        return words;
}

bool copy_subset_apply(Transfer *t, const TransferCopy *c, Arena *a, const CopySubset *s,
                       json_t **ret_words, Err *err)
{
        AUTO_JSON record = record_of(s->content);
        AUTO_JSON left_out = json_array();
        TransferName *only;
        size_t n, i;
        json_t *j;
        if (!names_of(c, record, a, &only, &n, err) ||
            !subset_apply(&(Subset){ only, n }, s->toc, record, left_out, a, err))
                return false;
        AUTO_BUF cut = buf_init(s->archive->max);
        if (!toc_cut(s->archive->data, s->archive->len, s->toc, &cut, err))
                return false;
        Buf whole = *s->archive;
        *s->archive = cut;
        cut = whole;
        cut_content(record, s->toc, s->content);
        json_array_foreach(left_out, i, j)
                transfer_say(t, "%s", json_string_value(j));
        *ret_words = words_of(c, left_out);
        return true;
}
