/* kit.h: databases that are moved between servers of the lab, and whether they arrived.
 *
 *      AUTO_FREE char *into = kit_copy(13, db, 17, NULL, NULL);
 *      kit_same(13, db, 17, into);
 *      kit_drop(17, into); */
#pragma once

#include "../pg/lab.h"
#include "transfer/transfer.h"

#define OK(call) cr_assert((call), "%s", err.message ? err.message : "")

/* A name for the database a transfer makes, as pgsherpa itself gives it. malloc()ed. */
char *kit_temporary(int major);
/* One that tolerates nothing, and says everything where VERBOSE is set. */
Transfer *kit_transfer(void);
/* Copies into a server and a bundle at once, where nothing may be tolerated; `ret_bundle` NULL: no
 * bundle. The name it has on the target, malloc()ed. */
char *kit_copy(int from, const char *database, int to, const char *root, char **ret_bundle);
/* The same without a bundle, into that name, as `t` likes; how it went. */
bool kit_carry(int from, const char *database, int to, const char *into, Transfer *t, Err *err);
/* Rows of every table, and how many objects of each kind. */
void kit_same(int a, const char *x, int b, const char *y);
/* The proof of pg/compare.h: every object, every row. */
void kit_proved(int a, const char *x, int b, const char *y);
/* A database that a copy made: it must be there. */
void kit_drop(int major, const char *name);
