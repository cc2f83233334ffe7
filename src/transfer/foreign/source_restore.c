/* source_restore.c: the second reading: every statement, every row, into one new database. */
#include "transfer/foreign/source_restore.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/majors.h"
#include "base/text.h"
#include "dumps/sqltext.h"
#include "transfer/foreign/foreign.h"
#include "transfer/foreign/source_stream.h"
#include "transfer/make/index_progress.h"
#include "transfer/make/target_database.h"
#include "transfer/source_file.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

static void restore_close(SourceRestore *l)
{
        l->watch = index_progress_stop(l->watch);
        transfer_disconnect(l->t, &l->to);
        l->r = sqlread_free(l->r);
        l->s = source_stream_free(l->s);
        json_decref(l->later);
}

static bool restore_statements(SourceRestore *l, Err *err)
{
        for (;;) {
                SqlReadItem i;
                AUTO_FREE char *connect = NULL;
                if (transfer_stopped(l->t, err) || !sqlread_next(l->r, &i, err))
                        return false;
                if (i.kind == SQLREAD_END)
                        return true;
                if (i.kind == SQLREAD_COMMAND &&
                    !contents_command(&i, &l->restricted, &connect, err))
                        return false;
                if (connect)
                        l->wanted = str_eq(connect, l->f->chosen->name);
                if (i.kind == SQLREAD_STATEMENT && !source_statement(l, &i, err))
                        return false;
        }
}

/* ---- was it all? ---- */

static bool unchanged(const SourceRestore *l, Err *err)
{
        SourceStamp now;
        const SourceStamp *then = &l->f->stamp;
        if (!source_stamp(l->f->path, &now, err))
                return false;
        if (now.size != then->size || now.inode != then->inode || now.changed != then->changed)
                return err_set(err, ERR_USER, "the file was changed while it was restored");
        return true;
}

static bool restore_complete(SourceRestore *l, Err *err)
{
        const DumpSection *s = l->f->chosen;
        if (pg_in_transaction(l->to))
                return err_set(err, ERR_USER, "a transaction was begun in it and never committed");
        if (l->f->kind == SOURCE_SQL && (l->copies != s->copies))
                return err_set(err, ERR_USER, "it held %lld blocks of rows, and %lld were loaded",
                               (long long)s->copies, (long long)l->copies);
        return unchanged(l, err);
}

/* pg_client_words() speaks of pg_dump, whoever runs. */
static char *client_words(const SourceFile *f)
{
        return xasprintf("pg_restore %s", f->client.version);
}

static bool restore_count(SourceRestore *l, TransferResult *ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_do(l->to, "reset session authorization; reset role", err) ||
            !pg_ask(l->to,
                    "select (select count(*) from pg_catalog.pg_class c join "
                    "pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in "
                    "('r', 'p') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and "
                    "n.nspname <> 'information_schema' and not exists (select from "
                    "pg_catalog.pg_depend d where d.classid = "
                    "'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and "
                    "d.deptype = 'e')), (select count(*) from pg_catalog.pg_class where "
                    "relkind = 'S'), (select count(*) from "
                    "pg_catalog.pg_largeobject_metadata)",
                    &r, err))
                return false;
        *ret = (TransferResult){ .tables = pg_cell_int(r, 0, 0),
                                 .sequences = pg_cell_int(r, 0, 1),
                                 .large_objects = pg_cell_int(r, 0, 2),
                                 .rows = l->rows,
                                 .bytes = l->bytes,
                                 .objects = l->statements,
                                 .tolerated = json_incref(l->t->tolerated),
                                 .kept = l->c->prepared ? json_incref(l->t->kept) : NULL };
        ret->client = l->f->kind == SOURCE_SQL ? xstrdup("") : client_words(l->f);
        return true;
}

static void say_what_was_left(SourceRestore *l)
{
        if (sqlread_is_crlf(l->r))
                transfer_say(l->t, "the file's lines end with CR LF (a terminal or Windows wrote "
                                   "it): they were taken as pg_dump wrote them, with LF, in texts "
                                   "and functions too");
        if (l->skipped && !l->f->all) /* then they have been run */
                transfer_say(l->t,
                             "%lld statements about roles, tablespaces and the like were not "
                             "run: a restore makes one database "
                             "(roles in the file: %zu)",
                             (long long)l->skipped, json_array_size(l->f->contents.roles));
        if (l->removed)
                transfer_say(l->t,
                             "%lld objects were to be removed first (pg_dump -c); in a new "
                             "database there is none of them",
                             (long long)l->removed);
}

static bool restore_run(SourceRestore *l, TransferResult *ret, Err *err)
{
        AUTO_JSON props = NULL;
        const TransferRestore *c = l->c;
        if (!source_database_properties(l, &props, err) ||
            !target_create(l->t, c->target, props, c->into, c->marker, c->created, err) ||
            !target_open(l->t, c->target, c->into, false, &l->to, err) ||
            /* as psql begins: the file sets what it wants */
            !pg_do(l->to, "reset search_path", err) || !source_stream_of(l->f, false, &l->s, err))
                return false;
        l->r = sqlread_new(source_stream_read, l->s);
        l->watch = index_progress_start(l->t, c->target);
        index_progress_follow(l->watch, 0, pg_backend_pid(l->to), 0.7);
        l->wanted = !*l->f->chosen->name;
        progress_stage(l->t, "restoring", "bytes",
                       l->f->kind == SOURCE_DIRECTORY ? 0 : l->f->stamp.size, 0);
        bool ok = restore_statements(l, err);
        AUTO_ERR child = { 0 };
        if ((ok || err->kind == ERR_USER) && !source_stream_end(l->s, &child)) {
                err_clear(err);
                err_move(err, &child);
                ok = false;
        }
        l->watch = index_progress_stop(l->watch);
        progress_end(l->t, 0, 0);
        if (!ok || !restore_complete(l, err) || !restore_count(l, ret, err))
                return false;
        say_what_was_left(l);
        return source_database_end(l, err);
}

bool source_file_restore(Transfer *t, SourceFile *f, const TransferRestore *c, TransferResult *ret,
                         Err *err)
{
        f->t = t;
        SourceRestore CLEANUP(restore_close) l = { .f = f, .t = t, .c = c, .later = json_array() };
        *ret = (TransferResult){ 0 };
        t->prepared = c->prepared;
        t->name = c->name;
        if (restore_run(&l, ret, err))
                return true;
        return err->kind == ERR_CANCELLED ? false : err_wrap(err, "restoring from %s", f->words);
}
