/* rehearse.c: the schema alone, made on the target, compared, and dropped again. */
#include "base/limits.h"
#include "pg/extension_rows.h"
#include "transfer/direction.h"
#include "transfer/jobs/followers.h"
#include "transfer/jobs/holds.h"
#include "transfer/jobs/samples.h"
#include "transfer/make/entries.h"
#include "transfer/make/extension_tables.h"
#include "transfer/make/later.h"
#include "transfer/make/prepared.h"
#include "transfer/make/target_database.h"
#include "transfer/read/dump.h"
#include "transfer/read/opclasses.h"
#include "transfer/read/props.h"
#include "transfer/read/source.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

typedef struct Rehearsal {
        Transfer *t;
        const TransferCopy *c;
        Arena *a;
        Pg *from, *to;
        PgClient client;
        Buf archive;
        Toc toc;
        json_t *props, *found;
} Rehearsal;

static void rehearsal_close(Rehearsal *w)
{
        transfer_disconnect(w->t, &w->to);
        transfer_disconnect(w->t, &w->from);
        pg_client_done(&w->client);
        buf_done(&w->archive);
        json_decref(w->props);
        json_decref(w->found);
        arena_free(w->a);
}

static void rehearse_said(void *arg, int fd, const char *line)
{
        Rehearsal *w = arg;
        transfer_say(w->t, "%s", line);
}

static bool name_opclasses(Rehearsal *w)
{
        opclasses_say(&w->toc, jx_get(w->props, "opclasses"), w->a);
        return true;
}

static bool read_schema(Rehearsal *w, int target, Err *err)
{
        const TransferCopy *c = w->c;
        PgParams p = c->source;
        p.statement_timeout_ms = 0;
        DumpRun d = { .client = &w->client,
                      .server = &p,
                      .cancel = transfer_cancel_flag(w->t),
                      .line = rehearse_said,
                      .line_arg = w };
        if (!transfer_connect(w->t, &p, c->database, &w->from, err) ||
            !props_read(w->from, &w->props, err))
                return false;
        int source = pg_major(w->from), major = MAX(source, target);
        bool ascii = str_eq(jx_str(w->props, "encoding", ""), "SQL_ASCII");
        return pg_clients_whole(major, major == source ? c->source_image : c->target_image,
                                &w->client, err) &&
               dump_schema(&d, c->database, NULL, ascii ? "SQL_ASCII" : "UTF8", &w->archive, err) &&
               toc_read(w->archive.data, w->archive.len, w->a, &w->toc, err) && name_opclasses(w);
}

/* Bodies of functions are only text to CREATE FUNCTION here (check_function_bodies is off, as in
 * any restore). The language's own validator says whether they can be read; only syntax counts,
 * since a body may speak of a table that it makes itself. */
static bool validate(Rehearsal *w, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(w->to,
                    "select p.oid, pg_catalog.pg_describe_object('pg_proc'::regclass, "
                    "p.oid, 0), l.lanvalidator::regproc::text from pg_proc p join "
                    "pg_language l on l.oid = p.prolang where l.lanname in ('sql', "
                    "'plpgsql') and l.lanvalidator <> 0 and p.oid >= 16384 and not exists "
                    "(select from pg_depend e where e.classid = 'pg_proc'::regclass and "
                    "e.objid = p.oid and e.deptype in ('e', 'i'))",
                    &r, err) ||
            !pg_do(w->to, "set check_function_bodies = on", err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_SQL q = { 0 };
                AUTO_ERR why = { 0 };
                sql_add(&q, "select ");
                sql_rendered(&q, pg_cell(r, i, 2)); /* regproc prints it quoted */
                sql_add(&q, "(");
                sql_value(&q, pg_cell(r, i, 0));
                sql_add(&q, ")");
                if (pg_exec(w->to, &q, &why))
                        continue;
                if (why.kind != ERR_SERVER) {
                        err_move(err, &why);
                        return false;
                }
                if (str_eq(why.sqlstate, "42601") &&
                    !transfer_tolerates(w->t, pg_cell(r, i, 1), &why)) {
                        err_move(err, &why);
                        return false;
                }
        }
        return pg_do(w->to, "set check_function_bodies = off", err);
}

static bool versions(Rehearsal *w, Err *err)
{
        AUTO_JSON extensions = NULL;
        AUTO_ERR why = { 0 };
        if (!source_extensions(w->from, &extensions, err))
                return false;
        if (later_versions_fit(w->to, extensions, &why))
                return true;
        if (why.kind != ERR_USER) {
                err_move(err, &why);
                return false;
        }
        json_t *j = json_object();
        jx_set_str(j, "object", "an extension");
        jx_set_str(j, "what", why.message);
        jx_set_str(j, "verdict", "refused");
        json_array_append_new(w->found, j);
        return true;
}

/* Rows that extensions brought and somebody changed: nobody carries them unasked. */
static bool rehearse_brought(Rehearsal *w, Err *err)
{
        AUTO_JSON changed = NULL;
        size_t i;
        json_t *line;
        if (!pg_extension_rows_changed(w->from, w->to, &changed, err))
                return false;
        AUTO_JSON words = pg_extension_rows_words(changed);
        json_array_foreach(words, i, line) {
                bool same = json_equal(jx_get(json_array_get(changed, i), "here"),
                                       jx_get(json_array_get(changed, i), "there"));
                json_t *j = json_object();
                AUTO_FREE char *object =
                        xasprintf("table %s", jx_str(json_array_get(changed, i), "table", ""));
                jx_set_str(j, "object", object);
                jx_set_str(j, "what", json_string_value(line));
                jx_set_str(j, "verdict", "perhaps");
                if (same)
                        jx_set_str(
                                j, "how",
                                "change them there, too; pgsherpa copy --extension-rows does it");
                json_array_append_new(w->found, j);
        }
        return true;
}

static bool rehearse_make(Rehearsal *w, Err *err)
{
        size_t n;
        bool any = false;
        if (!later_put(w->t, w->to, &w->toc, NULL, w->a, &any, err))
                return false;
        const TocEntry **list = entries_of_schema(w->a, &w->toc, ENTRIES_ALL, &n);
        Entries entries;
        progress_stage(w->t, "rehearsing the schema", "objects", (int64_t)n, (int)n);
        entries_begin(&entries, w->t, w->to);
        bool ok = entries_run(&entries, list, n, NULL, NULL, err) && validate(w, err) &&
                  extension_tables_columns(w->from, w->to, w->found, err) && versions(w, err) &&
                  rehearse_brought(w, err);
        entries_done(&entries);
        return ok;
}

/* ---- is it the same? ---- */

static bool lacking(void *arg, const char *what, const Sql *q, Err *err)
{
        return pg_exec(arg, q, err);
}

/* What the target makes of the source's texts stands in the rehearsal itself. */
static bool made_here(void *arg, int side, const char *snapshot, const json_t *kinds, Pg **ret,
                      Err *err)
{
        Rehearsal *w = arg;
        *ret = w->to;
        return pg_do(w->to, "set search_path = pg_catalog", err);
}

static void would_differ(Rehearsal *w, const json_t *d)
{
        json_t *j = json_object();
        AUTO_FREE char *object = xasprintf("%s %s", jx_str(d, "kind", ""), jx_str(d, "object", ""));
        AUTO_FREE char *what = xasprintf("would not be there as it is here (%s): here %s, there %s",
                                         jx_str(d, "what", ""), jx_str(d, "source", "nothing"),
                                         jx_str(d, "target", "nothing"));
        jx_set_str(j, "object", object);
        jx_set_str(j, "what", what);
        jx_set_str(j, "verdict", "refused");
        json_array_append_new(w->found, j);
}

/* As the proof of a copy will, which comes when the applications stand still. Not while objects are
 * missing: whoever hung on them would be told once more. */
static bool rehearse_compare(Rehearsal *w, Err *err)
{
        const TransferCopy *c = w->c;
        Pg *there = NULL;
        AUTO_JSON report = NULL;
        Reprinter r = { .open = made_here, .arg = w };
        size_t i;
        json_t *d;
        if (json_array_size(w->found))
                return true;
        if ((!c->prepared && !props_lacking(w->props, lacking, w->to, err)) ||
            !transfer_connect(w->t, c->target, c->into, &there, err))
                return false;
        progress_words(w->t, "comparing the catalogs");
        AUTO_JSON kept = json_array();
        AUTO_JSON props = w->t->prepared ? prepared_over(w->t->prepared, w->props, kept) : NULL;
        AUTO_JSON ignore = transfer_kept_ignored(kept);
        bool ok = (!w->t->prepared || prepared_schemas(there, w->t->prepared, kept, err)) &&
                  pg_compare_catalog(w->from, there,
                                     &(CompareOptions){ .reprinter = &r, .ignore = ignore },
                                     &report, err);
        transfer_disconnect(w->t, &there);
        json_array_foreach(jx_get(report, "differences"), i, d)
                would_differ(w, d);
        return ok && target_settings_try(w->t, c->target, props ? props : w->props, c->into, err);
}

static void asking(void *arg, const HoldsState *now)
{
        Transfer *t = arg;
        ProgressRow row = { .name = now->object };
        if (now->done == 0)
                progress_stage(t, "asking the rows what they will be asked there", "bytes",
                               now->bytes_total, now->total);
        progress_set(t, now->bytes, now->done, &row);
}

static bool rehearse(Rehearsal *w, Err *err)
{
        const TransferCopy *c = w->c;
        bool ascii = str_eq(jx_str(w->props, "encoding", ""), "SQL_ASCII");
        return target_create(w->t, c->target, w->props, c->into, c->marker, c->created, err) &&
               target_open(w->t, c->target, c->into, ascii, &w->to, err) && rehearse_make(w, err) &&
               rehearse_compare(w, err);
}

bool transfer_rehearse(Transfer *t, const TransferCopy *c, json_t **ret, Err *err)
{
        Rehearsal CLEANUP(rehearsal_close)
                w = { .t = t, .c = c, .a = arena_new(), .found = json_array() };
        Pg *pg = NULL;
        if (!transfer_connect(t, c->target, NULL, &pg, err))
                return err_wrap(err, "connecting to the target");
        int target = pg_major(pg);
        transfer_disconnect(t, &pg);
        if (!read_schema(&w, target, err))
                return err_wrap(err, "rehearsing the schema of %s", c->database);
        t->rehearsal = w.found;
        t->prepared = c->prepared;
        t->name = c->name;
        bool ok = rehearse(&w, err);
        t->rehearsal = NULL;
        followers_fold(w.found);
        if (ok) {
                HoldsAsked asked = { .deep = c->every_row, .told = asking, .arg = t };
                progress_words(t, "asking the rows what they will be asked there");
                ok = holds_check(w.from, &asked, w.found, err) &&
                     (json_array_size(w.found) || samples_try(w.from, w.to, w.found, err));
        }
        bool foreign = !ok && !w.to && str_eq(err->sqlstate, "42P04"); /* CREATE DATABASE said so */
        transfer_disconnect(t, &w.to);
        AUTO_ERR why = { 0 };
        if (!foreign && !transfer_drop(c->target, c->into, 0, c->marker, NULL, ok ? err : &why))
                return ok ? false : err_wrap(err, "rehearsing the schema of %s", c->database);
        if (!ok)
                return err_wrap(err, "rehearsing the schema of %s", c->database);
        *ret = w.found;
        w.found = NULL;
        return true;
}
