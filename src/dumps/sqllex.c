#include "dumps/sqllex.h"

#include <ctype.h>
#include <strings.h>

static bool word_char(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* What a token that runs into the end of the bytes is. */
static size_t open_end(size_t n, bool final, SqlToken *ret)
{
        *ret = TOKEN_OPEN;
        return final ? n : 0;
}

/* From the opening quote at p[at]. */
static size_t quoted(const char *p, size_t at, size_t n, bool final, bool backslashes,
                     SqlToken *ret)
{
        char quote = p[at];
        *ret = quote == '"' ? TOKEN_NAME : TOKEN_STRING;
        for (size_t i = at + 1; i < n; i++) {
                if (backslashes && p[i] == '\\') {
                        i++;
                } else if (p[i] == quote) {
                        if (i + 1 == n && !final)
                                return 0;
                        if (i + 1 == n || p[i + 1] != quote)
                                return i + 1;
                        i++;
                }
        }
        return open_end(n, final, ret);
}

static size_t dollar(const char *p, size_t n, bool final, SqlToken *ret)
{
        size_t tag = 1;
        *ret = TOKEN_OTHER;
        if (n > 1 && isdigit((unsigned char)p[1]))
                return 1;
        while (tag < n && word_char(p[tag]) && p[tag] != '$')
                tag++;
        if (tag == n)
                return final ? 1 : 0;
        if (p[tag] != '$')
                return 1;
        tag++;
        const char *end = memmem(p + tag, n - tag, p, tag);
        *ret = TOKEN_STRING;
        return end ? (size_t)(end - p) + tag : open_end(n, final, ret);
}

static size_t comment(const char *p, size_t n, bool final, SqlToken *ret)
{
        *ret = TOKEN_COMMENT;
        if (*p == '-') {
                const char *nl = memchr(p, '\n', n);
                return nl ? (size_t)(nl + 1 - p) : final ? n : 0;
        }
        int depth = 0;
        for (size_t i = 0; i + 1 < n; i++) {
                if (p[i] == '/' && p[i + 1] == '*') {
                        depth++;
                        i++;
                } else if (p[i] == '*' && p[i + 1] == '/') {
                        i++;
                        if (--depth == 0)
                                return i + 1;
                }
        }
        return open_end(n, final, ret);
}

static size_t word(const char *p, size_t n, bool final, bool backslashes, SqlToken *ret)
{
        size_t i = 1;
        *ret = TOKEN_WORD;
        if (n > 1 && p[1] == '\'' && strchr("eEnN", *p))
                return quoted(p, 1, n, final, backslashes || *p == 'e' || *p == 'E', ret);
        while (i < n && word_char(p[i]))
                i++;
        return i == n && !final ? 0 : i;
}

size_t sqllex(const char *p, size_t n, bool final, bool backslashes, SqlToken *ret)
{
        if (n == 0)
                return 0;
        if (isspace((unsigned char)*p)) {
                size_t i = 1;
                while (i < n && isspace((unsigned char)p[i]))
                        i++;
                *ret = TOKEN_BLANK;
                return i;
        }
        if (n == 1 && !final)
                return 0; /* every other one may need its neighbour */
        if (n > 1 && ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*')))
                return comment(p, n, final, ret);
        if (*p == '\'' || *p == '"')
                return quoted(p, 0, n, final, backslashes && *p == '\'', ret);
        if (*p == '$')
                return dollar(p, n, final, ret);
        if (word_char(*p))
                return word(p, n, final, backslashes, ret);
        *ret = *p == '\\' ? TOKEN_BACKSLASH : TOKEN_OTHER;
        return 1;
}

bool sqlcursor_next(SqlCursor *c)
{
        for (;;) {
                c->at = c->p;
                c->n = sqllex(c->p, (size_t)(c->end - c->p), true, c->backslashes, &c->kind);
                c->p += c->n;
                if (c->n == 0)
                        return false;
                if (c->kind != TOKEN_BLANK && c->kind != TOKEN_COMMENT)
                        return true;
        }
}

bool sqlcursor_is(const SqlCursor *c, const char *text)
{
        return (c->kind == TOKEN_WORD || c->kind == TOKEN_OTHER) && c->n == strlen(text) &&
               strncasecmp(c->at, text, c->n) == 0;
}

char *sqlcursor_text(const SqlCursor *c)
{
        char *out = xmalloc(c->n + 1), *q = out;
        if (c->kind == TOKEN_NAME || c->kind == TOKEN_STRING) {
                const char *p = c->at, *end = c->at + c->n - 1;
                while (*p != '\'' && *p != '"' && p < end)
                        p++; /* E'..' */
                char quote = *p++;
                for (; p < end; p++) {
                        if (*p == quote && p + 1 < end)
                                p++;
                        *q++ = *p;
                }
        } else {
                for (size_t i = 0; i < c->n; i++)
                        *q++ = c->at[i] >= 'A' && c->at[i] <= 'Z' ? (char)(c->at[i] + 32)
                                                                  : c->at[i];
        }
        *q = '\0';
        return out;
}
