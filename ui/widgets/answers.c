#include "ui/widgets/answers.h"

#include <regex.h>
#include <stdio.h>

#include "base/buf.h"

static const char *const record_keys[] = { "name", "health", "within" };

static char *item_text(const json_t *v)
{
        if (!json_is_object(v))
                return jx_words(v);
        Buf b = buf_init(1 << 16);
        for (size_t i = 0; i < LEN(record_keys); i++) {
                const json_t *part = jx_get(v, record_keys[i]);
                if (!part || json_is_null(part))
                        continue;
                AUTO_FREE char *w = jx_words(part);
                buf_printf(&b, "%s%s", b.len ? " " : "", w);
        }
        if (!b.len) { /* a record of another kind: as JSON, and back as JSON */
                buf_done(&b);
                return jx_dump(v);
        }
        return buf_take(&b, NULL);
}

const json_t *answer_choices(const json_t *question)
{
        static json_t *yes_no;
        const json_t *c = jx_get(question, "choices");
        if (json_array_size(c))
                return c;
        if (!str_eq(jx_str(question, "type", NULL), "bool"))
                return NULL;
        if (!yes_no)
                yes_no = json_pack("[s,s]", "yes", "no");
        return yes_no;
}

/* Milliseconds and bytes as a runbook writes them: the largest unit that loses nothing. */
static char *unit_text(const char *type, int64_t n)
{
        static const struct {
                const char *type, *unit;
                int64_t size;
        } units[] = { { "duration", "d", 86400000 }, { "duration", "h", 3600000 },
                      { "duration", "m", 60000 },    { "duration", "s", 1000 },
                      { "duration", "ms", 1 },       { "size", "GB", 1LL << 30 },
                      { "size", "MB", 1 << 20 },     { "size", "kB", 1 << 10 } };
        for (size_t i = 0; i < LEN(units) && n > 0; i++)
                if (str_eq(units[i].type, type) && n % units[i].size == 0)
                        return xasprintf("%lld%s", (long long)(n / units[i].size), units[i].unit);
        return xasprintf("%lld", (long long)n);
}

char *answer_text(const json_t *question, const json_t *value)
{
        const char *type = jx_str(question, "type", "");
        if (!value || json_is_null(value))
                return xstrdup("");
        if (json_is_integer(value) && (str_eq(type, "duration") || str_eq(type, "size")))
                return unit_text(type, json_integer_value(value));
        if (json_is_boolean(value) && str_eq(jx_str(question, "type", NULL), "bool"))
                return xstrdup(json_is_true(value) ? "yes" : "no");
        if (!json_is_array(value))
                return json_is_object(value) ? jx_dump(value) : jx_words(value);
        Buf b = buf_init(1 << 20);
        const json_t *v;
        size_t i;
        json_array_foreach(value, i, v) {
                AUTO_FREE char *w = item_text(v);
                buf_printf(&b, "%s%s", i ? ", " : "", w);
        }
        char *text = xstrdup(buf_str(&b));
        buf_done(&b);
        return text;
}

/* The next part of "a, b" up to `sep`, without the spaces around it; NULL at the end. */
static char *next_part(const char **p, char sep)
{
        while (**p == ' ' || (sep != ' ' && **p == sep))
                ++*p;
        if (!**p)
                return NULL;
        const char *end = strchr(*p, sep);
        const char *stop = end ? end : *p + strlen(*p);
        const char *next = end ? end + 1 : stop;
        while (stop > *p && stop[-1] == ' ')
                stop--;
        char *part = xstrndup(*p, (size_t)(stop - *p));
        *p = next;
        return part;
}

static json_t *parse_record(const char *text)
{
        json_t *o = json_object();
        size_t i = 0;
        for (char *w; i < LEN(record_keys) && (w = next_part(&text, ' ')); i++) {
                jx_set_str(o, record_keys[i], w);
                free(w);
        }
        return o;
}

static bool parse_list(const json_t *q, const char *text, json_t **ret, Err *err)
{
        const char *item = jx_str(q, "item", "");
        if (*text == '[') {
                *ret = jx_parse(text, strlen(text), err);
                return *ret != NULL;
        }
        *ret = json_array();
        for (char *part; (part = next_part(&text, ','));) {
                if (str_eq(item, "service") || str_eq(item, "source"))
                        json_array_append_new(*ret, parse_record(part));
                else
                        jx_append_str(*ret, part);
                free(part);
        }
        return true;
}

static bool check_pattern(const char *pattern, const char *text, Err *err)
{
        regex_t re;
        AUTO_FREE char *whole = xasprintf("^(%s)$", pattern);
        if (regcomp(&re, whole, REG_EXTENDED | REG_NOSUB))
                return true; /* lint's business */
        bool ok = !regexec(&re, text, 0, NULL, 0);
        regfree(&re);
        return ok || err_set(err, ERR_USER, "this does not look right: it must match %s", pattern);
}

bool answer_parse(const json_t *q, const char *text, json_t **ret, Err *err)
{
        const char *type = jx_str(q, "type", "string"), *pattern = jx_str(q, "pattern", NULL);
        if (jx_get(q, "item") || str_eq(type, "list"))
                return parse_list(q, text, ret, err);
        if (!*text)
                return err_set(err, ERR_USER, "an answer is needed here");
        if (str_eq(type, "bool")) {
                bool yes = str_eq(text, "yes") || str_eq(text, "true");
                if (!yes && !str_eq(text, "no") && !str_eq(text, "false"))
                        return err_set(err, ERR_USER, "yes or no");
                *ret = json_boolean(yes);
                return true;
        }
        if (str_eq(type, "int")) {
                char *end;
                long long n = strtoll(text, &end, 10);
                if (*end)
                        return err_set(err, ERR_USER, "\"%s\" is not a whole number", text);
                *ret = json_integer(n);
                return true;
        }
        if (pattern && !check_pattern(pattern, text, err))
                return false;
        *ret = jx_text(text);
        return true;
}
