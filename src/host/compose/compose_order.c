/* compose_order.c: which service needs which, and so the order to stop and start them in. */
#include "host/compose/compose_internal.h"

#define L_DEPENDS "com.docker.compose.depends_on"

static void add_once(json_t *list, const char *name)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one) {
                if (str_eq(json_string_value(one), name))
                        return;
        }
        jx_append_str(list, name);
}

/* Each "name:alias" or "name" of a list, or the keys of a map. */
static void add_names(json_t *list, const json_t *from)
{
        const char *key;
        json_t *value;
        size_t i;
        json_object_foreach((json_t *)from, key, value)
                add_once(list, key);
        json_array_foreach(from, i, value) {
                const char *text = json_string_value(value);
                if (!text)
                        continue;
                AUTO_FREE char *name = xstrndup(text, strcspn(text, ":"));
                add_once(list, name);
        }
}

json_t *compose_depends_on(Compose *c, const char *service)
{
        json_t *out = json_array();
        const json_t *config = NULL;
        AUTO_ERR ignored = { 0 }; /* the labels of the containers still know */
        if (compose_config(c, &config, &ignored)) {
                const json_t *s = jx_get(jx_get(config, "services"), service);
                add_names(out, jx_get(s, "depends_on"));
                add_names(out, jx_get(s, "links"));
                const char *mode = jx_str(s, "network_mode", "");
                if (str_starts(mode, "service:"))
                        add_once(out, mode + strlen("service:"));
        }
        const json_t *one = compose_container(c, service);
        const char *label = one ? container_label(one, L_DEPENDS) : "";
        while (*label) { /* "db:service_healthy:false,api:.." */
                size_t n = strcspn(label, ",");
                AUTO_FREE char *name = xstrndup(label, MIN(n, strcspn(label, ":")));
                if (*name)
                        add_once(out, name);
                label += n + (label[n] == ',');
        }
        return out;
}

/* Longest way down from a service: 0 needs nobody. Circles end at the number of services. */
static int depth_of(Compose *c, const char *service, int left)
{
        if (left == 0)
                return 0;
        AUTO_JSON needs = compose_depends_on(c, service);
        int most = 0;
        size_t i;
        json_t *one;
        json_array_foreach(needs, i, one) {
                int below = 1 + depth_of(c, json_string_value(one), left - 1);
                most = MAX(most, below);
        }
        return most;
}

bool compose_order(Compose *c, const json_t *names, bool stopping, json_t **ret, Err *err)
{
        AUTO_JSON all = NULL;
        if (!names) {
                if (!compose_services(c, &all, err))
                        return false;
                names = all;
        }
        size_t n = json_array_size(names);
        int most = 0, *depth = xcalloc(n + 1, sizeof *depth);
        for (size_t i = 0; i < n; i++) {
                depth[i] = depth_of(c, json_string_value(json_array_get(names, i)), 12);
                most = MAX(most, depth[i]);
        }
        *ret = json_array();
        for (int k = 0; k <= most; k++)
                for (size_t i = 0; i < n; i++)
                        if (depth[i] == (stopping ? most - k : k))
                                json_array_append(*ret, json_array_get(names, i));
        free(depth);
        return true;
}
