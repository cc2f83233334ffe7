/* run_like.c: what a server of ours takes over from the service it stands for: platform,
 * environment, mounted files, command; and what it does not, in words that are said before anything
 * is made.
 *
 * It takes what the server reads. It does not take what reaches others: published ports, networks,
 * archiving, log files; nor limits, which the copy would run into and the service has again later.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "kit/layout.h"
#include "kit/run_as.h"

static bool run_like_is_below(const char *path, const char *dir)
{
        size_t n = strlen(dir);
        while (n > 1 && dir[n - 1] == '/')
                n--;
        return n && strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/' || n == 1);
}

static const char *config_text(const json_t *list, size_t i)
{
        const char *text = json_string_value(json_array_get(list, i));
        return text ? text : "";
}

/* ---- platform ---- */

const char *kit_service_platform(Compose *c, const char *service)
{
        const json_t *s = NULL;
        AUTO_ERR ignored = { 0 };
        if (!c || !compose_service(c, service, &s, &ignored))
                return "";
        const char *platform = jx_str(s, "platform", "");
        return strchr(platform, '$') ? "" : platform;
}

/* ---- environment ---- */

/* What the image itself sets, what is given by name, and what is for clients: libpq's variables
 * would send the entry point's psql elsewhere. */
static bool is_own_business(const char *entry)
{
        static const char *const names[] = {
                "PATH",
                "HOME",
                "HOSTNAME",
                "TERM",
                "PGDATA",
                "PG_MAJOR",
                "PG_VERSION",
                "PG_SHA256",
                "GOSU_VERSION",
                "POSTGRES_USER",
                "POSTGRES_USER_FILE",
                "POSTGRES_PASSWORD",
                "POSTGRES_PASSWORD_FILE",
                "POSTGRES_DB",
                "POSTGRES_DB_FILE",
                "POSTGRES_INITDB_ARGS",
                "POSTGRES_INITDB_ARGS_FILE",
                "POSTGRES_INITDB_WALDIR",
                "POSTGRES_INITDB_WALDIR_FILE",
                "POSTGRES_HOST_AUTH_METHOD",
                "PGHOST",
                "PGHOSTADDR",
                "PGPORT",
                "PGUSER",
                "PGPASSWORD",
                "PGPASSFILE",
                "PGDATABASE",
                "PGSERVICE",
                "PGSERVICEFILE",
                "PGOPTIONS",
        };
        for (size_t i = 0; i < LEN(names); i++)
                if (str_starts(entry, names[i]) && entry[strlen(names[i])] == '=')
                        return true;
        return false;
}

static bool run_like_is_listed(const json_t *list, const char *text)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one)
                if (str_eq(json_string_value(one), text))
                        return true;
        return false;
}

static bool is_taken(const json_t *image, const char *entry)
{
        const char *equals = entry ? strchr(entry, '=') : NULL;
        /* in a name no --env-file takes it */
        const char *odd = entry ? strpbrk(entry, " \t#") : NULL;
        return equals && (!odd || odd > equals) && !is_own_business(entry) &&
               !run_like_is_listed(jx_get(jx_get(image, "Config"), "Env"), entry);
}

bool kit_service_environment(const HostCall *call, const json_t *service, const json_t *image,
                             char **ret_initdb, Buf *b, Err *err)
{
        size_t i;
        json_t *one;
        json_array_foreach(jx_get(jx_get(service, "Config"), "Env"), i, one) {
                const char *entry = json_string_value(one);
                if (is_taken(image, entry) && !strpbrk(entry, "\r\n"))
                        buf_printf(b, "%s\n", entry);
        }
        return container_value(call, service, "POSTGRES_INITDB_ARGS", ret_initdb, err);
}

/* ---- mounted files ---- */

/* The data's own place, init scripts (they ran once, years ago), and sockets' directories are not.
 */
static bool is_mounted_again(const json_t *mount, const char *old_data, const PgLayout *layout)
{
        static const char *const sockets[] = { "/var/run/postgresql", "/run/postgresql", "/tmp",
                                               "/dev/shm" };
        const char *to = jx_str(mount, "Destination", ""), *from = jx_str(mount, "Source", "");
        struct stat st;
        if (!*from || !*to || str_eq(jx_str(mount, "Type", ""), "tmpfs"))
                return false;
        if (run_like_is_below(old_data, to) || run_like_is_below(to, old_data) ||
            run_like_is_below(to, layout->pgdata) || run_like_is_below(layout->mount, to) ||
            run_like_is_below(to, "/docker-entrypoint-initdb.d"))
                return false;
        for (size_t i = 0; i < LEN(sockets); i++)
                if (run_like_is_below(sockets[i], to) || run_like_is_below(to, sockets[i]))
                        return false;
        /* A socket or a device is somebody else's (docker.sock). */
        return !docker_is_local() || stat(from, &st) < 0 || S_ISREG(st.st_mode) ||
               S_ISDIR(st.st_mode);
}

void kit_service_mounts(const json_t *service, const PgLayout *layout, Argv *a)
{
        const char *old_data = container_pgdata(service);
        size_t i;
        json_t *m;
        json_array_foreach(jx_get(service, "Mounts"), i, m) {
                bool volume = str_eq(jx_str(m, "Type", ""), "volume");
                if (!is_mounted_again(m, old_data, layout))
                        continue;
                argv_add(a, "--mount");
                argv_addf(a, "type=%s,source=%s,target=%s,readonly", volume ? "volume" : "bind",
                          jx_str(m, volume ? "Name" : "Source", ""), jx_str(m, "Destination", ""));
        }
}

/* ---- command ---- */

typedef enum Command { COMMAND_PLAIN, COMMAND_OPTIONS, COMMAND_OTHER, COMMAND_ENTRYPOINT } Command;

static Command command_of(const json_t *service, const json_t *image)
{
        const json_t *config = jx_get(service, "Config"), *cmd = jx_get(config, "Cmd");
        const json_t *own = jx_get(jx_get(image, "Config"), "Entrypoint"),
                     *now = jx_get(config, "Entrypoint");
        const char *first = config_text(cmd, 0), *slash = strrchr(first, '/');
        if (image && !json_equal(own, now) && (json_array_size(own) || json_array_size(now)))
                return COMMAND_ENTRYPOINT;
        bool named = str_eq(slash ? slash + 1 : first, "postgres");
        if (!json_array_size(cmd) || (named && json_array_size(cmd) == 1))
                return COMMAND_PLAIN;
        return named || *first == '-' ? COMMAND_OPTIONS : COMMAND_OTHER;
}

/* Words of a command line are seen by everybody on the machine, and in the step's log. */
static bool holds_a_secret(const char *word)
{
        return strcasestr(word, "password=") || strcasestr(word, "conninfo") ||
               strcasestr(word, "secret") || strcasestr(word, "token") || strstr(word, "://");
}

static bool is_switch(const char *word)
{
        return str_eq(word, "-c");
}

void kit_service_command_beside(const json_t *service, const json_t *image, Argv *a)
{
        if (command_of(service, image) == COMMAND_OPTIONS)
                argv_add_all(a, (const char *const[]){ "-c", "huge_pages=try", NULL });
}

void kit_service_command(const json_t *service, const json_t *image, const PgLayout *layout,
                         Argv *a)
{
        const json_t *cmd = jx_get(jx_get(service, "Config"), "Cmd");
        if (command_of(service, image) != COMMAND_OPTIONS)
                return;
        for (size_t i = 0; i < json_array_size(cmd); i++) {
                const char *word = config_text(cmd, i);
                bool pair = is_switch(word) && i + 1 < json_array_size(cmd);
                if (holds_a_secret(pair ? config_text(cmd, i + 1) : word)) {
                        i += pair;
                        continue;
                }
                argv_add(a, word);
                if (pair)
                        argv_add(a, config_text(cmd, ++i));
        }
        /* The last word counts: we must reach it, it must leave the service's archive and logs
         * alone, and do none of its jobs. */
        static const char *const ours[] = { "listen_addresses=*",
                                            "port=5432",
                                            "unix_socket_directories=/var/run/postgresql",
                                            "archive_mode=off",
                                            "logging_collector=off",
                                            "cron.launch_active_jobs=off" };
        kit_service_command_beside(service, image, a);
        for (size_t i = 0; i < LEN(ours); i++) {
                argv_add(a, "-c");
                argv_add(a, ours[i]);
        }
        argv_add(a, "-c");
        argv_addf(a, "hba_file=%s/pg_hba.conf", layout->pgdata);
        argv_add(a, "-c");
        argv_addf(a, "ident_file=%s/pg_ident.conf", layout->pgdata);
}

/* ---- what differs ---- */

static void say_command(const json_t *service, const json_t *image, json_t *out)
{
        const json_t *config = jx_get(service, "Config"), *cmd = jx_get(config, "Cmd");
        Command is = command_of(service, image);
        AUTO_FREE char *first = text_clean_str(
                config_text(is == COMMAND_ENTRYPOINT ? jx_get(config, "Entrypoint") : cmd, 0));
        AUTO_FREE char *words = NULL;
        if (is == COMMAND_ENTRYPOINT)
                words = xasprintf("the service has an entrypoint of its own (%.60s): the new "
                                  "server is made with the image's, "
                                  "and what that program does is not tried",
                                  first);
        if (is == COMMAND_OTHER)
                words = xasprintf("the service's command is a program around the server (%.60s): "
                                  "the new server is made without it; settings written there hold "
                                  "when Compose starts the service",
                                  first);
        if (words)
                jx_append_str(out, words);
        for (size_t i = 0; is == COMMAND_OPTIONS && i < json_array_size(cmd); i++)
                if (holds_a_secret(config_text(cmd, i))) {
                        AUTO_FREE char *name = text_clean_str(config_text(cmd, i));
                        AUTO_FREE char *line =
                                xasprintf("%.*s on the command line may hold a password: the new "
                                          "server is made without it",
                                          (int)strcspn(name, "="), name);
                        jx_append_str(out, line);
                }
}

static void say_environment(const HostCall *call, const json_t *service, const json_t *image,
                            json_t *out)
{
        size_t i;
        json_t *one;
        AUTO_FREE char *waldir = NULL;
        AUTO_ERR ignored = { 0 };
        json_array_foreach(jx_get(jx_get(service, "Config"), "Env"), i, one) {
                const char *entry = json_string_value(one);
                if (!is_taken(image, entry) || !strpbrk(entry, "\r\n"))
                        continue;
                AUTO_FREE char *name = xstrndup(entry, strcspn(entry, "="));
                AUTO_FREE char *line = xasprintf(
                        "variable %.80s holds a line break: the new server is made without it",
                        name);
                jx_append_str(out, line);
        }
        if (container_value(call, service, "POSTGRES_INITDB_WALDIR", &waldir, &ignored) && waldir) {
                AUTO_FREE char *clean = text_clean_str(waldir);
                AUTO_FREE char *line = xasprintf("POSTGRES_INITDB_WALDIR (%.80s): pg_wal of the "
                                                 "new server is on the new volume, "
                                                 "with the rest of it",
                                                 clean);
                jx_append_str(out, line);
        }
}

json_t *kit_differs_from_service(const HostCall *call, const json_t *service, const json_t *image)
{
        json_t *out = json_array();
        AUTO_BUF limits = buf_init(256);
        if (!service)
                return out;
        say_command(service, image, out);
        say_environment(call, service, image, out);
        if (kit_limits_in_words(service, &limits)) {
                AUTO_FREE char *line =
                        xasprintf("limits of the service (%s): the new server starts once within "
                                  "them, to see that it can; while it is filled it has none, and "
                                  "has them again when Compose starts the service",
                                  buf_str(&limits));
                jx_append_str(out, line);
        }
        return out;
}
