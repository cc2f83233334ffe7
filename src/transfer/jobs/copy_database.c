/* copy_database.c: a transfer from a server, in one pass. */
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "pg/extension_rows.h"
#include "transfer/choose/content.h"
#include "transfer/choose/copy_subset.h"
#include "transfer/make/extension_tables.h"
#include "transfer/make/graph.h"
#include "transfer/make/later.h"
#include "transfer/make/sequences.h"
#include "transfer/make/target.h"
#include "transfer/read/dump.h"
#include "transfer/read/format.h"
#include "transfer/read/opclasses.h"
#include "transfer/read/part.h"
#include "transfer/read/props.h"
#include "transfer/read/source.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/state.h"
#include "transfer/transfer.h"
#include "transfer/wide.h"

/* Everything one copy holds; closed by copy_close() whatever happened. */
typedef struct Copy {
        Transfer *t;
        const TransferCopy *c;
        Arena *a;
        Pg *holder, *reader;
        char *snapshot, *dir;
        Content content;
        PgClient client;
        Buf archive; /* the schema, as pg_dump -Fc wrote it */
        Toc toc;
        json_t *record; /* of the manifest */
        json_t *blobs;
        json_t *only;  /* what it was cut to; NULL: all */
        Table **first; /* see GraphPlan */
        size_t n_first;
} Copy;

static void copy_close(Copy *w)
{
        transfer_disconnect(w->t, &w->reader);
        transfer_disconnect(w->t, &w->holder);
        free(w->snapshot);
        free(w->dir);
        content_done(&w->content);
        pg_client_done(&w->client);
        buf_done(&w->archive);
        json_decref(w->record);
        json_decref(w->blobs);
        json_decref(w->only);
        arena_free(w->a);
}

static void said(void *arg, int fd, const char *line)
{
        Copy *w = arg;
        transfer_say(w->t, "%s", line);
}

static DumpRun dumper(Copy *w)
{
        return (DumpRun){ .client = &w->client,
                          .server = &w->c->source,
                          .cancel = transfer_cancel_flag(w->t),
                          .failed = &w->t->failed,
                          .line = said,
                          .line_arg = w };
}

static bool open_source(Copy *w, Err *err)
{
        Transfer *t = w->t;
        PgParams p = w->c->source;
        p.statement_timeout_ms = 0;
        progress_stage(t, "looking at the source", "objects", 0, 0);
        return (transfer_connect(t, &p, w->c->database, &w->holder, err) &&
                source_hold(t, w->holder, &w->snapshot, err) &&
                transfer_connect(t, &p, w->c->database, &w->reader, err) &&
                source_begin(w->reader, w->snapshot, NULL, err)) ||
               err_wrap(err, "the source database %s", w->c->database);
}

/* A migration wants the newer of both majors (pg_dump refuses a newer server, pg_restore's newer
 * habits are the target's); a backup wants the source's own. Where there is none, the next later
 * one knows both, too. */
static bool find_client(Copy *w, int target_major, Err *err)
{
        int source = pg_major(w->holder), major = MAX(source, target_major);
        const char *image = major == source ? w->c->source_image : w->c->target_image;
        if (pg_clients_whole(major, image, &w->client, err)) {
                AUTO_FREE char *words = pg_client_words(&w->client);
                transfer_say(w->t, "schema by %s", words);
                return true;
        }
        return err_wrap(err, "looking for a pg_dump that knows both servers");
}

static bool run_pg_dump(Copy *w, Err *err)
{
        DumpRun d = dumper(w);
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(w->holder,
                    "select pg_encoding_to_char(encoding) from pg_database "
                    "where datname = current_database()",
                    &r, err))
                return false;
        bool ascii = str_eq(pg_cell(r, 0, 0), "SQL_ASCII");
        progress_stage(w->t, "reading the schema", "objects", 0, 0);
        return dump_schema(&d, w->c->database, w->snapshot, ascii ? "SQL_ASCII" : "UTF8",
                           &w->archive, err);
}

/* ---- what is done beside something else ---- */

/* It has to itself what it writes to; everybody else only reads that after aside_join(). */
typedef struct Aside {
        Copy *w;
        bool (*run)(Copy *w, Err *err);
        bool begun, ok;
        Err err;
        pthread_t thread;
} Aside;

static void *aside_main(void *arg)
{
        Aside *a = arg;
        a->ok = a->run(a->w, &a->err);
        if (!a->ok)
                transfer_interrupt(a->w->t, true);
        return NULL;
}

static bool aside_begin(Aside *a, Copy *w, bool (*run)(Copy *w, Err *err), Err *err)
{
        *a = (Aside){ .w = w, .run = run };
        int why = pthread_create(&a->thread, NULL, aside_main, a);
        a->begun = why == 0;
        return a->begun || err_set_errno(err, why, "starting a thread");
}

/* `ok`: how the rest went. Its error is told, unless it only stopped because of ours. */
static bool aside_join(Aside *a, bool ok, Err *err)
{
        if (!a->begun)
                return ok;
        if (!ok)
                transfer_interrupt(a->w->t, true);
        pthread_join(a->thread, NULL);
        transfer_clear_failed(a->w->t);
        a->begun = false;
        if (!a->ok && (ok || err->kind == ERR_CANCELLED)) {
                err_clear(err);
                err_move(err, &a->err);
        }
        err_clear(&a->err);
        return ok && a->ok;
}

/* What is there to be read, asked while pg_dump reads the schema: both take seconds when there
 * are thousands of tables. */
static bool look(Copy *w, Err *err)
{
        return source_content(w->reader, w->a, &w->content, err) ||
               err_wrap(err, "the source database %s", w->c->database);
}

static bool chosen(const TransferCopy *c)
{
        return json_array_size(c->only_tables) + json_array_size(c->only_schemas) > 0;
}

static bool read_schema(Copy *w, Err *err)
{
        Aside a;
        if (!aside_begin(&a, w, look, err) || !aside_join(&a, run_pg_dump(w, err), err) ||
            !toc_read(w->archive.data, w->archive.len, w->a, &w->toc, err) ||
            (chosen(w->c) && !copy_subset_apply(w->t, w->c, w->a, &w->archive, &w->toc, &w->content,
                                                &w->only, err)))
                return false;
        /* In a bundle the archive stays as pg_dump wrote it; its record has the classes. */
        opclasses_say(&w->toc, jx_get(w->content.properties, "opclasses"), w->a);
        return true;
}

/* ---- into the bundle ---- */

static bool add(Copy *w, const char *kind, const char *name, const Buf *b, Err *err)
{
        AUTO_FREE char *path = xasprintf("%s/%s", w->dir, name);
        return bundle_add(w->c->bundle, kind, path, buf_str(b), b->len, err);
}

static bool to_stream(void *arg, const void *bytes, size_t n, Err *err)
{
        return bundle_stream_write(arg, bytes, n, err);
}

/* The rows of the bundle carry what pg_dump cannot: it goes without, and says so. */
static bool goes_without_dump(Copy *w, bool *ret, Err *err)
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

static bool add_dump(Copy *w, Err *err)
{
        bool without = false;
        if (!goes_without_dump(w, &without, err) || without)
                return without;
        DumpRun d = dumper(w);
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
static bool sections(Copy *w, Err *err)
{
        DumpRun d = dumper(w);
        AUTO_BUF pre = buf_init(LIMIT_SQL);
        AUTO_BUF post = buf_init(LIMIT_SQL);
        return dump_section(&d, "pre-data", w->archive.data, w->archive.len, &pre, err) &&
               add(w, "sql", "pre-data.sql.zst", &pre, err) &&
               dump_section(&d, "post-data", w->archive.data, w->archive.len, &post, err) &&
               add(w, "sql", "post-data.sql.zst", &post, err) &&
               add(w, "schema", "schema.dump", &w->archive, err);
}

static void begin_record(Copy *w)
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

static bool end_bundle(Copy *w, Err *err)
{
        AUTO_BUF props = buf_init(LIMIT_SQL);
        if (!sequences_to_bundle(w->c->bundle, w->dir, &w->content, err) ||
            !props_each(w->content.properties, NULL, one_line, &props, err) ||
            !add(w, "sql", "database.sql.zst", &props, err))
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

/* ---- into the target ---- */

/* An older version of an extension may not have what its rows need: said by name, before any row
 * moves. */
static bool columns_fit(Copy *w, Pg *to, Err *err)
{
        AUTO_JSON found = json_array();
        if (!extension_tables_columns(w->reader, to, found, err))
                return false;
        const json_t *first = json_array_get(found, 0);
        if (!first)
                return true;
        err_set(err, ERR_USER, "%s: %s", jx_str(first, "object", ""), jx_str(first, "what", ""));
        return err_hint(err,
                        "the target's server needs that version of the extension, or a later one");
}

static bool pre_data(Copy *w, Err *err)
{
        const TransferCopy *c = w->c;
        bool ascii = str_eq(content_encoding(&w->content), "SQL_ASCII");
        if (!c->into)
                return format_choose(w->holder, NULL, c->bundle, c->portable, &w->content, err);
        Pg *to = NULL;
        if (!target_create(w->t, c->target, w->content.properties, c->into, c->marker, c->created,
                           err) ||
            !target_open(w->t, c->target, c->into, ascii, &to, err))
                return false;
        bool any = false;
        bool ok = later_put(w->t, to, &w->toc, &w->content, w->a, &any, err) &&
                  target_pre_data(w->t, to, &w->toc, err) &&
                  later_versions_fit(to, w->content.extensions, err) && columns_fit(w, to, err) &&
                  extension_tables_order(to, &w->content, w->a, &w->first, &w->n_first, err) &&
                  format_choose(w->holder, to, c->bundle, c->portable, &w->content, err);
        transfer_disconnect(w->t, &to);
        return ok;
}

static bool carry_brought(Copy *w, Err *err)
{
        Pg *to = NULL;
        int64_t rows = 0;
        if (!w->c->into || !w->c->extension_rows)
                return true;
        if (!transfer_connect(w->t, w->c->target, w->c->into, &to, err))
                return false;
        bool ok = pg_extension_rows_carry(w->reader, to, &rows, err);
        transfer_disconnect(w->t, &to);
        if (ok && rows)
                transfer_say(w->t,
                             "%lld rows that extensions brought are as they are in the source",
                             (long long)rows);
        return ok ? true : err_wrap(err, "carrying changed rows of extensions");
}

static void record_tables(Copy *w)
{
        PartSink s = { .encoding = content_encoding(&w->content), .bundle_dir = w->dir };
        json_t *records = json_array();
        jx_set(w->record, "tables", records);
        for (size_t i = 0; i < w->content.n_tables; i++)
                json_array_append_new(records, table_record(&s, &w->content.tables[i]));
}

static bool work(Copy *w, Err *err)
{
        const TransferCopy *c = w->c;
        const PgParams *target = c->into ? c->target : NULL;
        w->blobs = json_object();
        GraphPlan p = { .t = w->t,
                        .source = &c->source,
                        .database = c->database,
                        .snapshot = w->snapshot,
                        .target = target,
                        .into = c->into,
                        .content = &w->content,
                        .toc = &w->toc,
                        .writer = c->bundle,
                        .dir = w->dir,
                        .blobs = w->blobs,
                        .first = w->first,
                        .n_first = w->n_first };
        if (!graph_run(&p, err))
                return false;
        if (w->record)
                record_tables(w);
        return !target || (target_properties(w->t, target, w->content.properties, c->into, err) &&
                           target_checkpoint(w->t, target, err));
}

static bool target_major(Copy *w, int *ret, Err *err)
{
        Pg *pg = NULL;
        *ret = 0;
        if (!w->c->into)
                return true;
        if (!transfer_connect(w->t, w->c->target, NULL, &pg, err))
                return err_wrap(err, "connecting to the target");
        *ret = pg_major(pg);
        transfer_disconnect(w->t, &pg);
        return true;
}

static bool move(Copy *w, Err *err)
{
        return pre_data(w, err) && carry_brought(w, err) && work(w, err);
}

/* Said while the source is there, and not when somebody needs the bundle. */
static bool say_risks(Copy *w, Err *err)
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

static bool move_and_keep(Copy *w, Err *err)
{
        Aside a;
        begin_record(w);
        if (!say_risks(w, err))
                return false;
        if (w->c->dump && !add_dump(w, err))
                return false;
        return aside_begin(&a, w, sections, err) && aside_join(&a, move(w, err), err) &&
               end_bundle(w, err);
}

static void sum_up(Copy *w, TransferResult *r)
{
        *r = (TransferResult){ .tables = w->content.counted,
                               .sequences = (int64_t)w->content.n_sequences,
                               .large_objects = jx_int(w->blobs, "count", 0),
                               .objects = toc_count(&w->toc),
                               .client = pg_client_words(&w->client),
                               .tolerated = json_incref(w->t->tolerated),
                               .kept = w->c->prepared ? json_incref(w->t->kept) : NULL };
        for (size_t i = 0; i < w->content.n_tables; i++) {
                r->rows += w->content.tables[i].rows;
                r->bytes += w->content.tables[i].bytes;
        }
}

bool transfer_copy(Transfer *t, const TransferCopy *c, TransferResult *ret, Err *err)
{
        Copy CLEANUP(copy_close) w = { .t = t, .c = c, .a = arena_new() };
        int major;
        *ret = (TransferResult){ 0 };
        t->prepared = c->prepared;
        t->name = c->name;
        if (!target_major(&w, &major, err) || !open_source(&w, err) ||
            !find_client(&w, major, err) || !read_schema(&w, err) ||
            !(c->bundle ? move_and_keep(&w, err) : move(&w, err)))
                return err_wrap(err, "copying database %s", c->database);
        sum_up(&w, ret);
        return true;
}
