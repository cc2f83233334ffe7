/* roles_words.c: what became of roles, in words (roles.h). */
#include "base/text.h"
#include "pg/roles.h"

static void roles_say(json_t *words, const char *fmt, ...) PRINTF(2, 3);

static void roles_say(json_t *words, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *raw = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_FREE char *text = text_clean_str(raw);
        jx_append_str(words, text);
}

json_t *pg_roles_words(const json_t *report)
{
        json_t *words = json_array(), *d;
        size_t i;
        json_array_foreach(jx_get(report, "differences"), i, d)
                roles_say(words, "role %s: %s is %s there and %s here", jx_str(d, "role", ""),
                          jx_str(d, "what", ""), jx_str(d, "source", ""), jx_str(d, "target", ""));
        json_array_foreach(jx_get(report, "md5"), i, d)
                roles_say(words,
                          "role %s has an md5 password; set it again so that it becomes scram",
                          json_string_value(d));
        json_array_foreach(jx_get(report, "without_password"), i, d)
                roles_say(words,
                          "role %s came without its password, which the role that reads the "
                          "source may not see; set it before it is used",
                          json_string_value(d));
        json_array_foreach(jx_get(report, "missing"), i, d)
                roles_say(words, "role %s is not on the source", json_string_value(d));
        return words;
}
