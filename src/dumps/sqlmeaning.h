/* sqlmeaning.h: what a statement of a foreign dump reaches: this database, all of them, or more.
 *
 * A dump is loaded into one database under a name of its own. What it says about *the database*
 * (CREATE DATABASE, its owner, grants, settings) is said about that name instead; what it says
 * about the cluster (roles, tablespaces) is not ours to run; what reads or writes files of the
 * server, or its configuration, is refused. Everything else is ordinary: it runs, with the
 * rights of the role that restores. A DO block can do whatever that role may: no reader of text
 * can promise more. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"
#include "dumps/sqllex.h"
#include "dumps/sqlread.h"

typedef enum SqlReach {
        SQL_ORDINARY,
        SQL_SESSION, /* SET, set_config('search_path'): no content */
        SQL_COPY_IN, /* rows follow */
        SQL_INSERT,
        SQL_LARGE_OBJECT, /* SELECT lo_.. and the BEGIN and COMMIT around it */
        SQL_SEQUENCE,     /* SELECT setval(..) */
        SQL_STATISTICS,   /* SELECT pg_restore_..stats(..) that some majors have */
        SQL_REMOVES,      /* DROP .., ALTER .. DROP: how a dump made with -c begins */
        SQL_GRANT,
        SQL_REFRESH, /* REFRESH MATERIALIZED VIEW */
        SQL_OWNER,   /* ALTER .. OWNER TO */
        SQL_CREATE_DATABASE,
        SQL_DROP_DATABASE,
        SQL_OF_DATABASE, /* about a database, by its name */
        SQL_OF_CLUSTER,
        SQL_FORBIDDEN,
} SqlReach;

typedef struct SqlMeaning {
        SqlReach reach;
        int since;      /* STATISTICS: the major that has the function */
        char *name;     /* database, role or table it speaks of; or NULL */
        const char *at; /* OF_DATABASE: where that name stands in the text */
        size_t n;
        const char *why; /* FORBIDDEN: "it reads or writes a file of the server" */
} SqlMeaning;

void sqlmeaning_of(const SqlReadItem *item, SqlMeaning *ret);
void sqlmeaning_done(SqlMeaning *m) NONNULL;
#define AUTO_SQLMEANING CLEANUP(sqlmeaning_done) SqlMeaning

/* CREATE DATABASE as the properties props_create_sql() takes: encoding, collate, ctype, provider,
 * locale, icu_rules; only what it says. */
json_t *sqlmeaning_properties(const SqlReadItem *item) MUST_CHECK;
/* "\connect app" -> "app", all its ways of writing; NULL: it is not \connect. malloc()ed. */
char *sqlmeaning_connect(const char *command) MUST_CHECK;
