#include "dumps/token.h"

#include <strings.h>

#include "dumps/sqltext.h"

Token token(const char *p, const char *end)
{
        Token t = { 0 };
        t.n = sqltext_token(p, &t.p);
        if (t.n == 0 || t.p >= end)
                t = (Token){ end, 0 };
        return t;
}

const char *after(Token t)
{
        return t.p + t.n;
}

bool is(Token t, const char *word)
{
        return t.n == strlen(word) && strncasecmp(t.p, word, t.n) == 0;
}

bool words(const char **p, const char *end, const char *const *list, size_t n)
{
        const char *q = *p;
        for (size_t i = 0; i < n; i++) {
                Token t = token(q, end);
                if (!is(t, list[i]))
                        return false;
                q = after(t);
        }
        *p = q;
        return true;
}
