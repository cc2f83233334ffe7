/* database.h: databases as a whole: made, emptied of doubt, renamed, dropped.
 *
 * A load goes into a temporary database and gets its real name only after it was compared, so
 * a half restore can never be taken for a database. */
#pragma once

#include "pg/conn.h"

typedef struct DatabaseSpec {
        const char *name, *owner;       /* owner NULL: who we are                             */
        const char *template_db;        /* NULL: template0                                    */
        const char *encoding, *collate, *ctype;         /* NULL: the template's               */
        const char *provider, *icu_locale;              /* "icu", "builtin"; NULL: libc       */
        int64_t     connlimit;          /* -1: none                                           */
        bool        revoke_public_connect;
        const char *comment;
} DatabaseSpec;

void pg_database_create_sql(const DatabaseSpec *d, int major, Sql *q);
bool pg_database_create(Pg *pg, const DatabaseSpec *d, Err *err) MUST_CHECK;
/* After it: privileges and comment, idempotent. */
bool pg_database_dress(Pg *pg, const DatabaseSpec *d, Err *err) MUST_CHECK;
/* {"oid", "owner", "comment", "allow_conn", "size", ..} or *ret = NULL: there is none. */
bool pg_database_describe(Pg *pg, const char *name, json_t **ret, Err *err) MUST_CHECK;
/* Has it anything a user made? Connects to it. *ret_what: the first thing found, malloc()ed. */
bool pg_database_is_empty(Pg *pg, const char *name, bool *ret, char **ret_what, Err *err)
        MUST_CHECK;
bool pg_database_rename(Pg *pg, const char *from, const char *to, Err *err) MUST_CHECK;
/* WITH (FORCE) where asked (13 and later). */
bool pg_database_drop(Pg *pg, const char *name, bool force, Err *err) MUST_CHECK;
/* Another connection to a database that is neither `a` nor `b`: one cannot rename or drop the
 * database one is in. */
bool pg_open_beside(Pg *pg, const char *a, const char *b, Pg **ret, Err *err) MUST_CHECK;
