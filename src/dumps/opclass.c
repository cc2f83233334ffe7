#include "dumps/opclass.h"

#include "dumps/token.h"

/* The parenthesis behind USING method, at the statement's own level. */
static const char *key_of(const char *sql, const char *end)
{
        int depth = 0;
        for (Token t = token(sql, end); t.n; t = token(after(t), end)) {
                if (depth == 0 && is(t, "USING")) {
                        Token method = token(after(t), end), open = token(after(method), end);
                        return is(open, "(") ? open.p : NULL;
                }
                depth += is(t, "(") - is(t, ")");
        }
        return NULL;
}

/* Behind the expression and its COLLATE, before what orders or excludes. *ret_end: the comma, or
 * the end. */
static const char *place_of(const char *p, const char *end, const char **ret_end)
{
        static const char *const behind[] = { "ASC", "DESC", "NULLS", "WITH" };
        const char *place = NULL, *last = p;
        int depth = 0;
        for (Token t = token(p, end); t.n; t = token(after(t), end)) {
                if (depth == 0 && (is(t, ",") || is(t, ")"))) {
                        *ret_end = t.p;
                        return place ? place : last;
                }
                for (size_t i = 0; depth == 0 && i < LEN(behind); i++)
                        if (!place && last != p && is(t, behind[i]))
                                place = last;
                depth += is(t, "(") - is(t, ")");
                last = after(t);
        }
        *ret_end = NULL;
        return NULL;
}

static bool is_one(const char *sql, const char *end)
{
        const char *p = sql;
        if (WORDS(&p, end, "CREATE", "INDEX") || WORDS(&p, end, "CREATE", "UNIQUE", "INDEX"))
                return true;
        if (!WORDS(&p, end, "ALTER", "TABLE"))
                return false;
        for (Token t = token(p, end); t.n; t = token(after(t), end))
                if (is(t, "EXCLUDE"))
                        return true;
        return false;
}

/* An expression without a class: what is left behind it and its COLLATE is nothing. */
static void item_of(OpclassKey *k, const char *p, const char *place)
{
        Token first = token(p, place), t = token(after(first), place);
        bool alone = !t.n && !is(first, "(");
        if (!is(first, "(") && (is(t, "(") || is(t, "."))) { /* f(..), s.f(..) */
                while (t.n && !is(t, "("))
                        t = token(after(t), place);
                first = t;
        }
        if (is(first, "(")) {
                int depth = 0;
                for (t = first; t.n; t = token(after(t), place)) {
                        depth += is(t, "(") - is(t, ")");
                        if (depth == 0)
                                break;
                }
                t = token(after(t), place);
        }
        if (is(t, "COLLATE"))
                for (t = token(after(t), place), t = token(after(t), place); is(t, ".");
                     t = token(after(t), place))
                        t = token(after(t), place);
        if (alone)
                k->columns[k->n] = xstrndup(first.p, first.n);
        else if (!t.n)
                k->expressions = true;
}

static char *table_of(const char *sql, const char *end)
{
        const char *p = sql;
        bool alter = WORDS(&p, end, "ALTER", "TABLE");
        Token t = token(p, end);
        while (!alter && t.n && !is(t, "ON"))
                t = token(after(t), end);
        t = alter ? t : token(after(t), end);
        if (is(t, "ONLY"))
                t = token(after(t), end);
        const char *from = t.p, *to = after(t);
        for (t = token(to, end); is(t, "."); t = token(to, end))
                to = after(token(after(t), end));
        return xstrndup(from, (size_t)(to - from));
}

bool opclass_key(const char *sql, OpclassKey *ret)
{
        const char *end = sql + strlen(sql), *p = is_one(sql, end) ? key_of(sql, end) : NULL,
                   *item_end = NULL;
        *ret = (OpclassKey){ 0 };
        if (!p)
                return false;
        const char *m = p;
        while (m > sql && m[-1] == ' ')
                m--;
        const char *method_end = m;
        while (m > sql && m[-1] != ' ')
                m--;
        ret->method = xstrndup(m, (size_t)(method_end - m));
        ret->table = table_of(sql, end);
        for (p++; ret->n < OPCLASS_MOST; p = item_end + 1) {
                const char *place = place_of(p, end, &item_end);
                if (!place)
                        break;
                item_of(ret, p, place);
                ret->n++;
                if (*item_end == ')')
                        return true;
        }
        opclass_key_done(ret);
        return false;
}

void opclass_key_done(OpclassKey *k)
{
        free(k->method);
        free(k->table);
        for (size_t i = 0; i < k->n && i < OPCLASS_MOST; i++)
                free(k->columns[i]);
        *k = (OpclassKey){ 0 };
}

bool opclass_say(const char *sql, const char *const *classes, size_t n, Buf *out)
{
        const char *end = sql + strlen(sql), *p = is_one(sql, end) ? key_of(sql, end) : NULL;
        AUTO_BUF text = buf_init(strlen(sql) + n * 512);
        if (!p)
                return false;
        buf_add(&text, sql, (size_t)(++p - sql));
        for (size_t i = 0; i < n; i++) {
                const char *item_end, *place = place_of(p, end, &item_end);
                if (!place || (*item_end == ')') != (i == n - 1))
                        return false;
                buf_add(&text, p, (size_t)(place - p));
                if (classes[i])
                        buf_printf(&text, " %s", classes[i]);
                buf_add(&text, place, (size_t)(item_end + 1 - place));
                p = item_end + 1;
        }
        buf_adds(&text, p);
        if (text.overflow)
                return false;
        buf_add(out, text.data, text.len);
        return true;
}
