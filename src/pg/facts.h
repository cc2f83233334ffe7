/* facts.h: what a server and a database say about themselves, cheaply.
 *
 *      json_t *f = NULL;
 *      pg_facts(pg, &f, err)   ->  {"version": "17.12", "version_num": 170012, "major": 17,
 *              "system_identifier": "7301..", "data_directory": "/var/lib/..",
 *              "database": "app", "owner": "app", "encoding": "UTF8", "collate": "en_US.utf8",
 *              "ctype": "..", "provider": "libc", "collversion": "2.36", "size": 123456,
 *              "settings": [{"name", "setting", "unit", "source"}], "prepared_xacts": 0,
 *              "max_connections": 100, "max_used_connections": 7, "superuser": true, ...}
 *
 * "prepared_xacts" are those of this database. No table is read. What the role may not see is null,
 * never left out. */
#pragma once

#include "pg/conn.h"

bool pg_facts(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* Who is it? {"major": 16, "system": "7301..", "version": "16.4"}; for target identity. */
bool pg_identity(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* "public.alembic_version" and its like: [{"table", "kind", "revision"}]. */
bool pg_migrations(Pg *pg, json_t **ret, Err *err) MUST_CHECK;

/* A query whose every row is one JSON object text in column 0 -> array. */
bool pg_json_rows(Pg *pg, const Sql *q, json_t **ret, Err *err) MUST_CHECK;
/* A query whose first cell is one JSON value. */
bool pg_json_value(Pg *pg, const Sql *q, json_t **ret, Err *err) MUST_CHECK;
