/* rowdiff.h: which rows of a table differ, by key.
 *
 * The rows fall into buckets by a hash of their key; both servers add up the hashes of each
 * bucket, and only the rows of a few buckets that differ are looked at one by one. Two readings
 * of the table, whatever its size, and some thousand keys in memory. */
#pragma once

#include "base/jsonx.h"
#include "pg/tablelist.h"

#define ROWDIFF_SHOWN 10 /* rows that are named */

/* [{"key": "(7)", "what": "differs", "columns": ["mail"]}, {"key", "what": "missing"}, {"key",
 * "what": "only on the target"}], at most ROWDIFF_SHOWN. *ret stays NULL when rows cannot be
 * named, *ret_why says why then (static text). Inside both snapshots. A server that says no is
 * no error: it is the reason. */
bool rowdiff_find(Pg *source, Pg *target, const TableRef *s, const TableRef *t, json_t **ret,
                  const char **ret_why, Err *err) MUST_CHECK;
