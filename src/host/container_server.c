#include "host/container_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "host/container.h"

#define PID_FILE_MAX (64 * 1024)
#define CONTROL_MAX  (64 * 1024)

void container_server_done(ContainerServer *s)
{
        free(s->data_dir);
        free(s->socket_dir);
        free(s->listens);
        free(s->system);
        *s = (ContainerServer){ 0 };
}

bool container_server_parse(const char *pid_file, ContainerServer *ret)
{
        char *line[6] = { 0 };
        size_t n = 0;
        for (const char *p = pid_file; n < LEN(line) && *p; n++) {
                size_t len = strcspn(p, "\n");
                line[n] = xstrndup(p, len);
                p += len + (p[len] == '\n');
        }
        bool ok = n >= 5 && atoi(line[3]) > 0 && atoi(line[3]) < 65536;
        if (ok)
                *ret = (ContainerServer){ .data_dir = xstrdup(line[1]),
                                          .port = atoi(line[3]),
                                          .socket_dir = xstrdup(line[4]),
                                          .listens = xstrdup(line[5] ? line[5] : "") };
        for (size_t i = 0; i < n; i++)
                free(line[i]);
        return ok;
}

static char *identifier(const char *control, size_t n)
{
        uint64_t id;
        if (n < sizeof id)
                return NULL;
        memcpy(&id, control, sizeof id);
        return xasprintf("%" PRIu64, id);
}

/* ---- through /proc ---- */

/* A postmaster works in its data directory (chdir in its main()). */
static bool read_dir(const char *dir, ContainerServer *ret)
{
        AUTO_FREE char *pid_path = io_join(dir, "postmaster.pid");
        AUTO_FREE char *control_path = io_join(dir, "global/pg_control");
        AUTO_FREE char *pid_file = NULL, *control = NULL;
        AUTO_ERR ignored = { 0 };
        size_t n = 0;
        if (!io_read_file(control_path, CONTROL_MAX, &control, &n, &ignored) ||
            !io_read_file(pid_path, PID_FILE_MAX, &pid_file, NULL, &ignored) ||
            !container_server_parse(pid_file, ret))
                return false;
        ret->system = identifier(control, n);
        return ret->system != NULL;
}

static bool read_process(long pid, ContainerServer *ret)
{
        AUTO_FREE char *cwd = xasprintf("/proc/%ld/cwd", pid);
        return read_dir(cwd, ret);
}

/* The container's first process, or a child of it where an init (docker run --init) comes first. */
static bool through_proc(const json_t *c, ContainerServer *ret)
{
        long pid = (long)jx_int(jx_get(c, "State"), "Pid", 0);
        if (pid <= 0 || !docker_is_local())
                return false;
        if (read_process(pid, ret))
                return true;
        AUTO_FREE char *list = xasprintf("/proc/%ld/task/%ld/children", pid, pid);
        FILE *f = fopen(list, "re");
        long child = 0;
        bool found = false;
        while (f && !found && fscanf(f, "%ld", &child) == 1)
                found = read_process(child, ret);
        if (f)
                fclose(f);
        if (found)
                return true;
        AUTO_FREE char *dir = xasprintf("/proc/%ld/root%s", pid, container_pgdata(c));
        return *container_pgdata(c) && read_dir(dir, ret);
}

/* ---- through the engine ---- */

static char *field(char *text, const char *name)
{
        for (char *save = NULL, *l = strtok_r(text, "\n", &save); l;
             l = strtok_r(NULL, "\n", &save)) {
                if (!str_starts(l, name))
                        continue;
                l += strlen(name);
                l += strspn(l, ": \t");
                return xstrndup(l, strspn(l, "0123456789"));
        }
        return NULL;
}

static bool through_exec(const HostCall *call, const json_t *c, ContainerServer *ret, Err *err)
{
        const char *data = container_pgdata(c);
        AUTO_FREE char *path = io_join(data, "postmaster.pid");
        AUTO_FREE char *pid_file = NULL, *control = NULL;
        AUTO_ARGV cat = { 0 };
        AUTO_ARGV ask = { 0 };
        argv_add_all(&cat,
                     (const char *const[]){ "docker", "exec", container_id(c), "cat", path, NULL });
        argv_add_all(&ask, (const char *const[]){ "docker", "exec", "--env", "LC_ALL=C",
                                                  container_id(c), "pg_controldata", data, NULL });
        if (!docker_read_text(call, &cat, &pid_file, err) ||
            !docker_read_text(call, &ask, &control, err))
                return false;
        if (!container_server_parse(pid_file, ret))
                return err_set(err, ERR_LINK, "its postmaster.pid is not complete");
        ret->system = field(control, "Database system identifier");
        return ret->system != NULL ||
               err_set(err, ERR_LINK, "pg_controldata names no system identifier");
}

bool container_server(const HostCall *call, const json_t *c, ContainerServer *ret, Err *err)
{
        AUTO_ERR why = { 0 };
        if (through_proc(c, ret) || (*container_pgdata(c) && through_exec(call, c, ret, &why)))
                return true;
        container_server_done(ret);
        if (why.kind == ERR_CANCELLED) {
                err_move(err, &why);
                return false;
        }
        err_set(err, ERR_LINK,
                "no server runs in container %s (yet), or its files cannot be read%s%s",
                container_name(c), why.message ? ": " : "", why.message ? why.message : "");
        return err_hint(err, "docker logs %s says what it does", container_name(c));
}
