/* load.h: a database that appears under its name only when it is whole.
 *
 *      AUTO_LOAD l = { .to = &to, .name = "shop" };
 *      if (!load_begin(&l, "restore", &err))   // refuses a name that is taken
 *              ...
 *      transfer into l.landing.temporary, with its marker; compare; then
 *      load_finish(&l, w, &err)                // the rename, in one transaction
 *      load_drop(&l, oid, &why, &err)          // or: gone without a trace
 *
 * An existing database of that name is refused, unless it has nothing in it that a user made. One
 * that somebody prepared (owner, locale, grants, limit, settings, comment, extensions: anything
 * that CREATE DATABASE without a word would not have given it, see transfer_prepared()) stays what
 * it is: the load's temporary database is made with it as its template (transfer/prepared.h). One
 * that nobody prepared is what an image's init script makes: it goes, and what the source has
 * counts. Both are looked into again just before they are moved aside, and once more before they
 * are dropped. postgres, template0 and template1, which every server has, are never replaced. */
#pragma once

#include "app/data/endpoint.h"
#include "app/show/work.h"
#include "transfer/landing.h"

typedef struct Load {
        Endpoint *to;
        const char *name; /* it is to have in the end */
        PgParams params;  /* of the server it goes to */
        Landing landing;  /* its temporary name and marker */
        char *leftovers;  /* of other loads, to be told; or NULL */
        Pg *seen;         /* connected from begin to finish: it is alive */
        bool replaces;    /* an empty one is in its place */
        json_t *prepared; /* what that was made to be; NULL: nothing */
        bool refused;     /* why load_begin() or load_finish() failed */
        bool unknown;     /* load_finish() failed, and perhaps it has its name */
        bool named;       /* it has its name, but for what waited for that */
        char *kept;       /* what was in its place is still there, as this */
} Load;

bool load_begin(Load *l, const char *what, Err *err) MUST_CHECK;
/* True: it has its name. What was in its place and could not go is a complaint, and l->kept. */
bool load_finish(Load *l, Work *w, Err *err) MUST_CHECK;
/* `oid` 0: it was perhaps not even made. `why`: the error that ended the load. With l->unknown
 * nothing is touched: false. */
bool load_drop(Load *l, int64_t oid, const Err *why, Err *err) MUST_CHECK;
/* What to do after a load that failed, where its error does not say: `dropped`, nothing of it is
 * left; else the temporary database is, and *err is why. */
void load_hint(const Load *l, bool dropped, Err *err) NONNULL;
/* Drops what a transfer left, says what could not be, and *err with what to do next; `code`. */
int load_failed(Load *l, Work *w, Err *err, int code) MUST_CHECK;
/* What --json prints of a transfer; `objects`: the key of what was run; `l`: NULL, no database got
 * its name by it. New reference. */
json_t *load_json(const char *database, const Load *l, const TransferResult *r,
                  const char *objects) MUST_CHECK;
/* What was in its place, as it follows the sentence that it is there now; "": nothing. */
const char *load_words(const Load *l) NONNULL;
void load_done(Load *l) NONNULL;
/* Temporary databases that nobody is at, as words; NULL: none. malloc()ed. */
char *load_leftovers(Pg *pg) NONNULL;
#define AUTO_LOAD CLEANUP(load_done) Load
