/* open.h: from a Target to something one can talk to. Shared by the step kinds and by app.
 *
 * Where a postgres target lives is told by its `via`: host and port, a socket directory, a
 * container (where its own postmaster.pid says it listens), or a compose service (the running
 * container of that service). Of those two the system identifier in the container's files must be
 * the one that answers: pg_open() refuses another server at that address. */
#pragma once

#include "base/arena.h"
#include "engine/target.h"
#include "host/compose.h"
#include "pg/conn.h"

/* Parameters for connecting to `t`; strings in the arena. `database` NULL: the target's own. */
bool target_pg_params(Arena *a, const Target *t, const char *database, PgParams *ret,
                      Err *err) MUST_CHECK;
/* The compose project a target names ({"kind": "compose"}), loaded. */
bool target_compose(const Target *t, Compose **ret, Err *err) MUST_CHECK;
