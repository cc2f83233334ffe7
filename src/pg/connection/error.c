/* error.c: what the server said, without what it said about the customer. */
#include <ctype.h>

#include "base/text.h"
#include "pg/connection/conn_internal.h"

/* "COPY orders, line 7, column email: "x@y"" -> "COPY orders, line 7". Anything that is not
 * COPY's own context may hold a query with literals: dropped. */
char *pg_error_context(const char *context)
{
        if (!context || !str_starts(context, "COPY "))
                return NULL;
        const char *end = strchr(context, '\n');
        size_t n = end ? (size_t)(end - context) : strlen(context);
        for (const char *p = context; (p = strstr(p, ", line ")) && p < context + n; p++) {
                const char *q = p + strlen(", line ");
                if (!isdigit((unsigned char)*q))
                        continue;
                while (isdigit((unsigned char)*q))
                        q++;
                if (*q == ',' || *q == ':' || *q == '\0' || *q == '\n')
                        return text_clean(context, (size_t)(q - context));
        }
        return NULL;
}

/* How the server's languages open and close a quotation. */
static size_t quote_at(const char *p)
{
        static const char *const quotes[] = { "\"", "«", "»", "„", "“", "”", "「", "」" };
        for (size_t i = 0; i < LEN(quotes); i++)
                if (str_starts(p, quotes[i]))
                        return strlen(quotes[i]);
        return 0;
}

/* What stands in quotes after one of these is a name of the schema, or of the server. */
static bool names_before(const char *text, const char *quote)
{
        static const char *const words[] = { "collation ", "column ", "columns ",   "constraint ",
                                             "database ",  "domain ", "encoding ",  "function ",
                                             "index ",     "locale ", "parameter ", "relation ",
                                             "role ",      "schema ", "sequence ",  "table ",
                                             "type " };
        for (size_t i = 0; i < LEN(words); i++) {
                size_t n = strlen(words[i]);
                if ((size_t)(quote - text) >= n && memcmp(quote - n, words[i], n) == 0)
                        return true;
        }
        return false;
}

static const char *first_value(const char *text)
{
        for (const char *p = text, *end; *p; p++) {
                if (!quote_at(p))
                        continue;
                if (*p != '"' || !names_before(text, p) || !(end = strchr(p + 1, '"')))
                        return p;
                p = end;
        }
        return NULL;
}

/* Bad data (class 22) is quoted in what is said about it. From the first quotation that is no name
 * to the end of the last one: a value may have quotes in it. After a colon it is all there is. */
static char *without_values(const char *text)
{
        const char *first = first_value(text), *rest = NULL;
        if (!first)
                return text_clean_str(text);
        if (first - text >= 2 && memcmp(first - 2, ": ", 2) == 0)
                return text_clean(text, (size_t)(first - 2 - text));
        for (const char *p = first + quote_at(first); *p; p++)
                if (quote_at(p))
                        rest = p + quote_at(p);
        AUTO_FREE char *head = text_clean(text, (size_t)(first - text));
        AUTO_FREE char *tail = text_clean_str(rest ? rest : "");
        return xasprintf("%s\"..\"%s", head, tail);
}

/* XML: the detail is libxml's, with the line of the document under it. */
static bool is_xml(const char *state)
{
        return str_starts(state, "2200") && state[4] && strchr("LMNST", state[4]);
}

/* "Key (email)=(a@b.c) already exists." -> "Key (email)=(..) already exists."
 * "Failing row contains (1, a, b)."    -> "Failing row contains (..)."
 * "Token "x" is invalid."              -> "Token ".." is invalid." */
char *pg_error_detail(const char *sqlstate, const char *detail)
{
        const char *state = sqlstate ? sqlstate : "";
        if (!detail || is_xml(state))
                return NULL;
        const char *open = strstr(detail, ")=(");
        if (open)
                open += 2;
        else if (str_starts(state, "23")) /* in any language */
                open = strchr(detail, '(');
        else if ((open = strstr(detail, "contains (")))
                open += strlen("contains ");
        if (!open)
                return str_starts(state, "22") ? without_values(detail) : text_clean_str(detail);
        const char *close = strrchr(open, ')');
        AUTO_FREE char *head = text_clean(detail, (size_t)(open - detail));
        AUTO_FREE char *tail = text_clean_str(close ? close + 1 : "");
        return xasprintf("%s(..)%s", head, tail);
}

/* invalid input syntax for type integer: "x"         -> invalid input syntax for type integer
 * value "31337000000" is out of range for type integer -> value ".." is out of range for .. */
char *pg_error_primary(const char *sqlstate, const char *message)
{
        if (!message)
                return xstrdup("no message");
        return sqlstate && str_starts(sqlstate, "22") ? without_values(message)
                                                      : text_clean_str(message);
}

/* Classes and states that say "the connection is what failed": 08 connection exception,
 * 57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now (manual, appendix A). */
static bool is_link(const char *state)
{
        return str_starts(state, "08") || str_eq(state, "57P01") || str_eq(state, "57P02") ||
               str_eq(state, "57P03");
}

static ErrKind kind_of(Pg *pg, const char *state)
{
        if (str_eq(state, "57014") && atomic_load(&pg->cancelled))
                return ERR_CANCELLED;
        if (is_link(state) || PQstatus(pg->conn) == CONNECTION_BAD)
                return ERR_LINK;
        return ERR_SERVER;
}

bool pg_error_of_result(Pg *pg, const PGresult *r, Err *err)
{
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        if (!state)
                return pg_error_of_link(pg, "the connection was lost", err);
        AUTO_FREE char *primary =
                pg_error_primary(state, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
        AUTO_FREE char *detail =
                pg_error_detail(state, PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL));
        AUTO_FREE char *where = pg_error_context(PQresultErrorField(r, PG_DIAG_CONTEXT));
        err_set(err, kind_of(pg, state), "%s%s%s%s%s%s", primary, detail ? " (" : "",
                detail ? detail : "", detail ? ")" : "", where ? "; " : "", where ? where : "");
        memcpy(err->sqlstate, state, MIN(strlen(state), sizeof err->sqlstate - 1));
        const char *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);
        if (hint) {
                AUTO_FREE char *clean = text_clean_str(hint);
                err_hint(err, "%s", clean);
        }
        return false;
}

/* Without a result there is only libpq's own text: one line of it. */
bool pg_error_of_link(Pg *pg, const char *what, Err *err)
{
        const char *text = PQerrorMessage(pg->conn);
        AUTO_FREE char *clean = text_clean(text, strcspn(text, "\n"));
        return err_set(err, ERR_LINK, "%s%s%s", what, *clean ? ": " : "", clean);
}

/* Finds "FATAL:  28P01: " and its like: two spaces, five of [0-9A-Z], colon, space. */
static const char *find_state(const char *text)
{
        for (const char *p = text; (p = strstr(p, ":  ")); p++) {
                const char *s = p + 3;
                size_t n = strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
                if (n == 5 && s[5] == ':' && s[6] == ' ')
                        return s;
        }
        return NULL;
}

static void connect_hint(const PgParams *p, const char *state, Err *err)
{
        if (str_eq(state, "28P01"))
                err_hint(err,
                         "is this really the password of role %s? Check it where the "
                         "application keeps it",
                         p->user ? p->user : "");
        else if (str_eq(state, "28000"))
                err_hint(err, "the role is missing, may not log in, or pg_hba.conf has no line "
                              "for it");
        else if (str_eq(state, "3D000"))
                err_hint(err, "`psql -l` lists the databases of that server");
        else if (str_eq(state, "53300"))
                err_hint(err, "close some clients, or raise max_connections");
        else if (str_eq(state, "57P03"))
                err_hint(err, "the server is starting or stopping; try again in a moment");
        else if (!*state)
                err_hint(err, "is the server running, and does it listen there?");
}

bool pg_error_of_connect(const PgParams *p, const char *text, Err *err)
{
        const char *state = find_state(text);
        char code[6] = "";
        size_t skip = 0;
        if (state) {
                memcpy(code, state, 5);
                skip = 7;
        }
        const char *rest = state ? state + skip : text;
        AUTO_FREE char *line = text_clean(rest, strcspn(rest, "\n"));
        ErrKind kind = state && !is_link(code) ? ERR_SERVER : ERR_LINK;
        if (!p->password && strstr(text, "no password supplied")) {
                err_set(err, ERR_USER,
                        "the server asks for a password of role %s and none was "
                        "given",
                        p->user ? p->user : "");
                memcpy(err->sqlstate, "28P01", 6);
                return err_hint(err, "give the target a `password:` in the runbook");
        }
        err_set(err, kind, "connecting to database %s as %s at %s:%d: %s",
                p->database ? p->database : "", p->user ? p->user : "", p->host ? p->host : "",
                p->port ? p->port : 5432, line);
        memcpy(err->sqlstate, code, sizeof code);
        connect_hint(p, code, err);
        return false;
}
