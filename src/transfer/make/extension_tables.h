/* extension_tables.h: rows of extensions' own tables; of this room only. */
#pragma once

#include "base/arena.h"
#include "pg/conn.h"
#include "transfer/choose/content.h"

/* Those of the content that belong to an extension on the server `to`, where the extensions are
 * made already, in the order in which their rows can go in. The list lives in the arena. */
bool extension_tables_order(Pg *to, const Content *c, Arena *a, Table ***ret, size_t *ret_n,
                            Err *err) MUST_CHECK;
/* `sent` rows of the table "schema.name" went to COPY, which counted fewer: its extension's trigger
 * put them into rows that were there, and there are as many? */
bool extension_tables_merged(Pg *to, const char *table, int64_t sent, bool *ret,
                             Err *err) MUST_CHECK;
/* What somebody who makes a bundle of it must know to be able to restore it, as sentences.
 * `extensions`:
 * [{"name", "version"}]. */
bool extension_tables_risks(Pg *in, const json_t *extensions, json_t **ret, Err *err) MUST_CHECK;
/* Which columns that rows of the source's extensions need their versions on the target do not have:
 * appends
 * {"object", "what", "verdict": "refused"} to `found`. In `to` the extensions are made already. */
bool extension_tables_columns(Pg *from, Pg *to, json_t *found, Err *err) MUST_CHECK;
