/* opclass.h: pg_dump's CREATE INDEX and EXCLUDE, with the operator classes it leaves out.
 *
 * pg_get_indexdef() does not print a class that is its type's default, and which one that is
 * changes with majors and extensions: 18's `USING gist (ip)` with btree_gist is gist_inet_ops, 19's
 * is inet_ops. Loaded elsewhere, the same text would silently become another index.
 *
 *      CREATE INDEX i ON s.t USING gist (ip, lower(name));   {"public"."gist_inet_ops", NULL}
 *      -> CREATE INDEX i ON s.t USING gist (ip "public"."gist_inet_ops", lower(name)); */
#pragma once

#include "base/buf.h"

enum { OPCLASS_MOST = 32 }; /* columns of a key: INDEX_MAX_KEYS */

typedef struct OpclassKey {
        char *method, *table; /* as they are written */
        /* of those that are a column and nothing else; else NULL */
        char *columns[OPCLASS_MOST];
        size_t n;
        bool expressions; /* something that is no column has no class either */
} OpclassKey;

/* What the text itself says. False: it is of neither kind. */
bool opclass_key(const char *sql, OpclassKey *ret) MUST_CHECK NONNULL;
void opclass_key_done(OpclassKey *k) NONNULL;
/* `classes`: as SQL, one for each column of the key, NULL: as it is. False: nothing was written,
 * the text is of neither kind, or has another number of columns. */
bool opclass_say(const char *sql, const char *const *classes, size_t n, Buf *out) MUST_CHECK;
