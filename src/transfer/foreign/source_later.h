/* source_later.h: what of a dump as text must wait for the database's name (pg/extension.h); of
 * this room only. */
#pragma once

#include "pg/extension.h"
#include "transfer/transfer.h"

/* "CREATE EXTENSION [IF NOT EXISTS] name ..": that name, malloc()ed; NULL: it is something else. */
char *source_extension_made(const char *sql) MUST_CHECK;
/* The extension can only be made when the database has its name: it and what comes of it wait; *ret
 * is the row of pg/extension.h. NULL: it is made now. */
bool source_later_extension(Transfer *t, Pg *to, const char *name, const char *sql,
                            const PgExtension **ret, Err *err) MUST_CHECK;
/* The statement COPY .. FROM stdin of a table of `x`, into the place where its rows wait; NULL: not
 * one of its tables. malloc()ed. */
bool source_later_copy(Pg *to, const PgExtension *x, const char *sql, char **ret,
                       Err *err) MUST_CHECK;
/* Does this error come of something that waits? */
bool source_later_is_missed(const Err *err);
