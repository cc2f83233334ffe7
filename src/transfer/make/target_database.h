/* target_database.h: the database that is being made: created, its schema, what is set on it in the
 * end. */
#pragma once

#include "dumps/toc.h"
#include "pg/conn.h"
#include "transfer/transfer.h"

/* `marker`: its comment; or NULL. `created` hears its OID. */
bool target_create(Transfer *t, const PgParams *p, const json_t *props, const char *into,
                   const char *marker, bool (*created)(void *, int64_t, Err *), Err *err);
/* A connection with the session settings pg_restore uses. */
bool target_open(Transfer *t, const PgParams *p, const char *database, bool sql_ascii, Pg **ret,
                 Err *err);
/* Only the database's settings, as the load will make them: of a rehearsal. */
bool target_settings_try(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                         Err *err);
/* Every table, type, function: what stands before the data. */
bool target_pre_data(Transfer *t, Pg *pg, const Toc *toc, Err *err);
int64_t toc_count(const Toc *toc);
/* Everything is on the disk, as far as this role may ask for it. */
bool target_checkpoint(Transfer *t, const PgParams *p, Err *err);
bool target_properties(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                       Err *err);
