/* prepared_kept.h: what of a prepared database is kept, and what the proof must not wonder about:
 * between the files prepared*.c. */
#pragma once

#include "pg/conn.h"
#include "sql/sql.h"
#include "transfer/transfer.h"

/* What is in a database besides objects of users: {"extensions", "schemas", "defaults"}. */
bool prepared_inside(Pg *in, json_t **ret, Err *err) MUST_CHECK;
/* One key of two objects; missing and null are one. */
bool prepared_same(const json_t *a, const json_t *b, const char *key);

/* An entry of TransferResult.kept, owned by `kept`; `source` NULL: it has none. */
json_t *kept_add(json_t *kept, const char *what, const char *ours, const char *source);
/* The proof is not asked for this of it. `object` NULL: all of that kind; `what` NULL: whatever
 * differs. */
void kept_unproved(json_t *entry, const char *kind, const char *object, const char *what);
char *kept_ident(const char *name) MUST_CHECK; /* quoted; malloc()ed */
/* "CONNECT to app, TEMPORARY to PUBLIC"; malloc()ed. */
char *kept_grant_words(const json_t *acl) MUST_CHECK;
void kept_grantee(Sql *q, const json_t *g);
/* One line for each of them. */
void kept_say(Transfer *t, const json_t *kept) NONNULL;
