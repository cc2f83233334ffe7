/* sql.h: SQL as a list of pieces that remember what they are.
 *
 * One statement, two readers. The server gets it quoted by its own connection;
 * the human (dry run, journal, screen) gets it readable and with secrets
 * covered. Both come from the same pieces, so they cannot drift apart.
 *
 *      AUTO_SQL q = {0};
 *      sql_add(&q, "alter role ");
 *      sql_ident(&q, role);
 *      sql_add(&q, " password ");
 *      sql_secret(&q, verifier);
 *
 *      sql_for_humans(&q)   ->  alter role "app" password «app verifier»
 *
 * sql_add() accepts only a string literal. A name or a value that came from a file, a
 * catalog or a keyboard has exactly three ways in, and all three quote. */
#pragma once

#include "base/err.h"
#include "base/secret.h"

typedef struct SqlPiece SqlPiece;

typedef struct Sql {
        SqlPiece *pieces;
        size_t n, capacity;
} Sql;

#define sql_add(q, literal) sql_add_literal_((q), LITERAL(literal))

void sql_ident(Sql *q, const char *name) NONNULL;
void sql_qname(Sql *q, const char *schema, const char *name) NONNULL;
void sql_value(Sql *q, const char *text); /* NULL becomes NULL, unquoted */
void sql_int(Sql *q, int64_t n) NONNULL;
/* A secret as a quoted value. Borrowed: it must outlive the statement. */
void sql_secret(Sql *q, const Secret *secret) NONNULL;

/* Two kinds of text that are SQL already. Each name says whose word is trusted, so that
 * `git grep sql_rendered` is the audit: what the *server* rendered as SQL (format_type(),
 * pg_get_indexdef(), a collation's ::regcollation), and what the *operator* wrote as `sql:`
 * in the runbook, with ${ident:} and ${lit:} resolved. Never put a name or a value here. */
void sql_rendered(Sql *q, const char *by_the_server) NONNULL;
void sql_operator(Sql *q, const char *by_the_runbook) NONNULL;

/* Appends all pieces of another statement. */
void sql_append(Sql *q, const Sql *other) NONNULL;

/* Who quotes for the server. src/pg/ implements it with PQescapeIdentifier()
 * and PQescapeLiteral(), which know the connection's encoding; tests fake it. */
typedef struct SqlQuoter {
        bool (*ident)(void *conn, const char *text, char **ret, Err *err);
        bool (*value)(void *conn, const char *text, char **ret, Err *err);
        void *conn;
} SqlQuoter;

/* Both return malloc()ed text. The server's copy may hold a secret: wipe it. */
char *sql_for_humans(const Sql *q) NONNULL;
bool sql_for_server(const Sql *q, const SqlQuoter *quoter, char **ret, Err *err) MUST_CHECK;

void sql_free(Sql *q) NONNULL;
void sql_add_literal_(Sql *q, const char *literal) NONNULL;

#define AUTO_SQL CLEANUP(sql_free) Sql
