/* rewrite.h: what pg_dump of a newer major writes, in words an older server understands.
 *
 * Only where the older server then keeps the same thing, or where what is lost has no meaning
 * there; what else cannot go down is refused before (direction.h). By the major it came with:
 *
 *      14  a range's multirange_type_name, SET COMPRESSION     left out: not known, same rows
 *      15  UNLOGGED sequences                                  logged
 *      17  the privilege MAINTAIN                              left out of grants
 *      18  GENERATED ALWAYS AS (..) of virtual columns         STORED
 *          [CONSTRAINT name] NOT NULL column, of a child table   ALTER COLUMN .. SET NOT NULL
 *          publish_generated_columns = none                    left out: the only way before
 *      18  UNLOGGED of a partitioned table                     gone there: it never meant anything
 *      --  options of subscriptions                            those the target knows
 *      --  SET of functions, databases and roles               as base/majors.h says (setclause.h)
 */
#pragma once

#include "base/buf.h"

/* One statement, from its first word to behind its semicolon. False: nothing to rewrite, and
 * `out` is as it was. True with nothing written: the statement is left out. What
 * does not fit is missing there, and out->overflow says so. */
bool rewrite_statement(const char *s, const char *end, int major, Buf *out) NONNULL;
