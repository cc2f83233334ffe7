/* compose_interpolated.c: a service with every variable filled in, and what only that says. */
#include "host/compose/compose_internal.h"

#include "base/io.h"
#include "base/limits.h"

/* What `docker compose config` prints is a compose file again (Compose Specification,
 * Interpolation): each dollar that is one stands there twice. */
static void undouble(char *text)
{
        char *to = text;
        for (const char *from = text; *from; *to++ = *from++)
                from += from[0] == '$' && from[1] == '$';
        *to = '\0';
}

static json_t *plain_dollars(const json_t *v)
{
        json_t *out, *one;
        const char *key;
        size_t i;
        if (json_is_object(v)) {
                out = json_object();
                json_object_foreach((json_t *)v, key, one)
                        jx_set(out, key, plain_dollars(one));
                return out;
        }
        if (json_is_array(v)) {
                out = json_array();
                json_array_foreach(v, i, one)
                        json_array_append_new(out, plain_dollars(one));
                return out;
        }
        if (!json_is_string(v) || !strstr(json_string_value(v), "$$"))
                return json_deep_copy(v);
        char *text = xstrdup(json_string_value(v));
        undouble(text);
        out = json_string(text);
        explicit_bzero(text, strlen(text)); /* a password, perhaps */
        free(text);
        return out;
}

bool compose_interpolated(Compose *c, const char *service, json_t **ret_service, json_t **ret_all,
                          Err *err)
{
        AUTO_ARGV a = { 0 };
        AUTO_JSON printed = NULL;
        compose_begin(c, &a);
        argv_add_all(&a,
                     (const char *const[]){ "--profile", "*", "config", "--format", "json", NULL });
        if (!docker_read_json(NULL, &a, &printed, err))
                return err_wrap(err, "reading the compose file of %s", compose_dir(c));
        *ret_all = plain_dollars(printed);
        *ret_service = jx_get(jx_get(*ret_all, "services"), service);
        if (!*ret_service)
                return err_set(err, ERR_USER, "project %s has no service %s", compose_project(c),
                               service);
        return true;
}

/* A file that `secrets:` or `configs:` put at that path; *ret stays NULL when it cannot be read
 * here. */
static bool granted_file(const json_t *service, const json_t *all, const char *path,
                         const char *name, Secret **ret)
{
        static const struct {
                const char *key, *below;
        } ways[] = { { "secrets", "/run/secrets/" }, { "configs", "/" } };
        for (size_t k = 0; k < LEN(ways); k++) {
                size_t i;
                json_t *one;
                json_array_foreach(jx_get(service, ways[k].key), i, one) {
                        const char *source = jx_str(one, "source", ""),
                                   *target = jx_str(one, "target", source);
                        AUTO_FREE char *there =
                                xasprintf("%s%s", *target == '/' ? "" : ways[k].below, target);
                        const json_t *made = jx_get(jx_get(all, ways[k].key), source);
                        AUTO_ERR ignored = { 0 };
                        char *bytes = NULL;
                        size_t n = 0;
                        if (!str_eq(there, path) ||
                            !io_read_file(jx_str(made, "file", ""), LIMIT_SECRET_FILE, &bytes, &n,
                                          &ignored))
                                continue;
                        while (n && bytes[n - 1] == '\n')
                                bytes[--n] = '\0';
                        *ret = secret_take(name, bytes, n);
                        free(bytes);
                        return true;
                }
        }
        return false;
}

bool compose_service_secret(Compose *c, const char *service, const char *key, const char *name,
                            Secret **ret, Err *err)
{
        *ret = NULL;
        const json_t *one = compose_container(c, service);
        if (one && !container_secret(NULL, one, key, name, ret, err))
                return false;
        if (*ret)
                return true;
        AUTO_JSON all = NULL;
        json_t *s = NULL;
        if (!compose_interpolated(c, service, &s, &all, err))
                return false;
        AUTO_FREE char *file_key = xasprintf("%s_FILE", key);
        const char *value = jx_str(jx_get(s, "environment"), key, "");
        const char *file = jx_str(jx_get(s, "environment"), file_key, "");
        if (!*value && *file && granted_file(s, all, file, name, ret))
                return true;
        if (!*value) {
                err_set(err, ERR_USER, "service %s of project %s sets no %s", service,
                        compose_project(c), key);
                return err_hint(err, "say where the password is: `secrets: {pg: {from: prompt}}`");
        }
        char *copy = xstrdup(value);
        *ret = secret_take(name, copy, strlen(copy));
        free(copy);
        return true;
}

bool compose_service_image(Compose *c, const char *service, char **ret, Err *err)
{
        AUTO_JSON all = NULL;
        json_t *s = NULL;
        if (!compose_interpolated(c, service, &s, &all, err))
                return false;
        *ret = xstrdup(jx_str(s, "image", ""));
        return true;
}
