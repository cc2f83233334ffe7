#include "dumps/rewrite.h"

#include <ctype.h>
#include <strings.h>

#include "base/limits.h"
#include "dumps/setclause.h"
#include "dumps/token.h"

/* Where the words stand anywhere at the statement's own level; NULL: nowhere. */
static const char *find(const char *s, const char *end, const char *const *list, size_t n)
{
        int depth = 0;
        for (Token t = token(s, end); t.n; t = token(after(t), end)) {
                const char *p = t.p;
                if (depth == 0 && words(&p, end, list, n))
                        return t.p;
                depth += is(t, "(") - is(t, ")");
        }
        return NULL;
}
#define FIND(s, end, ...)                                                                          \
        find(s, end, (const char *const[]){ __VA_ARGS__ },                                         \
             LEN(((const char *const[]){ __VA_ARGS__ })))

/* The end of an item of a list: its comma, or the parenthesis that closes the list. */
static const char *item_end(const char *p, const char *end)
{
        int depth = 0;
        for (Token t = token(p, end); t.n; t = token(after(t), end)) {
                if (depth == 0 && (is(t, ",") || is(t, ")")))
                        return t.p;
                depth += is(t, "(") - is(t, ")");
        }
        return end;
}

/* ---- lists of options: (name = value, ..) ---- */

typedef struct Option {
        const char *name;
        int since;
        const char *only; /* left out only with this value; NULL: with any */
} Option;

/* What is looked for in a list, for that target. */
typedef struct Options {
        const Option *known;
        size_t n;
        int major;
} Options;

static bool leave_out(const char *item, const char *end, const Options *o)
{
        Token name = token(item, end), equals = token(after(name), end);
        Token value = token(after(equals), end);
        for (size_t i = 0; i < o->n; i++)
                if (is(name, o->known[i].name) && o->major < o->known[i].since &&
                    (!o->known[i].only || is(value, o->known[i].only)))
                        return true;
        return false;
}

/* The list opens at `open`; when nothing of it is left, so is what stands before it from `from`
 * (WITH), unless that is `open` itself. */
static bool options(const char *s, const char *from, const char *open, const char *end,
                    const Options *o, Buf *out)
{
        AUTO_BUF kept = buf_init((size_t)(end - open) + 8);
        bool any = false;
        const char *p = open + 1, *close;
        for (;; p = close + 1) {
                close = item_end(p, end);
                if (leave_out(p, close, o)) {
                        any = true;
                } else {
                        if (kept.len)
                                buf_addc(&kept, ',');
                        buf_add(&kept, p, (size_t)(close - p));
                }
                if (close >= end || *close == ')')
                        break;
        }
        if (!any || close >= end)
                return false;
        buf_add(out, s, (size_t)((kept.len || from == open ? open : from) - s));
        if (kept.len || from == open) {
                buf_addc(out, '(');
                buf_add(out, kept.data, kept.len);
                buf_add(out, close, (size_t)(end - close));
        } else {
                buf_add(out, close + 1, (size_t)(end - close - 1));
        }
        return true;
}

static bool range_type(const char *s, const char *end, int major, Buf *out)
{
        static const Option known[] = { { "multirange_type_name", 14, NULL } };
        const char *p = FIND(s, end, "AS", "RANGE");
        if (!p || major >= 14)
                return false;
        Token t = token(p, end);
        while (t.n && !is(t, "("))
                t = token(after(t), end);
        const Options o = { known, LEN(known), major };
        return t.n && options(s, t.p, t.p, end, &o, out);
}

static bool with_options(const char *s, const char *end, const Option *known, size_t n, int major,
                         Buf *out)
{
        const char *with = FIND(s, end, "WITH", "(");
        const Options o = { known, n, major };
        return with && options(s, with, token(with + 4, end).p, end, &o, out);
}

static bool publication(const char *s, const char *end, int major, Buf *out)
{
        static const Option known[] = { { "publish_generated_columns", 18, "none" } };
        return with_options(s, end, known, LEN(known), major, out);
}

static bool subscription(const char *s, const char *end, int major, Buf *out)
{
        static const Option known[] = {
                { "binary", 14, NULL },
                { "streaming", 14, NULL },
                { "two_phase", 15, NULL },
                { "disable_on_error", 15, NULL },
                { "origin", 16, NULL },
                { "password_required", 16, NULL },
                { "run_as_owner", 16, NULL },
                { "failover", 17, NULL },
                { "streaming", 16, "parallel" },
                { "retain_dead_tuples", 19, NULL },
                { "max_retention_duration", 19, NULL },
                { "wal_receiver_timeout", 19, NULL },
        };
        return with_options(s, end, known, LEN(known), major, out);
}

/* ---- grants ---- */

/* GRANT SELECT,MAINTAIN,UPDATE(a) ON ..: `p` is the first privilege. */
static bool maintain(const char *s, const char *p, const char *end, Buf *out)
{
        const char *on = FIND(p, end, "ON");
        if (!on)
                return false;
        AUTO_BUF kept = buf_init((size_t)(on - p) + 8);
        bool any = false;
        for (const char *item = p, *close; item < on; item = close + 1) {
                close = item_end(item, on);
                if (is(token(item, close), "MAINTAIN")) {
                        any = true;
                        continue;
                }
                if (kept.len)
                        buf_addc(&kept, ',');
                buf_add(&kept, item, (size_t)(close - item));
        }
        if (any && kept.len) {
                buf_add(out, s, (size_t)(p - s));
                buf_add(out, kept.data, kept.len);
                if (!isspace((unsigned char)kept.data[kept.len - 1]))
                        buf_addc(out, ' ');
                buf_add(out, on, (size_t)(end - on));
        }
        return any;
}

static bool grants(const char *s, const char *end, int major, Buf *out)
{
        if (major >= 17)
                return false;
        const char *p = FIND(s, end, "REVOKE"); /* .. GRANT OPTION FOR */
        if (!p)
                p = FIND(s, end, "GRANT");
        if (!p)
                return false;
        p = after(token(p, end));
        (void)WORDS(&p, end, "GRANT", "OPTION", "FOR");
        while (isspace((unsigned char)*p))
                p++;
        return maintain(s, p, end, out);
}

/* ---- tables ---- */

/* One column or constraint of CREATE TABLE; a not-null constraint that stands alone goes into
 * `later`. */
static bool table_item(const char *p, const char *end, Token only, Buf *out, Buf *later)
{
        const char *q = p;
        if (WORDS(&q, end, "CONSTRAINT"))
                q = after(token(q, end));
        if (WORDS(&q, end, "NOT", "NULL")) {
                Token column = token(q, end);
                if (token(after(column), end).n) /* NO INHERIT: refused before */
                        return false;
                buf_printf(later, "\nALTER TABLE ONLY %.*s ALTER COLUMN %.*s SET NOT NULL;",
                           (int)only.n, only.p, (int)column.n, column.p);
                return true;
        }
        q = p;
        if (WORDS(&q, end, "CONSTRAINT"))
                return false;
        const char *generated = FIND(p, end, "GENERATED", "ALWAYS", "AS", "(");
        if (!generated)
                return false;
        q = generated;
        (void)WORDS(&q, end, "GENERATED", "ALWAYS", "AS", "(");
        q = item_end(q, end);
        if (q >= end || is(token(q + 1, end), "STORED"))
                return false;
        buf_add(out, p, (size_t)(q + 1 - p));
        buf_adds(out, " STORED");
        buf_add(out, q + 1, (size_t)(end - q - 1));
        return true;
}

static bool create_table(const char *s, const char *name, const char *end, int major, Buf *out)
{
        AUTO_BUF text = buf_init(LIMIT_SQL);
        AUTO_BUF later = buf_init(LIMIT_SQL); /* has the table's name once a column */
        Token t = token(name, end), only;
        const char *open = name;
        while (t.n && !is(t, "(") && !is(t, "PARTITION") && !is(t, "INHERITS"))
                t = token(after(t), end);
        if (major >= 18 || !is(t, "("))
                return false;
        open = t.p;
        only = (Token){ token(name, open).p, 0 };
        for (Token w = token(name, open); w.n && !is(w, "OF"); w = token(after(w), open))
                only.n = (size_t)(after(w) - only.p);
        bool any = false, first = true;
        const char *close;
        for (const char *p = open + 1;; p = close + 1) {
                size_t before = text.len;
                close = item_end(p, end);
                if (close >= end)
                        return false;
                if (!first)
                        buf_addc(&text, ',');
                size_t comma = text.len;
                if (table_item(p, close, only, &text, &later))
                        any = true;
                else
                        buf_add(&text, p, (size_t)(close - p));
                if (text.len == comma)
                        text.len = before; /* it went into `later` */
                else
                        first = false;
                if (*close == ')')
                        break;
        }
        if (!any)
                return false;
        buf_add(out, s, (size_t)(open + 1 - s));
        buf_add(out, text.data, text.len);
        buf_add(out, close, (size_t)(end - close));
        buf_add(out, later.data, later.len);
        out->overflow |= text.overflow || later.overflow;
        return true;
}

static bool alter_table(const char *s, const char *end, int major, Buf *out)
{
        if (major < 14 && FIND(s, end, "SET", "COMPRESSION"))
                return true;
        const char *add = FIND(s, end, "ADD", "CONSTRAINT");
        if (major >= 18 || !add)
                return false;
        const char *p = add;
        (void)WORDS(&p, end, "ADD", "CONSTRAINT");
        p = after(token(p, end));
        if (!WORDS(&p, end, "NOT", "NULL"))
                return false;
        Token column = token(p, end);
        if (!is(token(after(column), end), ";"))
                return false;
        buf_add(out, s, (size_t)(add - s));
        buf_printf(out, "ALTER COLUMN %.*s SET NOT NULL;", (int)column.n, column.p);
        return true;
}

/* 18 refuses the word, which meant nothing: partitions say it of themselves. */
static bool unlogged_root(const char *rest, const char *end, int major, Buf *out)
{
        if (major < 18 || !FIND(rest, end, "PARTITION", "BY"))
                return false;
        buf_adds(out, "CREATE TABLE");
        buf_add(out, rest, (size_t)(end - rest));
        return true;
}

bool rewrite_statement(const char *s, const char *end, int major, Buf *out)
{
        const char *p = s;
        if (WORDS(&p, end, "CREATE", "TYPE"))
                return range_type(s, end, major, out);
        const char *rest = s;
        if (WORDS(&rest, end, "CREATE", "UNLOGGED", "TABLE") &&
            unlogged_root(rest, end, major, out))
                return true;
        if (WORDS(&p, end, "CREATE", "TABLE") || WORDS(&p, end, "CREATE", "UNLOGGED", "TABLE") ||
            WORDS(&p, end, "CREATE", "FOREIGN", "TABLE"))
                return create_table(s, p, end, major, out);
        if (WORDS(&p, end, "CREATE", "PUBLICATION"))
                return publication(s, end, major, out);
        if (WORDS(&p, end, "CREATE", "SUBSCRIPTION"))
                return subscription(s, end, major, out);
        if (major < 15 && WORDS(&p, end, "CREATE", "UNLOGGED", "SEQUENCE")) {
                buf_adds(out, "CREATE SEQUENCE");
                buf_add(out, p, (size_t)(end - p));
                return true;
        }
        if (WORDS(&p, end, "ALTER", "SEQUENCE"))
                return major < 15 &&
                       (FIND(s, end, "SET", "UNLOGGED") || FIND(s, end, "SET", "LOGGED"));
        if (WORDS(&p, end, "ALTER", "TABLE") || WORDS(&p, end, "ALTER", "FOREIGN", "TABLE"))
                return alter_table(s, end, major, out);
        if (WORDS(&p, end, "GRANT") || WORDS(&p, end, "REVOKE") ||
            WORDS(&p, end, "ALTER", "DEFAULT", "PRIVILEGES"))
                return grants(s, end, major, out);
        return setclause_rewrite(s, end, major, out);
}
