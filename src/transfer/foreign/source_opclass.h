/* source_opclass.h: operator classes that a dump leaves to the default of its own major. */
#pragma once

#include "pg/conn.h"
#include "transfer/transfer.h"

/* CREATE INDEX or EXCLUDE of a dump of a server of major `from`, with the operator classes it had
 * there and does not say. *ret NULL: as it is; else malloc()ed. */
bool source_opclasses(Transfer *t, Pg *pg, int from, const char *sql, char **ret,
                      Err *err) MUST_CHECK;
