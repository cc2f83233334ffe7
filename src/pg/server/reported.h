/* reported.h: have the other clients told the statistics what they wrote?
 *
 * A backend counts its own writes and hands the numbers over when a statement has ended, at most
 * once a second (half a second up to 14). What it committed sooner after that it keeps: from 15 on
 * until it has been idle for ten seconds, up to 14 until its next statement or its end, and always
 * while it is in the middle of a statement or transaction (pgstat.c: PGSTAT_MIN_INTERVAL,
 * PGSTAT_IDLE_INTERVAL, PGSTAT_STAT_INTERVAL). A pool that inserts and waits is such a client. */
#pragma once

#include "pg/conn.h"

/* Waits, up to 13 s from 15 on and 3 s before, until every other client of the connected database
 * has reported all that it committed before this call. *ret_why: NULL when they have, else why
 * that is not known, malloc()ed. `since`: a time of that server; who has been idle since before it
 * has nothing to report. */
bool pg_reported(Pg *pg, const char *since, char **ret_why, Err *err) MUST_CHECK;
/* How many such clients are connected now. */
bool pg_clients_here(Pg *pg, int *ret, Err *err) MUST_CHECK;
