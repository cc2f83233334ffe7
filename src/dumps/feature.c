#include "dumps/feature.h"

#include <strings.h>

#include "dumps/sqltext.h"

#define MOST 4 /* words */

static const struct Feature {
        int since;
        const char *what;
        const char *words[MOST];
} features[] = {
        { 14, "a function with a body in SQL itself", { "BEGIN", "ATOMIC" } },
        { 14, "SEARCH BREADTH FIRST", { "SEARCH", "BREADTH" } },
        { 14, "SEARCH DEPTH FIRST", { "SEARCH", "DEPTH" } },
        { 14, "a name for a multirange type", { "multirange_type_name" } },
        { 14, "compression of a column", { "SET", "COMPRESSION" } },
        { 15, "NULLS NOT DISTINCT", { "NULLS", "NOT", "DISTINCT" } },
        { 15, "a view with security_invoker", { "security_invoker" } },
        { 15, "MERGE", { "MERGE", "INTO" } },
        { 15, "a sequence that is not logged", { "UNLOGGED", "SEQUENCE" } },
        { 15, "a publication of whole schemas", { "TABLES", "IN", "SCHEMA" } },
        { 15, "a locale of ICU for a database", { "LOCALE_PROVIDER" } },
        { 16, "SQL/JSON (JSON_ARRAY)", { "JSON_ARRAY" } },
        { 16, "SQL/JSON (JSON_OBJECT)", { "JSON_OBJECT" } },
        { 16, "SQL/JSON (JSON_ARRAYAGG)", { "JSON_ARRAYAGG" } },
        { 16, "SQL/JSON (JSON_OBJECTAGG)", { "JSON_OBJECTAGG" } },
        { 16, "SQL/JSON (IS JSON)", { "IS", "JSON" } },
        { 17, "SQL/JSON (JSON_TABLE)", { "JSON_TABLE" } },
        { 17, "SQL/JSON (JSON_VALUE)", { "JSON_VALUE" } },
        { 17, "SQL/JSON (JSON_QUERY)", { "JSON_QUERY" } },
        { 17, "SQL/JSON (JSON_EXISTS)", { "JSON_EXISTS" } },
        { 17, "the privilege MAINTAIN", { "MAINTAIN" } },
        { 18, "a constraint that is NOT ENFORCED", { "NOT", "ENFORCED" } },
        { 18, "WITHOUT OVERLAPS", { "WITHOUT", "OVERLAPS" } },
        { 18, "a key with PERIOD", { "PERIOD" } },
        { 18, "a virtual generated column", { "VIRTUAL" } },
};

static bool is(const char *p, size_t n, const char *word)
{
        return n == strlen(word) && strncasecmp(p, word, n) == 0;
}

static bool stand_here(const char *p, const char *const *words)
{
        for (size_t i = 0; i < MOST && words[i]; i++) {
                const char *start;
                size_t n = sqltext_token(p, &start);
                if (!is(start, n, words[i]))
                        return false;
                p = start + n;
        }
        return true;
}

/* pg_dump does not write VIRTUAL, as it is the default: what is not STORED is. */
static bool is_virtual(const char *p)
{
        static const char *const words[MOST] = { "GENERATED", "ALWAYS", "AS", "(" };
        const char *start;
        int depth = 0;
        if (!stand_here(p, words))
                return false;
        for (size_t n; (n = sqltext_token(p, &start)) > 0; p = start + n) {
                depth += is(start, n, "(") - is(start, n, ")");
                if (depth == 0 && is(start, n, ")"))
                        return (n = sqltext_token(start + n, &start)) > 0 &&
                               !is(start, n, "STORED");
        }
        return false;
}

const char *feature_of(const char *sql, int server_major, int *ret_since)
{
        const char *start;
        for (size_t n; (n = sqltext_token(sql, &start)) > 0; sql = start + n) {
                for (size_t i = 0; i < LEN(features); i++)
                        if (server_major < features[i].since &&
                            stand_here(start, features[i].words)) {
                                *ret_since = features[i].since;
                                return features[i].what;
                        }
                if (server_major < 18 && is_virtual(start)) {
                        *ret_since = 18;
                        return "a virtual generated column";
                }
        }
        return NULL;
}
