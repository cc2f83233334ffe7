/* landing.h: a database that appears under its name only when it is whole: loaded under a temporary
 * name, proved, renamed; or dropped without a trace. Verbs and steps land in the same way.
 *
 *      AUTO_LANDING l = { .target = &params, .marker = xstrdup("pgsherpa ..: being loaded"),
 *                         .remember = remember, .arg = ctx };
 *      if (!landing_begin(&l, run, err)) ...           // l.temporary, and that was remembered
 *      transfer into l.temporary with l.marker; its `created` calls landing_created(&l, oid, err)
 *      compare; landing_whole(&l, results, err)
 *
 *      LandingName n = { .from = l.temporary, .to = "shop", .aside = aside, .pause = pause, .. };
 *      if (!landing_name(pg, &n, err)) ...             // in one transaction
 *      landing_named(pg, &n, err); landing_put_away(pg, n.aside, NULL, &what, err)
 *
 * What must be known after a crash is given to `remember` before it is done: name and marker before
 * there is such a database, the OID as soon as it is known. So who comes later drops the right one
 * and no other: see transfer_drop(). */
#pragma once

#include "pg/conn.h"

typedef struct Landing {
        const PgParams *target;   /* as somebody who may make databases */
        char *temporary, *marker; /* its name until it is whole, and its comment */
        int64_t oid;              /* 0: not known */
        bool whole;
        int tries; /* of landing_drop(), half a second apart, while the server does not answer or
                      recovers; 0: one */
        /* Keeps some of {"database", "marker", "oid", "whole", "results"}; takes the reference.
         * NULL: nobody has to know. */
        bool (*remember)(void *arg, json_t *memory, Err *err);
        void *arg;
} Landing;

/* What was remembered, all of it merged; nothing: l->temporary is NULL. */
void landing_recall(Landing *l, const json_t *memory) NONNULL;
/* Chooses the name; `run` as of transfer_temporary_name(). */
bool landing_begin(Landing *l, const char *run, Err *err) MUST_CHECK;
bool landing_created(Landing *l, int64_t oid, Err *err) MUST_CHECK;
/* It has all its rows. `results` are remembered with it; takes the reference. */
bool landing_whole(Landing *l, json_t *results, Err *err) MUST_CHECK;
/* OID of whoever has the temporary name now, asked on `pg`; 0: nobody. */
bool landing_there(const Landing *l, Pg *pg, int64_t *ret, Err *err) MUST_CHECK;
/* Gone: fine. *ret_dropped (may be NULL): it was there. */
bool landing_drop(const Landing *l, bool *ret_dropped, Err *err) MUST_CHECK;
void landing_done(Landing *l) NONNULL;
#define AUTO_LANDING CLEANUP(landing_done) Landing

/* ---- its name ---- */
typedef struct LandingName {
        const char *from, *to;
        const char *aside; /* what is in its place is called that from then on; NULL: nothing is */
        bool (*pause)(void *arg);                 /* as of DatabaseSwap */
        void (*say)(void *arg, const char *line); /* what extensions wanted under that name */
        void *arg;
        bool unknown; /* out: it failed, and perhaps it is done all the same */
} LandingName;

/* `pg` stands in neither of them (pg_open_beside()). */
bool landing_name(Pg *pg, LandingName *n, Err *err) MUST_CHECK;
/* What extensions want under the database's real name; done already: nothing. `pg` only says where.
 */
bool landing_named(const Pg *pg, const LandingName *n, Err *err) MUST_CHECK;
/* Drops what was moved aside, if that is still `oid` (NULL: it is) and still empty; else it stays,
 * and *ret_what is what it has, malloc()ed. */
bool landing_put_away(const Pg *pg, const char *aside, const char *oid, char **ret_what,
                      Err *err) MUST_CHECK;
