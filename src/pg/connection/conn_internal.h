/* conn_internal.h: the inside of a connection, for the files of src/pg that see libpq. */
#pragma once

#include <libpq-fe.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "pg/conn.h"

struct Pg {
        PGconn *conn;
        PGcancel *cancel;      /* made once: PQcancel may run in any thread */
        atomic_bool cancelled; /* by us: turns 57014 into ERR_CANCELLED */
        Buf copy;              /* COPY FROM STDIN: gathered to 64 KiB */
        void (*closing)(void *arg);
        void *closing_arg;
        /* copies, for pg_reopen() */
        PgParams params;
        char *host, *user, *database, *app, *client_encoding, *system;
        Secret *password;
};

struct PgRes {
        PGresult *r;
};

/* error.c: what the server said, as an Err. Always returns false. */
bool pg_error_of_result(Pg *pg, const PGresult *r, Err *err);
bool pg_error_of_link(Pg *pg, const char *what, Err *err);
/* What a failed connection attempt says, with the SQLSTATE that PQERRORS_VERBOSE put there. */
bool pg_error_of_connect(const PgParams *p, const char *text, Err *err);

/* The customer's data taken out; malloc()ed. Pure, tested without a server. */
char *pg_error_context(const char *context);
char *pg_error_detail(const char *sqlstate, const char *detail);
char *pg_error_primary(const char *sqlstate, const char *message);
