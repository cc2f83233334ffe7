#include "transfer/jobs/followers.h"

#include "base/base.h"

static bool is_missing(const json_t *j)
{
        static const char *const states[] = { "42P01", "42704", "42883", "3F000" };
        for (size_t i = 0; i < LEN(states); i++)
                if (str_eq(jx_str(j, "sqlstate", ""), states[i]))
                        return true;
        return false;
}

/* "TABLE public.t" -> "public.t": behind the class, which is in capitals. */
static const char *name_of(const char *object)
{
        const char *p = object;
        for (const char *space; (space = strchr(p, ' ')); p = space + 1)
                for (const char *c = p; c < space; c++)
                        if (*c < 'A' || *c > 'Z')
                                return p;
        return p;
}

/* Does the server miss exactly that one? It says: relation "public.t" does not exist, function
 * f(int) .. */
static bool misses(const char *message, const char *name)
{
        size_t n = strlen(name);
        for (const char *p = message; n && (p = strstr(p, name)); p++) {
                bool begins = p == message || p[-1] == '"' || p[-1] == ' ';
                if (begins && (p[n] == '"' || p[n] == ' '))
                        return strstr(p + n, "does not exist") != NULL;
        }
        return false;
}

/* The first of the list that this one needs, itself or by one of its followers; -1: none. */
static int leader(const json_t *found, size_t before, const char *message)
{
        for (size_t i = 0; i < before; i++) {
                const json_t *one = json_array_get(found, i);
                size_t k;
                json_t *f;
                if (misses(message, name_of(jx_str(one, "object", ""))))
                        return (int)i;
                json_array_foreach(jx_get(one, "followers"), k, f)
                        if (misses(message, name_of(json_string_value(f))))
                                return (int)i;
        }
        return -1;
}

void followers_fold(json_t *found)
{
        for (size_t i = 0; i < json_array_size(found);) {
                json_t *one = json_array_get(found, i);
                int first = is_missing(one) ? leader(found, i, jx_str(one, "what", "")) : -1;
                if (first < 0) {
                        i++;
                        continue;
                }
                json_t *to = json_array_get(found, (size_t)first);
                if (!jx_get(to, "followers"))
                        jx_set(to, "followers", json_array());
                jx_append_str(jx_get(to, "followers"), jx_str(one, "object", ""));
                json_array_remove(found, i);
        }
}
