#include "dumps/sqlread.h"

#include <strings.h>

#include "base/text.h"
#include "dumps/sqllex.h"

#define WINDOW  ((size_t)256 << 10)
#define LARGEST ((size_t)1 << 30)         /* the server takes no longer statement (MaxAllocSize) */
#define NOTES   "-- PostgreSQL database " /* .. dump, .. cluster dump, .. dump complete */

#define SERVER "-- Dumped from database version "

struct SqlRead {
        bool (*more)(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err);
        void *arg;
        char *data;
        size_t start, end, capacity;
        bool begun, final, backslashes;
        bool crlf, held_cr; /* held_cr: the last byte read, whose LF may come yet */
        int64_t line;       /* of data[start] */
        char *object;
        int server; /* major of the server it was dumped from; 0: not said yet */
        char *held; /* where a NUL stands for held_char */
        char held_char;
        size_t used; /* of the item that was handed out */
};

SqlRead *sqlread_new(bool (*more)(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err),
                     void *arg)
{
        SqlRead *r = xcalloc(1, sizeof *r);
        r->more = more;
        r->arg = arg;
        r->line = 1;
        return r;
}

static size_t left(const SqlRead *r)
{
        return r->end - r->start;
}

/* Takes the CR of every CR LF out of what was read; how much is left. */
static size_t without_cr(SqlRead *r, char *p, size_t n)
{
        size_t to = 0;
        r->held_cr = n > 0 && p[n - 1] == '\r' && !r->final;
        for (size_t i = 0, end = n - r->held_cr; i < end; i++)
                if (p[i] != '\r' || i + 1 == n || p[i + 1] != '\n')
                        p[to++] = p[i];
        return to;
}

/* More bytes behind those that are left; as many as fit. */
static bool fill(SqlRead *r, Err *err)
{
        if (r->start > 0) {
                memmove(r->data, r->data + r->start, left(r));
                r->end -= r->start;
                r->start = 0;
        }
        if (r->capacity - r->end < WINDOW / 2) {
                if (r->capacity >= LARGEST)
                        return err_set(err, ERR_USER,
                                       "line %lld: a statement longer than 1 GB begins here",
                                       (long long)r->line);
                r->capacity = r->capacity ? r->capacity * 2 : WINDOW;
                r->data = xrealloc(r->data, r->capacity + 1);
        }
        while (r->end + r->held_cr < r->capacity && !r->final) {
                size_t n = 0, held = r->held_cr;
                if (held)
                        r->data[r->end] = '\r';
                if (!r->more(r->arg, r->data + r->end + held, r->capacity - r->end - held, &n, err))
                        return false;
                r->final = n == 0;
                r->end += r->crlf ? without_cr(r, r->data + r->end, n + held) : n;
        }
        return true;
}

static void use(SqlRead *r, size_t n)
{
        const char *p = r->data + r->start, *end = p + n;
        while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
                r->line++;
                p++;
        }
        r->start += n;
}

/* PowerShell's `pg_dump > file` writes UTF-16; editors of Windows put three bytes in front. */
static bool begin(SqlRead *r, Err *err)
{
        r->begun = true;
        if (!fill(r, err))
                return false;
        const char *p = r->data;
        if (r->end >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0)) {
                err_set(err, ERR_USER, "it is in UTF-16, as PowerShell's > writes it");
                return err_hint(err, "iconv -f UTF-16 -t UTF-8 OLD > NEW, or let pg_dump write the "
                                     "file itself (pg_dump -f)");
        }
        if (r->end >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
                r->start = 3;
        const char *own = memmem(p, r->end, NOTES, sizeof NOTES - 1);
        const char *nl = own ? memchr(own, '\n', r->end - (size_t)(own - p)) : NULL;
        r->crlf = nl && nl[-1] == '\r';
        if (r->crlf)
                r->end = r->start + without_cr(r, r->data + r->start, r->end - r->start);
        return true;
}

int sqlread_server(const SqlRead *r)
{
        return r->server;
}

bool sqlread_is_crlf(const SqlRead *r)
{
        return r->crlf;
}

/* What pg_dump told on stderr, caught in the file. The line is looked at, not what parses as SQL:
 * an apostrophe in it would open a string that ends pages later. */
static bool is_said_by_pg_dump(const char *p, size_t n)
{
        static const char *const begins[] = { "pg_dump: ", "pg_dumpall: ", "pg_dump: [",
                                              "pg_restore: " };
        for (size_t i = 0; i < LEN(begins); i++)
                if (n >= strlen(begins[i]) && memcmp(p, begins[i], strlen(begins[i])) == 0)
                        return true;
        return false;
}

static bool said(const SqlRead *r, const char *p, size_t n, Err *err)
{
        const char *nl = memchr(p, '\n', n);
        AUTO_FREE char *words = text_clean(p, MIN(nl ? (size_t)(nl - p) : n, (size_t)120));
        err_set(err, ERR_USER, "line %lld: `%s` is what pg_dump said, not what it wrote",
                (long long)r->line, words);
        return err_hint(err, "its stderr was caught in the file (docker exec -t, or 2>&1): make "
                             "the dump again without that, and read what it says");
}

/* ---- comments ---- */

/* "-- Name: orders; Type: TABLE; Schema: public; Owner: app" -> "TABLE public.orders". A name may
 * hold "; Type: " itself: the last ones count. */
static char *object_of(const char *text, size_t n)
{
        AUTO_FREE char *s = xstrndup(text, n);
        char *name = strstr(s, "Name: "), *type = NULL, *schema, *owner;
        for (char *p = s; (p = strstr(p, "; Type: ")); p++)
                type = p;
        if (!name || !type || type < name)
                return NULL;
        name += strlen("Name: ");
        *type = '\0';
        type += strlen("; Type: ");
        schema = strstr(type, "; Schema: ");
        if (!schema)
                return NULL;
        *schema = '\0';
        schema += strlen("; Schema: ");
        if ((owner = strstr(schema, "; Owner: ")))
                *owner = '\0';
        bool none = str_eq(schema, "-");
        AUTO_FREE char *whole =
                xasprintf("%s %s%s%s", type, none ? "" : schema, none ? "" : ".", name);
        return text_clean_str(whole);
}

static void object_from(SqlRead *r, const char *text, size_t n)
{
        if (n < 9 || (memcmp(text, "-- Name: ", 9) != 0 && memcmp(text, "-- Data f", 9) != 0))
                return;
        char *object = object_of(text, n - (text[n - 1] == '\n'));
        if (object) {
                free(r->object);
                r->object = object;
        }
}

/* ---- statements ---- */

/* Whether a semicolon ends: psqlscan.l counts parentheses, and BEGIN .. END of functions. */
typedef struct Nesting {
        int parens, begins;
        int words; /* unquoted words so far */
        bool create, routine, or, replace;
} Nesting;

static bool is_word(const char *p, size_t n, const char *word)
{
        return n == strlen(word) && strncasecmp(p, word, n) == 0;
}

static void nest(Nesting *w, SqlToken kind, const char *p, size_t n)
{
        if (kind == TOKEN_OTHER && *p == '(')
                w->parens++;
        if (kind == TOKEN_OTHER && *p == ')' && w->parens > 0)
                w->parens--;
        if (kind != TOKEN_WORD)
                return;
        w->words++;
        if (w->words == 1)
                w->create = is_word(p, n, "create");
        else if (w->words == 2)
                w->or = is_word(p, n, "or");
        else if (w->words == 3)
                w->replace = is_word(p, n, "replace");
        if (w->words == 2 || (w->words == 4 && w->or &&w->replace))
                w->routine |= is_word(p, n, "function") || is_word(p, n, "procedure");
        if (!w->create || !w->routine || w->parens > 0)
                return;
        if (is_word(p, n, "begin") || (w->begins > 0 && is_word(p, n, "case")))
                w->begins++;
        else if (w->begins > 0 && is_word(p, n, "end"))
                w->begins--;
}

static bool cut_off(const SqlRead *r, SqlToken kind, Err *err)
{
        bool string = kind == TOKEN_OPEN;
        err_set(err, ERR_USER, "the file ends in the middle of a %s, which begins at line %lld%s%s",
                string ? "string or comment" : "statement", (long long)r->line,
                r->object ? ": " : "", r->object ? r->object : "");
        return err_hint(err, "the dump was cut off: make it again, or find a whole copy");
}

static void hand_out(SqlRead *r, SqlReadItem *ret, SqlReadKind kind, size_t len, size_t used)
{
        *ret = (SqlReadItem){ .kind = kind,
                              .text = r->data + r->start,
                              .len = len,
                              .line = r->line,
                              .object = r->object,
                              .backslashes = r->backslashes };
        r->held = r->data + r->start + len;
        r->held_char = *r->held;
        *r->held = '\0';
        r->used = used;
}

/* SET standard_conforming_strings = off: from here on backslashes count in every string. */
static void strings_as_set(SqlRead *r, const char *text, size_t n)
{
        SqlCursor c = { .p = text, .end = text + n };
        if (!sqlcursor_next(&c) || !sqlcursor_is(&c, "set") || !sqlcursor_next(&c) ||
            !sqlcursor_is(&c, "standard_conforming_strings") || !sqlcursor_next(&c) ||
            !sqlcursor_next(&c))
                return;
        AUTO_FREE char *value = sqlcursor_text(&c);
        r->backslashes = str_eq(value, "off") || str_eq(value, "false");
}

static bool statement(SqlRead *r, SqlReadItem *ret, Err *err)
{
        Nesting w = { 0 };
        for (size_t at = 0;;) {
                SqlToken kind = TOKEN_OTHER;
                const char *p = r->data + r->start + at;
                size_t n = sqllex(p, left(r) - at, r->final, r->backslashes, &kind);
                if (n == 0 && !r->final) {
                        if (!fill(r, err))
                                return false;
                        continue;
                }
                if (n == 0 || kind == TOKEN_OPEN)
                        return cut_off(r, kind, err);
                if (*p == '\0' || kind == TOKEN_BACKSLASH) {
                        use(r, at);
                        return err_set(err, ERR_USER, "line %lld: %s in the middle of a statement",
                                       (long long)r->line,
                                       *p ? "a psql command"
                                          : "a zero byte, which no SQL text has,");
                }
                nest(&w, kind, p, n);
                at += n;
                if (kind == TOKEN_OTHER && *p == ';' && w.parens == 0 && w.begins == 0) {
                        hand_out(r, ret, SQLREAD_STATEMENT, at, at);
                        strings_as_set(r, ret->text, MIN(at, 200));
                        return true;
                }
        }
}

/* A line for psql, to its newline. */
static bool command(SqlRead *r, SqlReadItem *ret, Err *err)
{
        const char *nl;
        while (!(nl = memchr(r->data + r->start, '\n', left(r))) && !r->final)
                if (!fill(r, err))
                        return false;
        size_t used = nl ? (size_t)(nl - r->data) - r->start + 1 : left(r);
        size_t len = used - (nl ? 1 : 0);
        if (len > 0 && r->data[r->start + len - 1] == '\r')
                len--;
        hand_out(r, ret, SQLREAD_COMMAND, len, used);
        if (str_starts(ret->text, "\\connect"))
                r->backslashes = false; /* a session of its own */
        return true;
}

bool sqlread_next(SqlRead *r, SqlReadItem *ret, Err *err)
{
        if (!r->begun && !begin(r, err))
                return false;
        if (r->held) {
                *r->held = r->held_char;
                r->held = NULL;
                use(r, r->used);
        }
        for (;;) {
                SqlToken kind = TOKEN_OTHER;
                const char *p = r->data + r->start;
                size_t n = sqllex(p, left(r), r->final, r->backslashes, &kind);
                if (n == 0 && r->final) {
                        hand_out(r, ret, SQLREAD_END, 0, 0);
                        return true;
                }
                if (n == 0 || (kind == TOKEN_OPEN && !r->final)) {
                        if (!fill(r, err))
                                return false;
                        continue;
                }
                if (kind == TOKEN_BACKSLASH)
                        return command(r, ret, err);
                if (kind == TOKEN_OTHER && *p == ';') {
                        use(r, n); /* an empty statement */
                        continue;
                }
                if (kind != TOKEN_BLANK && kind != TOKEN_COMMENT)
                        return is_said_by_pg_dump(p, left(r)) ? said(r, p, left(r), err)
                                                              : statement(r, ret, err);
                if (kind == TOKEN_COMMENT && n > sizeof NOTES &&
                    memcmp(p, NOTES, sizeof NOTES - 1) == 0) {
                        size_t len = n - (p[n - 1] == '\n');
                        len -= p[len - 1] == '\r';
                        hand_out(r, ret, SQLREAD_NOTE, len, n);
                        return true;
                }
                if (kind == TOKEN_COMMENT && n > sizeof SERVER &&
                    memcmp(p, SERVER, sizeof SERVER - 1) == 0)
                        r->server = atoi(p + sizeof SERVER - 1);
                if (kind == TOKEN_COMMENT)
                        object_from(r, p, n);
                use(r, n);
        }
}

/* ---- rows ---- */

/* psql takes what is behind the semicolon for more SQL; pg_dump writes nothing there. */
static bool to_next_line(SqlRead *r, Err *err)
{
        for (;;) {
                if (left(r) == 0 && !r->final && !fill(r, err))
                        return false;
                if (left(r) == 0)
                        return true;
                char c = r->data[r->start];
                if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
                        return err_set(err, ERR_USER,
                                       "line %lld: something follows COPY's semicolon",
                                       (long long)r->line);
                use(r, 1);
                if (c == '\n')
                        return true;
        }
}

/* Bytes of the line `\.` that begins here, 0: another line; *ret_more: too few bytes to tell. */
static size_t end_mark(const SqlRead *r, const char *p, size_t n, bool *ret_more)
{
        *ret_more = false;
        if (n > 0 && p[0] != '\\')
                return 0;
        if (n < 4 && !r->final) {
                *ret_more = true;
                return 0;
        }
        if (n < 2 || p[1] != '.')
                return 0;
        if (n == 2)
                return 2;
        if (p[2] == '\n')
                return 3;
        return n > 3 && p[2] == '\r' && p[3] == '\n' ? 4 : 0;
}

bool sqlread_rows(SqlRead *r, bool (*sink)(void *arg, const void *bytes, size_t n, Err *err),
                  void *arg, int64_t *ret_lines, Err *err)
{
        *ret_lines = 0;
        if (r->held) {
                *r->held = r->held_char;
                r->held = NULL;
                use(r, r->used);
        }
        if (!to_next_line(r, err))
                return false;
        int64_t first = r->line;
        for (bool at_line = true;;) {
                size_t at = 0, n = left(r), mark = 0;
                bool more = false;
                const char *p = r->data + r->start;
                while (at < n) {
                        if (at_line && ((mark = end_mark(r, p + at, n - at, &more)) || more))
                                break;
                        const char *nl = memchr(p + at, '\n', n - at);
                        at_line = nl != NULL;
                        at = nl ? (size_t)(nl + 1 - p) : n;
                        if (nl)
                                ++*ret_lines;
                }
                if (at > 0 && sink && !sink(arg, p, at, err))
                        return false;
                r->line = first + *ret_lines;
                r->start += at;
                if (mark) {
                        use(r, mark);
                        return true;
                }
                if (r->final) {
                        err_set(err, ERR_USER,
                                "the file ends at line %lld, within the rows of %s, which begin "
                                "at line %lld",
                                (long long)r->line, r->object ? r->object : "a COPY",
                                (long long)first);
                        return err_hint(
                                err, "the dump was cut off: make it again, or find a whole copy");
                }
                if (!fill(r, err))
                        return false;
        }
}

SqlRead *sqlread_free(SqlRead *r)
{
        if (r) {
                free(r->data);
                free(r->object);
                free(r);
        }
        return NULL;
}
