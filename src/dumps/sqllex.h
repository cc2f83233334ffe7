/* sqllex.h: the tokens of SQL text, as psql and the server see them, and no more of the language.
 *
 *      for (size_t len; (len = sqllex(p, n, true, false, &kind)) > 0; p += len, n -= len)
 *              ...
 *
 * Knows strings ('..', E'..' and, while standard_conforming_strings is off, backslashes in all of
 * them), quoted names, $tag$..$tag$, both comments (the long one nests), words. The rules are
 * those of src/fe_utils/psqlscan.l. */
#pragma once

#include "base/base.h"

typedef enum SqlToken {
        TOKEN_BLANK,
        TOKEN_COMMENT,
        TOKEN_WORD,
        TOKEN_NAME,
        TOKEN_STRING,
        TOKEN_BACKSLASH,
        TOKEN_OTHER, /* one character */
        TOKEN_OPEN,  /* a string, name or comment that never ends; only
                        when `final` */
} SqlToken;

/* Length of the token that begins at `p`, of `n` bytes. 0: more bytes are needed to tell (or n
 * is 0); with `final` none will come, and 0 means the end. A comment to the end of the line has
 * its newline. */
size_t sqllex(const char *p, size_t n, bool final, bool backslashes, SqlToken *ret);

/* Over one whole statement, blanks and comments left out. */
typedef struct SqlCursor {
        const char *p, *end; /* what comes after the token */
        bool backslashes;
        SqlToken kind;
        const char *at; /* the token */
        size_t n;
} SqlCursor;

bool sqlcursor_next(SqlCursor *c);                       /* false: the end */
bool sqlcursor_is(const SqlCursor *c, const char *word); /* an unquoted word or sign */
/* The token as a name ("a""b", Abc -> abc) or as a string's value; malloc()ed. */
char *sqlcursor_text(const SqlCursor *c) MUST_CHECK;
