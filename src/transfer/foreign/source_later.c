#include "transfer/foreign/source_later.h"

#include <ctype.h>

#include "base/limits.h"
#include "pg/extension.h"
#include "transfer/make/later.h"
#include "transfer/transfer.h"

static const char *later_word(const char *p, const char *want)
{
        size_t n = strlen(want);
        while (isspace((unsigned char)*p))
                p++;
        return strncasecmp(p, want, n) == 0 && !isalnum((unsigned char)p[n]) && p[n] != '_' ? p + n
                                                                                            : NULL;
}

/* A name as pg_dump writes it: plain, or in quotes. */
static char *name_at(const char *p)
{
        while (isspace((unsigned char)*p))
                p++;
        if (*p == '"') {
                size_t n = strcspn(p + 1, "\"");
                return xstrndup(p + 1, n);
        }
        size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$");
        return n ? xstrndup(p, n) : NULL;
}

char *source_extension_made(const char *sql)
{
        const char *p = later_word(sql, "create");
        p = p ? later_word(p, "extension") : NULL;
        if (!p)
                return NULL;
        const char *q = later_word(p, "if");
        q = q ? later_word(q, "not") : NULL;
        q = q ? later_word(q, "exists") : NULL;
        return name_at(q ? q : p);
}

bool source_later_extension(Transfer *t, Pg *to, const char *name, const char *sql,
                            const PgExtension **ret, Err *err)
{
        const PgExtension *x = pg_extension_find(name);
        *ret = x && x->home ? x : NULL;
        return !*ret || (later_home_fits(t, to, x, err) && pg_later_begin(to, err) &&
                         pg_later_statement(to, true, "extension", name, sql, err));
}

bool source_later_copy(Pg *to, const PgExtension *x, const char *sql, char **ret, Err *err)
{
        const char *p = later_word(sql, "copy");
        AUTO_FREE char *schema = p ? name_at(p) : NULL;
        const char *dot = p ? strchr(p, '.') : NULL;
        *ret = NULL;
        if (!schema || !dot || !str_eq(schema, x->schema))
                return true;
        AUTO_FREE char *table = name_at(dot + 1);
        const char *open = strchr(dot, '('), *close = open ? strchr(open, ')') : NULL;
        AUTO_FREE char *list = close ? xstrndup(open + 1, (size_t)(close - open - 1)) : NULL;
        if (!table || !list || strchr(list, '"'))
                return err_set(err, ERR_USER, "these rows of extension %s cannot be kept for later",
                               x->name);
        const char *names[64];
        size_t n = 0;
        char *rest = NULL;
        AUTO_FREE char *cut = xstrdup(list);
        for (char *c = strtok_r(cut, ", ", &rest); c && n < LEN(names);
             c = strtok_r(NULL, ", ", &rest))
                names[n++] = c;
        AUTO_FREE char *mine = NULL;
        if (!pg_later_table(to, schema, table, names, n, &mine, err))
                return false;
        *ret = xasprintf("COPY " PG_LATER ".\"%s\" (%s)%s", mine, list, close + 1);
        return true;
}

bool source_later_is_missed(const Err *err)
{
        static const char *const states[] = { "3F000", "42P01", "42883", "42704", "42703" };
        for (size_t i = 0; i < LEN(states); i++)
                if (err->kind == ERR_SERVER && str_eq(err->sqlstate, states[i]))
                        return true;
        return false;
}
