/* fence.h: nobody else writes while we read what will be kept.
 *
 * Opening looks who is connected and remembers what the user tables have counted so far;
 * closing looks again. A moved LSN alone proves nothing (autovacuum, checkpoints), and neither
 * do the counters of pg_stat_database (an ANALYZE writes catalogs), so the verdict is by
 * inserts, updates, deletes and files of user tables and large objects, per database (writes.h;
 * a client that could still keep writes back is one of "others"):
 *
 *      AUTO_JSON opened = NULL;
 *      pg_fence_look(pg, &opened, err)
 *        -> {"system": "73..", "lsn": "0/19..", "others": [{"pid", "user", "database",
 *            "application", "address", "port", "state", "command"}], "prepared": 0,
 *            "subscriptions": [..], "started_at": "..", "reset": "..",
 *            "writes": {"app": {"public.t": [oid, file, 1, 2, 0]}, "closed": null}}
 *      ...
 *      pg_fence_close(pg, opened, &verdict, err)
 *        -> {"clean": true, "message": "nobody else wrote", "changed": [], "unread": ["closed"],
 * ..}
 *
 * "changed" are databases: {"database", "what", "rows", "tables"}, where "what" is written, is new,
 * is gone or reset. Into those of "unread" this role may not look: nothing is proved of them, and
 * the message names them.
 *
 * It watches what is moved: `databases` are names, and clients, prepared transactions,
 * subscriptions and writes in others are nobody's business. NULL or empty: the whole server, where
 * a database that comes or goes is a change, too. Closing watches what opening did ("databases" of
 * its look).
 *
 * Of a query only its first word is kept: the rest may hold a customer's data. */
#pragma once

#include "pg/conn.h"

bool pg_fence_look(Pg *pg, const json_t *databases, json_t **ret, Err *err) MUST_CHECK;
bool pg_fence_close(Pg *pg, const json_t *opened, json_t **ret_verdict, Err *err) MUST_CHECK;
/* Ends the backends in `others`; returns how many it reached. Needs pg_signal_backend. */
bool pg_fence_terminate(Pg *pg, const json_t *others, int *ret_n, Err *err) MUST_CHECK;
/* Client backends that are not ours: as in "others". */
bool pg_fence_others(Pg *pg, const json_t *databases, json_t **ret, Err *err) MUST_CHECK;
