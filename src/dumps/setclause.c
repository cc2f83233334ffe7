#include "dumps/setclause.h"

#include <ctype.h>

#include "base/limits.h"
#include "base/majors.h"
#include "dumps/token.h"

typedef struct Clause {
        const char *start, *name_end, *end; /* SET, behind the name, behind the last value */
        char *name;                         /* unquoted */
        char *value;                        /* the first one, unquoted; NULL: none */
        bool empty;                         /* NULL, or nothing at all: an empty list */
} Clause;

static void clause_done(Clause *c)
{
        free(c->name);
        free(c->value);
        *c = (Clause){ 0 };
}

static char *unquoted(Token t)
{
        char quote = *t.p;
        if (t.n < 2 || (quote != '\'' && quote != '"'))
                return xstrndup(t.p, t.n);
        AUTO_BUF b = buf_init(t.n);
        for (const char *p = t.p + 1; p < t.p + t.n - 1; p++) {
                buf_addc(&b, *p);
                p += *p == quote;
        }
        return xstrdup(buf_str(&b));
}

static bool is_value(Token t)
{
        return t.n && (isalnum((unsigned char)*t.p) || strchr("'\"-", *t.p));
}

/* SET "a"."b" TO 'x', 'y'. pg_dump of 18 and before writes an empty list as nothing at all. */
static bool clause_at(Token set, const char *end, Clause *c)
{
        const char *p = after(set);
        AUTO_BUF name = buf_init(512);
        *c = (Clause){ .start = set.p };
        for (Token t = token(p, end);; t = token(after(t), end)) {
                AUTO_FREE char *part = unquoted(t);
                buf_adds(&name, part);
                c->name_end = p = after(t);
                t = token(p, end);
                if (!is(t, "."))
                        break;
                buf_addc(&name, '.');
        }
        Token to = token(p, end), v = token(after(to), end);
        if (!is(to, "TO") && !is(to, "="))
                return false;
        c->name = xstrdup(buf_str(&name));
        c->end = after(to);
        c->empty = is(v, "NULL") || is(v, "AS") || is(v, "SET") || is(v, ";") || !v.n;
        if (is(v, "NULL"))
                c->end = after(v);
        if (c->empty)
                return true;
        c->value = unquoted(v);
        for (; is_value(v); v = token(after(v), end)) {
                if (*v.p == '-')
                        v = token(after(v), end);
                c->end = after(v);
                v = token(after(v), end);
                if (!is(v, ","))
                        break;
        }
        return true;
}

/* A database's or a role's statement is nothing but its clause. */
typedef enum Whose { OF_NOBODY, OF_FUNCTION, OF_OTHERS } Whose;

static Whose whose(const char *s, const char *end)
{
        const char *p = s;
        if (WORDS(&p, end, "ALTER", "DATABASE") || WORDS(&p, end, "ALTER", "ROLE") ||
            WORDS(&p, end, "ALTER", "USER"))
                return OF_OTHERS;
        if (!WORDS(&p, end, "CREATE"))
                return OF_NOBODY;
        (void)WORDS(&p, end, "OR", "REPLACE");
        return WORDS(&p, end, "FUNCTION") || WORDS(&p, end, "PROCEDURE") ? OF_FUNCTION : OF_NOBODY;
}

/* The first SET before a function's text, at the statement's own level. */
static Token next_set(const char *p, const char *end, Whose of)
{
        int depth = 0;
        for (Token t = token(p, end); t.n; t = token(after(t), end)) {
                if (depth == 0 && is(t, "SET"))
                        return t;
                if (of == OF_FUNCTION && depth == 0 &&
                    (is(t, "AS") || is(t, "BEGIN") || is(t, "RETURN")))
                        break;
                depth += is(t, "(") - is(t, ")");
        }
        return (Token){ end, 0 };
}

/* Before 19 only the session's own value can be an empty list, and be taken over. */
static void empty_list(const Clause *c, int major, Buf *first, Buf *out)
{
        buf_add(out, c->start, (size_t)(c->name_end - c->start));
        if (major >= 19) {
                buf_adds(out, " TO NULL");
                return;
        }
        buf_printf(first, "SELECT pg_catalog.set_config('%s', '', false);\n", c->name);
        buf_adds(out, " FROM CURRENT");
}

/* True: something else than what stands there was written, or nothing at all. */
static bool one(const Clause *c, Whose of, int major, Buf *first, Buf *out)
{
        SettingFate f = setting_fate_own(c->name, c->value, major);
        if (f.verdict == SETTING_LEFT_OUT && (of == OF_OTHERS || !f.meaning))
                return true;
        if (f.verdict == SETTING_RENAMED) {
                buf_printf(out, "SET %s", f.now);
                buf_add(out, c->name_end, (size_t)(c->end - c->name_end));
                return true;
        }
        bool plain = !strpbrk(c->name, "'\\");
        if (c->empty && plain &&
            !(major >= 19 && is(token(after(token(c->name_end, c->end)), c->end), "NULL"))) {
                empty_list(c, major, first, out);
                return true;
        }
        buf_add(out, c->start, (size_t)(c->end - c->start));
        return false;
}

bool setclause_rewrite(const char *s, const char *end, int major, Buf *out)
{
        Whose of = whose(s, end);
        AUTO_BUF first = buf_init(4096);
        AUTO_BUF text = buf_init((size_t)(end - s) + 4096);
        bool any = false;
        const char *p = s;
        if (of == OF_NOBODY)
                return false;
        for (Token set = next_set(s, end, of); set.n; set = next_set(p, end, of)) {
                Clause CLEANUP(clause_done) c = { 0 };
                size_t before;
                buf_add(&text, p, (size_t)(set.p - p));
                p = set.p;
                if (!clause_at(set, end, &c)) {
                        buf_add(&text, p, set.n);
                        p = after(set);
                        continue;
                }
                before = text.len;
                any |= one(&c, of, major, &first, &text);
                p = c.end;
                if (of == OF_OTHERS && text.len == before)
                        return true; /* all of the statement */
        }
        if (!any)
                return false;
        buf_add(&text, p, (size_t)(end - p));
        buf_add(out, first.data, first.len);
        buf_add(out, text.data, text.len);
        out->overflow |= text.overflow || first.overflow;
        return true;
}
