/* conn.h: one connection to one database, and the only door to libpq.
 *
 *      AUTO_PG Pg *pg = NULL;
 *      if (!pg_open(&(PgParams){ .host = "127.0.0.1", .port = 5432, .user = "app",
 *                                .database = db, .password = secret, .app = "p42-1a2b/copy" },
 *                   &pg, err))
 *              return false;
 *      AUTO_PGRES PgRes *r = NULL;
 *      if (!pg_query(pg, &sql, &r, err)) ...
 *
 * Opened with PQconnectdbParams and expand_dbname=0 (a database may be called "host=evil"),
 * search_path = pg_catalog, all five output settings pinned (DateStyle, IntervalStyle,
 * TimeZone, extra_float_digits, bytea_output), application_name pgsherpa/<run>/<step>,
 * client_connection_check_interval where the server has it (14). Errors carry SQLSTATE, detail
 * and hint; ERR_LINK when the connection is what failed. NOTICEs go to .notice.
 *
 * What an error says never holds a customer's row: CONTEXT is cut after the line number, the
 * values in "Key (email)=(..)" and "Failing row contains (..)" are replaced, and so is what
 * errors about bad data (class 22) quote. What a function of the customer's own RAISEs is not
 * looked into. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"
#include "base/secret.h"
#include "sql/sql.h"

typedef struct Pg Pg;
typedef struct PgRes PgRes;

typedef struct PgParams {
        const char *host; /* name, address, or directory of the socket */
        int port;         /* 0: 5432 */
        const char *user, *database;
        const Secret *password; /* NULL: none */
        const char *app;        /* application_name: "pgsherpa/p42-1a2b/copy" */
        int64_t connect_timeout_ms, statement_timeout_ms, lock_timeout_ms;
        const char *client_encoding; /* NULL: UTF8 */
        const char *system;          /* system identifier of who must answer; NULL: anybody */
        void (*notice)(void *arg, const char *severity, const char *text);
        void *notice_arg;
} PgParams;

/* The parameters are copied, the password too: they need not outlive the call. ERR_LINK with
 * no SQLSTATE: nobody answered; ERR_SERVER with 28P01, 3D000 ..: the server said no. */
bool pg_open(const PgParams *p, Pg **ret, Err *err) MUST_CHECK;
Pg *pg_close(Pg *pg);
/* Called first thing by pg_close(): where a canceller takes its pointer back. */
void pg_on_close(Pg *pg, void (*fn)(void *arg), void *arg);
/* Another connection with the same parameters (a worker's, a canceller's). */
bool pg_reopen(const Pg *like, const char *database, Pg **ret, Err *err) MUST_CHECK;
/* To look into a database that is only a neighbour, whatever its encoding: one that the server
 * cannot convert (MULE_INTERNAL to UTF8) is told in its own bytes, which only text_clean() may
 * touch. */
bool pg_reopen_beside(const Pg *like, const char *database, Pg **ret, Err *err) MUST_CHECK;
int pg_version(const Pg *pg);     /* 130016, 170006 */
int pg_major(const Pg *pg);       /* 13 */
int pg_backend_pid(const Pg *pg); /* of the server process, for the journal */
const char *pg_database(const Pg *pg);
const char *pg_encoding(const Pg *pg); /* client_encoding, as it is now; valid until pg_close() */
/* Asks the server to stop what this connection runs; may be called from any thread until
 * pg_close(). The statement then fails with ERR_CANCELLED. */
void pg_cancel(Pg *pg);

bool pg_query(Pg *pg, const Sql *q, PgRes **ret, Err *err) MUST_CHECK; /* rows */
bool pg_exec(Pg *pg, const Sql *q, Err *err) MUST_CHECK;               /* no rows wanted */
/* First cell; NULL stays NULL. */
bool pg_query_value(Pg *pg, const Sql *q, char **ret, Err *err) MUST_CHECK;
/* First cell as a Secret called `name`, wiped from the result; NULL stays NULL. */
bool pg_query_secret(Pg *pg, const Sql *q, const char *name, Secret **ret, Err *err) MUST_CHECK;
/* One statement of ours without any name or value in it: pg_do(pg, "begin", err). */
#define pg_do(pg, literal, err) pg_exec_literal_((pg), LITERAL(literal), (err))
bool pg_exec_literal_(Pg *pg, const char *literal, Err *err) MUST_CHECK;
#define pg_ask(pg, literal, ret, err) pg_query_literal_((pg), LITERAL(literal), (ret), (err))
bool pg_query_literal_(Pg *pg, const char *literal, PgRes **ret, Err *err) MUST_CHECK;
/* Text that a real pg_dump wrote: executed as it is, one simple query. Nothing else may come
 * in this way. */
bool pg_exec_dumped(Pg *pg, const char *sql, Err *err) MUST_CHECK;
/* Exactly one statement out of a file somebody gave us; two are an error. *ret_copy: it was a COPY
 * FROM STDIN, and now wants pg_copy_write() and pg_copy_in_end(). */
bool pg_dumped_one(Pg *pg, const char *sql, bool *ret_copy, int64_t *ret_rows, Err *err) MUST_CHECK;
bool pg_in_transaction(const Pg *pg); /* also in one that failed */

/* For statements an operator wrote: search_path and row_security as the role and the database
 * have them, so that `select count(*) from users` finds what the application finds. */
bool pg_as_application(Pg *pg, Err *err) MUST_CHECK;
/* To the end of the transaction, or of the caller's savepoint, as that role; who may not be it goes
 * on as who it is. For what is asked of a table with its owner's rights. */
void pg_as_owner(Pg *pg, const char *owner);
/* Begins one moment to read tables in, read only, that of `snapshot` when it is not NULL. What has
 * become a view or a foreign table since it was listed as a table is refused and not evaluated
 * with our rights, where the server can do that (minor releases since August 2024). */
bool pg_begin_reading(Pg *pg, const char *snapshot, Err *err) MUST_CHECK;
/* Only the latter, to the end of a transaction that has begun; it takes the transaction's
 * snapshot. */
bool pg_refuse_views(Pg *pg, Err *err) MUST_CHECK;

/* The SCRAM verifier of a password, made on this side: the clear text never travels. Free it
 * with secret_free(). */
bool pg_scram_verifier(Pg *pg, const char *role, const Secret *password, Secret **ret,
                       Err *err) MUST_CHECK;

/* How the connection quotes; for sql_for_server(). */
SqlQuoter pg_quoter(Pg *pg);

int pg_rows(const PgRes *r);
int pg_columns(const PgRes *r);
const char *pg_column_name(const PgRes *r, int column);
/* Rows the statement touched ("UPDATE 3"); 0 when it does not say. */
int64_t pg_affected(const PgRes *r);
const char *pg_cell(const PgRes *r, int row, int column); /* NULL: null */
int64_t pg_cell_int(const PgRes *r, int row, int column);
bool pg_cell_bool(const PgRes *r, int row, int column);
PgRes *pg_res_free(PgRes *r);

/* COPY: rows come and go as the server sends them. */
bool pg_copy_out_begin(Pg *pg, const Sql *copy, Err *err) MUST_CHECK;
/* One CopyData message; *ret is NULL at the end. Free with pg_copy_free(). */
bool pg_copy_read(Pg *pg, char **ret, size_t *ret_len, Err *err) MUST_CHECK;
void pg_copy_free(char *bytes);

/* Many rows at a time and one copy of their bytes, instead of a malloc() and a call for each.
 * Memory is kept from batch to batch, and given back after a huge row. */
typedef struct PgRows {
        bool binary; /* say so before the first call: format of the COPY */
        char *bytes; /* whole rows, in binary without header and trailer */
        size_t n, capacity;
        uint32_t *ends; /* of each row, as an offset into bytes */
        size_t rows, ends_capacity;
        bool begun;
} PgRows;

#define PG_COPY_BATCH (64 * 1024)
/* At least PG_COPY_BATCH bytes of rows, or what is left; rows == 0: that was all. */
bool pg_copy_read_rows(Pg *pg, PgRows *r, Err *err) MUST_CHECK;
void pg_rows_done(PgRows *r);

bool pg_copy_in_begin(Pg *pg, const Sql *copy, Err *err) MUST_CHECK;
/* Bytes are gathered into messages of 64 KiB (16 % less server time on narrow rows than one
 * message a row); they need not end at the end of a row. */
bool pg_copy_write(Pg *pg, const char *bytes, size_t n, Err *err) MUST_CHECK;
bool pg_copy_in_end(Pg *pg, const char *abort_reason, int64_t *ret_rows, Err *err) MUST_CHECK;

static inline void pg_closep(Pg **pg)
{
        *pg = pg_close(*pg);
}
static inline void pg_res_freep(PgRes **r)
{
        *r = pg_res_free(*r);
}
#define AUTO_PGROWS CLEANUP(pg_rows_done) PgRows
#define AUTO_PG     CLEANUP(pg_closep)
#define AUTO_PGRES  CLEANUP(pg_res_freep)
