/* scratch.h: a server that lives for one proof: in a directory of its own, on a socket only.
 *
 *      AUTO_SCRATCH s = NULL;
 *      if (!scratch_start(17, flag, &s, err)) ...      // 17 or the next newer one on this host
 *      scratch_params(s)                               // superuser, no password, nobody else
 *
 * initdb and postgres are those of /usr/lib/postgresql; as root they run as the system's user
 * postgres. It dies with us, and its directory goes with it. */
#pragma once

#include "pg/conn.h"

typedef struct Scratch Scratch;

bool scratch_start(int major, const volatile bool *cancel, Scratch **ret, Err *err) MUST_CHECK;
PgParams scratch_params(const Scratch *s);
const char *scratch_words(const Scratch *s); /* "a throw-away PostgreSQL 17 of /usr/lib/.." */
Scratch *scratch_stop(Scratch *s);           /* also removes the directory; NULL is fine */

static inline void scratch_stopp(Scratch **s)
{
        *s = scratch_stop(*s);
}
#define AUTO_SCRATCH CLEANUP(scratch_stopp) Scratch *
