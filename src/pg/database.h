/* database.h: databases as a whole: made, emptied of doubt, renamed, dropped.
 *
 * A load goes into a temporary database and gets its real name only after it was compared, so
 * a half restore can never be taken for a database. */
#pragma once

#include "pg/conn.h"

typedef struct DatabaseSpec {
        const char *name, *owner;               /* owner NULL: who we are */
        const char *template_db;                /* NULL: template0 */
        const char *encoding, *collate, *ctype; /* NULL: the template's */
        const char *provider, *icu_locale;      /* "icu", "builtin"; NULL: libc */
        int64_t connlimit;                      /* -1: none */
        bool revoke_public_connect;
        const char *comment;
} DatabaseSpec;

void pg_database_create_sql(const DatabaseSpec *d, int major, Sql *q);
bool pg_database_create(Pg *pg, const DatabaseSpec *d, Err *err) MUST_CHECK;
/* After it: connection limit, privileges and comment, idempotent. */
bool pg_database_dress(Pg *pg, const DatabaseSpec *d, Err *err) MUST_CHECK;
/* {"oid", "owner", "comment", "allow_conn", "limit", "size", ..} or *ret = NULL: there is none. */
bool pg_database_describe(Pg *pg, const char *name, json_t **ret, Err *err) MUST_CHECK;
/* Has it anything a user made, or rows in a table whose extension says that they are a user's
 * (pg_extension.extconfig)? Connects to it. *ret_what: the first thing found, malloc()ed. */
bool pg_database_is_empty(Pg *pg, const char *name, bool *ret, char **ret_what,
                          Err *err) MUST_CHECK;
bool pg_database_rename(Pg *pg, const char *from, const char *to, Err *err) MUST_CHECK;
/* WITH (FORCE) where asked (13 and later). */
bool pg_database_drop(Pg *pg, const char *name, bool force, Err *err) MUST_CHECK;

/* `from` gets the name `to`, and who had that name is called `aside` from then on (NULL: nobody may
 * have it). One transaction: there is no moment without a database of that name. */
typedef struct DatabaseSwap {
        const char *from, *to, *aside;
        bool (*pause)(void *arg); /* before another try, while somebody is connected to one
                                     (health checks are, for a moment); false: give up */
        void *arg;
        bool unknown; /* out: it failed, and perhaps it is done all the same */
} DatabaseSwap;
/* `pg` stands in neither of them. Where the answer to COMMIT is lost, the server is asked what
 * became of it, for up to 10 s and what connecting takes. */
bool pg_database_swap(Pg *pg, DatabaseSwap *s, Err *err) MUST_CHECK;
/* What was moved aside was looked into before, and somebody may have been faster. Nobody knows its
 * name now: dropped, or it stays and *ret_what is what it has (malloc()ed; NULL: dropped). */
bool pg_database_drop_aside(Pg *pg, const char *aside, char **ret_what, Err *err) MUST_CHECK;

/* A connection to a database that is neither `a` nor `b`: one cannot rename or drop the database
 * one is in. `open` makes it, as its caller makes all of them. */
typedef bool (*PgOpener)(void *arg, const char *database, Pg **ret, Err *err);
bool pg_open_beside(PgOpener open, void *arg, const char *a, const char *b, Pg **ret,
                    Err *err) MUST_CHECK;
