#include "host/compose/compose_internal.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"

#define L_PROJECT  "com.docker.compose.project"
#define L_SERVICE  "com.docker.compose.service"
#define L_DIR      "com.docker.compose.project.working_dir"
#define L_FILES    "com.docker.compose.project.config_files"
#define L_ENV_FILE "com.docker.compose.project.environment_file"
#define L_HASH     "com.docker.compose.config-hash"
#define L_ONEOFF   "com.docker.compose.oneoff"

struct Compose {
        char *dir, *project;
        json_t *files; /* absolute; empty: let Compose find them in dir */
        json_t *env_files;
        json_t *config;     /* not interpolated; NULL: not read yet */
        json_t *containers; /* inspect JSON of all, one-offs left out */
};

Compose *compose_close(Compose *c)
{
        if (!c)
                return NULL;
        free(c->dir);
        free(c->project);
        json_decref(c->files);
        json_decref(c->env_files);
        json_decref(c->config);
        json_decref(c->containers);
        free(c);
        return NULL;
}

const char *compose_dir(const Compose *c)
{
        return c->dir;
}

const char *compose_project(const Compose *c)
{
        return c->project;
}

const json_t *compose_files(const Compose *c)
{
        return c->files;
}

const json_t *compose_env_files(const Compose *c)
{
        return c->env_files;
}

json_t *compose_config_files(const Compose *c)
{
        return json_incref(c->files);
}

const json_t *compose_containers(const Compose *c)
{
        return c->containers;
}

/* ---- finding it ---- */

static bool same_dir(const char *a, const char *b)
{
        if (str_eq(a, b))
                return true;
        AUTO_FREE char *real = realpath(a, NULL);
        return real && str_eq(real, b);
}

static json_t *split_paths(const char *list, const char *dir)
{
        json_t *out = json_array();
        while (*list) {
                size_t n = strcspn(list, ",");
                AUTO_FREE char *one = xstrndup(list, n);
                if (*one == '/') {
                        json_array_append_new(out, json_string(one));
                } else if (*one) {
                        AUTO_FREE char *full = io_join(dir, one);
                        json_array_append_new(out, json_string(full));
                }
                list += n + (list[n] == ',');
        }
        return out;
}

static bool load_containers(Compose *c, Err *err)
{
        AUTO_FREE char *filter = xasprintf("label=" L_PROJECT "=%s", c->project);
        json_t *all = NULL;
        if (!docker_containers(NULL, true, (const char *const[]){ filter, NULL }, &all, err))
                return err_wrap(err, "looking at project %s", c->project);
        json_decref(c->containers);
        c->containers = json_array();
        size_t i;
        json_t *one;
        json_array_foreach(all, i, one) {
                if (strcasecmp(container_label(one, L_ONEOFF), "true") != 0)
                        json_array_append(c->containers, one);
        }
        json_decref(all);
        return true;
}

/* The project whose containers say they were started from `dir`. Several: which one? */
static bool project_of_dir(const char *dir, char **ret, Err *err)
{
        AUTO_JSON all = NULL;
        if (!docker_containers(NULL, true, (const char *const[]){ "label=" L_DIR, NULL }, &all,
                               err))
                return false;
        const char *found = NULL;
        size_t i;
        json_t *one;
        json_array_foreach(all, i, one) {
                if (!same_dir(container_label(one, L_DIR), dir))
                        continue;
                const char *project = container_label(one, L_PROJECT);
                if (found && !str_eq(found, project)) {
                        err_set(err, ERR_USER, "two Compose projects run from %s: %s and %s", dir,
                                found, project);
                        return err_hint(err, "say which with `project:` in the target");
                }
                found = project;
        }
        *ret = found ? xstrdup(found) : NULL;
        return true;
}

static json_t *default_files(const char *dir)
{
        static const char *const bases[] = { "compose.yaml", "compose.yml", "docker-compose.yml",
                                             "docker-compose.yaml" };
        static const char *const overrides[] = { "compose.override.yaml", "compose.override.yml",
                                                 "docker-compose.override.yml",
                                                 "docker-compose.override.yaml" };
        json_t *out = json_array();
        const char *const *lists[] = { bases, overrides };
        for (size_t k = 0; k < 2; k++) {
                for (size_t i = 0; i < LEN(bases); i++) {
                        AUTO_FREE char *path = io_join(dir, lists[k][i]);
                        if (access(path, R_OK) == 0) {
                                json_array_append_new(out, json_string(path));
                                break;
                        }
                }
                if (json_array_size(out) == 0)
                        break;
        }
        return out;
}

static bool project_from_files(Compose *c, Err *err)
{
        c->files = default_files(c->dir);
        if (json_array_size(c->files) == 0) {
                err_set(err, ERR_USER, "there is no Compose project in %s", c->dir);
                return err_hint(
                        err,
                        "give the directory that holds its compose.yaml, or docker-compose.yml");
        }
        const json_t *config = NULL;
        AUTO_FREE char *given = c->project;
        c->project = given && *given ? xstrdup(given) : NULL;
        if (!compose_config(c, &config, err))
                return false;
        if (!c->project)
                c->project = xstrdup(jx_str(config, "name", ""));
        return true;
}

char *compose_override_path(const Compose *c)
{
        AUTO_JSON found = default_files(c->dir);
        const char *base = json_string_value(json_array_get(found, 0));
        const char *only = json_string_value(json_array_get(c->files, 0));
        if (json_array_size(c->files) != 1 || !base || !only || !str_eq(base, only))
                return NULL;
        bool old = strstr(strrchr(base, '/'), "docker-compose") != NULL;
        return io_join(c->dir, old ? "docker-compose.override.yml" : "compose.override.yaml");
}

/* An override file of ours counts from the moment it is written, not only when a container was made
 * with it; one of somebody else's, which the containers do not know, may be there on purpose. */
static void add_our_override(Compose *c)
{
        AUTO_FREE char *path = compose_override_path(c);
        AUTO_FREE char *bytes = NULL;
        AUTO_ERR ignored = { 0 };
        size_t n = 0;
        if (path && io_exists(path) &&
            io_read_file(path, LIMIT_COMPOSE_FILE, &bytes, &n, &ignored) &&
            str_starts(bytes, COMPOSE_OVERRIDE_MARK))
                json_array_append_new(c->files, json_string(path));
}

bool compose_open(const char *dir, const char *project, Compose **ret, Err *err)
{
        AUTO_COMPOSE c = xcalloc(1, sizeof *c);
        c->dir = realpath(dir, NULL);
        if (!c->dir) {
                AUTO_FREE char *clean = text_clean_str(dir);
                return err_set(err, ERR_USER, "there is no directory %s", clean);
        }
        if (!docker_compose_usable(NULL, err))
                return false;
        if (project && *project)
                c->project = xstrdup(project);
        else if (!project_of_dir(c->dir, &c->project, err))
                return false;
        if (c->project && !load_containers(c, err))
                return false;
        const json_t *first = json_array_get(c->containers, 0);
        if (first) {
                const char *home = container_label(first, L_DIR);
                if (!same_dir(home, c->dir))
                        return err_set(err, ERR_USER, "project %s was started from %s, not from %s",
                                       c->project, home, c->dir);
                c->files = split_paths(container_label(first, L_FILES), c->dir);
                c->env_files = split_paths(container_label(first, L_ENV_FILE), c->dir);
                add_our_override(c);
        } else if (!project_from_files(c, err) || !load_containers(c, err)) {
                return false;
        }
        *ret = c;
        c = NULL;
        return true;
}

bool compose_refresh(Compose *c, Err *err)
{
        json_decref(c->config); /* the files may have been edited, too */
        c->config = NULL;
        return load_containers(c, err);
}

/* ---- talking to Compose ---- */

void compose_begin(const Compose *c, Argv *a)
{
        argv_add_all(a, (const char *const[]){ "docker", "compose", "--project-directory", c->dir,
                                               NULL });
        if (c->project) {
                argv_add(a, "--project-name");
                argv_add(a, c->project);
        }
        size_t i;
        json_t *path;
        json_array_foreach(c->files, i, path) {
                argv_add(a, "--file");
                argv_add(a, json_string_value(path));
        }
        json_array_foreach(c->env_files, i, path) {
                argv_add(a, "--env-file");
                argv_add(a, json_string_value(path));
        }
}

void compose_begin_short(const Compose *c, Argv *a)
{
        argv_add_all(a, (const char *const[]){ "docker", "compose", "-p", c->project, NULL });
}

bool compose_config(Compose *c, const json_t **ret, Err *err)
{
        if (!c->config) {
                AUTO_ARGV a = { 0 };
                compose_begin(c, &a);
                argv_add_all(&a, (const char *const[]){ "--profile", "*", "config", "--format",
                                                        "json", "--no-interpolate", NULL });
                if (!docker_read_json(NULL, &a, &c->config, err))
                        return err_wrap(err, "reading the compose file of %s", c->dir);
        }
        *ret = c->config;
        return true;
}

bool compose_service(Compose *c, const char *service, const json_t **ret, Err *err)
{
        const json_t *config = NULL;
        if (!compose_config(c, &config, err))
                return false;
        *ret = jx_get(jx_get(config, "services"), service);
        if (*ret)
                return true;
        AUTO_BUF names = buf_init(4096);
        const char *key;
        json_t *value;
        json_object_foreach(jx_get(config, "services"), key, value)
                buf_printf(&names, "%s%s", names.len ? ", " : "", key);
        AUTO_FREE char *clean = text_clean_str(service);
        err_set(err, ERR_USER, "project %s has no service %s", c->project, clean);
        return err_hint(err, "its services are: %s", buf_str(&names));
}

/* ---- what runs ---- */

const json_t *compose_container(const Compose *c, const char *service)
{
        const json_t *best = NULL;
        size_t i;
        json_t *one;
        json_array_foreach(c->containers, i, one) {
                if (!str_eq(container_label(one, L_SERVICE), service))
                        continue;
                bool better = !best || (container_running(one) && !container_running(best)) ||
                              (container_running(one) == container_running(best) &&
                               strcmp(jx_str(one, "Created", ""), jx_str(best, "Created", "")) > 0);
                if (better)
                        best = one;
        }
        return best;
}

bool compose_service_container(Compose *c, const char *service, char **ret_id, Err *err)
{
        const json_t *one = compose_container(c, service);
        if (!one) {
                const json_t *ignored = NULL;
                if (!compose_service(c, service, &ignored, err))
                        return false;
                err_set(err, ERR_LINK, "service %s of project %s has no container", service,
                        c->project);
                return err_hint(err, "start it: docker compose -p %s up -d %s", c->project,
                                service);
        }
        *ret_id = xstrdup(container_id(one));
        return true;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool compose_services(Compose *c, json_t **ret, Err *err)
{
        const json_t *config = NULL;
        if (!compose_config(c, &config, err))
                return false;
        const json_t *services = jx_get(config, "services");
        size_t n = 0, i;
        const char **names = xcalloc(
                json_object_size(services) + json_array_size(c->containers) + 1, sizeof *names);
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)services, key, value)
                names[n++] = key;
        json_array_foreach(c->containers, i, value) {
                const char *name = container_label(value, L_SERVICE);
                bool there = false;
                for (size_t k = 0; k < n && !there; k++)
                        there = str_eq(names[k], name);
                if (!there)
                        names[n++] = name;
        }
        qsort(names, n, sizeof *names, by_name);
        *ret = json_array();
        for (i = 0; i < n; i++)
                jx_append_str(*ret, names[i]);
        free(names);
        return true;
}

/* ---- drift ---- */

bool compose_drift(Compose *c, json_t **ret, Err *err)
{
        AUTO_ARGV a = { 0 };
        compose_begin(c, &a);
        argv_add_all(&a, (const char *const[]){ "--profile", "*", "config", "--hash", "*", NULL });
        AUTO_FREE char *hashes = NULL;
        if (!docker_read_text(NULL, &a, &hashes, err))
                return err_wrap(err, "hashing the compose file of %s", c->dir);
        AUTO_JSON wanted = json_object();
        for (char *save = NULL, *line = strtok_r(hashes, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
                char *space = strchr(line, ' ');
                if (space) {
                        *space = '\0';
                        jx_set_str(wanted, line, space + 1);
                }
        }
        json_t *drifted = json_array();
        size_t i;
        json_t *one;
        json_array_foreach(c->containers, i, one) {
                const char *service = container_label(one, L_SERVICE);
                const char *now = jx_str(wanted, service, ""), *why = NULL;
                if (!container_running(one))
                        continue;
                if (!*now)
                        why = "the service is no longer in the compose file";
                else if (!str_eq(now, container_label(one, L_HASH)))
                        why = "the compose file or .env was changed after this container was made";
                if (!why)
                        continue;
                json_t *d = json_object();
                jx_set_str(d, "service", service);
                jx_set_str(d, "container", container_name(one));
                jx_set_str(d, "why", why);
                json_array_append_new(drifted, d);
        }
        *ret = drifted;
        return true;
}

const char *compose_service_env(Compose *c, const char *service, const char *key, Err *err)
{
        const json_t *s = NULL;
        if (!compose_service(c, service, &s, err))
                return NULL;
        const json_t *env = jx_get(s, "environment");
        if (json_is_object(env))
                return jx_str(env, key, NULL);
        size_t i, n = strlen(key);
        json_t *one;
        json_array_foreach(env, i, one) {
                const char *text = json_string_value(one);
                if (text && strncmp(text, key, n) == 0 && text[n] == '=')
                        return text + n + 1;
        }
        return NULL;
}
