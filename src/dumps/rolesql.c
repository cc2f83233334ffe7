#include "dumps/rolesql.h"

#include <strings.h>

#include "dumps/sqltext.h"

typedef struct Words {
        const char *at, *start; /* behind this token, and its first byte */
        size_t n;
} Words;

static bool next(Words *w)
{
        w->n = sqltext_token(w->at, &w->start);
        w->at = w->start + w->n;
        return w->n > 0;
}

static bool is(const Words *w, const char *word)
{
        return w->n == strlen(word) && strncasecmp(w->start, word, w->n) == 0;
}

static bool name_of(const Words *w, char to[static ROLE_NAME_SIZE])
{
        bool quoted = w->n > 1 && *w->start == '"';
        size_t n = 0;
        for (size_t i = quoted; i + quoted < w->n; i++) {
                if (n == ROLE_NAME_SIZE - 1)
                        return false;
                to[n++] = w->start[i];
                i += quoted && w->start[i] == '"'; /* "" is one of them */
        }
        to[n] = '\0';
        return n > 0;
}

static RoleVerb altered(Words *w)
{
        while (next(w) && !is(w, "WITH"))
                if (is(w, "SET"))
                        return ROLE_SET;
        return ROLE_ALTER;
}

RoleVerb rolesql_verb(const char *sql, char name[static ROLE_NAME_SIZE])
{
        Words w = { .at = sql };
        RoleVerb verb = ROLE_OTHER;
        *name = '\0';
        if (!next(&w))
                return ROLE_OTHER;
        if (is(&w, "GRANT")) {
                while (next(&w) && !is(&w, "TO"))
                        ;
                verb = ROLE_GRANT;
        } else {
                verb = is(&w, "CREATE") ? ROLE_CREATE : is(&w, "ALTER") ? ROLE_ALTER : ROLE_OTHER;
                if (verb == ROLE_OTHER || !next(&w) || !is(&w, "ROLE"))
                        return ROLE_OTHER;
        }
        if (!next(&w) || !name_of(&w, name)) {
                *name = '\0';
                return ROLE_OTHER;
        }
        return verb == ROLE_ALTER ? altered(&w) : verb;
}
