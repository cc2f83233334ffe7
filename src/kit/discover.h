/* discover.h: what discover.docker and discover.local tell of a server, in the same words. */
#pragma once

#include "kit/docker.h"
#include "pg/conn.h"

/* "ended Nov 2025", "ends in 53 days", "to Nov 2028"; "" for a major we have never heard of.
 * Dates of postgresql.org/support/versioning. */
char *kit_support_words(int major, int64_t wall_ms) MUST_CHECK;

/* Connects and fills major, version, size, databases [{name, size, owner}], db, data_dir, system.
 * What it could not read is left out; *ret_why is malloc()ed when nothing could. */
bool kit_server_read(StepCtx *ctx, const PgParams *p, json_t *server, char **ret_why);

/* Appends to the server's `warnings`. */
void kit_server_warn(json_t *server, const char *fmt, ...) PRINTF(2, 3);

/* Who uses the server in container `db` (discover_users.c). Names of services of its own project;
 * names of containers of other projects or of none. New arrays. */
json_t *kit_users_in_project(Compose *c, const json_t *services, const json_t *db) MUST_CHECK;
json_t *kit_users_elsewhere(const json_t *db) MUST_CHECK;
