#include "host/ports.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "host/container.h"

#define TRIES      12 /* with what a try itself takes, some ten seconds */
#define BETWEEN_MS 500

/* Two ways to say it: the engine's own book ("Bind for 127.0.0.1:8080 failed: port is already
 * allocated", libnetwork's portallocator) and the kernel's ("listen tcp4 0.0.0.0:8080: bind:
 * address already in use", the userland proxy). */
char *port_in_message(const char *said)
{
        static const struct {
                const char *says, *before;
        } ways[] = {
                { "port is already allocated", "Bind for " },
                { "address already in use", "listen tcp" },
                { "address already in use", "listen udp" },
        };
        for (size_t i = 0; i < LEN(ways); i++) {
                const char *at = strstr(said, ways[i].before);
                if (!at || !strstr(at, ways[i].says))
                        continue;
                at += strlen(ways[i].before);
                at += strspn(at, "46 ");
                size_t n = strcspn(at, " \n");
                while (n && at[n - 1] == ':')
                        n--;
                if (n && isdigit((unsigned char)at[n - 1]))
                        return xstrndup(at, n);
        }
        return NULL;
}

static bool publishes(const json_t *container, int port)
{
        const char *inside;
        json_t *bindings, *one;
        json_object_foreach(jx_get(jx_get(container, "NetworkSettings"), "Ports"), inside,
                            bindings) {
                size_t i;
                json_array_foreach(bindings, i, one) {
                        if (atoi(jx_str(one, "HostPort", "0")) == port)
                                return true;
                }
        }
        return false;
}

/* The socket's number of who listens there, 0 for nobody. Fields as in proc(5): the second is the
 * local address in hexadecimal, the fourth the state (0A: listening), the tenth the inode. */
static unsigned long listening_inode(const char *table, int port)
{
        FILE *f = fopen(table, "re");
        char line[512];
        unsigned long found = 0;
        while (f && !found && fgets(line, sizeof line, f)) {
                unsigned local = 0, state = 0;
                unsigned long inode = 0;
                if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*d %*d %lu",
                           &local, &state, &inode) == 3 &&
                    (int)local == port && state == 0x0a)
                        found = inode;
        }
        if (f)
                fclose(f);
        return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
        AUTO_FREE char *fds = xasprintf("/proc/%s/fd", pid);
        AUTO_FREE char *want = xasprintf("socket:[%lu]", inode);
        DIR *d = opendir(fds);
        bool found = false;
        for (const struct dirent *e; d && !found && (e = readdir(d));) {
                char link[64];
                ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
                link[MAX(n, 0)] = '\0';
                found = n > 0 && str_eq(link, want);
        }
        if (d)
                closedir(d);
        return found;
}

static char *process_with(unsigned long inode)
{
        DIR *proc = opendir("/proc");
        char *who = NULL;
        for (const struct dirent *e; proc && !who && (e = readdir(proc));) {
                if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(e->d_name, inode))
                        continue;
                AUTO_FREE char *path = xasprintf("/proc/%s/comm", e->d_name);
                char name[64] = "";
                FILE *f = fopen(path, "re");
                if (f && fgets(name, sizeof name, f))
                        name[strcspn(name, "\n")] = '\0';
                if (f)
                        fclose(f);
                AUTO_FREE char *clean = text_clean_str(name);
                who = xasprintf("%s (process %s)", clean, e->d_name);
        }
        if (proc)
                closedir(proc);
        return who;
}

char *port_holder(const HostCall *call, int port)
{
        AUTO_JSON all = NULL;
        AUTO_ERR ignored = { 0 };
        HostCall look = { .cancel = call ? call->cancel : NULL };
        size_t i;
        json_t *c;
        if (docker_containers(&look, false, NULL, &all, &ignored)) {
                json_array_foreach(all, i, c) {
                        if (publishes(c, port))
                                return xasprintf("container %s", container_name(c));
                }
        }
        if (!docker_is_local())
                return NULL;
        unsigned long inode = listening_inode("/proc/net/tcp", port);
        if (!inode)
                inode = listening_inode("/proc/net/tcp6", port);
        return inode ? process_with(inode) : NULL;
}

static bool rest(const HostCall *call)
{
        for (int i = 0; i < BETWEEN_MS / 50; i++) {
                if (call && call->cancel && flag_up(call->cancel))
                        return false;
                nanosleep(&(struct timespec){ .tv_nsec = 50L * 1000 * 1000 }, NULL);
        }
        return true;
}

static bool taken(const HostCall *call, const char *where, int64_t waited_ms, Err *err)
{
        const char *colon = strrchr(where, ':');
        AUTO_FREE char *who = port_holder(call, atoi(colon ? colon + 1 : where));
        err_set(err, ERR_COMMAND, "port %s is taken by %s, still after %lld s", where,
                who ? who : "somebody who could not be found", (long long)waited_ms / 1000);
        return err_hint(err, "%s, or let the service publish another port; then retry",
                        who ? "stop it" : "`ss -ltnp` as root shows who listens");
}

bool docker_start(const HostCall *call, const Argv *argv, Err *err)
{
        int64_t start = clock_boot_ms();
        for (int tries = 1;; tries++) {
                if (docker_do(call, argv, NULL, err))
                        return true;
                AUTO_FREE char *where =
                        err->kind == ERR_COMMAND ? port_in_message(err->message) : NULL;
                if (!where)
                        return false;
                int status = err->exit_status;
                err_clear(err);
                if (tries >= TRIES) {
                        taken(call, where, clock_boot_ms() - start, err);
                        err->exit_status = status;
                        return err_wrap(err, "docker %s", argv->n > 1 ? argv->v[1] : "");
                }
                AUTO_FREE char *words =
                        xasprintf("port %s is taken at the moment; trying again", where);
                if (call && call->say)
                        call->say(call->arg, 2, words);
                if (!rest(call))
                        return err_set(err, ERR_CANCELLED, "waiting for port %s was stopped",
                                       where);
        }
}
