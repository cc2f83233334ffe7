#include "host/peer.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

#define TABLE_MAX (16 * 1024 * 1024)

/* "  0: 0100007F:D2F0 0100007F:1538 01 .. inode": addresses and ports in hex. */
static unsigned long inode_of(const char *table, int local, int remote)
{
        for (const char *line = strchr(table, '\n'); line && *++line; line = strchr(line, '\n')) {
                unsigned int from = 0, to = 0, state = 0;
                unsigned long inode = 0;
                if (sscanf(line,
                           " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %x %*s %*s %*s %*u %*d %lu",
                           &from, &to, &state, &inode) == 4 &&
                    (int)from == local && (int)to == remote && state == 1)
                        return inode;
        }
        return 0;
}

static unsigned long find_inode(long pid, int local, int remote)
{
        static const char *const tables[] = { "tcp", "tcp6" };
        for (size_t i = 0; i < LEN(tables); i++) {
                AUTO_FREE char *path = xasprintf("/proc/%ld/net/%s", pid, tables[i]);
                AUTO_FREE char *text = NULL;
                AUTO_ERR ignored = { 0 };
                unsigned long inode = 0;
                if (io_read_file(path, TABLE_MAX, &text, NULL, &ignored))
                        inode = inode_of(text, local, remote);
                if (inode)
                        return inode;
        }
        return 0;
}

static bool holds(const char *pid, unsigned long inode)
{
        AUTO_FREE char *dir = xasprintf("/proc/%s/fd", pid);
        AUTO_FREE char *wanted = xasprintf("socket:[%lu]", inode);
        DIR *d = opendir(dir);
        bool found = false;
        char to[64];
        for (const struct dirent *e; d && !found && (e = readdir(d));) {
                ssize_t n = readlinkat(dirfd(d), e->d_name, to, sizeof to - 1);
                if (n <= 0)
                        continue;
                to[n] = '\0';
                found = str_eq(to, wanted);
        }
        if (d)
                closedir(d);
        return found;
}

bool host_peer_container(const char *text, char ret[static 72])
{
        for (const char *p = text; *p; p++) {
                size_t n = strspn(p, "0123456789abcdef");
                bool begins = p == text || !isalnum((unsigned char)p[-1]);
                if (n == 64 && begins) {
                        snprintf(ret, 72, "%.64s", p);
                        return true;
                }
                p += n ? n - 1 : 0;
        }
        *ret = '\0';
        return false;
}

static void describe(const char *pid, Peer *ret)
{
        AUTO_FREE char *comm = xasprintf("/proc/%s/comm", pid);
        AUTO_FREE char *cgroup = xasprintf("/proc/%s/cgroup", pid);
        AUTO_FREE char *mounts = xasprintf("/proc/%s/mountinfo", pid);
        AUTO_FREE char *name = NULL, *text = NULL, *more = NULL;
        AUTO_ERR ignored = { 0 };
        ret->pid = atol(pid);
        if (io_read_file(comm, 4096, &name, NULL, &ignored))
                snprintf(ret->name, sizeof ret->name, "%.*s", (int)strcspn(name, "\n"), name);
        /* With a cgroup namespace of its own only the mounts (of /etc/hosts) still say it. */
        if (io_read_file(cgroup, TABLE_MAX, &text, NULL, &ignored) &&
            host_peer_container(text, ret->container))
                return;
        err_clear(&ignored);
        if (io_read_file(mounts, TABLE_MAX, &more, NULL, &ignored)) {
                const char *at = strstr(more, "/containers/");
                if (at && !host_peer_container(at, ret->container))
                        *ret->container = '\0';
        }
}

bool host_peer_find(long server_pid, int client_port, int server_port, Peer *ret)
{
        *ret = (Peer){ 0 };
        unsigned long inode = server_pid > 0 && client_port > 0
                                      ? find_inode(server_pid, client_port, server_port)
                                      : 0;
        DIR *d = inode ? opendir("/proc") : NULL;
        bool found = false;
        for (const struct dirent *e; d && !found && (e = readdir(d));) {
                if (!isdigit((unsigned char)e->d_name[0]) || !holds(e->d_name, inode))
                        continue;
                describe(e->d_name, ret);
                found = true;
        }
        if (d)
                closedir(d);
        return found;
}
