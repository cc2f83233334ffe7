/* copy_to_bundle.c: what a copy leaves in a bundle, besides the rows. */
#include "transfer/jobs/copy_database.h"

#include "base/clock.h"
#include "base/limits.h"
#include "transfer/choose/content.h"
#include "transfer/make/extension_tables.h"
#include "transfer/make/sequences.h"
#include "transfer/make/target_database.h"
#include "transfer/read/dump.h"
#include "transfer/read/part.h"
#include "transfer/read/props.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"
#include "transfer/wide.h"

static bool bundle_member(DatabaseCopy *w, const char *kind, const char *name, const Buf *b,
                          Err *err)
{
        AUTO_FREE char *path = xasprintf("%s/%s", w->dir, name);
        return bundle_add(w->c->bundle, kind, path, buf_str(b), b->len, err);
}

static bool to_stream(void *arg, const void *bytes, size_t n, Err *err)
{
        return bundle_stream_write(arg, bytes, n, err);
}

/* The rows of the bundle carry what pg_dump cannot: it goes without, and says so. */
static bool goes_without_dump(DatabaseCopy *w, bool *ret, Err *err)
{
        AUTO_FREE char *why = NULL;
        if (!wide_row(w->holder, &why, err))
                return false;
        *ret = why != NULL;
        if (why)
                transfer_say(w->t,
                             "the bundle goes without the server's own pg_dump -Fc: %s; its "
                             "rows are in the bundle all the same",
                             why);
        jx_set_str(w->record, "dump_left_out", why);
        return true;
}

bool copy_bundle_dump(DatabaseCopy *w, Err *err)
{
        bool without = false;
        if (!goes_without_dump(w, &without, err) || without)
                return without;
        DumpRun d = copy_dump_run(w);
        AUTO_FREE char *stem = xasprintf("%s/%s.dump", w->dir, w->dir);
        AUTO_BUNDLESTREAM s = bundle_stream_new_file(w->c->bundle, "dump", stem);
        progress_stage(w->t, "pg_dump -Fc", "bytes", 0, 0);
        if (!dump_custom(&d, w->c->database, w->snapshot, to_stream, s, err) ||
            !bundle_stream_end(s, NULL, err))
                return false;
        jx_set_str(w->record, "dump", stem);
        jx_set_str(w->record, "dump_client", w->client.version);
        return true;
}

/* The schema for people with psql and nothing else. Made while rows are copied: each section is
 * a pg_restore of its own, and nobody waits for what it writes. */
bool copy_bundle_sections(DatabaseCopy *w, Err *err)
{
        DumpRun d = copy_dump_run(w);
        AUTO_BUF pre = buf_init(LIMIT_SQL);
        AUTO_BUF post = buf_init(LIMIT_SQL);
        return dump_section(&d, "pre-data", w->archive.data, w->archive.len, &pre, err) &&
               bundle_member(w, "sql", "pre-data.sql.zst", &pre, err) &&
               dump_section(&d, "post-data", w->archive.data, w->archive.len, &post, err) &&
               bundle_member(w, "sql", "post-data.sql.zst", &post, err) &&
               bundle_member(w, "schema", "schema.dump", &w->archive, err);
}

void copy_bundle_begin(DatabaseCopy *w)
{
        AUTO_SQL create = { 0 };
        char iso[32];
        AUTO_FREE char *words = pg_client_words(&w->client);
        w->dir = bundle_encode(w->c->database);
        w->record = json_object();
        props_create_sql(w->content.properties, w->c->database, pg_major(w->holder), &create);
        AUTO_FREE char *sql = plain_sql(&create);
        jx_set_str(w->record, "name", w->c->database);
        jx_set_str(w->record, "dir", w->dir);
        jx_set_str(w->record, "create", sql);
        jx_set_str(w->record, "snapshot", w->snapshot);
        jx_set_str(w->record, "snapshot_time", clock_iso(clock_wall_ms(), iso));
        jx_set_str(w->record, "client", words);
        AUTO_FREE char *format = xasprintf("%d.%d", w->toc.major, w->toc.minor);
        jx_set_str(w->record, "schema_format", format);
        jx_set_int(w->record, "objects", toc_count(&w->toc));
        jx_set_int(w->record, "tables_counted", w->content.counted);
        jx_set_int(w->record, "index_size", w->content.index_size);
        json_object_set(w->record, "indexes", w->content.indexes);
        json_object_set(w->record, "properties", w->content.properties);
        json_object_set(w->record, "extensions", w->content.extensions);
        if (w->only)
                json_object_set(w->record, "only", w->only);
}

static bool one_line(void *arg, const char *what, const Sql *q, Err *err)
{
        AUTO_FREE char *text = plain_sql(q);
        return buf_printf(arg, "%s;\n", text) ||
               err_set(err, ERR_USER, "the database has too many settings for a bundle");
}

bool copy_bundle_end(DatabaseCopy *w, Err *err)
{
        AUTO_BUF props = buf_init(LIMIT_SQL);
        if (!sequences_to_bundle(w->c->bundle, w->dir, &w->content, err) ||
            !props_each(w->content.properties, NULL, one_line, &props, err) ||
            !bundle_member(w, "sql", "database.sql.zst", &props, err))
                return false;
        json_t *list = json_array();
        for (size_t i = 0; i < w->content.n_sequences; i++) {
                const Sequence *s = &w->content.sequences[i];
                json_t *j = json_object();
                jx_set_str(j, "schema", s->schema);
                jx_set_str(j, "name", s->name);
                jx_set_str(j, "value", s->value);
                jx_set_bool(j, "is_called", s->is_called);
                json_array_append_new(list, j);
        }
        jx_set(w->record, "sequences", list);
        json_object_set(w->record, "large_objects", w->blobs);
        AUTO_FREE char *script = bundle_restore_script(w->record);
        AUTO_FREE char *path = xasprintf("%s/restore.sh", w->dir);
        if (!bundle_add(w->c->bundle, "script", path, script, strlen(script), err))
                return false;
        json_t *manifest = bundle_manifest(w->c->bundle), *all = jx_get(manifest, "databases");
        if (!all) {
                all = json_array();
                jx_set(manifest, "databases", all);
        }
        json_array_append(all, w->record);
        return true;
}

void copy_bundle_tables(DatabaseCopy *w)
{
        PartSink s = { .encoding = content_encoding(&w->content), .bundle_dir = w->dir };
        json_t *records = json_array();
        jx_set(w->record, "tables", records);
        for (size_t i = 0; i < w->content.n_tables; i++)
                json_array_append_new(records, table_record(&s, &w->content.tables[i]));
}

/* Said while the source is there, and not when somebody needs the bundle. */
bool copy_bundle_risks(DatabaseCopy *w, Err *err)
{
        json_t *risks = NULL, *line;
        size_t i;
        if (!extension_tables_risks(w->reader, w->content.extensions, &risks, err))
                return false;
        jx_set(w->record, "to_restore", risks);
        json_array_foreach(risks, i, line)
                transfer_say(w->t, "this bundle: %s", json_string_value(line));
        return true;
}
