/* discover_docker.c: every PostgreSQL in a container on this machine, with what a journey would
 * ask about it: whose project, which volume, who depends on it, what to watch out for.
 *
 * Only looks. What runs is told by the engine and by the server itself, not by the compose
 * file (anchors: the mount that holds data_directory is the truth, whatever the file says). */

#include <stdio.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "base/text.h"
#include "kit/discover.h"
#include "kit/docker.h"
#include "kit/labels.h"

static const ParamSpec db_fields[] = {
        { .name = "name", .type = PARAM_STRING, .help = "database" },
        { .name = "owner", .type = PARAM_STRING, .help = "its owner" },
        { .name = "size", .type = PARAM_SIZE, .help = "bytes" },
        { 0 },
};
static const ParamSpec server_fields[] = {
        { .name = "name", .type = PARAM_STRING, .help = "how to call it" },
        { .name = "runs_as", .type = PARAM_STRING, .help = "compose, docker" },
        { .name = "kind", .type = PARAM_STRING, .help = "compose or container" },
        { .name = "project", .type = PARAM_STRING, .help = "Compose project" },
        { .name = "dir", .type = PARAM_PATH, .help = "its directory" },
        { .name = "service", .type = PARAM_STRING, .help = "its service" },
        { .name = "container", .type = PARAM_STRING, .help = "container" },
        { .name = "image", .type = PARAM_STRING, .help = "image" },
        { .name = "version", .type = PARAM_STRING, .help = "version" },
        { .name = "major", .type = PARAM_INT, .help = "major version" },
        { .name = "support", .type = PARAM_STRING, .help = "until when it is supported" },
        { .name = "user", .type = PARAM_STRING, .help = "superuser" },
        { .name = "db", .type = PARAM_STRING, .help = "the application's database" },
        { .name = "databases", .type = PARAM_LIST, .fields = db_fields, .help = "databases" },
        { .name = "size", .type = PARAM_SIZE, .help = "bytes of all databases" },
        { .name = "volume", .type = PARAM_STRING, .help = "volume or directory of its data" },
        { .name = "mount", .type = PARAM_PATH, .help = "where that is mounted" },
        { .name = "health", .type = PARAM_STRING, .help = "state and health" },
        { .name = "services", .type = PARAM_LIST, .help = "services of its project" },
        { .name = "stop_order", .type = PARAM_LIST, .help = "services to stop before it" },
        { .name = "start_order",
          .type = PARAM_LIST,
          .help = "services to start after it, with health checks" },
        { .name = "warnings", .type = PARAM_LIST, .help = "what to know before touching it" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "servers", .type = PARAM_LIST, .fields = server_fields, .help = "servers found" },
        { .name = "problem",
          .type = PARAM_STRING,
          .help = "why Docker could not be asked, or nothing" },
        { 0 },
};

static bool discover_docker_plan(StepCtx *ctx, void *state, Err *err);
static bool discover_docker_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_discover_docker = {
        .name = "discover.docker",
        .summary = "Find PostgreSQL servers in containers on this machine",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .results = results,
        .plan = discover_docker_plan,
        .run = discover_docker_run,
};

static bool discover_docker_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ docker ps --all; docker inspect; a login to each server found");
        return true;
}

/* ---- is it one? ---- */

static const char *basename_of(const char *image)
{
        const char *slash = strrchr(image, '/');
        return slash ? slash + 1 : image;
}

/* With an entrypoint of its own a container of such an image is something else (a backup, a cron),
 * unless that starts the server in the end. */
static bool runs_something_else(const json_t *c)
{
        static const char *const others[] = { "sh",         "bash",          "ash",  "dash",
                                              "sleep",      "tail",          "cat",  "crond",
                                              "cron",       "supercronic",   "psql", "pg_dump",
                                              "pg_dumpall", "pg_basebackup", "true" };
        const char *path = basename_of(jx_str(c, "Path", ""));
        bool other = false;
        size_t i;
        json_t *word;
        for (i = 0; i < LEN(others); i++)
                other = other || str_eq(path, others[i]);
        json_array_foreach(jx_get(c, "Args"), i, word) {
                const char *text = json_string_value(word) ? json_string_value(word) : "";
                if (strstr(text, "docker-entrypoint.sh") || strstr(text, "exec postgres") ||
                    str_eq(basename_of(text), "postgres"))
                        return false;
        }
        return other;
}

/* Backup side-cars use the same images with another command. */
static bool is_server(const json_t *c)
{
        const char *first =
                json_string_value(json_array_get(jx_get(jx_get(c, "Config"), "Cmd"), 0));
        const char *path = jx_str(c, "Path", ""), *image = basename_of(container_image(c));
        if (*container_label(c, LABEL_RUN) || runs_something_else(c))
                return false;
        bool runs = !first || str_eq(basename_of(first), "postgres") || *first == '-' ||
                    str_eq(basename_of(path), "postgres");
        bool known = container_pg_major(c) || container_env(c, "PGDATA") ||
                     str_starts(image, "postgres") || str_starts(image, "postgis") ||
                     str_starts(image, "pgvector") || str_starts(image, "timescaledb");
        return runs && known && !strstr(image, "exporter") && !strstr(image, "pgbouncer");
}

/* ---- its project ---- */

static json_t *service_record(Compose *c, const char *service)
{
        json_t *s = json_object();
        const json_t *one = compose_container(c, service);
        jx_set_str(s, "name", service);
        jx_set_str(s, "image", one ? container_image(one) : "");
        jx_set_str(s, "state", one ? container_status(one) : "none");
        jx_set_str(s, "health", one ? container_health(one) : "none");
        jx_set(s, "depends_on", compose_depends_on(c, service));
        return s;
}

static void discover_docker_orders(Compose *c, const json_t *users, json_t *server)
{
        json_t *stop = NULL;
        AUTO_JSON start = NULL;
        AUTO_ERR ignored = { 0 };
        if (!compose_order(c, users, true, &stop, &ignored) ||
            !compose_order(c, users, false, &start, &ignored))
                return;
        jx_set(server, "stop_order", stop);
        json_t *records = json_array();
        size_t i;
        json_t *name;
        json_array_foreach(start, i, name) {
                const json_t *one = compose_container(c, json_string_value(name));
                json_t *s = json_object();
                jx_set_str(s, "name", json_string_value(name));
                jx_set_str(s, "health",
                           str_eq(container_health(one), "none") ? "running" : "container");
                jx_set_str(s, "within", "120s");
                json_array_append_new(records, s);
        }
        jx_set(server, "start_order", records);
}

static void read_project(const json_t *container, json_t *server)
{
        const char *dir = container_label(container, "com.docker.compose.project.working_dir");
        const char *project = container_label(container, "com.docker.compose.project");
        const char *service = container_label(container, "com.docker.compose.service");
        AUTO_FREE char *name = xasprintf("%s/%s", project, service);
        jx_set_str(server, "kind", "compose");
        jx_set_str(server, "runs_as", "compose");
        jx_set_str(server, "name", name);
        jx_set_str(server, "project", project);
        jx_set_str(server, "dir", dir);
        jx_set_str(server, "service", service);
        AUTO_COMPOSE c = NULL;
        AUTO_JSON services = NULL;
        AUTO_ERR err = { 0 };
        if (!compose_open(dir, project, &c, &err) || !compose_services(c, &services, &err)) {
                kit_server_warn(server, "its project cannot be read: %s", err.message);
                return;
        }
        json_t *list = json_array();
        size_t i;
        json_t *one;
        json_array_foreach(services, i, one)
                json_array_append_new(list, service_record(c, json_string_value(one)));
        jx_set(server, "services", list);
        AUTO_JSON users = kit_users_in_project(c, services, container);
        AUTO_JSON others = kit_users_elsewhere(container);
        discover_docker_orders(c, users, server);
        json_array_foreach(others, i, one)
                kit_server_warn(
                        server,
                        "container %s, of another project, uses it too: stop it by hand before the "
                        "downtime",
                        json_string_value(one));
}

/* ---- what to watch out for ---- */

static void warn_image(const json_t *c, json_t *server)
{
        const char *image = basename_of(container_image(c)), *colon = strchr(image, ':');
        if (!colon && !strchr(image, '@'))
                kit_server_warn(server,
                                "image %s has no tag: the next pull may bring another major",
                                image);
        else if (colon && (str_eq(colon, ":latest") || str_eq(colon, ":alpine")))
                kit_server_warn(server,
                                "the tag of %s moves: the next pull may bring another major",
                                image);
        if (strstr(image, "alpine"))
                kit_server_warn(server, "Alpine (musl) sorts text in its own order; stay with an "
                                        "-alpine image, or let the copy build the indexes anew, as "
                                        "pgsherpa does");
        if (str_starts(container_image(c), "bitnami"))
                kit_server_warn(
                        server,
                        "Bitnami's images keep their data elsewhere; only a copy by dump moves it");
        if (str_eq(container_label(c, "com.centurylinklabs.watchtower.enable"), "true"))
                kit_server_warn(
                        server,
                        "Watchtower may replace this container by itself: switch that off first");
        if (str_eq(container_label(c, "autoheal"), "true"))
                kit_server_warn(server,
                                "autoheal may restart this container: switch that off first");
        if (str_eq(jx_str(jx_get(jx_get(c, "HostConfig"), "RestartPolicy"), "Name", ""), "always"))
                kit_server_warn(
                        server,
                        "restart: always starts it again whenever the Docker engine restarts");
        const char *method = container_env(c, "POSTGRES_HOST_AUTH_METHOD");
        if (method && str_eq(method, "trust"))
                kit_server_warn(server,
                                "anybody on its network may log in without a password (trust)");
}

static void warn_filesystem(const json_t *mount, json_t *server)
{
        struct statfs fs;
        const char *source = jx_str(mount, "Source", "");
        if (!*source || !docker_is_local() || statfs(source, &fs) < 0)
                return;
        unsigned long type = (unsigned long)fs.f_type & 0xffffffffUL;
        if (type == 0x6969 || type == 0xff534d42UL || type == 0xfe534d42UL || type == 0x517b)
                kit_server_warn(server,
                                "its data is on a network filesystem (%s): not safe for PostgreSQL",
                                source);
}

/* The mount that holds the running server's data_directory, not what the file says. */
static void read_mount(const json_t *c, json_t *server)
{
        AUTO_FREE char *data = xstrdup(jx_str(server, "data_dir", container_pgdata(c)));
        const json_t *mount = container_mount_of(c, data);
        jx_set_str(server, "data_dir", data);
        if (!mount) {
                kit_server_warn(server,
                                "its data (%s) is on no volume: it is lost with the container",
                                data);
                return;
        }
        const char *name = jx_str(mount, "Name", ""), *to = jx_str(mount, "Destination", "");
        jx_set_str(server, "volume", *name ? name : jx_str(mount, "Source", ""));
        jx_set_str(server, "mount", to);
        if (volume_is_anonymous(name))
                kit_server_warn(server, "its data is in an anonymous volume: one recreate of the "
                                        "container away from an empty server");
        /* 18's first images put the data below a mount of the old place (docker-library #1400). */
        if (str_eq(to, "/var/lib/postgresql/data") && strstr(data, "/docker"))
                kit_server_warn(server,
                                "its data is at %s, below a volume that belongs at "
                                "/var/lib/postgresql: do not recreate this container before "
                                "that is repaired",
                                data);
        warn_filesystem(mount, server);
}

/* ---- the server itself ---- */

static void read_server(StepCtx *ctx, const json_t *c, json_t *server)
{
        HostCall look = kit_look(ctx);
        AUTO_FREE char *user = NULL, *db = NULL;
        AUTO_ERR unread = { 0 };
        if (container_login(&look, c, &user, &db, &unread)) {
                jx_set_str(server, "user", user);
                jx_set_str(server, "db", db);
        }
        jx_set_int(server, "major", container_pg_major(c));
        const char *version = container_env(c, "PG_VERSION");
        AUTO_FREE char *short_version =
                version ? xstrndup(version, strspn(version, "0123456789.")) : NULL;
        jx_set_str(server, "version", short_version);
        if (!container_running(c)) {
                jx_set_str(server, "problem", "it is not running");
                return;
        }
        if (!user) {
                jx_set_str(server, "problem", unread.message);
                return;
        }
        AUTO_SECRET password = NULL;
        AUTO_CONTAINER_ADDRESS at = { 0 };
        AUTO_FREE char *why = NULL;
        AUTO_ERR err = { 0 };
        if (!container_address(&look, c, &at, &err) ||
            !container_secret(&look, c, "POSTGRES_PASSWORD", "POSTGRES_PASSWORD", &password,
                              &err)) {
                jx_set_str(server, "problem", err.message);
                return;
        }
        jx_set_int(server, "port", at.port);
        PgParams p = { .host = at.host,
                       .port = at.port,
                       .system = at.system,
                       .user = user,
                       .database = db,
                       .password = password,
                       .app = "pgsherpa/discover",
                       .connect_timeout_ms = 4000,
                       .statement_timeout_ms = 10000 };
        if (kit_server_read(ctx, &p, server, &why))
                return;
        AUTO_FREE char *words = xasprintf("cannot log in as %s: %s", user, why);
        jx_set_str(server, "problem", words);
        if (strstr(why, "password authentication failed"))
                kit_server_warn(server,
                                "POSTGRES_PASSWORD of the container does not open the server: "
                                "it was changed after the volume was made");
}

static json_t *discover_docker_describe(StepCtx *ctx, const json_t *c)
{
        json_t *server = json_object();
        AUTO_FREE char *health =
                str_eq(container_health(c), "none")
                        ? xstrdup(container_status(c))
                        : xasprintf("%s, %s", container_status(c), container_health(c));
        jx_set_str(server, "name", container_name(c));
        jx_set_str(server, "kind", "container");
        jx_set_str(server, "runs_as", "docker");
        jx_set_str(server, "container", container_name(c));
        jx_set_str(server, "image", container_image(c));
        jx_set_str(server, "health", health);
        jx_set(server, "warnings", json_array());
        if (*container_label(c, "com.docker.compose.project"))
                read_project(c, server);
        read_server(ctx, c, server);
        read_mount(c, server);
        warn_image(c, server);
        AUTO_FREE char *support =
                kit_support_words((int)jx_int(server, "major", 0), clock_wall_ms());
        jx_set_str(server, "support", support);
        if (str_starts(support, "ended"))
                kit_server_warn(server, "PostgreSQL %lld gets no security fixes any more (%s)",
                                (long long)jx_int(server, "major", 0), support);
        return server;
}

static bool discover_docker_run(StepCtx *ctx, void *state, Err *err)
{
        json_t *servers = json_array();
        HostCall look = kit_look(ctx);
        AUTO_JSON all = NULL;
        AUTO_ERR why = { 0 };
        step_result_str(ctx, "problem", "");
        /* A machine without Docker is a fact, not a failure. */
        if (!docker_containers(&look, true, NULL, &all, &why)) {
                step_result_set(ctx, "servers", servers);
                if (why.kind == ERR_CANCELLED) {
                        err_move(err, &why);
                        return false;
                }
                AUTO_FREE char *words = xasprintf("%s%s%s", why.message, why.hint ? "; " : "",
                                                  why.hint ? why.hint : "");
                step_result_str(ctx, "problem", words);
                step_report(ctx, "Docker: %s", why.message);
                return true;
        }
        size_t i;
        json_t *c;
        json_array_foreach(all, i, c) {
                if (step_cancelled(ctx)) {
                        json_decref(servers);
                        return err_set(err, ERR_CANCELLED, "looking around was stopped");
                }
                if (!is_server(c))
                        continue;
                step_say(ctx, "looking at %s", container_name(c));
                json_array_append_new(servers, discover_docker_describe(ctx, c));
        }
        step_report(ctx, "%s in %s", THINGS(json_array_size(servers), "server"),
                    THINGS(json_array_size(all), "container"));
        step_result_set(ctx, "servers", servers);
        return true;
}
