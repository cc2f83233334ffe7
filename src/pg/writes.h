/* writes.h: which rows were written in a database since a moment, as far as the server counted.
 *
 *      AUTO_JSON then = NULL, since = NULL;
 *      pg_writes_look(pg, &then, err)
 *        -> {"system": "73..", "database": "app", "at": "..", "snapshot": "700:700:", "reset":
 * "..", "tables": {"app.posts": [oid, file, 10, 2, 0], ..}}
 *      ...
 *      pg_writes_since(pg, then, &since, err)
 *        -> {"sure": true, "clients": 0, "inserted": 12, "updated": 3, "deleted": 1,
 *            "tables": [{"table", "inserted", "updated", "deleted", "what"}, ..]}    most written
 * first
 *
 * Rows are those of pg_stat_all_tables (n_tup_ins, n_tup_upd, n_tup_del: they count rolled back
 * rows, too); large objects stand under "large objects". "what" names what the counters do not
 * tell: a table that is new, gone, or truncated or rewritten (its file is another one).
 *
 * "sure" is false with "why" when more may have been written than was counted: the counters were
 * lost meanwhile (a crash or pg_stat_reset() sets them to zero: manual, "The Cumulative Statistics
 * System"), or a client that is connected may not have reported its last writes (reported.h); then
 * what is counted is the least there is. "clients" are those connected to the database, not
 * ours. */
#pragma once

#include "pg/conn.h"

bool pg_writes_look(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* Takes up to 20 s where clients are connected. Fails with ERR_USER on another server than the one
 * looked at then. */
bool pg_writes_since(Pg *pg, const json_t *then, json_t **ret, Err *err) MUST_CHECK;

/* The same for several databases: {"databases": {"app": look, ..}}, and their "since" as one, where
 * each table is called "app: public.t". Connects to each. A database that is gone makes it
 * unsure. */
bool pg_writes_look_all(Pg *pg, const json_t *databases, json_t **ret, Err *err) MUST_CHECK;
bool pg_writes_since_all(Pg *pg, const json_t *then, json_t **ret, Err *err) MUST_CHECK;

/* The counters of the connected database as they are now: "tables" of a look. */
bool pg_writes_tables(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* The same, asked until two answers a second apart agree: five seconds at most. */
bool pg_writes_settled(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* What changed from one to the other: "tables" of a since, new reference. *ret_lost becomes true
 * when counters went back, and stays as it is otherwise. */
json_t *pg_writes_between(const json_t *was, const json_t *is, bool *ret_lost);
