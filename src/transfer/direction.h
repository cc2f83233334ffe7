/* direction.h: can this database go to that major? Found before anything is stopped.
 *
 *      AUTO_JSON found = NULL;
 *      direction_check(source, 15, &found, err)
 *        -> [{"object": "column seat of table app.slots", "what": "virtual generated column",
 *             "since": 18, "verdict": "rewritten", "how": "becomes a stored one: same values"}, ..]
 *
 * Read from the source's catalogs alone; direction_rows() adds the tables with values the older
 * major has no words for, and reads tables that may have them to their end. Verdicts:
 *      refused     15 has no words for it, or words that mean something else
 *      rewritten   said in older words on the way (rewrite.h), keeping what it means there
 *      perhaps     the text of a function names it; the rehearsal knows
 *
 * transfer_rehearse() then makes the whole schema, without rows, in a database of its own on the
 * target, lets the target's validators read every function, compares the catalogs as the proof of a
 * copy will, and drops it again: what fails there is listed as "refused", with the server's own
 * words, and so is what would arrive as something else. Then the source's rows are asked what the
 * load will ask them (holds.h): "find" is the query that shows which of them do not hold. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"
#include "transfer/transfer.h"

/* The connection is to the database that is to go, and in no transaction: both look in one of their
 * own, read only. */
bool direction_check(Pg *source, int target_major, json_t **ret, Err *err) MUST_CHECK;

/* Part of direction_check(): settings of the database, of roles in it and of functions
 * (direction_settings.c). */
bool direction_settings(Pg *source, int target_major, json_t *found, Err *err) MUST_CHECK;
bool direction_rows(Pg *source, int target_major, json_t *found, Err *err) MUST_CHECK;

/* As transfer_copy() would, but for data; `into` and `marker` as there, and dropped at the end,
 * whatever happened. Roles the database needs must be there, or what needs them is listed. */
bool transfer_rehearse(Transfer *t, const TransferCopy *c, json_t **ret, Err *err) MUST_CHECK;

/* How many are refused. */
size_t direction_refused(const json_t *found);
/* "column seat of table app.slots: virtual generated column (18): .."; clean, malloc()ed. */
char *direction_words(const json_t *finding) MUST_CHECK;
