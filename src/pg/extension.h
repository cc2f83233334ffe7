/* extension.h: what extensions want of whoever loads a database, besides CREATE EXTENSION.
 *
 * One row each, with what its documentation asks for. Those that keep data and ask for nothing have
 * none: their rows go in in the order of their keys (transfer/extrows.h), and that is all. Looked
 * at and proved on real packages: postgis, postgis_topology, pg_partman, age, vector, contrib's.
 *
 * A few things can only be done when the database has its real name. Until then they wait in a
 * schema of ours inside the database (PG_LATER), which travels with it and is gone at the end: rows
 * as text, and statements. pg_extension_finish() does them; it may be called again, and on a
 * database without. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"

typedef struct PgExtension {
        const char *name;
        /* Functions in the extension's schema, without arguments: called when it was just made in a
         * database that is about to be loaded; and when everything is in it. */
        const char *before, *after;
        const char *between; /* set on the database from `before` to `after` */
        const char *home;    /* setting that names the only database it can be made in:
                                made, and its rows loaded, when it is called so */
        const char *schema;  /* where its tables are */
        const char *told;    /* query of sentences for a person, once it is there */
        bool same_version;   /* its rows only fit the version that wrote them */
        bool writes_own;     /* what it keeps for itself is another thing in each database */
} PgExtension;

/* NULL: nothing is known that it wants. */
const PgExtension *pg_extension_find(const char *name);

/* The only setting of that kind: no setting of the database's own. */
#define PG_BETWEEN "timescaledb.restoring"

/* The schema of what waits. Nobody's object: no inventory and no comparison sees it. */
#define PG_LATER "pgsherpa_later"

/* Makes the schema where it is not there yet. */
bool pg_later_begin(Pg *in, Err *err) MUST_CHECK;
/* A statement for then: the extension itself (`first`) before the rows, everything else after them.
 * kind and object: what of the source is not to be missed meanwhile, as a comparison calls it. */
bool pg_later_statement(Pg *in, bool first, const char *kind, const char *object, const char *sql,
                        Err *err) MUST_CHECK;
/* The table whose rows wait in it; *ret_name: what it is called in PG_LATER, malloc()ed. */
bool pg_later_table(Pg *in, const char *schema, const char *name, const char *const *columns,
                    size_t n, char **ret_name, Err *err) MUST_CHECK;
/* [{"kind", "object"}] of what waits, as a comparison calls it; `contents`: and [{.., "what":
 * "content"}] of the tables whose rows wait as text, which hash otherwise. NULL: nothing waits. */
bool pg_later_waits(Pg *in, bool contents, json_t **ret, Err *err) MUST_CHECK;
/* What they are called when they are no more than rows that wait: "schema.table" -> their own
 * names. */
#define PG_LATER_NAME(c)                                                                           \
        "quote_ident(split_part(" c ".relname, '.', 1)) || '.' || quote_ident(substr(" c           \
        ".relname, strpos(" c ".relname, '.') + 1))"

/* In the database under its real name, with everything in it. `said`: sentences for a person,
 * appended. */
bool pg_extension_finish(Pg *in, json_t *said, Err *err) MUST_CHECK;
/* The same by a new connection beside `pg`, for a database that was just given its name. */
bool pg_extension_finish_in(const Pg *pg, const char *database, json_t *said, Err *err) MUST_CHECK;
