/* sqltext.h: finding the ends of statements in SQL that pg_dump wrote.
 *
 * Knows quotes ('..', E'..', "..", $tag$..$tag$), comments, and nothing else of the language:
 * enough to cut at the right semicolons, whatever a default, a comment or a name contains. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The statement that begins at `sql`: length including its semicolon; 0 when only blanks and
 * comments are left. *ret_start (may be NULL) is where its first word is. */
size_t sqltext_next(const char *sql, const char **ret_start);

/* The next token: a quoted thing, a word, or one character; where it begins and its length, which
 * is 0 at the end of the text. Blanks and comments before it are skipped. */
size_t sqltext_token(const char *sql, const char **ret_start) NONNULL;

/* Copies `sql` into `out` without what must not reach the target:
 *   pg_attver   options of ALTER .. ALTER COLUMN .. SET (..) that newer minors store and older
 *               servers reject (moving data, 0); the other options of the list stay;
 *   SET lines   of parameters that `major` does not know (transaction_timeout before 17);
 *   what rewrite.h knows how to say in older words;
 *   \restrict and \unrestrict, which are psql's business.
 * Returns false when there was nothing to strip (out then holds the same text). After it the caller
 * looks at out->overflow: then statements are missing. */
bool sqltext_strip(const char *sql, int major, Buf *out);
/* "SET standard_conforming_strings = off": does the statement set this parameter? */
bool sqltext_sets(const char *sql, const char *parameter) NONNULL;
/* "CREATE SCHEMA [IF NOT EXISTS] name": that name, malloc()ed; NULL: it is something else. */
char *sqltext_schema_made(const char *sql) NONNULL MUST_CHECK;
/* A statement written while standard_conforming_strings is off, for a server where it cannot be:
 * strings with a backslash become E'..', which says the same anywhere. False: there is none, and
 * `out` is as it was. */
bool sqltext_escape_strings(const char *sql, Buf *out) NONNULL;
/* Only the psql lines, for SQL that people will feed to any psql. */
void sqltext_strip_psql(const char *sql, Buf *out);
