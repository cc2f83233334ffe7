/* sqlread.h: a dump in SQL, statement by statement, in constant memory.
 *
 *      SqlRead *r = sqlread_new(more, arg);
 *      while (sqlread_next(r, &item, err) && item.kind != SQLREAD_END)
 *              ...     // after a COPY .. FROM stdin: sqlread_rows(r, sink, arg, &n, err)
 *
 * Cuts where psql would cut (parentheses of CREATE RULE, BEGIN ATOMIC bodies, standard_conforming_
 * strings as the file itself sets it), but runs nothing: a line for psql (\connect, \!) comes out
 * as such. One statement is held in memory, rows of COPY never are. Every item has its line. */
#pragma once

#include "base/err.h"

typedef enum SqlReadKind {
        SQLREAD_STATEMENT, /* with its semicolon */
        SQLREAD_COMMAND,   /* "\connect app", without the newline */
        SQLREAD_NOTE,      /* a comment of pg_dump's own: where a dump begins, ends */
        SQLREAD_END,
} SqlReadKind;

typedef struct SqlReadItem {
        SqlReadKind kind;
        const char *text; /* NUL-terminated, until the next call */
        size_t len;
        int64_t line;       /* of its first character; from 1 */
        const char *object; /* "TABLE public.orders", as pg_dump's comment has it; or NULL */
        bool backslashes;   /* standard_conforming_strings is off here */
} SqlReadItem;

/* A dump whose own lines end with CR LF went through something that writes all lines so (a
 * terminal: `docker exec -t`; PowerShell's >). Every CR before an LF is taken out again, in
 * statements and rows alike: a CR that was data stands as \r in COPY's rows, and as CR CR LF
 * elsewhere. */
typedef struct SqlRead SqlRead;
/* `more` gives up to `n` bytes; *ret_n 0: the end. */
SqlRead *sqlread_new(bool (*more)(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err),
                     void *arg) MUST_CHECK;
bool sqlread_next(SqlRead *r, SqlReadItem *ret, Err *err) MUST_CHECK;
/* The data of COPY, up to its `\.`; `sink` may be NULL. Lines are rows, in text format. */
bool sqlread_rows(SqlRead *r, bool (*sink)(void *arg, const void *bytes, size_t n, Err *err),
                  void *arg, int64_t *ret_lines, Err *err) MUST_CHECK;
/* The lines ended with CR LF; known after the first item. */
/* The major of the server that what was read so far was dumped from; 0: it has not said so. */
int sqlread_server(const SqlRead *r) NONNULL;
bool sqlread_is_crlf(const SqlRead *r);
SqlRead *sqlread_free(SqlRead *r);

static inline void sqlread_freep(SqlRead **r)
{
        *r = sqlread_free(*r);
}
#define AUTO_SQLREAD CLEANUP(sqlread_freep) SqlRead *
