/* props.h: a database's own properties: encoding, locale, owner, grants, limit, comment, settings
 * (also of roles in it), as JSON that a bundle keeps, and as statements that make them again. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"
#include "sql/sql.h"

/* Of the database `pg` is connected to; new reference. */
bool props_read(Pg *pg, json_t **ret, Err *err);
/* CREATE DATABASE from template0 with the source's encoding and locale. */
void props_create_sql(const json_t *props, const char *name, int target_major, Sql *q);
/* What template0 brings and the source had dropped: DROP SCHEMA public. Only ever in a connection
 * to the database that was made, never beside it. */
bool props_lacking(const json_t *props,
                   bool (*each)(void *arg, const char *what, const Sql *q, Err *err), void *arg,
                   Err *err);
/* Its settings, also of roles in it; part of props_each(). */
bool props_settings(const json_t *props, const char *name,
                    bool (*each)(void *arg, const char *what, const Sql *q, Err *err), void *arg,
                    Err *err);
/* A copy with the settings that a server of that major takes, by its names (base/majors.h). What is
 * not as it was is appended to `left_out`: {"object": "ALTER DATABASE SET x", "how": "left out,
 * ..", "role"?}. */
json_t *props_on(const json_t *props, int major, json_t *left_out);
/* Everything that is set on the database itself; `name` NULL: psql's :"DBNAME". */
bool props_each(const json_t *props, const char *name,
                bool (*each)(void *arg, const char *what, const Sql *q, Err *err), void *arg,
                Err *err);
