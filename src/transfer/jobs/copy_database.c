/* copy_database.c: a transfer from a server, in one pass. */
#include "transfer/jobs/copy_database.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "pg/extension_rows.h"
#include "transfer/choose/content.h"
#include "transfer/choose/copy_subset.h"
#include "transfer/make/extension_tables.h"
#include "transfer/make/graph.h"
#include "transfer/make/later.h"
#include "transfer/make/target_database.h"
#include "transfer/read/dump.h"
#include "transfer/read/format.h"
#include "transfer/read/opclasses.h"
#include "transfer/read/source.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

static void copy_close(DatabaseCopy *w)
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

static void copy_said(void *arg, int fd, const char *line)
{
        DatabaseCopy *w = arg;
        transfer_say(w->t, "%s", line);
}

DumpRun copy_dump_run(DatabaseCopy *w)
{
        return (DumpRun){ .client = &w->client,
                          .server = &w->c->source,
                          .cancel = transfer_cancel_flag(w->t),
                          .failed = &w->t->failed,
                          .line = copy_said,
                          .line_arg = w };
}

static bool open_source(DatabaseCopy *w, Err *err)
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
static bool find_client(DatabaseCopy *w, int target_major, Err *err)
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

static bool run_pg_dump(DatabaseCopy *w, Err *err)
{
        DumpRun d = copy_dump_run(w);
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
        DatabaseCopy *w;
        bool (*run)(DatabaseCopy *w, Err *err);
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

static bool aside_begin(Aside *a, DatabaseCopy *w, bool (*run)(DatabaseCopy *w, Err *err), Err *err)
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
static bool copy_look(DatabaseCopy *w, Err *err)
{
        return source_content(w->reader, w->a, &w->content, err) ||
               err_wrap(err, "the source database %s", w->c->database);
}

static bool chosen(const TransferCopy *c)
{
        return json_array_size(c->only_tables) + json_array_size(c->only_schemas) > 0;
}

static bool read_schema(DatabaseCopy *w, Err *err)
{
        CopySubset all = { &w->archive, &w->toc, &w->content };
        Aside a;
        if (!aside_begin(&a, w, copy_look, err) || !aside_join(&a, run_pg_dump(w, err), err) ||
            !toc_read(w->archive.data, w->archive.len, w->a, &w->toc, err) ||
            (chosen(w->c) && !copy_subset_apply(w->t, w->c, w->a, &all, &w->only, err)))
                return false;
        /* In a bundle the archive stays as pg_dump wrote it; its record has the classes. */
        opclasses_say(&w->toc, jx_get(w->content.properties, "opclasses"), w->a);
        return true;
}

/* ---- into the target ---- */

/* An older version of an extension may not have what its rows need: said by name, before any row
 * moves. */
static bool columns_fit(DatabaseCopy *w, Pg *to, Err *err)
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

static bool pre_data(DatabaseCopy *w, Err *err)
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

static bool carry_brought(DatabaseCopy *w, Err *err)
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

static bool copy_work(DatabaseCopy *w, Err *err)
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
                copy_bundle_tables(w);
        return !target || (target_properties(w->t, target, w->content.properties, c->into, err) &&
                           target_checkpoint(w->t, target, err));
}

static bool target_major(DatabaseCopy *w, int *ret, Err *err)
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

static bool copy_move(DatabaseCopy *w, Err *err)
{
        return pre_data(w, err) && carry_brought(w, err) && copy_work(w, err);
}

static bool move_and_keep(DatabaseCopy *w, Err *err)
{
        Aside a;
        copy_bundle_begin(w);
        if (!copy_bundle_risks(w, err))
                return false;
        if (w->c->dump && !copy_bundle_dump(w, err))
                return false;
        return aside_begin(&a, w, copy_bundle_sections, err) &&
               aside_join(&a, copy_move(w, err), err) && copy_bundle_end(w, err);
}

static void sum_up(DatabaseCopy *w, TransferResult *r)
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
        DatabaseCopy CLEANUP(copy_close) w = { .t = t, .c = c, .a = arena_new() };
        int major;
        *ret = (TransferResult){ 0 };
        t->prepared = c->prepared;
        t->name = c->name;
        if (!target_major(&w, &major, err) || !open_source(&w, err) ||
            !find_client(&w, major, err) || !read_schema(&w, err) ||
            !(c->bundle ? move_and_keep(&w, err) : copy_move(&w, err)))
                return err_wrap(err, "copying database %s", c->database);
        sum_up(&w, ret);
        return true;
}
