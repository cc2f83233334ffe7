#include "transfer/landing.h"

#include <time.h>

#include "pg/database.h"
#include "pg/extension.h"
#include "transfer/transfer.h"

static bool landing_remember(const Landing *l, json_t *memory, Err *err)
{
        if (l->remember)
                return l->remember(l->arg, memory, err);
        json_decref(memory);
        return true;
}

void landing_recall(Landing *l, const json_t *memory)
{
        const char *name = jx_str(memory, "database", NULL);
        const char *marker = jx_str(memory, "marker", NULL);
        l->temporary = name ? xstrdup(name) : NULL;
        l->marker = marker ? xstrdup(marker) : NULL;
        l->oid = jx_int(memory, "oid", 0);
        l->whole = jx_bool(memory, "whole", false);
}

bool landing_begin(Landing *l, const char *run, Err *err)
{
        if (!transfer_temporary_name(l->target, run, &l->temporary, err))
                return false;
        json_t *m = json_object();
        jx_set_str(m, "database", l->temporary);
        jx_set_str(m, "marker", l->marker);
        jx_set_int(m, "oid", 0);
        jx_set_bool(m, "whole", false);
        return landing_remember(l, m, err);
}

bool landing_created(Landing *l, int64_t oid, Err *err)
{
        json_t *m = json_object();
        l->oid = oid;
        jx_set_int(m, "oid", oid);
        return landing_remember(l, m, err);
}

bool landing_whole(Landing *l, json_t *results, Err *err)
{
        json_t *m = json_object();
        l->whole = true;
        jx_set_bool(m, "whole", true);
        jx_set(m, "results", results);
        return landing_remember(l, m, err);
}

bool landing_there(const Landing *l, Pg *pg, int64_t *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select oid from pg_database where datname = ");
        sql_value(&q, l->temporary);
        if (!pg_query(pg, &q, &r, err))
                return false;
        *ret = pg_rows(r) ? pg_cell_int(r, 0, 0) : 0;
        return true;
}

bool landing_drop(const Landing *l, bool *ret_dropped, Err *err)
{
        for (int attempt = 1;; attempt++) {
                err_clear(err);
                if (transfer_drop(l->target, l->temporary, l->oid, l->marker, ret_dropped, err))
                        return true;
                /* A server that fell over is often back in a moment: recovery, then this. */
                if ((err->kind != ERR_LINK && !str_eq(err->sqlstate, "57P03")) ||
                    attempt >= l->tries)
                        return false;
                nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
        }
}

void landing_done(Landing *l)
{
        free(l->temporary);
        free(l->marker);
        l->temporary = l->marker = NULL;
}

/* ---- its name ---- */

bool landing_name(Pg *pg, LandingName *n, Err *err)
{
        DatabaseSwap s = {
                .from = n->from, .to = n->to, .aside = n->aside, .pause = n->pause, .arg = n->arg
        };
        bool ok = pg_database_swap(pg, &s, err);
        n->unknown = s.unknown;
        return ok;
}

bool landing_named(const Pg *pg, const LandingName *n, Err *err)
{
        AUTO_JSON said = json_array();
        size_t i;
        json_t *line;
        if (!pg_extension_finish_in(pg, n->to, said, err))
                return err_wrap(err, "database %s has its name, and all but one thing", n->to);
        json_array_foreach(said, i, line)
                n->say(n->arg, json_string_value(line));
        return true;
}

bool landing_put_away(const Pg *pg, const char *aside, const char *oid, char **ret_what, Err *err)
{
        AUTO_PG Pg *now = NULL; /* the other one may have broken at the last word */
        AUTO_JSON there = NULL;
        if (!pg_reopen(pg, NULL, &now, err))
                return false;
        if (oid && !pg_database_describe(now, aside, &there, err))
                return false;
        if (oid && (!there || !str_eq(jx_str(there, "oid", ""), oid)))
                return true; /* another one: not ours to drop */
        return pg_database_drop_aside(now, aside, ret_what, err);
}
