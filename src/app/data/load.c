#include "app/data/load.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "pg/database.h"
#include "pg/extension.h"
#include "transfer/transfer.h"

#define TRIES 6 /* health checks connect for a moment */

static bool taken(Load *l, const char *why, Err *err)
{
        l->refused = true;
        err_set(err, ERR_USER, "the database %s is there already and is not empty: it has %s",
                l->name, why);
        return err_hint(err, "nothing was touched. Give another name: %s ..,db=NAME",
                        l->to->option);
}

/* Tools and people connect to these, whatever else is on the server. */
static bool of_server(const char *name)
{
        return str_eq(name, "postgres") || str_eq(name, "template0") || str_eq(name, "template1");
}

static bool never(Load *l, Err *err)
{
        l->refused = true;
        err_set(err, ERR_USER, "the database %s is the server's own, and is never replaced",
                l->name);
        return err_hint(err, "nothing was touched. Name another database: %s ..,db=NAME",
                        l->to->option);
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
        if (of_server(l->name))
                return never(l, err);
        if (!pg_database_is_empty(pg, l->name, &empty, &what, err))
                return false;
        return empty || taken(l, what, err);
}

/* How other processes know that this load is alive: somebody with the temporary database's name as
 * application_name is connected. Pids say nothing of other machines and containers. */
static bool name_connection(const Load *l, Pg *pg, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "set application_name = ");
        sql_value(&q, l->landing.temporary);
        return pg_exec(pg, &q, err);
}

static bool see_what_was_prepared(Load *l, Err *err)
{
        AUTO_PG Pg *in = NULL;
        return !l->replaces ||
               (pg_reopen(l->seen, l->name, &in, err) && transfer_prepared(in, &l->prepared, err));
}

bool load_begin(Load *l, const char *what, Err *err)
{
        char hex[9];
        if (!endpoint_open(l->to, NULL, &l->seen, err) || !look(l, l->seen, &l->replaces, err) ||
            !see_what_was_prepared(l, err))
                return false;
        l->params = endpoint_params(l->to, NULL);
        l->landing = (Landing){ .target = &l->params, .tries = TRIES * 2 };
        l->leftovers = load_leftovers(l->seen);
        /* The pid is for people; two containers have the same. */
        random_hex(4, hex);
        AUTO_FREE char *run = xasprintf("cli%d_%s", (int)getpid(), hex);
        l->landing.marker =
                xasprintf("pgsherpa %s, process %d, %s: being loaded", what, (int)getpid(), hex);
        return landing_begin(&l->landing, run, err) && name_connection(l, l->seen, err);
}

static bool open_one(void *to, const char *database, Pg **ret, Err *err)
{
        return endpoint_open(to, database, ret, err);
}

static bool half_a_second(void *work)
{
        nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
        return !*work_flag(work);
}

/* The work is done whatever becomes of this: nothing here is a reason to take it back. */
static void drop_aside(Load *l, const Pg *pg, const char *aside, Work *w)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *what = NULL;
        if (landing_put_away(pg, aside, NULL, &what, &err) && !what)
                return;
        AUTO_FREE char *note =
                what ? xasprintf("pgsherpa: at the last moment somebody wrote to the empty "
                                 "database %s that was there: it was kept, it is called %s now, "
                                 "and it has %s",
                                 l->name, aside, what)
                     : xasprintf("pgsherpa: the empty database that was in its place is called %s "
                                 "now and could not be dropped: %s",
                                 aside, err.message);
        AUTO_FREE char *clean = text_clean_str(note);
        work_complain(w, clean);
        l->kept = xstrdup(aside);
}

bool load_finish(Load *l, Work *w, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        bool there = false;
        if (!pg_open_beside(open_one, l->to, l->landing.temporary, l->name, &pg, err) ||
            !name_connection(l, pg, err))
                return false;
        l->seen = pg_close(l->seen); /* it may stand in the one that is to go */
        if (!look(l, pg, &there, err))
                return false;
        /* Its own short name, never the old name with a suffix: 63 bytes cut it back. */
        AUTO_FREE char *aside = there ? xasprintf("%s_aside", l->landing.temporary) : NULL;
        LandingName n = { .from = l->landing.temporary,
                          .to = l->name,
                          .aside = aside,
                          .pause = half_a_second,
                          .say = work_say,
                          .arg = w };
        if (!landing_name(pg, &n, err)) {
                l->unknown = n.unknown;
                return err_wrap(err, "giving the database its name");
        }
        if (aside)
                drop_aside(l, pg, aside, w);
        l->named = true; /* but for what extensions want */
        return landing_named(pg, &n, err);
}

bool load_drop(Load *l, int64_t oid, const Err *why, Err *err)
{
        if (l->named)
                return true;
        if (!l->landing.temporary || (!oid && str_eq(why->sqlstate, "42P04")))
                return true; /* CREATE DATABASE found somebody else's of that name */
        if (l->unknown)
                return err_set(err, ERR_LINK,
                               "it is whole, and called %s or %s: the server did not say which",
                               l->name, l->landing.temporary);
        l->landing.oid = oid;
        return landing_drop(&l->landing, NULL, err);
}

void load_hint(const Load *l, bool dropped, Err *err)
{
        if (l->unknown)
                err_hint(err,
                         "once the server answers: when database \"%s\" is there it is the "
                         "whole new one, and nothing is left to do; else drop database \"%s\" "
                         "and run it again",
                         l->name, l->landing.temporary);
        else if (l->named)
                err_hint(err,
                         "database \"%s\" is there; what is missing in it waits in its "
                         "schema " PG_LATER ". See to the "
                         "cause, drop that database and run it again",
                         l->name);
        else if (!dropped)
                err_hint(err,
                         "once the server answers: drop database \"%s\". It is in nobody's "
                         "way: a new run makes its own",
                         l->landing.temporary);
        else if (!err->hint && err->kind != ERR_CANCELLED)
                err_hint(err, "nothing of it is left on the target, and the source was only read: "
                              "see to the cause and run it again");
}

int load_failed(Load *l, Work *w, Err *err, int code)
{
        AUTO_ERR why = { 0 };
        bool gone = load_drop(l, work_oid(w), err, &why);
        if (!gone) {
                AUTO_FREE char *note = xasprintf(
                        "pgsherpa: the unfinished database %s is still there on the target",
                        l->landing.temporary);
                if (!l->unknown)
                        work_complain(w, note);
                load_hint(l, false, &why);
                work_fail(w, &why, code);
        }
        if (gone)
                load_hint(l, true, err);
        return work_fail(w, err, code);
}

json_t *load_json(const char *database, const Load *l, const TransferResult *r, const char *objects)
{
        json_t *j = json_object();
        jx_set_str(j, "database", database);
        jx_set_str(j, "kept", l ? l->kept : NULL);
        jx_set(j, "prepared", r->kept ? json_incref(r->kept) : json_null());
        jx_set_int(j, "tables", r->tables);
        jx_set_int(j, "rows", r->rows);
        jx_set_int(j, "bytes", r->bytes);
        jx_set_int(j, objects, r->objects);
        jx_set_int(j, "sequences", r->sequences);
        jx_set_int(j, "large_objects", r->large_objects);
        return j;
}

const char *load_words(const Load *l)
{
        return l->prepared   ? " (into the empty database that was prepared; it keeps what it was "
                               "made to be)"
               : l->replaces ? " (an empty database was in its place)"
                             : "";
}

void load_done(Load *l)
{
        landing_done(&l->landing);
        free(l->leftovers);
        free(l->kept);
        json_decref(l->prepared);
        l->prepared = NULL;
        l->seen = pg_close(l->seen);
        l->leftovers = l->kept = NULL;
}
