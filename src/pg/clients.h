/* clients.h: which pg_dump, pg_restore and psql this machine has.
 *
 * A dump is only as good as the client that wrote it: a newer server is refused, and a client
 * of an older security batch can write what a server rejects. So a client is found by its
 * major, asked for its version, and named in every report.
 *
 *      PgClient c = {0};
 *      if (!pg_clients_find(17, NULL, &c, err)) ...
 *      pg_client_argv(&c, "pg_dump", &argv);          // then the options
 *      pg_client_done(&c);
 *
 * Looked for in this order: PGSHERPA_PG_BIN_17 (a directory), /usr/lib/postgresql/17/bin,
 * then an image named by the caller (or postgres:17) that Docker has already: run with
 * `docker run --rm -i --network host`. Nothing is ever pulled. */
#pragma once

#include "base/err.h"
#include "proc/argv.h"

typedef enum PgClientWhere { PG_CLIENT_NONE, PG_CLIENT_DIR, PG_CLIENT_IMAGE } PgClientWhere;

typedef struct PgClient {
        PgClientWhere where;
        int major;
        int version_num;  /* 170006 */
        char version[24]; /* "17.6", "18beta1" */
        char *dir;        /* of PG_CLIENT_DIR */
        char *image;      /* of PG_CLIENT_IMAGE */
} PgClient;

/* The client of exactly this major. `image` NULL: postgres:<major>. On false, the hint says
 * what to install. */
bool pg_clients_find(int major, const char *image, PgClient *ret, Err *err) MUST_CHECK;
/* The first of this major or any later one that can be found: of the table (base/majors.h), then of
 * majors that are newer than it. `image` is tried for `from` alone. On false, *err is about
 * `from`. */
bool pg_clients_from(int from, const char *image, PgClient *ret, Err *err) MUST_CHECK;
/* The same for whoever reads a whole schema: before 15 pg_dump leaves out what was changed about
 * schema public (its owner, its comment), so one of 15 or later is taken first. An archive of 15 is
 * as old as one of 12. */
bool pg_clients_whole(int from, const char *image, PgClient *ret, Err *err) MUST_CHECK;
/* The beginning of a command: the program, or docker run ... IMAGE program. A client in an
 * image reaches 127.0.0.1 and bridge addresses (network host), and the directories in
 * `mount` (NULL-terminated, same path inside; may be NULL), which is how it sees sockets and
 * pass files. */
void pg_client_argv(const PgClient *c, const char *program, const char *const *mount, Argv *argv);
/* "pg_dump 17.6 in /usr/lib/postgresql/17/bin"; malloc()ed. */
char *pg_client_words(const PgClient *c) MUST_CHECK;
/* Does this client's psql understand \restrict (CVE-2025-8714: 17.6, 16.10, 15.14, 14.19,
 * 13.22 and everything later)? An older one stops on plain dumps of newer clients. */
bool pg_client_knows_restrict(const PgClient *c);
void pg_client_done(PgClient *c) NONNULL;
#define AUTO_PGCLIENT CLEANUP(pg_client_done) PgClient
