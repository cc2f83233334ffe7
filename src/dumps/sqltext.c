#include "dumps/sqltext.h"

#include "base/majors.h"
#include "dumps/rewrite.h"
#include "dumps/sqllex.h"

#include <ctype.h>
#include <strings.h>

static bool word_char(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static const char *skip_quoted(const char *p, char quote, bool backslash)
{
        for (p++; *p; p++) {
                if (backslash && *p == '\\' && p[1])
                        p++;
                else if (*p == quote && p[1] == quote)
                        p++;
                else if (*p == quote)
                        return p + 1;
        }
        return p;
}

/* $tag$ ... $tag$; NULL when this dollar does not open one ($1, a$b). */
static const char *skip_dollar(const char *p)
{
        const char *t = p + 1;
        if (isdigit((unsigned char)*t))
                return NULL;
        while (word_char(*t) && *t != '$')
                t++;
        if (*t != '$')
                return NULL;
        size_t n = (size_t)(t - p) + 1;
        for (const char *q = t + 1; (q = strchr(q, '$')); q++)
                if (strncmp(q, p, n) == 0)
                        return q + n;
        return p + strlen(p);
}

static const char *skip_comment(const char *p)
{
        if (p[0] == '-') {
                p += strcspn(p, "\n");
                return *p ? p + 1 : p;
        }
        int depth = 0;
        for (; *p; p++) {
                if (p[0] == '/' && p[1] == '*') {
                        depth++;
                        p++;
                } else if (p[0] == '*' && p[1] == '/') {
                        depth--;
                        p++;
                        if (depth == 0)
                                return p + 1;
                }
        }
        return p;
}

static bool comment_at(const char *p)
{
        return (p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*');
}

/* One step over whatever begins at p: a quoted thing, a comment, a word, one character. */
static const char *token_end(const char *p)
{
        if (comment_at(p))
                return skip_comment(p);
        if (*p == '\'' || *p == '"')
                return skip_quoted(p, *p, false);
        if ((*p == 'E' || *p == 'e') && p[1] == '\'')
                return skip_quoted(p + 1, '\'', true);
        if (*p == '$') {
                const char *end = skip_dollar(p);
                return end ? end : p + 1;
        }
        if (word_char(*p)) {
                while (word_char(*p))
                        p++;
                return p;
        }
        return p + 1;
}

static const char *skip_blanks(const char *p)
{
        while (*p && (isspace((unsigned char)*p) || comment_at(p)))
                p = comment_at(p) ? skip_comment(p) : p + 1;
        return p;
}

size_t sqltext_token(const char *sql, const char **ret_start)
{
        const char *p = skip_blanks(sql);
        *ret_start = p;
        return *p ? (size_t)(token_end(p) - p) : 0;
}

size_t sqltext_next(const char *sql, const char **ret_start)
{
        const char *p = skip_blanks(sql);
        if (ret_start)
                *ret_start = p;
        if (!*p)
                return 0;
        /* Semicolons that end nothing: in BEGIN ATOMIC .. END (a function's body, 14 and later) and
         * in the parentheses of CREATE RULE .. DO (a; b). */
        int depth = 0, cases = 0, parens = 0;
        bool after_begin = false;
        while (*p) {
                const char *end = token_end(p);
                size_t n = (size_t)(end - p);
                if (*p == '(')
                        parens++;
                else if (*p == ')' && parens > 0)
                        parens--;
                if (*p == ';' && depth == 0 && parens == 0)
                        return (size_t)(end - sql);
                if (n == 6 && strncasecmp(p, "ATOMIC", 6) == 0 && after_begin)
                        depth = 1, cases = 0;
                else if (depth && n == 4 && strncasecmp(p, "CASE", 4) == 0)
                        cases++;
                else if (depth && n == 3 && strncasecmp(p, "END", 3) == 0 && cases-- == 0)
                        depth = 0;
                if (!isspace((unsigned char)*p) && !comment_at(p))
                        after_begin = n == 5 && strncasecmp(p, "BEGIN", 5) == 0;
                p = end;
        }
        return (size_t)(p - sql);
}

/* ---- what is stripped ---- */

/* The option list of ALTER .. ALTER COLUMN .. SET (a=1, b='x'): from the last "SET (" at the
 * statement's own level to its closing parenthesis. */
static bool option_list(const char *s, const char *end, const char **ret_open,
                        const char **ret_close)
{
        const char *open = NULL, *close = NULL;
        bool after_set = false;
        int depth = 0;
        for (const char *p = s; p < end;) {
                const char *next = token_end(p);
                if (*p == '(' && depth++ == 0 && after_set)
                        open = p;
                if (*p == ')' && --depth == 0 && open && !close)
                        close = p;
                if (!isspace((unsigned char)*p))
                        after_set = next - p == 3 && strncasecmp(p, "SET", 3) == 0;
                p = next;
        }
        *ret_open = open;
        *ret_close = close;
        return open && close;
}

static const char *skip_blank(const char *p)
{
        while (isspace((unsigned char)*p))
                p++;
        return p;
}

/* Writes the statement without pg_attver; nothing at all when it was the only option. */
static bool strip_attver(const char *s, const char *end, Buf *out)
{
        const char *open, *close;
        if (strncasecmp(s, "ALTER ", 6) != 0 || !option_list(s, end, &open, &close))
                return false;
        AUTO_BUF kept = buf_init((size_t)(close - open) + 8);
        bool found = false;
        for (const char *p = open + 1; p < close;) {
                const char *start = skip_blank(p);
                p = start;
                while (p < close && *p != ',')
                        p = token_end(p);
                const char *name = *start == '"' ? start + 1 : start;
                if (strncmp(name, "pg_attver", 9) == 0 && !word_char(name[9])) {
                        found = true;
                } else {
                        if (kept.len)
                                buf_adds(&kept, ", ");
                        buf_add(&kept, start, (size_t)(p - start));
                }
                p++;
        }
        if (!found)
                return false;
        if (kept.len) {
                buf_add(out, s, (size_t)(open + 1 - s));
                buf_add(out, kept.data, kept.len);
                buf_add(out, close, (size_t)(end - close));
        }
        return true;
}

/* Parameters pg_dump sets without asking what the target knows. */
static bool unknown_set(const char *s, int major)
{
        const char *start;
        if (strncasecmp(s, "SET ", 4) != 0)
                return false;
        size_t n = sqltext_token(s + 4, &start);
        AUTO_FREE char *name = xstrndup(start, n);
        return setting_fate(name, NULL, major).verdict != SETTING_SAME;
}

bool sqltext_sets(const char *sql, const char *parameter)
{
        SqlCursor c = { .p = sql, .end = sql + strlen(sql) };
        return sqlcursor_next(&c) && sqlcursor_is(&c, "set") && sqlcursor_next(&c) &&
               sqlcursor_is(&c, parameter);
}

char *sqltext_schema_made(const char *sql)
{
        SqlCursor c = { .p = sql, .end = sql + strlen(sql) };
        if (!sqlcursor_next(&c) || !sqlcursor_is(&c, "create") || !sqlcursor_next(&c) ||
            !sqlcursor_is(&c, "schema") || !sqlcursor_next(&c))
                return NULL;
        for (size_t i = 0;
             sqlcursor_is(&c, ((const char *const[]){ "if", "not", "exists", "" })[i]); i++)
                if (!sqlcursor_next(&c))
                        return NULL;
        return sqlcursor_text(&c);
}

bool sqltext_escape_strings(const char *sql, Buf *out)
{
        SqlToken kind;
        size_t before = out->len, n = strlen(sql);
        bool any = false;
        for (size_t len; (len = sqllex(sql, n, true, true, &kind)) > 0; sql += len, n -= len) {
                if (kind == TOKEN_STRING && *sql == '\'' && memchr(sql, '\\', len)) {
                        buf_addc(out, 'E');
                        any = true;
                }
                buf_add(out, sql, len);
        }
        if (!any)
                out->len = before;
        return any;
}

bool sqltext_strip(const char *sql, int major, Buf *out)
{
        bool any = false;
        for (const char *p = sql;;) {
                const char *start;
                size_t n = sqltext_next(p, &start);
                if (n == 0) {
                        buf_adds(out, p);
                        return any;
                }
                if (*start == '\\') { /* \restrict KEY: a line, not a statement */
                        buf_add(out, p, (size_t)(start - p));
                        p = start + strcspn(start, "\n");
                        any = true;
                        continue;
                }
                buf_add(out, p, (size_t)(start - p));
                if (unknown_set(start, major) || strip_attver(start, p + n, out) ||
                    rewrite_statement(start, p + n, major, out))
                        any = true;
                else
                        buf_add(out, start, (size_t)(p + n - start));
                p += n;
        }
}

void sqltext_strip_psql(const char *sql, Buf *out)
{
        for (const char *p = sql;;) {
                const char *start;
                size_t n = sqltext_next(p, &start);
                if (n == 0) {
                        buf_adds(out, p);
                        return;
                }
                if (*start == '\\') {
                        buf_add(out, p, (size_t)(start - p));
                        p = start + strcspn(start, "\n");
                        continue;
                }
                buf_add(out, p, n);
                p += n;
        }
}
