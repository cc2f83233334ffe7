#include "kit/spelled.h"

#include <dirent.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "host/container.h"

enum { FILES_MOST = 48, FILE_BYTES = 64 * 1024 };

void kit_spelled_done(Spelled *s)
{
        json_decref(s->names);
        json_decref(s->hosts);
        json_decref(s->ports);
}

bool kit_list_has(const json_t *list, const char *text)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one)
                if (str_eq(json_string_value(one), text))
                        return true;
        return false;
}

void kit_list_add(json_t *list, const char *text)
{
        if (text && *text && !kit_list_has(list, text))
                jx_append_str(list, text);
}

/* ---- how it may be called ---- */

static void add_in_networks(const json_t *db, json_t *names)
{
        static const char *const lists[] = { "Aliases", "DNSNames" };
        const json_t *networks = jx_get(jx_get(db, "NetworkSettings"), "Networks");
        size_t i;
        json_t *network, *one;
        const char *key;
        json_object_foreach((json_t *)networks, key, network)
                for (size_t k = 0; k < LEN(lists); k++)
                        json_array_foreach(jx_get(network, lists[k]), i, one)
                                kit_list_add(names, json_string_value(one));
        size_t n = json_array_size(names); /* name.network is a name, too */
        json_object_foreach((json_t *)networks, key, network) {
                for (i = 0; i < n; i++) {
                        AUTO_FREE char *full = xasprintf(
                                "%s.%s", json_string_value(json_array_get(names, i)), key);
                        kit_list_add(names, full);
                }
                kit_list_add(names, jx_str(network, "IPAddress", ""));
                kit_list_add(names, jx_str(network, "GlobalIPv6Address", ""));
        }
}

static void add_machine(json_t *hosts)
{
        struct ifaddrs *all = NULL;
        char name[256] = "", text[NI_MAXHOST];
        kit_list_add(hosts, "host.docker.internal");
        kit_list_add(hosts, "gateway.docker.internal");
        if (!docker_is_local())
                return;
        if (gethostname(name, sizeof name - 1) == 0)
                kit_list_add(hosts, name);
        if (getifaddrs(&all) < 0)
                return;
        for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
                int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
                socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in)
                                                   : sizeof(struct sockaddr_in6);
                if ((family != AF_INET && family != AF_INET6) ||
                    getnameinfo(a->ifa_addr, size, text, sizeof text, NULL, 0, NI_NUMERICHOST))
                        continue;
                text[strcspn(text, "%")] = '\0';
                if (!str_starts(text, "127.") && !str_eq(text, "::1"))
                        kit_list_add(hosts, text);
        }
        freeifaddrs(all);
}

Spelled kit_spellings(const json_t *db)
{
        Spelled s = {
                .db = db, .names = json_array(), .hosts = json_array(), .ports = json_array()
        };
        const char *key;
        json_t *bindings, *one;
        size_t i;
        kit_list_add(s.names, container_label(db, "com.docker.compose.service"));
        kit_list_add(s.names, container_name(db));
        kit_list_add(s.names, jx_str(jx_get(db, "Config"), "Hostname", ""));
        add_in_networks(db, s.names);
        json_object_foreach(jx_get(jx_get(db, "NetworkSettings"), "Ports"), key, bindings)
                json_array_foreach(bindings, i, one)
                        kit_list_add(s.ports, jx_str(one, "HostPort", ""));
        bool on_host = str_eq(jx_str(jx_get(db, "HostConfig"), "NetworkMode", ""), "host");
        if (json_array_size(s.ports) || on_host)
                add_machine(s.hosts);
        return s;
}

/* ---- does a text name it? ---- */

bool kit_names_host(const char *text, const char *name)
{
        size_t n = strlen(name);
        for (const char *p = n ? strcasestr(text, name) : NULL; p; p = strcasestr(p + 1, name)) {
                size_t at = (size_t)(p - text);
                /* "//db" is a host, "/srv/db" a path, "postgresql:///db" a database. */
                bool slashes = at >= 2 && p[-1] == '/' && p[-2] == '/' && (at == 2 || p[-3] != '/');
                bool option = at >= 2 && p[-1] == 'h' && p[-2] == '-' && (at == 2 || p[-3] == ' ');
                bool begins = at == 0 || slashes || option || strchr("@= \t,;'\"[(", p[-1]);
                if (begins && (!p[n] || strchr(":/? \t\r\n,;'\"])&", p[n])))
                        return true;
        }
        return false;
}

bool kit_any_name(const json_t *names, const char *text)
{
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name)
                if (kit_names_host(text, json_string_value(name)))
                        return true;
        return false;
}

/* "host:port" in one text. */
bool kit_with_port(const Spelled *s, const char *host, const char *text)
{
        size_t i;
        json_t *port;
        json_array_foreach(s->ports, i, port) {
                AUTO_FREE char *both = xasprintf("%s:%s", host, json_string_value(port));
                if (kit_names_host(text, both))
                        return true;
        }
        return false;
}

/* ---- mounted settings ---- */

/* A line that says where a server is, or a file that is nothing but its name. */
static bool file_names(const char *path, const json_t *names)
{
        static const char *const words[] = { "host",     "server",   "url", "dsn",
                                             "database", "postgres", "://" };
        AUTO_FREE char *text = NULL;
        AUTO_ERR ignored = { 0 };
        size_t n = 0;
        bool found = false;
        if (!io_read_file(path, FILE_BYTES, &text, &n, &ignored) || memchr(text, '\0', n))
                return false;
        char *end = text + strcspn(text, "\r\n");
        if (!end[strspn(end, "\r\n")]) {
                *end = '\0';
                found = kit_list_has(names, text);
        }
        char *save = NULL;
        for (char *line = strtok_r(text, "\r\n", &save); line && !found;
             line = strtok_r(NULL, "\r\n", &save)) {
                bool speaks = false;
                for (size_t i = 0; i < LEN(words) && !speaks; i++)
                        speaks = strcasestr(line, words[i]) != NULL;
                found = speaks && line[strspn(line, " \t")] != '#' && kit_any_name(names, line);
        }
        explicit_bzero(text, n); /* it may hold passwords */
        return found;
}

static bool is_settings(const char *name)
{
        return !strstr(name, "compose") && strncasecmp(name, "readme", 6) != 0 &&
               strncasecmp(name, "changelog", 9) != 0;
}

static bool directory_names(const char *path, const json_t *names)
{
        DIR *d = opendir(path);
        bool found = false;
        size_t n = 0;
        for (const struct dirent *e; d && !found && n < FILES_MOST && (e = readdir(d));) {
                AUTO_FREE char *file = io_join(path, e->d_name);
                struct stat st;
                if (!is_settings(e->d_name) || stat(file, &st) < 0 || !S_ISREG(st.st_mode) ||
                    st.st_size > FILE_BYTES)
                        continue;
                n++;
                found = file_names(file, names);
        }
        if (d)
                closedir(d);
        return found;
}

bool kit_mounts_name(const json_t *c, const json_t *names)
{
        size_t i;
        json_t *m;
        struct stat st;
        json_array_foreach(jx_get(c, "Mounts"), i, m) {
                const char *from = jx_str(m, "Source", "");
                if (!str_eq(jx_str(m, "Type", ""), "bind") || !docker_is_local() ||
                    stat(from, &st) < 0)
                        continue;
                if (S_ISREG(st.st_mode) ? file_names(from, names)
                                        : S_ISDIR(st.st_mode) && directory_names(from, names))
                        return true;
        }
        return false;
}
