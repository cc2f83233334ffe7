#include "kit/clients.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "host/container_server.h"
#include "kit/docker.h"
#include "place/place.h"

void kit_clients_done(Clients *w)
{
        json_decref(w->all);
        free(w->dir);
        free(w->socket);
        *w = (Clients){ 0 };
}

/* ---- the server's own container ---- */

/* The directory of the Compose project that the target lives in, links resolved; "" for none. */
static char *project_dir(const PlaceNames *at)
{
        char *real = at->dir && *at->dir ? realpath(at->dir, NULL) : NULL;
        return real ? real : xstrdup("");
}

static bool is_in_dir(const json_t *c, const char *dir)
{
        const char *home = container_label(c, "com.docker.compose.project.working_dir");
        AUTO_FREE char *real = *home ? realpath(home, NULL) : NULL;
        return real && *dir && str_eq(real, dir);
}

static bool is_one_off(const json_t *c)
{
        return strcasecmp(container_label(c, "com.docker.compose.oneoff"), "true") == 0;
}

static bool clients_publishes(const json_t *c, int port)
{
        const char *key;
        json_t *bindings, *one;
        size_t i;
        json_object_foreach(jx_get(jx_get(c, "NetworkSettings"), "Ports"), key, bindings)
                json_array_foreach(bindings, i, one)
                        if (atoi(jx_str(one, "HostPort", "0")) == port)
                                return true;
        return false;
}

static const json_t *clients_server_of(const PlaceNames *at, const json_t *all, const char *dir)
{
        const char *service = at->service ? at->service : "";
        const char *name = at->container ? at->container : "";
        size_t i;
        json_t *c;
        json_array_foreach(all, i, c) {
                if (*name && (str_eq(container_name(c), name) || str_starts(container_id(c), name)))
                        return c;
                if (*service && is_in_dir(c, dir) && !is_one_off(c) &&
                    str_eq(kit_clients_service(c), service))
                        return c;
                if (at->port_here && clients_publishes(c, at->port_here))
                        return c;
        }
        return NULL;
}

bool kit_clients_look(StepCtx *ctx, Clients *ret, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_ERR none = { 0 };
        AUTO_CONTAINER_SERVER s = { 0 };
        PlaceNames at = place_names(step_target(ctx));
        *ret = (Clients){ .dir = project_dir(&at), .socket = xstrdup(""), .port = at.port_here };
        if (ret->port)
                ret->pid = getpid();
        if (!docker_containers(&look, false, NULL, &ret->all, &none)) {
                if (none.kind == ERR_CANCELLED) {
                        err_move(err, &none);
                        return false;
                }
                ret->all = json_array();
                return true;
        }
        ret->server = clients_server_of(&at, ret->all, ret->dir);
        if (ret->server)
                ret->pid = (long)jx_int(jx_get(ret->server, "State"), "Pid", 0);
        if (ret->server && container_server(&look, ret->server, &s, &none)) {
                free(ret->socket);
                ret->socket = xstrdup(s.socket_dir);
                ret->port = s.port;
        }
        return true;
}

/* ---- whose connection it is ---- */

static bool has_address(const json_t *c, const char *address)
{
        const char *key;
        json_t *network;
        json_object_foreach(jx_get(jx_get(c, "NetworkSettings"), "Networks"), key, network)
                if (str_eq(jx_str(network, "IPAddress", ""), address) ||
                    str_eq(jx_str(network, "GlobalIPv6Address", ""), address))
                        return true;
        return false;
}

static const char *network_of(const json_t *c)
{
        const char *mode = jx_str(jx_get(c, "HostConfig"), "NetworkMode", "");
        return str_starts(mode, "container:") ? mode + strlen("container:") : container_id(c);
}

static bool shares_network(const json_t *a, const json_t *b)
{
        return a != b && str_eq(network_of(a), network_of(b));
}

/* The mount of a container that holds a path: its source on the machine. */
static const char *source_at(const json_t *c, const char *path)
{
        return jx_str(container_mount_of(c, path), "Source", "");
}

static bool mounts_source(const json_t *c, const char *source)
{
        size_t i;
        json_t *m;
        json_array_foreach(jx_get(c, "Mounts"), i, m)
                if (str_eq(jx_str(m, "Source", ""), source))
                        return true;
        return false;
}

/* Of a socket the server does not know who is behind it; its directory must be reached, though. */
static void sharing_the_socket(const Clients *w, json_t *out)
{
        const char *source = *w->socket ? source_at(w->server, w->socket) : "";
        AUTO_FREE char *run =
                str_starts(w->socket, "/var/run/") ? xstrdup(w->socket + strlen("/var")) : NULL;
        size_t i;
        json_t *c;
        if (!*source && run) /* /var/run is a link to /run */
                source = source_at(w->server, run);
        json_array_foreach(w->all, i, c)
                if (*source && c != w->server && mounts_source(c, source))
                        json_array_append(out, c);
}

static void behind_loopback(Clients *w, const json_t *client, json_t *out)
{
        bool known = docker_is_local() && host_peer_find(w->pid, (int)jx_int(client, "port", 0),
                                                         w->port ? w->port : 5432, &w->peer);
        size_t i;
        json_t *c;
        json_array_foreach(w->all, i, c)
                if (known ? str_eq(container_id(c), w->peer.container)
                          : w->server && shares_network(c, w->server) &&
                                    !str_eq(network_of(c), "host"))
                        json_array_append(out, c);
}

json_t *kit_clients_find(Clients *w, const json_t *client)
{
        /* As pg_stat_activity prints it: an inet, with "/32" at its end. */
        const char *inet = jx_str(client, "address", "");
        AUTO_FREE char *address = xstrndup(inet, strcspn(inet, "/"));
        json_t *out = json_array(), *c;
        size_t i;
        w->peer = (Peer){ 0 };
        json_array_foreach(w->all, i, c)
                if (*address && has_address(c, address))
                        json_array_append(out, c);
        if (json_array_size(out))
                return out;
        if (w->server && str_eq(address, "local"))
                sharing_the_socket(w, out);
        else if (str_starts(address, "127.") || str_eq(address, "::1"))
                behind_loopback(w, client, out);
        return out;
}

/* ---- in words ---- */

const char *kit_clients_service(const json_t *container)
{
        return container_label(container, "com.docker.compose.service");
}

bool kit_clients_is_own_service(const Clients *w, const json_t *container)
{
        return is_in_dir(container, w->dir) && !is_one_off(container) &&
               *kit_clients_service(container);
}

static void add_container(const json_t *c, Buf *b)
{
        if (!*kit_clients_service(c))
                buf_printf(b, "container %s", container_name(c));
        else if (is_one_off(c))
                buf_printf(b, "a `docker compose run` of service %s, container %s",
                           kit_clients_service(c), container_name(c));
        else
                buf_printf(b, "service %s of project %s", kit_clients_service(c),
                           container_label(c, "com.docker.compose.project"));
}

static bool is_gateway(const json_t *server, const char *address)
{
        const char *key;
        json_t *network;
        json_object_foreach(jx_get(jx_get(server, "NetworkSettings"), "Networks"), key, network)
                if (*address && (str_eq(jx_str(network, "Gateway", ""), address) ||
                                 str_eq(jx_str(network, "IPv6Gateway", ""), address)))
                        return true;
        return false;
}

/* In a network of the server's, IPv4: only containers have such addresses. */
static bool is_of_a_container(const json_t *server, const char *address)
{
        const char *key;
        json_t *network;
        struct in_addr one, own;
        if (inet_pton(AF_INET, address, &one) != 1)
                return false;
        json_object_foreach(jx_get(jx_get(server, "NetworkSettings"), "Networks"), key, network) {
                int bits = (int)jx_int(network, "IPPrefixLen", 0);
                if (bits > 0 && bits <= 32 &&
                    inet_pton(AF_INET, jx_str(network, "IPAddress", ""), &own) == 1 &&
                    !((ntohl(one.s_addr) ^ ntohl(own.s_addr)) >> (32 - bits)))
                        return true;
        }
        return false;
}

static void add_stranger(const Clients *w, const json_t *client, Buf *b)
{
        const char *inet = jx_str(client, "address", "");
        AUTO_FREE char *address = xstrndup(inet, strcspn(inet, "/"));
        if (w->peer.pid)
                buf_printf(b, "program %s (process %ld) of this machine", w->peer.name,
                           w->peer.pid);
        else if (str_eq(address, "local"))
                buf_adds(b, w->server ? "a program beside the server (docker exec), on its socket"
                                      : "a program of the server's machine, on its socket");
        else if (w->server && is_gateway(w->server, address))
                buf_printf(b,
                           "somebody from outside Docker, through the published port (seen as %s)",
                           address);
        else if (w->server && is_of_a_container(w->server, address))
                buf_printf(b,
                           "a container that is gone (%s), its statement still runs: select "
                           "pg_terminate_backend(%d)",
                           address, (int)jx_int(client, "pid", 0));
        else
                buf_printf(b, "somebody at %s", address);
}

char *kit_clients_words(const Clients *w, const json_t *client, const json_t *may_be)
{
        const char *app = jx_str(client, "application", "");
        AUTO_BUF b = buf_init(4096);
        size_t i;
        json_t *c;
        json_array_foreach(may_be, i, c) {
                if (i)
                        buf_adds(&b, ", or ");
                add_container(c, &b);
        }
        if (!json_array_size(may_be))
                add_stranger(w, client, &b);
        buf_printf(&b, ", as %s in %s%s%s", jx_str(client, "user", "?"),
                   jx_str(client, "database", "?"), *app ? " with " : "", app);
        return text_clean_str(buf_str(&b));
}
