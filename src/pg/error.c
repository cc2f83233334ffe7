/* error.c: what the server said, without what it said about the customer. */
#include <ctype.h>

#include "base/text.h"
#include "pg/conn_internal.h"

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

/* "Key (email)=(a@b.c) already exists." -> "Key (email)=(..) already exists."
 * "Failing row contains (1, a, b)."    -> "Failing row contains (..)." */
char *pg_error_detail(const char *detail)
{
        if (!detail)
                return NULL;
        const char *open = strstr(detail, ")=(");
        if (open)
                open += 2;
        else if ((open = strstr(detail, "contains (")))
                open += strlen("contains ");
        else if (strchr(detail, '"') && strstr(detail, "Token"))
                return NULL;            /* JSON input: the token is a piece of a row */
        if (!open)
                return text_clean_str(detail);
        const char *close = strrchr(open, ')');
        AUTO_FREE char *head = text_clean(detail, (size_t)(open - detail));
        AUTO_FREE char *tail = text_clean_str(close ? close + 1 : "");
        return xasprintf("%s(..)%s", head, tail);
}

/* Class 22 is bad data, and its message quotes it: invalid input syntax for type integer: "x". */
char *pg_error_primary(const char *sqlstate, const char *message)
{
        if (!message)
                return xstrdup("no message");
        const char *quoted = strstr(message, ": \"");
        if (sqlstate && str_starts(sqlstate, "22") && quoted)
                return text_clean(message, (size_t)(quoted - message));
        return text_clean_str(message);
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
        AUTO_FREE char *detail = pg_error_detail(PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL));
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
                err_hint(err, "is this really the password of role %s? Check it where the "
                              "application keeps it", p->user ? p->user : "");
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
                err_set(err, ERR_USER, "the server asks for a password of role %s and none was "
                        "given", p->user ? p->user : "");
                memcpy(err->sqlstate, "28P01", 6);
                return err_hint(err, "give the target a `password:` in the runbook");
        }
        err_set(err, kind, "connecting to database %s as %s at %s:%d: %s",
                p->database ? p->database : "", p->user ? p->user : "",
                p->host ? p->host : "", p->port ? p->port : 5432, line);
        memcpy(err->sqlstate, code, sizeof code);
        connect_hint(p, code, err);
        return false;
}
