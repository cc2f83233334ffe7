#include "app/load.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "pg/database.h"
#include "transfer/transfer.h"

#define TRIES 6                 /* health checks connect for a moment */

static bool taken(Load *l, const char *why, Err *err)
{
        l->refused = true;
        err_set(err, ERR_USER, "the database %s is there already and is not empty: it has %s", l->name,
                why);
        return err_hint(err, "nothing was touched. Give another name: %s ..,db=NAME", l->to->option);
}

/* Is the name free, or held by a database with nothing in it? */
static bool look(Load *l, Pg *pg, bool *ret_there, Err *err)
{
        AUTO_JSON there = NULL;
        AUTO_FREE char *what = NULL;
        bool empty = false;
        if (!pg_database_describe(pg, l->name, &there, err))
                return false;
        *ret_there = there != NULL;
        if (!there)
                return true;
        if (!pg_database_is_empty(pg, l->name, &empty, &what, err))
                return false;
        return empty || taken(l, what, err);
}

bool load_begin(Load *l, const char *what, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        if (!endpoint_open(l->to, NULL, &pg, err) || !look(l, pg, &l->replaces, err))
                return false;
        PgParams p = endpoint_params(l->to, NULL);
        l->leftovers = load_leftovers(pg);
        AUTO_FREE char *run = xasprintf("cli%d", (int)getpid());
        l->marker = xasprintf("pgsherpa %s, process %d: being loaded", what, (int)getpid());
        return transfer_temporary_name(&p, run, &l->temporary, err);
}

static bool swap(Load *l, Pg *pg, const char *aside, Err *err)
{
        for (int attempt = 1;; attempt++) {
                AUTO_ERR ignored = { 0 };
                err_clear(err);
                if (pg_do(pg, "begin", err) &&
                    (!aside || pg_database_rename(pg, l->name, aside, err)) &&
                    pg_database_rename(pg, l->temporary, l->name, err) && pg_do(pg, "commit", err))
                        return true;
                (void)!pg_do(pg, "rollback", &ignored);
                if (!str_eq(err->sqlstate, "55006") || attempt == TRIES)
                        return false;
                nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
        }
}

bool load_finish(Load *l, Err *err)
{
        AUTO_PG Pg *any = NULL;
        AUTO_PG Pg *pg = NULL;
        bool there = false;
        if (!endpoint_open(l->to, NULL, &any, err) ||
            !pg_open_beside(any, l->temporary, l->name, &pg, err))
                return false;
        any = pg_close(any);            /* it may stand in the one to be renamed */
        if (!look(l, pg, &there, err))
                return false;
        /* Its own short name, never the old name with a suffix: 63 bytes cut it back. */
        AUTO_FREE char *aside = there ? xasprintf("%s_aside", l->temporary) : NULL;
        if (!swap(l, pg, aside, err))
                return err_wrap(err, "giving the database its name");
        return !aside || pg_database_drop(pg, aside, false, err);
}

bool load_drop(Load *l, int64_t oid, Err *err)
{
        PgParams p = endpoint_params(l->to, NULL);
        if (!l->temporary)
                return true;
        for (int attempt = 1;; attempt++) {
                err_clear(err);
                if (transfer_drop(&p, l->temporary, oid, l->marker, NULL, err))
                        return true;
                /* A server that fell over is often back in a moment: recovery, then this. */
                if ((err->kind != ERR_LINK && !str_eq(err->sqlstate, "57P03")) || attempt == TRIES * 2)
                        return false;
                nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
        }
}

void load_hint(const Load *l, bool dropped, Err *err)
{
        if (!dropped)
                err_hint(err, "once the server answers: drop database \"%s\". It is in nobody's way: a "
                              "new run makes its own", l->temporary);
        else if (!err->hint && err->kind != ERR_CANCELLED)
                err_hint(err, "nothing of it is left on the target, and the source was only read: see to "
                              "the cause and run it again");
}

int load_failed(Load *l, Work *w, Err *err, int code)
{
        AUTO_ERR why = { 0 };
        bool gone = load_drop(l, work_oid(w), &why);
        if (!gone) {
                AUTO_FREE char *note = xasprintf("pgsherpa: the unfinished database %s is still there on the target",
                                                 l->temporary);
                work_complain(w, note);
                load_hint(l, false, &why);
                work_fail(w, &why, code);
        }
        if (gone)
                load_hint(l, true, err);
        return work_fail(w, err, code);
}

json_t *load_json(const char *database, const TransferResult *r, const char *objects)
{
        json_t *j = json_object();
        jx_set_str(j, "database", database);
        jx_set_int(j, "tables", r->tables);
        jx_set_int(j, "rows", r->rows);
        jx_set_int(j, "bytes", r->bytes);
        jx_set_int(j, objects, r->objects);
        jx_set_int(j, "sequences", r->sequences);
        jx_set_int(j, "large_objects", r->large_objects);
        return j;
}

void load_done(Load *l)
{
        free(l->temporary);
        free(l->marker);
        free(l->leftovers);
        l->temporary = l->marker = l->leftovers = NULL;
}
