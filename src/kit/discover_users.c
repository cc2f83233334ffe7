/* discover_users.c: who uses a server, from what is written: variables, command lines, mounted
 * settings, links, names in /etc/hosts, a shared network or socket. It only proposes whom to stop;
 * who is connected when it counts, pg.consumers sees. */
#include "base/text.h"
#include "kit/discover.h"
#include "kit/labels.h"
#include "kit/spelled.h"

/* ---- settings ---- */

/* Walks over the settings in a container's environment and command; `see` ends it with true. */
typedef bool See(const void *arg, const char *text);

static bool each_setting(const json_t *container, See *see, const void *arg)
{
        static const char *const lists[] = { "Env", "Cmd", "Entrypoint" };
        for (size_t k = 0; k < LEN(lists); k++) {
                size_t i;
                json_t *entry;
                json_array_foreach(jx_get(jx_get(container, "Config"), lists[k]), i, entry) {
                        const char *text = json_string_value(entry);
                        const char *value = text && k == 0 ? strchr(text, '=') : text;
                        if (value && see(arg, k == 0 ? value + 1 : value))
                                return true;
                }
        }
        return false;
}

static bool see_name(const void *arg, const char *text)
{
        return kit_any_name(arg, text);
}

typedef struct Published {
        const Spelled *s;
        bool on_host;    /* the client is in the machine's own network */
        bool host, port; /* one of them stands alone */
} Published;

static bool see_published(const void *arg, const char *text)
{
        Published *p = (Published *)arg;
        static const char *const own[] = { "localhost", "127.0.0.1", "::1", "[::1]" };
        size_t i;
        json_t *host;
        json_array_foreach(p->s->hosts, i, host) {
                if (kit_with_port(p->s, json_string_value(host), text))
                        return true;
                p->host |= kit_names_host(text, json_string_value(host));
        }
        for (i = 0; p->on_host && i < LEN(own); i++) {
                if (kit_with_port(p->s, own[i], text))
                        return true;
                p->host |= kit_names_host(text, own[i]);
        }
        p->port |= kit_list_has(p->s->ports, text);
        return p->host && p->port;
}

static bool is_on_host(const json_t *c)
{
        return str_eq(jx_str(jx_get(c, "HostConfig"), "NetworkMode", ""), "host");
}

static bool uses_published(const json_t *c, const Spelled *s)
{
        Published p = { .s = s, .on_host = is_on_host(c) };
        return json_array_size(s->ports) && each_setting(c, see_published, &p);
}

/* A server on the machine's own network has no published port; who is there too says localhost. */
static bool uses_machine(const json_t *c, const Spelled *s)
{
        AUTO_JSON own = json_pack("[s,s,s]", "localhost", "127.0.0.1", "::1");
        return is_on_host(s->db) && (each_setting(c, see_name, s->hosts) ||
                                     (is_on_host(c) && each_setting(c, see_name, own)));
}

/* ---- ties that need no setting ---- */

static bool share_a_network(const json_t *a, const json_t *b)
{
        const char *key;
        json_t *network;
        json_object_foreach(jx_get(jx_get(a, "NetworkSettings"), "Networks"), key, network)
                if (jx_get(jx_get(jx_get(b, "NetworkSettings"), "Networks"), key))
                        return true;
        return false;
}

/* `network_mode: service:db` (or container:..), in either direction. */
static bool shares_the_network(const json_t *c, const json_t *db)
{
        const char *mode = jx_str(jx_get(c, "HostConfig"), "NetworkMode", "");
        const char *with = str_starts(mode, "container:") ? mode + strlen("container:") : "";
        return *with && (str_eq(with, container_id(db)) || str_eq(with, container_name(db)));
}

/* A volume or directory that is mounted where the server has its socket, and here, too. */
static bool shares_the_socket(const json_t *c, const json_t *db)
{
        static const char *const places[] = { "/var/run/postgresql", "/run/postgresql" };
        size_t i;
        json_t *m;
        for (size_t k = 0; k < LEN(places); k++) {
                const char *source = jx_str(container_mount_of(db, places[k]), "Source", "");
                json_array_foreach(jx_get(c, "Mounts"), i, m)
                        if (*source && str_eq(jx_str(m, "Source", ""), source))
                                return true;
        }
        return false;
}

/* links: and external_links: are "container:name" in the client's own networks. */
static bool is_linked(const json_t *c, const json_t *db)
{
        AUTO_FREE char *begin = xasprintf("%s:", container_name(db));
        const char *key;
        json_t *network, *link;
        size_t i;
        json_object_foreach(jx_get(jx_get(c, "NetworkSettings"), "Networks"), key, network)
                json_array_foreach(jx_get(network, "Links"), i, link)
                        if (str_starts(json_string_value(link) ? json_string_value(link) : "",
                                       begin))
                                return true;
        json_array_foreach(jx_get(jx_get(c, "HostConfig"), "Links"), i, link) {
                const char *text = json_string_value(link);
                if (text && str_starts(text + (*text == '/'), begin))
                        return true;
        }
        return false;
}

/* extra_hosts: "database:172.18.0.2", "database:host-gateway" give it one more name in this
 * container. */
static bool uses_extra_host(const json_t *c, const Spelled *s)
{
        AUTO_JSON names = json_array();
        size_t i;
        json_t *one;
        json_array_foreach(jx_get(jx_get(c, "HostConfig"), "ExtraHosts"), i, one) {
                const char *text = json_string_value(one), *colon = text ? strchr(text, ':') : NULL;
                if (!colon)
                        continue;
                AUTO_FREE char *name = xstrndup(text, (size_t)(colon - text));
                bool there = json_array_size(s->hosts) && (str_eq(colon + 1, "host-gateway") ||
                                                           kit_list_has(s->hosts, colon + 1));
                if (!str_eq(name, "host.docker.internal") &&
                    (there || kit_list_has(s->names, colon + 1)))
                        kit_list_add(names, name);
        }
        return each_setting(c, see_name, names) || kit_mounts_name(c, names);
}

static bool is_tied(const json_t *c, const Spelled *s)
{
        return shares_the_network(c, s->db) || shares_the_socket(c, s->db) || is_linked(c, s->db) ||
               uses_published(c, s) || uses_machine(c, s) || uses_extra_host(c, s);
}

/* ---- who ---- */

/* Whose clients are the server's, too: they know nothing but the pool. */
static bool is_pool(const json_t *c)
{
        static const char *const images[] = { "pgbouncer", "pgpool",    "pgcat",
                                              "odyssey",   "supavisor", "pgdog" };
        for (size_t i = 0; i < LEN(images); i++)
                if (strstr(container_image(c), images[i]))
                        return true;
        return false;
}

/* It waits for `other`, or `other` is a pool that it names. */
static bool is_behind(Compose *c, const char *service, const char *other)
{
        AUTO_JSON needs = compose_depends_on(c, service);
        const json_t *one = compose_container(c, service), *pool = compose_container(c, other);
        if (kit_list_has(needs, other) || !pool || !is_pool(pool))
                return kit_list_has(needs, other);
        AUTO_SPELLED s = kit_spellings(pool);
        return each_setting(one, see_name, s.names) || is_tied(one, &s) ||
               kit_mounts_name(one, s.names);
}

static bool is_behind_one(Compose *c, const char *service, const json_t *users)
{
        size_t i;
        json_t *one;
        json_array_foreach(users, i, one)
                if (is_behind(c, service, json_string_value(one)))
                        return true;
        return false;
}

json_t *kit_users_in_project(Compose *c, const json_t *services, const json_t *db)
{
        AUTO_SPELLED s = kit_spellings(db);
        const char *own = container_label(db, "com.docker.compose.service");
        json_t *out = json_array(), *name;
        size_t i, before;
        do {
                before = json_array_size(out);
                json_array_foreach(services, i, name) {
                        const char *service = json_string_value(name);
                        const json_t *one = compose_container(c, service);
                        if (str_eq(service, own) || kit_list_has(out, service) || !one ||
                            !container_running(one))
                                continue;
                        if (is_behind(c, service, own) || is_behind_one(c, service, out) ||
                            each_setting(one, see_name, s.names) || is_tied(one, &s) ||
                            kit_mounts_name(one, s.names))
                                jx_append_str(out, service);
                }
        } while (json_array_size(out) > before);
        return out;
}

json_t *kit_users_elsewhere(const json_t *db)
{
        AUTO_SPELLED s = kit_spellings(db);
        const char *project = container_label(db, "com.docker.compose.project");
        json_t *out = json_array(), *c;
        AUTO_JSON all = NULL;
        AUTO_ERR ignored = { 0 };
        size_t i;
        if (!docker_containers(NULL, false, NULL, &all, &ignored))
                return out;
        json_array_foreach(all, i, c) {
                if (str_eq(container_id(c), container_id(db)) || *container_label(c, LABEL_RUN) ||
                    (*project && str_eq(container_label(c, "com.docker.compose.project"), project)))
                        continue;
                bool named = share_a_network(db, c) &&
                             (each_setting(c, see_name, s.names) || kit_mounts_name(c, s.names));
                if (named || is_tied(c, &s))
                        jx_append_str(out, container_name(c));
        }
        return out;
}
