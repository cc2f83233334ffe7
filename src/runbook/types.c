#include "runbook/types.h"

#include "base/fmt.h"
#include "base/limits.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>

static const struct {
        const char *name, *example;
} types[] = {
        [PARAM_STRING] = { "string", "a text" },
        [PARAM_NAME] = { "name", "a name of at most 63 bytes" },
        [PARAM_BOOL] = { "bool", "true or false" },
        [PARAM_INT] = { "int", "a whole number such as 4" },
        [PARAM_SIZE] = { "size", "a size such as 500MB or 2GiB" },
        [PARAM_DURATION] = { "duration", "a duration such as 30s, 5m, 24h or 7d" },
        [PARAM_VERSION] = { "version", "a version such as 17 or 17.2" },
        [PARAM_IMAGE] = { "image", "an image such as postgres:17-bookworm" },
        [PARAM_PATH] = { "path", "a whole path such as /srv/app" },
        [PARAM_URL] = { "url", "an address that begins with http:// or https://" },
        [PARAM_EXPR] = { "expr", "an expression such as max(500MB, 2 * facts.src.size)" },
        [PARAM_SQL] = { "sql", "a statement" },
        [PARAM_TARGET] = { "target", "the name of a target, or one written in place" },
        [PARAM_SECRET] = { "secret", "a secret's name, written secrets.name" },
        [PARAM_MAP] = { "map", "a map (key: value)" },
        [PARAM_LIST] = { "list", "a list ([a, b])" },
        [PARAM_ANY] = { "any", "any value" },
};

const char *param_type_name(ParamType t)
{
        return types[t].name;
}

const char *param_type_example(ParamType t)
{
        return types[t].example;
}

static const ParamSpec service_fields[] = {
        { .name = "name", .type = PARAM_NAME, .help = "service in the compose file" },
        { .name = "health",
          .type = PARAM_STRING,
          .fallback = "container",
          .help = "container, running, or an http address that must answer 200" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "60s",
          .help = "how long it may take to become healthy" },
        { 0 },
};

static const ParamSpec app_env_fields[] = {
        { .name = "file", .type = PARAM_PATH, .help = "file with the application's settings" },
        { .name = "key", .type = PARAM_STRING, .help = "the setting that names the server" },
        { 0 },
};

static const ParamSpec source_fields[] = {
        { .name = "name", .type = PARAM_NAME, .help = "what to call it" },
        { .name = "dir", .type = PARAM_PATH, .help = "compose project directory" },
        { .name = "service", .type = PARAM_NAME, .fallback = "db", .help = "database service" },
        { .name = "db", .type = PARAM_NAME, .help = "database" },
        { .name = "user", .type = PARAM_NAME, .help = "role to connect as" },
        { .name = "app_env",
          .type = PARAM_MAP,
          .fallback = "",
          .fields = app_env_fields,
          .help = "where the application is told its server" },
        { .name = "health",
          .type = PARAM_STRING,
          .fallback = "container",
          .help = "container, running, or an http address that must answer 200" },
        { 0 },
};

const ParamSpec *record_fields(const char *record)
{
        if (str_eq(record, "service"))
                return service_fields;
        return str_eq(record, "source") ? source_fields : NULL;
}

static bool scalar_type(const char *text, size_t n, ParamType *ret)
{
        for (size_t i = 0; i < LEN(types); i++) {
                if (strlen(types[i].name) != n || strncmp(types[i].name, text, n) != 0)
                        continue;
                *ret = (ParamType)i;
                return true;
        }
        return false;
}

bool param_type_parse(const char *text, ParamType *ret, ParamType *ret_item,
                      const char **ret_record)
{
        size_t n = strlen(text);
        *ret_item = PARAM_STRING;
        *ret_record = NULL;
        if (!str_starts(text, "list<") || text[n - 1] != '>')
                return scalar_type(text, n, ret);
        *ret = PARAM_LIST;
        text += 5;
        n -= 6;
        static const char *const records[] = { "service", "source" };
        for (size_t i = 0; i < LEN(records); i++) {
                if (strlen(records[i]) == n && strncmp(records[i], text, n) == 0) {
                        *ret_item = PARAM_MAP;
                        *ret_record = records[i];
                        return true;
                }
        }
        return scalar_type(text, n, ret_item) && *ret_item != PARAM_LIST;
}

json_t *value_guess(const char *text, bool plain)
{
        if (plain && str_eq(text, "true"))
                return json_true();
        if (plain && str_eq(text, "false"))
                return json_false();
        const char *digits = text + (*text == '-');
        size_t n = strlen(digits);
        bool number = plain && n && n < 19 && (n == 1 || digits[0] != '0');
        for (size_t i = 0; number && i < n; i++)
                number = isdigit((unsigned char)digits[i]);
        return number ? json_integer(strtoll(text, NULL, 10)) : jx_text(text);
}

/* ---- one type after the other; each returns what is wrong, or NULL ---- */

static const char *wrong_name(const char *s)
{
        size_t n = strlen(s);
        if (!n)
                return "it is empty";
        if (n > LIMIT_NAME)
                return "it has more than 63 bytes";
        if (s[0] == '-')
                return "a name must not begin with a hyphen: a command would read an option";
        for (; *s; s++)
                if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        return "it holds a control character";
        return NULL;
}

bool value_is_version(const char *s)
{
        for (bool digit = false;; s++) {
                if (isdigit((unsigned char)*s))
                        digit = true;
                else if (*s == '.' && digit)
                        digit = false;
                else
                        return !*s && digit;
        }
}

static const char *wrong_image(const char *s)
{
        if (!isalnum((unsigned char)*s))
                return "an image begins with a letter or a digit";
        if (strlen(s) > 255)
                return "it has more than 255 bytes";
        for (; *s; s++)
                if (!isalnum((unsigned char)*s) && !strchr("._-/:@", *s))
                        return "an image holds letters, digits and . _ - / : @ only";
        return NULL;
}

/* A single word is left to the kind: `docker-root`, or a file beside the compose file. */
static const char *wrong_path(const char *s)
{
        if (!*s)
                return "it is empty";
        if (strlen(s) >= LIMIT_PATH)
                return "it is too long";
        for (const char *p = s; p; p = strchr(p, '/')) {
                p += *p == '/';
                if (p[0] == '.' && p[1] == '.' && (!p[2] || p[2] == '/'))
                        return "it goes up with ..; write where it really leads";
        }
        if (s[0] != '/' && strchr(s, '/'))
                return "it does not begin with /";
        return s[0] == '-' ? "it begins with a hyphen: a command would read an option" : NULL;
}

static const char *wrong_url(const char *s)
{
        if (!str_starts(s, "http://") && !str_starts(s, "https://"))
                return "it does not begin with http:// or https://";
        const char *host = strstr(s, "://") + 3;
        size_t n = strcspn(host, "/?#");
        if (!n || memchr(host, '@', n))
                return n ? "a user or password must not stand in an address" : "it names no host";
        for (; *s; s++)
                if ((unsigned char)*s <= 0x20 || *s == 0x7f || strchr("\"<>\\^`{|}", *s))
                        return "it holds a character that must be written as %xx";
        return NULL;
}

static bool refuse(ParamType t, const char *text, const char *why, Err *err)
{
        AUTO_FREE char *shown = text_clean_str(text);
        if (why)
                err_set(err, ERR_USER, "`%.80s`: %s", shown, why);
        else
                err_set(err, ERR_USER, "`%.80s` is not %s %s", shown,
                        strchr("aeiou", types[t].name[0]) ? "an" : "a", types[t].name);
        return err_hint(err, "write %s", types[t].example);
}

static bool checked(ParamType t, const char *text, const char *why, json_t **ret, Err *err)
{
        if (why)
                return refuse(t, text, why, err);
        *ret = jx_text(text);
        return true;
}

static bool bool_from(const char *text, json_t **ret, Err *err)
{
        bool yes = str_eq(text, "true") || str_eq(text, "yes");
        if (!yes && !str_eq(text, "false") && !str_eq(text, "no"))
                return refuse(PARAM_BOOL, text, NULL, err);
        *ret = json_boolean(yes);
        return true;
}

static bool int_from(const char *text, json_t **ret, Err *err)
{
        const char *digits = text + (*text == '-');
        errno = 0;
        char *end;
        long long n = strtoll(text, &end, 10);
        if (!isdigit((unsigned char)*digits) || *end || errno)
                return refuse(PARAM_INT, text, errno ? "it is too large" : NULL, err);
        *ret = json_integer(n);
        return true;
}

bool value_from_text(ParamType t, const char *text, json_t **ret, Err *err)
{
        int64_t n;
        *ret = NULL;
        switch (t) {
        case PARAM_BOOL:
                return bool_from(text, ret, err);
        case PARAM_INT:
                return int_from(text, ret, err);
        case PARAM_SIZE:
                if (!fmt_parse_size(text, &n))
                        return refuse(t, text, NULL, err);
                *ret = json_integer(n);
                return true;
        case PARAM_DURATION:
                if (!fmt_parse_duration(text, &n))
                        return refuse(t, text, NULL, err);
                *ret = json_integer(n);
                return true;
        case PARAM_NAME:
                return checked(t, text, wrong_name(text), ret, err);
        case PARAM_VERSION:
                return checked(t, text,
                               value_is_version(text) ? NULL : "a version is numbers and dots", ret,
                               err);
        case PARAM_IMAGE:
                return checked(t, text, wrong_image(text), ret, err);
        case PARAM_PATH:
                return checked(t, text, wrong_path(text), ret, err);
        case PARAM_URL:
                return checked(t, text, wrong_url(text), ret, err);
        case PARAM_MAP:
        case PARAM_LIST:
                return refuse(t, text, NULL, err);
        default:
                *ret = jx_text(text);
                return true;
        }
}

static bool number_from(ParamType t, const json_t *v, json_t **ret, Err *err)
{
        double d = json_number_value(v);
        if (json_is_integer(v))
                *ret = json_integer(json_integer_value(v));
        else if (d >= -9.2e18 && d <= 9.2e18)
                *ret = json_integer((json_int_t)d);
        else
                return err_set(err, ERR_USER, "the number is too large");
        if (t != PARAM_INT && json_integer_value(*ret) < 0) {
                json_decref(*ret);
                *ret = NULL;
                return err_set(err, ERR_USER, "a %s must not be negative", types[t].name);
        }
        return true;
}

bool value_from_json(ParamType t, const json_t *v, json_t **ret, Err *err)
{
        *ret = NULL;
        bool number = t == PARAM_INT || t == PARAM_SIZE || t == PARAM_DURATION;
        if (t == PARAM_ANY || t == PARAM_EXPR || (t == PARAM_LIST && json_is_array(v)) ||
            (t == PARAM_MAP && json_is_object(v)) || (t == PARAM_BOOL && json_is_boolean(v))) {
                *ret = json_incref((json_t *)v);
                return true;
        }
        if (number && json_is_number(v))
                return number_from(t, v, ret, err);
        if (json_is_string(v))
                return value_from_text(t, json_string_value(v), ret, err);
        if ((t == PARAM_TARGET || t == PARAM_SECRET) && json_is_object(v)) {
                *ret = json_incref((json_t *)v);
                return true;
        }
        if (json_is_number(v) || json_is_boolean(v)) {
                AUTO_FREE char *text = json_is_boolean(v)
                                               ? xstrdup(json_is_true(v) ? "true" : "false")
                                               : jx_dump(v);
                return value_from_text(t, text, ret, err);
        }
        AUTO_FREE char *shown = jx_words(v);
        return refuse(t, shown, NULL, err);
}
