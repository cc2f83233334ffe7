/* prepared.h: an empty database that somebody prepared stays what it is.
 *
 * Who runs CREATE DATABASE with an owner, a locale, limits or extensions, and then loads into it,
 * means all of that. The load still goes into a temporary database, so that a half one can never be
 * taken for a database; but that one is made with the prepared one as its template: encoding,
 * locale, tablespace, extensions, schemas and default privileges come along. Its owner is the
 * prepared one's, and what is set on the database itself is the prepared one's where that says
 * something: a grant, a limit, a comment, a setting by its name; else the source's. Schemas that
 * were there get their owner back, and their grants, where those are not what every new schema
 * public has.
 *
 * What decides that nothing was prepared stands at transfer_prepared() in transfer.h. */
#pragma once

#include "transfer/transfer.h"

/* CREATE DATABASE `into` like the prepared one, with its inside and its owner. */
void prepared_create_sql(const json_t *prepared, const char *into, Sql *q) NONNULL;
/* `props` (props_read()) with the prepared one's words over them; what is not as the source has it
 * is appended to `kept`, see TransferResult.kept. New reference. */
json_t *prepared_over(const json_t *prepared, const json_t *props, json_t *kept) MUST_CHECK;
/* Schemas again as they were prepared, in `in`, which was loaded. */
bool prepared_schemas(Pg *in, const json_t *prepared, json_t *kept, Err *err) MUST_CHECK;
/* For a file, which says in statements of its own what is set on its database: those have run on
 * `into`, and what could not was `said`: locale and owner, as props_read() calls them. Then all of
 * the above, and one line for each. */
bool prepared_put_on(Transfer *t, const PgParams *p, const json_t *prepared, const char *into,
                     const json_t *said, json_t *kept, Err *err) MUST_CHECK;
