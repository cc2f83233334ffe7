#include "transfer/state/quoted_sql.h"

#include <stdlib.h>

#include "base/err.h"

static char *quoted_sql_text(const char *text, char quote)
{
        char *out = xmalloc(strlen(text) * 2 + 3), *p = out;
        *p++ = quote;
        for (; *text; text++) {
                if (*text == quote)
                        *p++ = quote;
                *p++ = *text;
        }
        *p++ = quote;
        *p = '\0';
        return out;
}

static bool quote_ident(void *conn, const char *text, char **ret, Err *err)
{
        *ret = quoted_sql_text(text, '"');
        return true;
}

static bool quote_value(void *conn, const char *text, char **ret, Err *err)
{
        *ret = quoted_sql_text(text, '\'');
        return true;
}

char *plain_sql(const Sql *q)
{
        static const SqlQuoter plain = { .ident = quote_ident, .value = quote_value };
        AUTO_ERR err = { 0 };
        char *text = NULL;
        if (!sql_for_server(q, &plain, &text, &err))
                abort(); /* this quoter cannot fail */
        return text;
}
