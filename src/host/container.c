#include "host/container.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/container_server.h"

const char *container_id(const json_t *c)
{
        return jx_str(c, "Id", "");
}

const char *container_name(const json_t *c)
{
        const char *name = jx_str(c, "Name", "");
        return *name == '/' ? name + 1 : name;
}

const char *container_image(const json_t *c)
{
        return jx_str(jx_get(c, "Config"), "Image", "");
}

const char *container_image_id(const json_t *c)
{
        return jx_str(c, "Image", "");
}

const char *container_label(const json_t *c, const char *key)
{
        return jx_str(jx_get(jx_get(c, "Config"), "Labels"), key, "");
}

const char *container_status(const json_t *c)
{
        return jx_str(jx_get(c, "State"), "Status", "");
}

bool container_running(const json_t *c)
{
        return jx_bool(jx_get(c, "State"), "Running", false);
}

const char *container_health(const json_t *c)
{
        const char *health = jx_str(jx_get(jx_get(c, "State"), "Health"), "Status", "none");
        return *health ? health : "none";
}

bool container_has_check(const json_t *c)
{
        const json_t *test = jx_get(jx_get(jx_get(c, "Config"), "Healthcheck"), "Test");
        const char *first = json_string_value(json_array_get(test, 0));
        return first && !str_eq(first, "NONE");
}

int container_exit_code(const json_t *c)
{
        return (int)jx_int(jx_get(c, "State"), "ExitCode", -1);
}

const char *container_env(const json_t *c, const char *key)
{
        size_t n = strlen(key), i;
        json_t *entry;
        json_array_foreach(jx_get(jx_get(c, "Config"), "Env"), i, entry) {
                const char *text = json_string_value(entry);
                if (text && strncmp(text, key, n) == 0 && text[n] == '=')
                        return text + n + 1;
        }
        return NULL;
}

static bool is_below(const char *path, const char *dir)
{
        size_t n = strlen(dir);
        while (n > 1 && dir[n - 1] == '/')
                n--;
        return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0' || n == 1);
}

const json_t *container_mount_of(const json_t *c, const char *path)
{
        const json_t *best = NULL;
        size_t best_len = 0, i;
        json_t *mount;
        json_array_foreach(jx_get(c, "Mounts"), i, mount) {
                const char *to = jx_str(mount, "Destination", "");
                if (*to && is_below(path, to) && strlen(to) >= best_len) {
                        best = mount;
                        best_len = strlen(to);
                }
        }
        return best;
}

int container_pg_major(const json_t *c)
{
        const char *major = container_env(c, "PG_MAJOR");
        return major ? atoi(major) : 0;
}

const char *container_pgdata(const json_t *c)
{
        const char *pgdata = container_env(c, "PGDATA");
        if (pgdata && *pgdata)
                return pgdata;
        return container_pg_major(c) ? "/var/lib/postgresql/data" : "";
}

/* The official images differ in these variables: Debian's carry GOSU_VERSION and a PG_VERSION
 * with the distribution's suffix, Alpine's a PG_SHA256. The tag is only a hint. */
const char *image_libc(const json_t *image)
{
        const char *version = container_env(image, "PG_VERSION");
        if (container_env(image, "PG_SHA256"))
                return "musl";
        if (version && (strstr(version, "pgdg") || strstr(version, "+deb") || strchr(version, '-')))
                return "glibc";
        size_t i;
        json_t *tag;
        json_array_foreach(jx_get(image, "RepoTags"), i, tag) {
                const char *text = json_string_value(tag);
                if (text && strstr(text, "alpine"))
                        return "musl";
                if (text && (strstr(text, "bookworm") || strstr(text, "trixie") ||
                             strstr(text, "bullseye")))
                        return "glibc";
        }
        return "";
}

bool volume_is_anonymous(const char *name)
{
        return strlen(name) == 64 && name[strspn(name, "0123456789abcdef")] == '\0';
}

/* ---- where it answers ---- */

/* Does anybody accept connections there? A refused one still says the address is ours to
 * reach: the server may be starting. */
static bool reachable(const char *ip, int port)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        if (inet_pton(AF_INET, ip, &a.sin_addr) != 1)
                return false;
        AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return false;
        if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
                return true;
        if (errno != EINPROGRESS)
                return errno == ECONNREFUSED;
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        if (poll(&p, 1, 1000) != 1)
                return false;
        int why = 0;
        socklen_t len = sizeof why;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
                return false;
        return why == 0 || why == ECONNREFUSED;
}

static const char *bridge_address(const json_t *c, int port)
{
        const char *key, *first = NULL;
        json_t *network;
        json_object_foreach(jx_get(jx_get(c, "NetworkSettings"), "Networks"), key, network) {
                const char *ip = jx_str(network, "IPAddress", "");
                if (!*ip)
                        continue;
                if (!first)
                        first = ip;
                if (docker_is_local() && reachable(ip, port))
                        return ip;
        }
        return NULL;
}

/* A port that was published on this machine serves as well. */
static bool published(const json_t *c, int port, char **ret_host, int *ret_port)
{
        AUTO_FREE char *key = xasprintf("%d/tcp", port);
        size_t i;
        json_t *binding;
        json_array_foreach(jx_get(jx_get(jx_get(c, "NetworkSettings"), "Ports"), key), i, binding) {
                const char *ip = jx_str(binding, "HostIp", "");
                int host_port = atoi(jx_str(binding, "HostPort", "0"));
                if (host_port <= 0)
                        continue;
                if (!*ip || str_eq(ip, "0.0.0.0") || str_eq(ip, "::"))
                        ip = "127.0.0.1";
                if (!reachable(ip, host_port))
                        continue;
                *ret_host = xstrdup(ip);
                *ret_port = host_port;
                return true;
        }
        return false;
}

void container_address_done(ContainerAddress *a)
{
        free(a->host);
        free(a->system);
        *a = (ContainerAddress){ 0 };
}

static char *socket_dir(const json_t *c, const ContainerServer *s)
{
        long pid = (long)jx_int(jx_get(c, "State"), "Pid", 0);
        if (pid <= 0 || !docker_is_local() || *s->socket_dir != '/')
                return NULL;
        /* Not /var/run: that is an absolute link and would lead back to our own root. */
        const char *inside = str_starts(s->socket_dir, "/var/run/") ? s->socket_dir + strlen("/var")
                                                                    : s->socket_dir;
        char *dir = xasprintf("/proc/%ld/root%s", pid, inside);
        AUTO_FREE char *file = xasprintf("%s/.s.PGSQL.%d", dir, s->port);
        if (access(file, F_OK) == 0 && strlen(file) < sizeof((struct sockaddr_un *)0)->sun_path)
                return dir;
        free(dir);
        return NULL;
}

/* Where it says it listens, seen from here; NULL: nowhere. */
static const char *host_network(const ContainerServer *s)
{
        struct in_addr ignored;
        if (str_eq(s->listens, "*") || str_eq(s->listens, "0.0.0.0") ||
            str_eq(s->listens, "localhost") || str_eq(s->listens, "::"))
                return "127.0.0.1";
        return inet_pton(AF_INET, s->listens, &ignored) == 1 ? s->listens : NULL;
}

static bool find_address(const json_t *c, const ContainerServer *s, ContainerAddress *ret)
{
        bool outside =
                *s->listens && !str_eq(s->listens, "localhost") && !str_starts(s->listens, "127.");
        ret->port = s->port;
        if (str_eq(jx_str(jx_get(c, "HostConfig"), "NetworkMode", ""), "host")) {
                const char *there = host_network(s);
                ret->host = there ? xstrdup(there) : socket_dir(c, s);
                return ret->host != NULL;
        }
        const char *ip = outside ? bridge_address(c, s->port) : NULL;
        if (ip) {
                ret->host = xstrdup(ip);
                return true;
        }
        if (outside && published(c, s->port, &ret->host, &ret->port))
                return true;
        ret->host = socket_dir(c, s);
        return ret->host != NULL;
}

bool container_address(const HostCall *call, const json_t *c, ContainerAddress *ret, Err *err)
{
        AUTO_CONTAINER_SERVER s = { 0 };
        if (!container_running(c)) {
                err_set(err, ERR_LINK, "container %s is not running (%s)", container_name(c),
                        container_status(c));
                return err_hint(err, "look at: docker logs %s", container_name(c));
        }
        if (!container_server(call, c, &s, err))
                return false;
        if (find_address(c, &s, ret)) {
                ret->system = s.system;
                s.system = NULL;
                return true;
        }
        container_address_done(ret);
        err_set(err, ERR_LINK,
                "the server in container %s cannot be reached from here: no bridge "
                "address answers, no published port, no socket",
                container_name(c));
        return err_hint(err, "publish its port on 127.0.0.1, or run pgsherpa as root on the "
                             "machine of the Docker engine");
}

bool host_container_address(const char *container, ContainerAddress *ret, Err *err)
{
        AUTO_JSON c = NULL;
        if (!docker_inspect(NULL, DOCKER_CONTAINER, container, &c, err))
                return false;
        if (!c) {
                AUTO_FREE char *clean = text_clean_str(container);
                return err_set(err, ERR_LINK, "there is no container %s", clean);
        }
        return container_address(NULL, c, ret, err);
}

/* ---- secrets ---- */

static Secret *secret_copy(const char *name, const char *value)
{
        char *copy = xstrdup(value);
        Secret *s = secret_take(name, copy, strlen(copy));
        free(copy);
        return s;
}

/* What `$(< file)` in the image's entry point makes of it: no newlines at its end. */
static void cut_newlines(char *text)
{
        size_t n = strlen(text);
        while (n && text[n - 1] == '\n')
                text[--n] = '\0';
}

/* A file of the container's. One that is mounted into it (compose secrets and configs are) is read
 * where it comes from, so that a container that does not run has it, too. */
static bool read_inside(const HostCall *call, const json_t *c, const char *key, const char *file,
                        char **ret, Err *err)
{
        const json_t *mount = container_mount_of(c, file);
        const char *from = jx_str(mount, "Source", "");
        AUTO_ERR ignored = { 0 };
        if (mount && str_eq(jx_str(mount, "Destination", ""), file) && docker_is_local() &&
            io_read_file(from, LIMIT_SECRET_FILE, ret, NULL, &ignored)) {
                cut_newlines(*ret);
                return true;
        }
        if (!container_running(c))
                return err_set(err, ERR_LINK,
                               "%s names a file inside container %s, which is not "
                               "running",
                               key, container_name(c));
        AUTO_ARGV a = { 0 };
        argv_add_all(&a,
                     (const char *const[]){ "docker", "exec", container_id(c), "cat", file, NULL });
        if (!docker_read_text(call, &a, ret, err))
                return err_wrap(err, "reading %s of container %s", key, container_name(c));
        cut_newlines(*ret);
        return true;
}

bool container_value(const HostCall *call, const json_t *c, const char *key, char **ret, Err *err)
{
        const char *value = container_env(c, key);
        *ret = NULL;
        if (value && *value) {
                *ret = xstrdup(value);
                return true;
        }
        AUTO_FREE char *file_key = xasprintf("%s_FILE", key);
        const char *file = container_env(c, file_key);
        return !file || !*file || read_inside(call, c, file_key, file, ret, err);
}

bool container_login(const HostCall *call, const json_t *c, char **ret_user, char **ret_database,
                     Err *err)
{
        AUTO_FREE char *user = NULL, *database = NULL;
        if (!container_value(call, c, "POSTGRES_USER", &user, err) ||
            !container_value(call, c, "POSTGRES_DB", &database, err))
                return false;
        *ret_user = xstrdup(user && *user ? user : "postgres");
        *ret_database = xstrdup(database && *database ? database : *ret_user);
        return true;
}

bool container_secret(const HostCall *call, const json_t *c, const char *key, const char *name,
                      Secret **ret, Err *err)
{
        char *value = NULL;
        *ret = NULL;
        if (!container_value(call, c, key, &value, err))
                return false;
        if (value)
                *ret = secret_copy(name, value);
        if (value)
                explicit_bzero(value, strlen(value));
        free(value);
        return true;
}

/* ---- was it stopped cleanly? ---- */

static char *control_field(const char *text, const char *name)
{
        for (const char *p = text; p && *p;) {
                size_t n = strcspn(p, "\n");
                if (str_starts(p, name) && p[strlen(name)] == ':') {
                        const char *v = p + strlen(name) + 1;
                        v += strspn(v, " \t");
                        size_t len = (size_t)(p + n - v);
                        while (len && strchr(" \t\r", v[len - 1]))
                                len--;
                        return text_clean(v, len);
                }
                p += n + (p[n] == '\n');
        }
        return NULL;
}

bool container_controldata(const HostCall *call, const json_t *c, char **ret_state,
                           char **ret_system, Err *err)
{
        const char *pgdata = container_pgdata(c);
        if (!*pgdata)
                return err_set(err, ERR_USER,
                               "container %s does not say where its data is (no PGDATA)",
                               container_name(c));
        AUTO_ARGV a = { 0 };
        const json_t *data = container_mount_of(c, pgdata);
        bool volume = str_eq(jx_str(data, "Type", ""), "volume");
        if (!data)
                return err_set(err, ERR_USER, "the data of container %s (%s) is on no volume",
                               container_name(c), pgdata);
        /* Not --volumes-from: the engine takes none of a container that has a mount of type tmpfs.
         */
        argv_add_all(&a, (const char *const[]){ "docker", "run", "--rm", "--pull", "never",
                                                "--network", "none", "--mount", NULL });
        argv_addf(&a, "type=%s,source=%s,target=%s,readonly", volume ? "volume" : "bind",
                  jx_str(data, volume ? "Name" : "Source", ""), jx_str(data, "Destination", ""));
        argv_add_all(&a, (const char *const[]){ "--env", "LC_ALL=C", "--user", "0", "--entrypoint",
                                                "pg_controldata", container_image_id(c), pgdata,
                                                NULL });
        AUTO_FREE char *text = NULL;
        if (!docker_read_text(call, &a, &text, err))
                return err_wrap(err, "reading pg_controldata of container %s", container_name(c));
        *ret_state = control_field(text, "Database cluster state");
        if (!*ret_state)
                return err_set(err, ERR_COMMAND,
                               "pg_controldata of container %s says nothing "
                               "about the cluster's state",
                               container_name(c));
        if (ret_system)
                *ret_system = control_field(text, "Database system identifier");
        return true;
}
