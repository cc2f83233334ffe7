/* source.h: a server's database as a source: one snapshot, and what is there to be read.
 *
 *      source_hold(t, holder, &snapshot, err)          // locks every table, exports the snapshot
 *      source_begin(reader, snapshot, NULL, err)       // each further connection sees that moment
 *      source_content(reader, arena, &content, err) */
#pragma once

#include "base/arena.h"
#include "pg/conn.h"
#include "transfer/choose/content.h"
#include "transfer/transfer.h"

/* A repeatable-read transaction that imports `snapshot`, or exports one when *snapshot is NULL. */
bool source_begin(Pg *pg, const char *snapshot, char **ret_snapshot, Err *err);
bool source_content(Pg *pg, Arena *a, Content *ret, Err *err);
/* [{"name", "version", "schema"}]; new reference. */
bool source_extensions(Pg *pg, json_t **ret, Err *err);

/* ---- source_hold.c ---- */
/* The same with a snapshot of its own, malloc()ed, and with every table locked against TRUNCATE,
 * ALTER and DROP for as long as the transaction lasts. Waits for whoever has one locked against
 * readers, and says for whom, until it is stopped. Such a table of which the role may not read a
 * row is an error with its name. */
bool source_hold(Transfer *t, Pg *pg, char **ret_snapshot, Err *err);
