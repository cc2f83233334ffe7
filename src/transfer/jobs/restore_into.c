/* restore_into.c: a few tables out of a bundle, into a database that lives.
 *
 * One connection and one transaction: whoever looks sees all of it or nothing, and a crash at
 * any moment leaves the database as it was. What was chosen must not be there yet. What it
 * only needs (a type, a function, an extension, a schema) may be: then that one is used as it
 * is, and said. Each entry has a savepoint of its own, because the answer to "is it there?" is
 * the server's. */
#include "base/limits.h"
#include "base/text.h"
#include "dumps/constraint.h"
#include "transfer/choose/content.h"
#include "transfer/choose/subset.h"
#include "transfer/make/entries.h"
#include "transfer/make/sequences.h"
#include "transfer/make/target_database.h"
#include "transfer/read/bundle_schema.h"
#include "transfer/read/part.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define SHOWN 40 /* statements a hint has: more is a script */

typedef struct Into {
        Transfer *t;
        const TransferRestore *c;
        Arena *a;
        json_t *record, *left_out;
        BundleSchema schema;
        bool *existing; /* entries that were there before */
        Pg *to;
        Entries run;
        int64_t tables, rows, bytes, total;
        int things;
        const char *there; /* the first that is in the way; NULL: none */
        int n_there;
} Into;

static void into_close(Into *w)
{
        if (w->run.a)
                entries_done(&w->run);
        transfer_disconnect(w->t, &w->to); /* an open transaction goes with it */
        json_decref(w->record);
        json_decref(w->left_out);
        bundle_schema_done(&w->schema);
        arena_free(w->a);
}

static bool open_all(Into *w, Err *err)
{
        const TransferRestore *c = w->c;
        const json_t *record = bundle_database(c->bundle, c->database, err);
        if (!record)
                return false;
        w->record = json_deep_copy(record);
        w->left_out = json_array();
        if (!bundle_schema_read(c->bundle, record, w->a, &w->schema, err) ||
            !subset_apply(&(Subset){ c->only, c->n_only, .lenient = true }, &w->schema.toc,
                          w->record, w->left_out, w->a, err))
                return false;
        w->existing = arena_new_array(w->a, bool, w->schema.toc.n + 1);
        bool ascii = str_eq(jx_str(jx_get(record, "properties"), "encoding", ""), "SQL_ASCII");
        if (!target_open(w->t, c->target, c->into, ascii, &w->to, err))
                return false;
        entries_begin(&w->run, w->t, w->to);
        w->run.inside = true;
        return pg_do(w->to, "begin", err);
}

/* ---- before anything is made ---- */

static bool is_relation(const TocEntry *e)
{
        static const char *const relations[] = { "TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE",
                                                 "FOREIGN TABLE" };
        for (size_t i = 0; i < LEN(relations); i++)
                if (str_eq(e->class, relations[i]))
                        return true;
        return false;
}

/* Indexes and statistics have their names of the schema, too: ALTER TABLE .. RENAME leaves those of
 * the old table behind. NULL: this entry makes nothing of the kind. */
static const char *own_name(Into *w, const TocEntry *e)
{
        AUTO_BUF index = buf_init(LIMIT_SQL);
        if (is_relation(e) || str_eq(e->class, "INDEX") || str_eq(e->class, "STATISTICS"))
                return e->name;
        if (str_eq(e->class, "CONSTRAINT") && constraint_own_index(e->sql, &index))
                return arena_strdup(w->a, buf_str(&index));
        return NULL;
}

/* The statement that takes what has this name out of the way; no row: nothing has it. */
static void named_sql(const TocEntry *e, const char *name, Sql *q)
{
        sql_add(q, "select format('ALTER %s %I.%I RENAME TO %I;', x.what, n.nspname, x.name, "
                   "left(x.name, 59) || '_old') from (");
        if (str_eq(e->class, "STATISTICS"))
                sql_add(q, "select 'STATISTICS' as what, stxname::text as name, stxnamespace as "
                           "space from pg_statistic_ext");
        else
                sql_add(q, "select case relkind when 'i' then 'INDEX' when 'I' then 'INDEX' when "
                           "'S' then 'SEQUENCE' when 'v' then 'VIEW' when 'm' then 'MATERIALIZED "
                           "VIEW' when 'f' then 'FOREIGN TABLE' when 'c' then 'TYPE' else 'TABLE' "
                           "end as what, relname::text as name, relnamespace as space from "
                           "pg_class");
        sql_add(q, ") x join pg_namespace n on n.oid = x.space where n.nspname = ");
        sql_value(q, e->schema ? e->schema : "");
        sql_add(q, " and x.name = ");
        sql_value(q, name);
}

static bool not_there_yet(Into *w, const TocEntry *e, bool *ret_existing, Buf *in_the_way, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        const char *name = own_name(w, e);
        if (!name)
                return true;
        named_sql(e, name, &q);
        if (!pg_query(w->to, &q, &r, err))
                return false;
        if (pg_rows(r) == 0)
                return true;
        if (e->part == TOC_NEEDED) {
                *ret_existing = true;
                transfer_say(w->t, "%s is there already: used as it is", toc_object(w->a, e));
                return true;
        }
        AUTO_FREE char *rename = text_clean_str(pg_cell(r, 0, 0));
        if (!w->there)
                w->there = toc_object(w->a, e);
        if (w->n_there++ < SHOWN)
                buf_printf(in_the_way, " %s", rename);
        return true;
}

static bool into_refuse(const Into *w, const Buf *in_the_way, Err *err)
{
        if (w->n_there == 1)
                err_set(err, ERR_USER, "%s is there already in the database %s", w->there,
                        w->c->into);
        else
                err_set(err, ERR_USER,
                        "%s is there already in the database %s, and the names of "
                        "%d more things "
                        "that would come "
                        "with it",
                        w->there, w->c->into, w->n_there - 1);
        memcpy(err->sqlstate, "42P07", sizeof "42P07");
        return err_hint(err,
                        "nothing was touched. Restore into a database of its own (--to "
                        "..,db=NEW_NAME), or take those out of the "
                        "way:%s%s",
                        buf_str(in_the_way), w->n_there > SHOWN ? " .." : "");
}

/* A tablespace is a directory of one machine. */
static bool tablespace(Into *w, TocEntry *e, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        if (!e->tablespace || !*e->tablespace)
                return true;
        sql_add(&q, "select 1 from pg_tablespace where spcname = ");
        sql_value(&q, e->tablespace);
        if (!pg_query(w->to, &q, &r, err))
                return false;
        if (pg_rows(r) == 0) {
                transfer_say(w->t, "tablespace %s is not on the target: %s goes to the default one",
                             e->tablespace, toc_object(w->a, e));
                e->tablespace = "";
        }
        return true;
}

static bool into_look(Into *w, Err *err)
{
        AUTO_BUF in_the_way = buf_init(LIMIT_LINE);
        for (size_t i = 0; i < w->schema.toc.n; i++) {
                TocEntry *e = &w->schema.toc.entries[i];
                if (str_eq(e->class, "SCHEMA"))
                        e->part = TOC_NEEDED; /* a schema may be there: its tables may not */
                if (!not_there_yet(w, e, &w->existing[i], &in_the_way, err) ||
                    !tablespace(w, e, err))
                        return false;
        }
        return w->n_there == 0 || into_refuse(w, &in_the_way, err);
}

/* ---- one entry ---- */

static bool about_existing(const Into *w, const TocEntry *e)
{
        static const char *const about[] = { "ACL", "COMMENT", "SECURITY LABEL" };
        bool any = false;
        for (size_t i = 0; i < LEN(about); i++)
                any = any || str_eq(e->class, about[i]);
        for (size_t i = 0; any && i < w->schema.toc.n; i++) {
                if (!w->existing[i])
                        continue;
                for (size_t k = 0; k < e->n_needs; k++)
                        if (e->needs[k] == w->schema.toc.entries[i].id)
                                return true;
        }
        return false;
}

static bool is_duplicate(const Err *err)
{
        static const char *const states[] = { "42710", "42723", "42P06", "42P07" };
        for (size_t i = 0; i < LEN(states); i++)
                if (str_eq(err->sqlstate, states[i]))
                        return true;
        return false;
}

/* What may go wrong without the whole going wrong. */
static bool forgive(Into *w, size_t i, Err *err)
{
        const TocEntry *e = &w->schema.toc.entries[i];
        const char *object = toc_object(w->a, e);
        if (e->part == TOC_NEEDED && !is_relation(e) && is_duplicate(err)) {
                w->existing[i] = true;
                transfer_say(w->t, "%s is there already: used as it is", object);
        } else if (str_eq(e->class, "FK CONSTRAINT") &&
                   (str_eq(err->sqlstate, "42P01") || str_eq(err->sqlstate, "23503") ||
                    str_eq(err->sqlstate, "42830"))) {
                transfer_say(w->t, "left out: %s: %s", object, err->message);
        } else {
                return false;
        }
        err_clear(err);
        return true;
}

static bool one_entry(Into *w, size_t i, Err *err)
{
        const TocEntry *e = &w->schema.toc.entries[i];
        if (!toc_is_schema(e) || w->existing[i] || about_existing(w, e))
                return true;
        if (!pg_do(w->to, "savepoint entry", err))
                return false;
        if (entries_run(&w->run, &e, 1, NULL, NULL, err)) {
                progress_set(w->t, w->bytes, ++w->things, NULL);
                return pg_do(w->to, "release savepoint entry", err);
        }
        w->run.tablespace = w->run.access_method = NULL; /* settings go back, too */
        AUTO_ERR second = { 0 };
        return forgive(w, i, err) && (pg_do(w->to, "rollback to savepoint entry", &second) ||
                                      (err_move(err, &second), false));
}

static bool entries(Into *w, TocSection section, TocPass pass, Err *err)
{
        for (size_t i = 0; i < w->schema.toc.n; i++) {
                const TocEntry *e = &w->schema.toc.entries[i];
                bool mine = e->pass == pass && (pass != TOC_PASS_MAIN || e->section == section);
                if (mine && !one_entry(w, i, err))
                        return false;
        }
        return true;
}

/* ---- rows ---- */

static void into_moved(void *arg, int64_t bytes, int64_t rows)
{
        Into *w = arg;
        w->bytes += bytes;
        w->rows += rows;
        progress_set(w->t, w->bytes, (int)w->tables, NULL);
}

static bool one_table(Into *w, const json_t *j, Err *err)
{
        Table t = { 0 };
        PartSink s = { .t = w->t,
                       .to = w->to,
                       .inside = true,
                       .moved = into_moved,
                       .moved_arg = w,
                       .seed = bundle_row_seed(bundle_manifest_of(w->c->bundle)) };
        Part p = { .table = &t, .end = -1, .of = 1 };
        table_from_record(w->a, j, &t);
        w->tables++;
        return part_restore(&s, w->c->bundle, j, &p, err);
}

static bool into_rows(Into *w, Err *err)
{
        const json_t *tables = jx_get(w->record, "tables");
        size_t i;
        json_t *j;
        json_array_foreach(tables, i, j)
                w->total += jx_int(j, "bytes", 0);
        progress_stage(w->t, "copying", "bytes", w->total, (int)json_array_size(tables));
        json_array_foreach(tables, i, j) {
                AUTO_FREE char *whole =
                        xasprintf("%s.%s", jx_str(j, "schema", ""), jx_str(j, "name", ""));
                AUTO_FREE char *name = text_clean_str(whole);
                if (!one_table(w, j, err))
                        return err_wrap(err, "table %s", name);
        }
        return true;
}

/* A sequence that was there before stays where it stands. */
static bool was_there(const Into *w, const json_t *j)
{
        for (size_t i = 0; i < w->schema.toc.n; i++) {
                const TocEntry *e = &w->schema.toc.entries[i];
                if (w->existing[i] && str_eq(e->class, "SEQUENCE") &&
                    str_eq(e->name, jx_str(j, "name", "")) &&
                    str_eq(e->schema, jx_str(j, "schema", "")))
                        return true;
        }
        return false;
}

static bool sequences(Into *w, Err *err)
{
        const json_t *all = jx_get(w->record, "sequences");
        Content c = { .sequences = arena_new_array(w->a, Sequence, json_array_size(all) + 1) };
        size_t i;
        json_t *j;
        json_array_foreach(all, i, j) {
                if (was_there(w, j))
                        continue;
                c.sequences[c.n_sequences++] =
                        (Sequence){ jx_str(j, "schema", ""), jx_str(j, "name", ""),
                                    jx_str(j, "value", "1"), jx_bool(j, "is_called", false) };
        }
        return sequences_set(w->to, &c, err);
}

bool transfer_restore_into(Transfer *t, const TransferRestore *c, TransferResult *ret, Err *err)
{
        Into CLEANUP(into_close) w = { .t = t, .c = c, .a = arena_new() };
        *ret = (TransferResult){ 0 };
        progress_stage(t, "schema", "objects", 0, 0);
        if (!open_all(&w, err) || !into_look(&w, err) ||
            !entries(&w, TOC_PRE_DATA, TOC_PASS_MAIN, err) || !into_rows(&w, err) ||
            !sequences(&w, err))
                return err_wrap(err, "restoring from %s", bundle_path(c->bundle));
        progress_words(t, "building indexes");
        if (!entries(&w, TOC_POST_DATA, TOC_PASS_MAIN, err) ||
            !entries(&w, TOC_NONE, TOC_PASS_ACL, err) ||
            !entries(&w, TOC_NONE, TOC_PASS_POST_ACL, err) || transfer_stopped(t, err) ||
            !pg_do(w.to, "commit", err))
                return err_wrap(err, "restoring from %s", bundle_path(c->bundle));
        size_t i;
        json_t *j;
        json_array_foreach(w.left_out, i, j)
                transfer_say(t, "%s", json_string_value(j));
        *ret = (TransferResult){
                .tables = w.tables,
                .rows = w.rows,
                .bytes = w.bytes,
                .objects = toc_count(&w.schema.toc),
                .sequences = (int64_t)json_array_size(jx_get(w.record, "sequences")),
                .client = xstrdup(w.schema.toc.dump_version ? w.schema.toc.dump_version : ""),
                .tolerated = json_incref(t->tolerated)
        };
        return true;
}
