#include "sql/sql.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

typedef enum PieceKind {
        PIECE_LITERAL, /* ours, from the source code */
        PIECE_IDENT,
        PIECE_VALUE, /* text NULL: SQL NULL */
        PIECE_SECRET,
        PIECE_TEXT, /* SQL already: the server's, or the operator's */
} PieceKind;

struct SqlPiece {
        PieceKind kind;
        const char *literal;
        char *text;           /* owned */
        const Secret *secret; /* borrowed */
};

static SqlPiece *add(Sql *q, PieceKind kind)
{
        if (q->n == q->capacity) {
                q->capacity = q->capacity ? q->capacity * 2 : 8;
                q->pieces = xrealloc(q->pieces, q->capacity * sizeof *q->pieces);
        }
        SqlPiece *p = &q->pieces[q->n++];
        *p = (SqlPiece){ .kind = kind };
        return p;
}

void sql_add_literal_(Sql *q, const char *literal)
{
        add(q, PIECE_LITERAL)->literal = literal;
}

void sql_ident(Sql *q, const char *name)
{
        add(q, PIECE_IDENT)->text = xstrdup(name);
}

void sql_qname(Sql *q, const char *schema, const char *name)
{
        sql_ident(q, schema);
        sql_add(q, ".");
        sql_ident(q, name);
}

void sql_value(Sql *q, const char *text)
{
        add(q, PIECE_VALUE)->text = text ? xstrdup(text) : NULL;
}

void sql_int(Sql *q, int64_t n)
{
        add(q, PIECE_TEXT)->text = xasprintf("%" PRId64, n);
}

void sql_secret(Sql *q, const Secret *secret)
{
        add(q, PIECE_SECRET)->secret = secret;
}

void sql_rendered(Sql *q, const char *by_the_server)
{
        add(q, PIECE_TEXT)->text = xstrdup(by_the_server);
}

void sql_operator(Sql *q, const char *by_the_runbook)
{
        add(q, PIECE_TEXT)->text = xstrdup(by_the_runbook);
}

void sql_append(Sql *q, const Sql *other)
{
        for (size_t i = 0; i < other->n; i++) {
                const SqlPiece *from = &other->pieces[i];
                SqlPiece *to = add(q, from->kind);
                to->literal = from->literal;
                to->secret = from->secret;
                to->text = from->text ? xstrdup(from->text) : NULL;
        }
}

void sql_free(Sql *q)
{
        for (size_t i = 0; i < q->n; i++)
                free(q->pieces[i].text);
        free(q->pieces);
        *q = (Sql){ 0 };
}

/* For reading: quotes doubled, and what could draw on a terminal shown as an escape. */
static void add_quoted(Buf *b, char quote, const char *text)
{
        AUTO_FREE char *clean = text_clean_str(text);
        buf_addc(b, quote);
        for (const char *p = clean; *p; p++) {
                if (*p == quote)
                        buf_addc(b, quote);
                buf_addc(b, *p);
        }
        buf_addc(b, quote);
}

char *sql_for_humans(const Sql *q)
{
        AUTO_BUF b = buf_init(LIMIT_SQL);
        for (size_t i = 0; i < q->n; i++) {
                const SqlPiece *p = &q->pieces[i];
                switch (p->kind) {
                case PIECE_LITERAL:
                        buf_adds(&b, p->literal);
                        break;
                case PIECE_IDENT:
                        add_quoted(&b, '"', p->text);
                        break;
                case PIECE_VALUE:
                        if (p->text)
                                add_quoted(&b, '\'', p->text);
                        else
                                buf_adds(&b, "null");
                        break;
                case PIECE_SECRET:
                        buf_adds(&b, "«");
                        buf_adds(&b, secret_name(p->secret));
                        buf_adds(&b, "»");
                        break;
                case PIECE_TEXT: {
                        AUTO_FREE char *clean = text_clean_lines(p->text, strlen(p->text));
                        buf_adds(&b, clean);
                        break;
                }
                }
        }
        char *text = buf_take(&b, NULL);
        return text ? text : xstrdup("");
}

static bool quote_piece(const SqlPiece *p, const SqlQuoter *quoter, char **ret, Err *err)
{
        switch (p->kind) {
        case PIECE_LITERAL:
                *ret = xstrdup(p->literal);
                return true;
        case PIECE_IDENT:
                return quoter->ident(quoter->conn, p->text, ret, err);
        case PIECE_VALUE:
                if (p->text)
                        return quoter->value(quoter->conn, p->text, ret, err);
                *ret = xstrdup("null");
                return true;
        case PIECE_SECRET:
                return quoter->value(quoter->conn, secret_expose(p->secret), ret, err);
        case PIECE_TEXT:
                *ret = xstrdup(p->text);
                return true;
        }
        abort();
}

/* Every piece is quoted first and the whole allocated once, so that no half-grown copy of a
 * secret is left behind in freed memory. */
bool sql_for_server(const Sql *q, const SqlQuoter *quoter, char **ret, Err *err)
{
        char **parts = xcalloc(q->n ? q->n : 1, sizeof *parts);
        size_t total = 0;
        bool ok = true;
        for (size_t i = 0; ok && i < q->n; i++) {
                ok = quote_piece(&q->pieces[i], quoter, &parts[i], err);
                if (ok)
                        total += strlen(parts[i]);
        }
        if (ok && total > LIMIT_SQL)
                ok = err_set(err, ERR_USER, "a statement of %zu bytes is too long", total);
        char *text = ok ? xmalloc(total + 1) : NULL;
        char *end = text;
        for (size_t i = 0; i < q->n; i++) {
                if (!parts[i])
                        continue;
                size_t n = strlen(parts[i]);
                if (ok)
                        end = mempcpy(end, parts[i], n);
                if (q->pieces[i].kind == PIECE_SECRET)
                        explicit_bzero(parts[i], n);
                free(parts[i]);
        }
        free(parts);
        if (ok) {
                *end = '\0';
                *ret = text;
        }
        return ok;
}
