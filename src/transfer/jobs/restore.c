/* restore.c: a database out of a bundle. */
#include "transfer/choose/content.h"
#include "transfer/choose/subset.h"
#include "transfer/make/extension_tables.h"
#include "transfer/make/graph.h"
#include "transfer/make/later.h"
#include "transfer/make/target_database.h"
#include "transfer/read/bundle_schema.h"
#include "transfer/read/part.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

typedef struct Restore {
        Transfer *t;
        const TransferRestore *c;
        json_t *record; /* of the manifest; of a selection, a copy cut to it */
        Arena *a;
        BundleSchema schema;
        Content content;
        int64_t blobs;
} Restore;

static void restore_close(Restore *w)
{
        content_done(&w->content);
        json_decref(w->record);
        bundle_schema_done(&w->schema);
        arena_free(w->a);
}

/* ---- the manifest's record, as what a source would have said ---- */

static void content_of(Restore *w)
{
        Content *c = &w->content;
        const json_t *tables = jx_get(w->record, "tables"),
                     *sequences = jx_get(w->record, "sequences");
        c->properties = json_incref(jx_get(w->record, "properties"));
        c->indexes = json_incref(jx_get(w->record, "indexes"));
        c->index_size = jx_int(w->record, "index_size", 0);
        c->n_tables = json_array_size(tables);
        c->tables = arena_new_array(w->a, Table, c->n_tables + 1);
        for (size_t i = 0; i < c->n_tables; i++) {
                table_from_record(w->a, json_array_get(tables, i), &c->tables[i]);
                c->total_size += c->tables[i].size;
        }
        c->n_sequences = json_array_size(sequences);
        c->sequences = arena_new_array(w->a, Sequence, c->n_sequences + 1);
        for (size_t i = 0; i < c->n_sequences; i++) {
                const json_t *j = json_array_get(sequences, i);
                c->sequences[i] = (Sequence){ arena_strdup(w->a, jx_str(j, "schema", "")),
                                              arena_strdup(w->a, jx_str(j, "name", "")),
                                              arena_strdup(w->a, jx_str(j, "value", "1")),
                                              jx_bool(j, "is_called", false) };
        }
}

/* ---- the whole ---- */

static bool selected(Restore *w, Err *err)
{
        AUTO_JSON left_out = json_array();
        json_t *record = json_deep_copy(w->record);
        size_t i;
        json_t *j;
        json_decref(w->record);
        w->record = record;
        if (!subset_apply(&(Subset){ w->c->only, w->c->n_only }, &w->schema.toc, record, left_out,
                          w->a, err))
                return false;
        json_array_foreach(left_out, i, j)
                transfer_say(w->t, "%s", json_string_value(j));
        jx_set_int(record, "tables_counted", (int64_t)json_array_size(jx_get(record, "tables")));
        return true;
}

static bool open_bundle(Restore *w, Err *err)
{
        w->record = json_incref((json_t *)bundle_database(w->c->bundle, w->c->database, err));
        if (!w->record)
                return false;
        if (!bundle_schema_read(w->c->bundle, w->record, w->a, &w->schema, err) ||
            !(w->c->n_only ? selected(w, err)
                           : bundle_schema_check_rest(w->c->bundle, w->record, err)))
                return false;
        content_of(w);
        return true;
}

static bool restore_load(Restore *w, Err *err)
{
        Transfer *t = w->t;
        const TransferRestore *c = w->c;
        bool ascii = str_eq(content_encoding(&w->content), "SQL_ASCII");
        Pg *to = NULL;
        if (!target_create(t, c->target, w->content.properties, c->into, c->marker, c->created,
                           err) ||
            !target_open(t, c->target, c->into, ascii, &to, err))
                return false;
        Table **first = NULL;
        size_t n_first = 0;
        bool any = false;
        bool ok = later_put(t, to, &w->schema.toc, &w->content, w->a, &any, err) &&
                  target_pre_data(t, to, &w->schema.toc, err) &&
                  later_versions_fit(to, jx_get(w->record, "extensions"), err) &&
                  extension_tables_order(to, &w->content, w->a, &first, &n_first, err);
        transfer_disconnect(t, &to);
        GraphPlan p = { .t = t,
                        .target = c->target,
                        .into = c->into,
                        .content = &w->content,
                        .toc = &w->schema.toc,
                        .bundle = c->bundle,
                        .record = w->record,
                        /* pieces come without */
                        .n_blobs = c->n_only ? NULL : &w->blobs,
                        .first = first,
                        .n_first = n_first };
        return ok && graph_run(&p, err) &&
               target_properties(t, c->target, w->content.properties, c->into, err) &&
               target_checkpoint(t, c->target, err);
}

bool transfer_restore(Transfer *t, const TransferRestore *c, TransferResult *ret, Err *err)
{
        Restore CLEANUP(restore_close) w = { .t = t, .c = c, .a = arena_new() };
        *ret = (TransferResult){ 0 };
        t->prepared = c->prepared;
        t->name = c->name;
        if (!open_bundle(&w, err) || !restore_load(&w, err))
                return err_wrap(err, "restoring from %s", bundle_path(c->bundle));
        *ret = (TransferResult){
                .tables = jx_int(w.record, "tables_counted", 0),
                .sequences = (int64_t)w.content.n_sequences,
                .large_objects = w.blobs,
                .objects = toc_count(&w.schema.toc),
                .client = xstrdup(w.schema.toc.dump_version ? w.schema.toc.dump_version : ""),
                .tolerated = json_incref(t->tolerated),
                .kept = c->prepared ? json_incref(t->kept) : NULL
        };
        for (size_t i = 0; i < w.content.n_tables; i++) {
                ret->rows += w.content.tables[i].rows;
                ret->bytes += w.content.tables[i].bytes;
        }
        return true;
}
