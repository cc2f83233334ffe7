#include "app/launch/suggest.h"

#include "base/buf.h"
#include "base/fmt.h"
#include "base/majors.h"
#include "base/text.h"
#include "host/image_next.h"

static const char *type_name(ParamType type)
{
        static const char *const names[] = {
                [PARAM_STRING] = "string",   [PARAM_NAME] = "name",
                [PARAM_BOOL] = "bool",       [PARAM_INT] = "int",
                [PARAM_SIZE] = "size",       [PARAM_DURATION] = "duration",
                [PARAM_VERSION] = "version", [PARAM_IMAGE] = "image",
                [PARAM_PATH] = "path",       [PARAM_URL] = "url",
                [PARAM_EXPR] = "expr",       [PARAM_SQL] = "sql",
                [PARAM_TARGET] = "target",   [PARAM_SECRET] = "secret",
                [PARAM_MAP] = "map",         [PARAM_LIST] = "list",
                [PARAM_ANY] = "any",
        };
        return (size_t)type < LEN(names) ? names[type] : "string";
}

/* The facts of a server under the names the journeys use for their questions. */
static json_t *from_server(const json_t *server, const json_t *given, ImageNext *next)
{
        static const struct {
                const char *var, *fact;
        } same[] = { { "dir", "dir" },
                     { "service", "service" },
                     { "db", "db" },
                     { "user", "user" },
                     { "from", "major" },
                     { "stop_order", "stop_order" },
                     { "start_order", "start_order" },
                     { "from_host", "host" },
                     { "from_port", "port" },
                     { "from_user", "user" },
                     { "from_db", "db" } };
        json_t *found = json_object();
        for (size_t i = 0; i < LEN(same); i++) {
                json_t *v = jx_get(server, same[i].fact);
                if (v && !json_is_null(v))
                        json_object_set(found, same[i].var, v);
        }
        const char *image = jx_str(server, "image", NULL);
        const char *wanted = jx_str(given, "to", NULL);
        int64_t to = wanted ? strtoll(wanted, NULL, 10) : MAJOR_NEWEST;
        if (!image)
                return found;
        jx_set_int(found, "to", to);
        image_next(image, (int)jx_int(server, "major", 0), (int)to, next);
        jx_set_str(found, "to_image", next->image);
        AUTO_FREE char *volume =
                xasprintf("%s_pgdata%lld", jx_str(server, "project", "pgsherpa"), (long long)to);
        jx_set_str(found, "volume", volume);
        return found;
}

/* "86400000" is no answer a person gave: durations and sizes in the form they are typed. */
static json_t *typed_form(const Var *v)
{
        static const struct {
                int64_t size;
                const char *unit;
        } times[] = { { 86400000, "d" },
                      { 3600000, "h" },
                      { 60000, "m" },
                      { 1000, "s" },
                      { 1, "ms" } },
          sizes[] = { { 1 << 30, "GB" }, { 1 << 20, "MB" }, { 1 << 10, "kB" }, { 1, "bytes" } };
        bool is_time = v->type == PARAM_DURATION;
        if (!json_is_integer(v->fallback) || (!is_time && v->type != PARAM_SIZE))
                return json_incref(v->fallback);
        int64_t n = json_integer_value(v->fallback);
        for (size_t i = 0; i < (is_time ? LEN(times) : LEN(sizes)); i++) {
                int64_t size = is_time ? times[i].size : sizes[i].size;
                if (n == 0 || n % size)
                        continue;
                AUTO_FREE char *text = xasprintf("%lld%s", (long long)(n / size),
                                                 is_time ? times[i].unit : sizes[i].unit);
                return json_string(text);
        }
        return json_incref(v->fallback);
}

/* What there is to choose from: "on this server: app (12.3 MB), logs (8.1 MB)"; malloc()ed, or
 * NULL. */
static char *databases_there(const json_t *server)
{
        AUTO_BUF b = buf_init(2000);
        size_t i;
        json_t *d;
        json_array_foreach(jx_get(server, "databases"), i, d) {
                char size[24];
                AUTO_FREE char *name = text_clean_str(jx_str(d, "name", "?"));
                buf_printf(&b, "%s%s (%s)", i ? ", " : "on this server: ", name,
                           fmt_bytes(jx_int(d, "size", 0), size));
        }
        return b.len ? xstrdup(buf_str(&b)) : NULL;
}

static json_t *question(const Var *v, const json_t *found, const json_t *given)
{
        json_t *q = json_object();
        jx_set_str(q, "name", v->name);
        jx_set_str(q, "type", v->record ? v->record : type_name(v->type));
        if (v->type == PARAM_LIST)
                jx_set_str(q, "item", v->record ? v->record : type_name(v->item));
        jx_set_str(q, "ask", v->ask);
        jx_set_str(q, "help", v->help);
        jx_set_str(q, "pattern", v->pattern);
        if (v->choices)
                json_object_set(q, "choices", v->choices);
        json_t *typed = jx_get(given, v->name), *known = jx_get(found, v->name);
        if (typed) {
                json_object_set(q, "default", typed);
                jx_set_str(q, "found", "from the command line");
        } else if (known && !json_is_null(known)) {
                json_object_set(q, "default", known);
                jx_set_str(q, "found", "found by discovery");
        } else if (v->fallback) {
                json_object_set_new(q, "default", typed_form(v));
        }
        return q;
}

json_t *suggest_questions(const Runbook *rb, const json_t *server, const json_t *given)
{
        ImageNext CLEANUP(image_next_done) next = { 0 };
        AUTO_JSON found = server ? from_server(server, given, &next) : json_object();
        AUTO_FREE char *there = databases_there(server);
        json_t *list = json_array();
        for (size_t i = 0; i < rb->n_vars; i++) {
                if (!rb->vars[i].ask)
                        continue;
                json_t *q = question(&rb->vars[i], found, given);
                if (there && str_eq(rb->vars[i].name, "databases"))
                        jx_set_str(q, "help", there);
                if (next.words && str_eq(rb->vars[i].name, "to_image"))
                        jx_set_str(q, "help", next.words);
                json_array_append_new(list, q);
        }
        return list;
}
