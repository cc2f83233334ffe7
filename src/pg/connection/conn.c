#include "pg/connection/conn_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"

#define CONNECT_TIMEOUT_MS 10000 /* a container's server that is there answers in ms */

/* ---- opening ---- */

static void on_notice(void *arg, const PGresult *r)
{
        Pg *pg = arg;
        const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        if (!pg->params.notice)
                return;
        AUTO_FREE char *text =
                pg_error_primary(state, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
        pg->params.notice(pg->params.notice_arg, severity ? severity : "NOTICE", text);
}

/* Drives PQconnectPoll() itself: PQERRORS_VERBOSE must be set before the server refuses, else
 * its SQLSTATE (wrong password? starting up?) is lost. */
static bool connect_wait(PGconn *c, int64_t deadline)
{
        PostgresPollingStatusType want = PGRES_POLLING_WRITING;
        while (want != PGRES_POLLING_OK) {
                if (want == PGRES_POLLING_FAILED)
                        return false;
                int64_t left = deadline - clock_boot_ms();
                struct pollfd fd = { .fd = PQsocket(c),
                                     .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT };
                if (left <= 0)
                        return false;
                int n = poll(&fd, 1, (int)MIN(left, 1000));
                if (n < 0 && errno != EINTR)
                        return false;
                if (n > 0)
                        want = PQconnectPoll(c);
        }
        return true;
}

static bool connect_now(Pg *pg, Err *err)
{
        const PgParams *p = &pg->params;
        char port[16];
        snprintf(port, sizeof port, "%d", p->port ? p->port : 5432);
        const char *keys[] = { "host",
                               "port",
                               "user",
                               "dbname",
                               "password",
                               "application_name",
                               "client_encoding",
                               "gssencmode",
                               "keepalives_idle",
                               "keepalives_interval",
                               "keepalives_count",
                               NULL };
        const char *values[] = { p->host,
                                 port,
                                 p->user,
                                 p->database,
                                 pg->password ? secret_expose(pg->password) : NULL,
                                 p->app ? p->app : "pgsherpa",
                                 p->client_encoding ? p->client_encoding : "UTF8",
                                 "disable",
                                 "30",
                                 "10",
                                 "3",
                                 NULL };
        int64_t timeout = p->connect_timeout_ms ? p->connect_timeout_ms : CONNECT_TIMEOUT_MS;
        pg->conn = PQconnectStartParams(keys, values, 0);
        if (!pg->conn)
                abort();
        PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
        PQsetNoticeReceiver(pg->conn, on_notice, pg);
        if (PQstatus(pg->conn) == CONNECTION_BAD ||
            !connect_wait(pg->conn, clock_boot_ms() + timeout)) {
                const char *said = PQerrorMessage(pg->conn);
                return pg_error_of_connect(p, *said ? said : "no answer in time", err);
        }
        PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
        pg->cancel = PQgetCancel(pg->conn);
        return true;
}

/* The output settings decide what a value looks like as text, array_nulls and lc_monetary how it
 * is read; the timeouts are a server's or role's habit for applications, not for us; compiling a
 * question to the catalogs takes ten times as long as its answer (measured: 791 ms instead of 74,
 * of 2,500 tables). Names the server does not know yet are left out by version. */
static bool pin_settings(Pg *pg, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "set search_path = pg_catalog; set datestyle = 'ISO, MDY'; "
                    "set intervalstyle = postgres; set timezone = 'UTC'; "
                    "set extra_float_digits = 3; set bytea_output = hex; "
                    "set standard_conforming_strings = on; set row_security = off; "
                    "set lc_monetary = 'C'; set array_nulls = on; "
                    "set idle_in_transaction_session_timeout = 0; "
                    "set jit = off; set synchronize_seqscans = off; set statement_timeout = ");
        sql_int(&q, pg->params.statement_timeout_ms);
        sql_add(&q, "; set lock_timeout = ");
        sql_int(&q, pg->params.lock_timeout_ms);
        if (pg_major(pg) >= 14)
                sql_add(&q, "; set client_connection_check_interval = '5s'"
                            "; set idle_session_timeout = 0");
        if (pg_major(pg) >= 17)
                sql_add(&q, "; set transaction_timeout = 0");
        return pg_exec(pg, &q, err) || err_wrap(err, "setting up the session");
}

static char *dup_or_null(const char *s)
{
        return s ? xstrdup(s) : NULL;
}

static Secret *secret_copy(const Secret *s)
{
        if (!s)
                return NULL;
        char *bytes = xstrdup(secret_expose(s));
        Secret *copy = secret_take(secret_name(s), bytes, strlen(bytes));
        free(bytes);
        return copy;
}

/* Two servers may share an address's spelling: the files of the one that is meant say who it is. */
static bool is_who_is_meant(Pg *pg, Err *err)
{
        AUTO_FREE char *system = NULL;
        AUTO_SQL q = { 0 };
        if (!pg->system)
                return true;
        sql_add(&q,
                "select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()");
        if (!pg_query_value(pg, &q, &system, err))
                return err_wrap(err, "asking the server who it is");
        if (system && str_eq(system, pg->system))
                return true;
        err_set(err, ERR_USER,
                "another server answers at %s port %d: its system identifier is %s, that of the "
                "data "
                "meant is %s",
                pg->host ? pg->host : "", pg->params.port, system ? system : "unknown", pg->system);
        return err_hint(err, "two servers claim that address (network_mode: host?); let each have "
                             "a port of its own");
}

bool pg_open(const PgParams *p, Pg **ret, Err *err)
{
        AUTO_PG Pg *pg = xcalloc(1, sizeof *pg);
        pg->params = *p;
        pg->params.host = pg->host = dup_or_null(p->host);
        pg->params.user = pg->user = dup_or_null(p->user);
        pg->params.database = pg->database = dup_or_null(p->database);
        pg->params.app = pg->app = dup_or_null(p->app);
        pg->params.client_encoding = pg->client_encoding = dup_or_null(p->client_encoding);
        pg->params.system = pg->system = dup_or_null(p->system);
        pg->params.password = pg->password = secret_copy(p->password);
        pg->copy = buf_init(64 * 1024);
        if (!connect_now(pg, err) || !pin_settings(pg, err) || !is_who_is_meant(pg, err))
                return false;
        *ret = pg;
        pg = NULL;
        return true;
}

bool pg_reopen(const Pg *like, const char *database, Pg **ret, Err *err)
{
        PgParams p = like->params;
        if (database)
                p.database = database;
        return pg_open(&p, ret, err);
}

bool pg_reopen_beside(const Pg *like, const char *database, Pg **ret, Err *err)
{
        AUTO_ERR why = { 0 };
        PgParams p = like->params;
        if (pg_reopen(like, database, ret, &why))
                return true;
        if (!str_eq(why.sqlstate, "0A000")) {
                err_move(err, &why);
                return false;
        }
        p.database = database;
        p.client_encoding = "SQL_ASCII";
        return pg_open(&p, ret, err);
}

Pg *pg_close(Pg *pg)
{
        if (!pg)
                return NULL;
        if (pg->closing)
                pg->closing(pg->closing_arg);
        if (pg->cancel)
                PQfreeCancel(pg->cancel);
        PQfinish(pg->conn);
        buf_done(&pg->copy);
        secret_free(pg->password);
        free(pg->host);
        free(pg->user);
        free(pg->database);
        free(pg->app);
        free(pg->client_encoding);
        free(pg->system);
        free(pg);
        return NULL;
}

void pg_on_close(Pg *pg, void (*fn)(void *arg), void *arg)
{
        pg->closing = fn;
        pg->closing_arg = arg;
}

int pg_version(const Pg *pg)
{
        return PQserverVersion(pg->conn);
}

int pg_major(const Pg *pg)
{
        return PQserverVersion(pg->conn) / 10000;
}

int pg_backend_pid(const Pg *pg)
{
        return PQbackendPID(pg->conn);
}

const char *pg_encoding(const Pg *pg)
{
        const char *said = PQparameterStatus(pg->conn, "client_encoding");
        return said ? said : "?";
}

const char *pg_database(const Pg *pg)
{
        return PQdb(pg->conn);
}

void pg_cancel(Pg *pg)
{
        char why[256];
        atomic_store(&pg->cancelled, true);
        if (pg->cancel)
                (void)PQcancel(pg->cancel, why, sizeof why); /* best effort by nature */
}

/* ---- quoting ---- */

static bool quoted(Pg *pg, char *from_libpq, char **ret, Err *err)
{
        if (!from_libpq)
                return err_set(err, ERR_USER,
                               "a name or value is not valid in the encoding of "
                               "the connection: %s",
                               PQerrorMessage(pg->conn));
        *ret = xstrdup(from_libpq);
        explicit_bzero(from_libpq, strlen(from_libpq));
        PQfreemem(from_libpq);
        return true;
}

static bool quote_ident(void *conn, const char *text, char **ret, Err *err)
{
        Pg *pg = conn;
        return quoted(pg, PQescapeIdentifier(pg->conn, text, strlen(text)), ret, err);
}

static bool quote_value(void *conn, const char *text, char **ret, Err *err)
{
        Pg *pg = conn;
        return quoted(pg, PQescapeLiteral(pg->conn, text, strlen(text)), ret, err);
}

SqlQuoter pg_quoter(Pg *pg)
{
        return (SqlQuoter){ .ident = quote_ident, .value = quote_value, .conn = pg };
}

/* ---- statements ---- */

/* Runs one simple query. A COPY that slipped in is ended, so that the connection stays usable. */
static bool run_text(Pg *pg, const char *text, PGresult **ret, Err *err)
{
        PGresult *r = PQexec(pg->conn, text);
        switch (PQresultStatus(r)) {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
        case PGRES_EMPTY_QUERY:
                *ret = r;
                return true;
        case PGRES_COPY_IN:
                PQputCopyEnd(pg->conn, "COPY is not possible here");
                while (PQclear(r), (r = PQgetResult(pg->conn)))
                        ;
                return err_set(err, ERR_USER, "COPY FROM STDIN is not possible here");
        case PGRES_COPY_OUT: {
                char *bytes;
                while (PQgetCopyData(pg->conn, &bytes, 0) >= 0)
                        PQfreemem(bytes);
                while (PQclear(r), (r = PQgetResult(pg->conn)))
                        ;
                return err_set(err, ERR_USER, "COPY TO STDOUT is not possible here");
        }
        default:
                pg_error_of_result(pg, r, err);
                PQclear(r);
                return false;
        }
}

static bool run_sql(Pg *pg, const Sql *q, PGresult **ret, Err *err)
{
        SqlQuoter quoter = pg_quoter(pg);
        char *text = NULL;
        if (!sql_for_server(q, &quoter, &text, err))
                return false;
        bool ok = run_text(pg, text, ret, err);
        explicit_bzero(text, strlen(text)); /* it may hold a password */
        free(text);
        return ok;
}

static PgRes *wrap(PGresult *r)
{
        PgRes *res = xmalloc(sizeof *res);
        res->r = r;
        return res;
}

bool pg_query(Pg *pg, const Sql *q, PgRes **ret, Err *err)
{
        PGresult *r = NULL;
        if (!run_sql(pg, q, &r, err))
                return false;
        *ret = wrap(r);
        return true;
}

bool pg_exec(Pg *pg, const Sql *q, Err *err)
{
        PGresult *r = NULL;
        if (!run_sql(pg, q, &r, err))
                return false;
        PQclear(r);
        return true;
}

bool pg_query_value(Pg *pg, const Sql *q, char **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_query(pg, q, &r, err))
                return false;
        const char *cell = pg_rows(r) && pg_columns(r) ? pg_cell(r, 0, 0) : NULL;
        *ret = dup_or_null(cell);
        return true;
}

bool pg_query_secret(Pg *pg, const Sql *q, const char *name, Secret **ret, Err *err)
{
        PGresult *r = NULL;
        *ret = NULL;
        if (!run_sql(pg, q, &r, err))
                return false;
        if (PQntuples(r) && !PQgetisnull(r, 0, 0))
                *ret = secret_take(name, PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0));
        PQclear(r);
        return true;
}

bool pg_exec_literal_(Pg *pg, const char *literal, Err *err)
{
        PGresult *r = NULL;
        if (!run_text(pg, literal, &r, err))
                return false;
        PQclear(r);
        return true;
}

bool pg_query_literal_(Pg *pg, const char *literal, PgRes **ret, Err *err)
{
        PGresult *r = NULL;
        if (!run_text(pg, literal, &r, err))
                return false;
        *ret = wrap(r);
        return true;
}

bool pg_exec_dumped(Pg *pg, const char *sql, Err *err)
{
        return pg_exec_literal_(pg, sql, err);
}

void pg_as_owner(Pg *pg, const char *owner)
{
        AUTO_SQL q = { 0 };
        AUTO_ERR ignored = { 0 };
        sql_add(&q, "set local role ");
        sql_ident(&q, owner);
        if (pg_do(pg, "savepoint pgsherpa_owner", &ignored) && !pg_exec(pg, &q, &ignored))
                (void)!pg_do(pg, "rollback to savepoint pgsherpa_owner", &ignored);
}

bool pg_as_application(Pg *pg, Err *err)
{
        return pg_do(pg, "reset search_path; reset row_security", err);
}

bool pg_refuse_views(Pg *pg, Err *err)
{
        return pg_do(pg,
                     "select set_config('restrict_nonsystem_relation_kind', 'view, "
                     "foreign-table', true) where "
                     "current_setting('restrict_nonsystem_relation_kind', true) is not "
                     "null",
                     err);
}

bool pg_begin_reading(Pg *pg, const char *snapshot, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "begin transaction isolation level repeatable read, read only");
        if (snapshot) {
                sql_add(&q, "; set transaction snapshot ");
                sql_value(&q, snapshot);
        }
        if (!pg_exec(pg, &q, err))
                return snapshot ? err_wrap(err, "joining the snapshot") : false;
        return pg_refuse_views(pg, err);
}

bool pg_scram_verifier(Pg *pg, const char *role, const Secret *password, Secret **ret, Err *err)
{
        char *verifier =
                PQencryptPasswordConn(pg->conn, secret_expose(password), role, "scram-sha-256");
        if (!verifier)
                return err_set(err, ERR_USER, "could not make a SCRAM verifier for role %s: %s",
                               role, PQerrorMessage(pg->conn));
        AUTO_FREE char *name = xasprintf("verifier of %s", role);
        *ret = secret_take(name, verifier, strlen(verifier));
        PQfreemem(verifier);
        return true;
}
