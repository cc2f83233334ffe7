#include "dumps/constraint.h"

#include "base/limits.h"
#include "dumps/sqltext.h"

typedef struct Words {
        const char *at;
} Words;

/* Takes these words if they come next, all of them. */
static bool take(Words *w, const char *words)
{
        const char *at = w->at;
        while (*words) {
                const char *start;
                size_t n = sqltext_token(at, &start), want = strcspn(words, " ");
                if (n != want || strncmp(start, words, n) != 0)
                        return false;
                at = start + n;
                words += want;
                words += strspn(words, " ");
        }
        w->at = at;
        return true;
}

static bool is_name(const char *start, size_t n)
{
        unsigned char c = (unsigned char)*start;
        return n > 0 && (c == '"' || c == '_' || (c >= 'a' && c <= 'z') || c >= 0x80);
}

/* schema.name or name, as it stands. */
static bool take_name(Words *w, bool qualified, Buf *ret)
{
        const char *start;
        size_t n = sqltext_token(w->at, &start);
        if (!is_name(start, n))
                return false;
        buf_add(ret, start, n);
        w->at = start + n;
        if (!qualified || !take(w, "."))
                return true;
        buf_addc(ret, '.');
        return take_name(w, false, ret);
}

/* ( .. ) as it stands; false when it does not come next or holds the word. */
static bool take_parens(Words *w, const char *forbidden, Buf *ret)
{
        const char *begin, *start;
        int depth = 0;
        size_t n = sqltext_token(w->at, &begin);
        if (n != 1 || *begin != '(')
                return false;
        for (const char *p = begin; (n = sqltext_token(p, &start)) > 0; p = start + n) {
                depth += *start == '(' ? 1 : *start == ')' ? -1 : 0;
                if (forbidden && n == strlen(forbidden) && strncmp(start, forbidden, n) == 0)
                        return false;
                if (depth == 0) {
                        w->at = start + n;
                        buf_add(ret, begin, (size_t)(w->at - begin));
                        return true;
                }
        }
        return false;
}

static bool at_end(Words *w)
{
        const char *start;
        return take(w, ";") && sqltext_token(w->at, &start) == 0;
}

bool constraint_as_index(const char *sql, Buf *index, Buf *take_over)
{
        AUTO_BUF table = buf_init(LIMIT_SQL);
        AUTO_BUF name = buf_init(LIMIT_SQL);
        AUTO_BUF columns = buf_init(LIMIT_SQL);
        AUTO_BUF include = buf_init(LIMIT_SQL);
        AUTO_BUF with = buf_init(LIMIT_SQL);
        Words w = { sql };
        if (!take(&w, "ALTER TABLE ONLY") || !take_name(&w, true, &table) ||
            !take(&w, "ADD CONSTRAINT") || !take_name(&w, false, &name))
                return false;
        bool primary = take(&w, "PRIMARY KEY");
        if (!primary && !take(&w, "UNIQUE"))
                return false;
        bool nulls = take(&w, "NULLS NOT DISTINCT");
        if (!take_parens(&w, "WITHOUT", &columns) ||
            (take(&w, "INCLUDE") && !take_parens(&w, NULL, &include)) ||
            (take(&w, "WITH") && !take_parens(&w, NULL, &with)))
                return false;
        bool deferrable = take(&w, "DEFERRABLE"), deferred = take(&w, "INITIALLY DEFERRED");
        if (!at_end(&w))
                return false;
        buf_printf(index, "CREATE UNIQUE INDEX %s ON %s USING btree %s%s%s%s%s%s", buf_str(&name),
                   buf_str(&table), buf_str(&columns), include.len ? " INCLUDE " : "",
                   buf_str(&include), nulls ? " NULLS NOT DISTINCT" : "", with.len ? " WITH " : "",
                   buf_str(&with));
        buf_printf(take_over, "ALTER TABLE ONLY %s ADD CONSTRAINT %s %s USING INDEX %s%s%s",
                   buf_str(&table), buf_str(&name), primary ? "PRIMARY KEY" : "UNIQUE",
                   buf_str(&name), deferrable ? " DEFERRABLE" : "",
                   deferred ? " INITIALLY DEFERRED" : "");
        return true;
}

bool constraint_not_valid(const char *sql, Buf *add, Buf *validate)
{
        AUTO_BUF table = buf_init(LIMIT_SQL);
        AUTO_BUF name = buf_init(LIMIT_SQL);
        const char *start, *end = NULL;
        Words w = { sql };
        if (!take(&w, "ALTER TABLE ONLY") || !take_name(&w, true, &table) ||
            !take(&w, "ADD CONSTRAINT") || !take_name(&w, false, &name) || !take(&w, "FOREIGN KEY"))
                return false;
        for (size_t n; !end && (n = sqltext_token(w.at, &start)) > 0;) {
                if (take(&w, "NOT VALID") || take(&w, "NOT ENFORCED"))
                        return false;
                if (*start == ';')
                        end = start;
                else
                        w.at = start + n;
        }
        if (!end || !at_end(&w))
                return false;
        buf_add(add, sql, (size_t)(end - sql));
        buf_adds(add, " NOT VALID");
        buf_printf(validate, "ALTER TABLE ONLY %s VALIDATE CONSTRAINT %s", buf_str(&table),
                   buf_str(&name));
        return true;
}

bool constraint_own_index(const char *sql, Buf *name)
{
        AUTO_BUF table = buf_init(LIMIT_SQL);
        AUTO_BUF quoted = buf_init(LIMIT_SQL);
        Words w = { sql };
        if (!take(&w, "ALTER TABLE"))
                return false;
        (void)!take(&w, "ONLY");
        if (!take_name(&w, true, &table) || !take(&w, "ADD CONSTRAINT") ||
            !take_name(&w, false, &quoted) ||
            (!take(&w, "PRIMARY KEY") && !take(&w, "UNIQUE") && !take(&w, "EXCLUDE")))
                return false;
        const char *p = buf_str(&quoted);
        bool quotes = *p == '"';
        for (p += quotes; *p && (!quotes || *p != '"' || *++p == '"'); p++)
                buf_addc(name, *p);
        return true;
}

char *index_method(const char *sql)
{
        AUTO_BUF ignored = buf_init(LIMIT_SQL);
        AUTO_BUF method = buf_init(LIMIT_SQL);
        Words w = { sql };
        bool create = take(&w, "CREATE INDEX") || take(&w, "CREATE UNIQUE INDEX");
        if (create && take_name(&w, true, &ignored) && take(&w, "ON")) {
                (void)!take(&w, "ONLY");
                if (take_name(&w, true, &ignored) && take(&w, "USING"))
                        (void)!take_name(&w, false, &method);
        }
        const char *name = buf_str(&method);
        if (*name == '"')
                return xstrndup(name + 1, strcspn(name + 1, "\""));
        return xstrdup(*name ? name : "btree");
}
