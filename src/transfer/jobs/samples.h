/* samples.h: CHECKs that look into other tables, found by trying.
 *
 * A CHECK whose function reads another table holds on the source, where that table is full, and
 * fails in a load whenever its own table comes first. No text tells for certain. So of each table
 * with a CHECK that calls functions of users, some rows are copied into the rehearsal, where every
 * other table is empty, and rolled back. Foreign keys and triggers are off meanwhile: a load makes
 * them last. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"

/* `from`: the source; `to`: the rehearsal with the whole schema; both in no transaction. What is
 * not taken is appended as direction.h says. Where the role may not turn triggers off nothing is
 * tried. */
bool samples_try(Pg *from, Pg *to, json_t *found, Err *err) MUST_CHECK;
