/* discover_local.c: PostgreSQL servers of this machine itself, found by their sockets.
 *
 * A Debian cluster, a hand-started one: each listens on .s.PGSQL.PORT in one of a few
 * directories. Sockets inside containers are in other mount namespaces and not seen here. */
#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "kit/discover.h"

static const ParamSpec params[] = {
        { .name = "sockets",
          .type = PARAM_LIST,
          .item = PARAM_PATH,
          .fallback = "[\"/run/postgresql\", \"/tmp\"]",
          .help = "directories to look into" },
        { .name = "user",
          .type = PARAM_STRING,
          .fallback = "postgres",
          .help = "role to log in as" },
        { .name = "password",
          .type = PARAM_SECRET,
          .fallback = "",
          .help = "its password, where one is wanted" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "servers",
          .type = PARAM_LIST,
          .help = "servers found, described as discover.docker does" },
        { .name = "problem",
          .type = PARAM_STRING,
          .help = "why nothing could be looked at, or nothing" },
        { 0 },
};

static bool discover_local_plan(StepCtx *ctx, void *state, Err *err);
static bool discover_local_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_discover_local = {
        .name = "discover.local",
        .summary = "Find PostgreSQL servers that listen on this machine",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .plan = discover_local_plan,
        .run = discover_local_run,
};

static bool discover_local_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# looks for .s.PGSQL.* in /run/postgresql and /tmp, and logs in to each");
        return true;
}

/* First line of postmaster.pid's neighbour: /proc/PID/cgroup tells a systemd unit. */
static char *runs_as(int port, const char *dir)
{
        AUTO_FREE char *lock = xasprintf("%s/.s.PGSQL.%d.lock", dir, port);
        AUTO_FREE char *text = NULL;
        AUTO_ERR ignored = { 0 };
        if (!io_read_file(lock, 8192, &text, NULL, &ignored))
                return xstrdup("local");
        AUTO_FREE char *path = xasprintf("/proc/%ld/cgroup", strtol(text, NULL, 10));
        AUTO_FREE char *cgroup = NULL;
        if (io_read_file(path, 65536, &cgroup, NULL, &ignored) && strstr(cgroup, "postgresql@"))
                return xstrdup("systemd");
        return xstrdup("local");
}

/* The data directory stands in the second line of the socket's lock file. */
static void from_lock(json_t *server, const char *dir, int port)
{
        AUTO_FREE char *lock = xasprintf("%s/.s.PGSQL.%d.lock", dir, port);
        AUTO_FREE char *text = NULL, *version = NULL;
        AUTO_ERR ignored = { 0 };
        if (!io_read_file(lock, 8192, &text, NULL, &ignored))
                return;
        const char *second = strchr(text, '\n');
        if (!second)
                return;
        AUTO_FREE char *data = xstrndup(second + 1, strcspn(second + 1, "\n"));
        AUTO_FREE char *file = io_join(data, "PG_VERSION");
        jx_set_str(server, "data_dir", data);
        if (io_read_file(file, 64, &version, NULL, &ignored))
                jx_set_int(server, "major", atoi(version));
}

static json_t *discover_local_describe(StepCtx *ctx, const char *dir, int port,
                                       const Secret *password)
{
        json_t *server = json_object();
        AUTO_FREE char *name = xasprintf("localhost:%d", port);
        AUTO_FREE char *how = runs_as(port, dir);
        AUTO_FREE char *why = NULL;
        const char *user = step_str(ctx, "user");
        jx_set_str(server, "name", name);
        jx_set_str(server, "kind", "local");
        jx_set_str(server, "runs_as", how);
        jx_set_str(server, "host", "127.0.0.1");
        jx_set_str(server, "socket", dir);
        jx_set_int(server, "port", port);
        jx_set_str(server, "user", user);
        jx_set(server, "warnings", json_array());
        from_lock(server, dir, port);
        PgParams p = { .host = dir,
                       .port = port,
                       .user = user,
                       .database = "postgres",
                       .password = password,
                       .app = "pgsherpa/discover",
                       .connect_timeout_ms = 3000,
                       .statement_timeout_ms = 10000 };
        if (!kit_server_read(ctx, &p, server, &why)) {
                AUTO_FREE char *words = xasprintf("cannot log in as %s: %s", user, why);
                jx_set_str(server, "problem", words);
        }
        /* The one that is not `postgres` and largest is most likely what people mean. */
        const json_t *best = NULL;
        size_t i;
        json_t *db;
        json_array_foreach(jx_get(server, "databases"), i, db) {
                if (!str_eq(jx_str(db, "name", ""), "postgres") &&
                    (!best || jx_int(db, "size", 0) > jx_int(best, "size", 0)))
                        best = db;
        }
        jx_set_str(server, "db", best ? jx_str(best, "name", "") : "postgres");
        AUTO_FREE char *support =
                kit_support_words((int)jx_int(server, "major", 0), clock_wall_ms());
        jx_set_str(server, "support", support);
        if (str_starts(support, "ended"))
                kit_server_warn(server, "PostgreSQL %lld gets no security fixes any more (%s)",
                                (long long)jx_int(server, "major", 0), support);
        return server;
}

static void look_into(StepCtx *ctx, const char *dir, const Secret *password, json_t *servers)
{
        DIR *d = opendir(dir);
        for (struct dirent *e; d && (e = readdir(d));) {
                int port = 0, used = 0;
                if (sscanf(e->d_name, ".s.PGSQL.%5d%n", &port, &used) != 1 || e->d_name[used] ||
                    port <= 0)
                        continue;
                AUTO_FREE char *path = io_join(dir, e->d_name);
                struct stat st;
                if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) || step_cancelled(ctx))
                        continue;
                step_say(ctx, "looking at %s", path);
                json_array_append_new(servers, discover_local_describe(ctx, dir, port, password));
        }
        if (d)
                closedir(d);
}

static bool discover_local_run(StepCtx *ctx, void *state, Err *err)
{
        json_t *servers = json_array();
        const Secret *password = NULL;
        step_result_str(ctx, "problem", "");
        step_result_set(ctx, "servers", servers);
        if (json_is_object(step_get(ctx, "password")) &&
            !(password = step_secret(ctx, "password", err)))
                return false;
        size_t i;
        json_t *dir;
        json_array_foreach(step_get(ctx, "sockets"), i, dir) {
                if (json_is_string(dir))
                        look_into(ctx, json_string_value(dir), password, servers);
        }
        step_report(ctx, "%zu servers", json_array_size(servers));
        return true;
}
