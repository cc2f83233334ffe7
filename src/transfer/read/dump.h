/* dump.h: running a real pg_dump, pg_restore and pg_dumpall.
 *
 * The schema is never re-implemented here: pg_dump knows two hundred kinds of object. It reads
 * under the snapshot our own readers use, so tables and schema are one moment. A database's
 * name goes in as -d "dbname='..'": a database called "host=evil dbname=x" is a connection
 * string otherwise. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "pg/clients.h"
#include "pg/conn.h"

typedef struct DumpRun {
        const PgClient *client;
        const PgParams *server;                            /* host, port, user, password */
        const volatile bool *cancel, *failed;              /* either stops it; or NULL */
        void (*line)(void *arg, int fd, const char *line); /* what it says on stderr */
        void *line_arg;
        const char *see; /* a directory a client in an image must see; or NULL */
} DumpRun;

/* Schema of one database in custom format. `encoding`: of the SQL in it. */
bool dump_schema(const DumpRun *d, const char *database, const char *snapshot, const char *encoding,
                 Buf *out, Err *err) MUST_CHECK;
/* A whole pg_dump -Fc, piece by piece. `snapshot` may be NULL. */
bool dump_custom(const DumpRun *d, const char *database, const char *snapshot,
                 bool (*sink)(void *arg, const void *bytes, size_t n, Err *err), void *arg,
                 Err *err) MUST_CHECK;
/* Roles and tablespaces, as pg_dumpall --globals-only prints them, without psql's \restrict. */
bool dump_globals(const DumpRun *d, const char *database, bool passwords, Buf *out,
                  Err *err) MUST_CHECK;
/* One section ("pre-data", "post-data") of a custom dump in memory as plain SQL, without psql's
 * \restrict. */
bool dump_section(const DumpRun *d, const char *section, const void *archive, size_t n, Buf *out,
                  Err *err) MUST_CHECK;
/* Reads a custom dump to its end with pg_restore; `feed` writes it into a descriptor. */
bool dump_read_through(const DumpRun *d, bool (*feed)(void *arg, int fd, Err *err), void *arg,
                       Err *err) MUST_CHECK;
/* A whole archive as SQL, with CREATE DATABASE and \connect, into a descriptor. */
typedef struct DumpSql {
        const char *directory; /* of -Fd; else NULL, and `feed` writes the archive */
        bool (*feed)(void *arg, int fd, Err *err);
        void *arg;
        int to;
        bool schema_only;
} DumpSql;
bool dump_as_sql(const DumpRun *d, const DumpSql *w, Err *err) MUST_CHECK;
