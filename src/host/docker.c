#include "host/docker.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#define LOOK_MS (120 * 1000) /* docker inspect on a machine that swaps */

void docker_begin(Argv *a)
{
        argv_add(a, "docker");
}

bool docker_is_local(void)
{
        const char *host = getenv("DOCKER_HOST"), *context = getenv("DOCKER_CONTEXT");
        return (!host || !*host || str_starts(host, "unix://")) &&
               (!context || !*context || str_eq(context, "default"));
}

bool docker_explain(Err *err, const char *said)
{
        if (strcasestr(said, "permission denied") && strstr(said, "ocker")) {
                err_set(err, ERR_USER, "no permission to talk to the Docker engine");
                return err_hint(err, "run pgsherpa as root, or as a member of group docker "
                                     "(usermod -aG docker NAME, then log in again)");
        }
        if (strcasestr(said, "Cannot connect to the Docker daemon") ||
            strcasestr(said, "Is the docker daemon running") ||
            strcasestr(said, "error during connect")) {
                err_set(err, ERR_LINK, "the Docker engine does not answer");
                return err_hint(err,
                                "is it running? systemctl start docker; is DOCKER_HOST right?");
        }
        return false;
}

static void announce(const HostCall *call, const Argv *argv)
{
        if (!call || !call->say)
                return;
        AUTO_FREE char *text = argv_for_humans(argv);
        call->say(call->arg, 0, text);
}

/* "docker pull", "docker compose up": what a person would call this command. */
static char *command_words(const Argv *argv)
{
        static const char *const verbs[] = { "up", "stop", "start", "config", "version", "rm" };
        const char *verb = argv->n > 1 ? argv->v[1] : "";
        for (size_t i = 2; i < argv->n && str_eq(verb, "compose"); i++)
                for (size_t k = 0; k < LEN(verbs); k++)
                        if (str_eq(argv->v[i], verbs[k]))
                                return xasprintf("docker compose %s", verbs[k]);
        return xasprintf("docker %s", verb);
}

/* The engine's own last error, for `docker start` ends with a line that only names containers;
 * else the last line it wrote. */
static char *last_line(const char *said)
{
        static const char preamble[] = "Error response from daemon: ";
        const char *end = said + strlen(said), *start = NULL;
        for (const char *at = said; (at = strstr(at, preamble)); at += strlen(preamble))
                start = at + strlen(preamble);
        if (start)
                return xstrndup(start, strcspn(start, "\r\n"));
        while (end > said && strchr("\r\n ", end[-1]))
                end--;
        start = end;
        while (start > said && start[-1] != '\n')
                start--;
        return xstrndup(start, (size_t)(end - start));
}

static bool explain_failure(const Argv *argv, const ProcResult *r, Err *err)
{
        if (err->kind == ERR_CANCELLED)
                return false;
        if (err->kind == ERR_COMMAND && err->exit_status == 127 && !r->pid) {
                err_set(err, ERR_USER, "the docker command was not found");
                return err_hint(err, "install Docker, or work on the machine that has it");
        }
        AUTO_FREE char *said = text_clean_lines(buf_str(&r->err), r->err.len);
        AUTO_ERR ours = { 0 };
        docker_explain(&ours, said);
        if (ours.kind != ERR_NONE) {
                err_move(err, &ours);
                return false;
        }
        AUTO_FREE char *what = command_words(argv);
        AUTO_FREE char *line = last_line(said);
        if (err->kind != ERR_COMMAND || r->status == 0 || !*line)
                return err_wrap(err, "%s", what);
        int status = err->exit_status;
        err_set(err, ERR_COMMAND, "%s: %s", what, line);
        err->exit_status = status;
        return false;
}

static bool look(const HostCall *call, const Argv *argv, ProcResult *r, Err *err)
{
        ProcOptions o = { .cancel = call ? call->cancel : NULL,
                          .timeout_ms = call && call->timeout_ms ? call->timeout_ms : LOOK_MS };
        return proc_run(argv, &o, r, err) || explain_failure(argv, r, err);
}

bool docker_read_json(const HostCall *call, const Argv *argv, json_t **ret, Err *err)
{
        AUTO_PROC r = { 0 };
        if (!look(call, argv, &r, err))
                return false;
        *ret = jx_parse(buf_str(&r.out), r.out.len, err);
        return *ret ||
               err_wrap(err, "reading the answer of docker %s", argv->n > 1 ? argv->v[1] : "");
}

bool docker_read_lines(const HostCall *call, const Argv *argv, json_t **ret, Err *err)
{
        AUTO_PROC r = { 0 };
        if (!look(call, argv, &r, err))
                return false;
        AUTO_JSON all = json_array();
        for (const char *p = buf_str(&r.out); *p;) {
                size_t n = strcspn(p, "\n");
                if (n) {
                        json_t *one = jx_parse(p, n, err);
                        if (!one)
                                return err_wrap(err, "reading the answer of docker %s", argv->v[1]);
                        json_array_append_new(all, one);
                }
                p += n + (p[n] == '\n');
        }
        *ret = json_incref(all);
        return true;
}

bool docker_read_text(const HostCall *call, const Argv *argv, char **ret, Err *err)
{
        AUTO_PROC r = { 0 };
        if (!look(call, argv, &r, err))
                return false;
        size_t n = r.out.len;
        while (n && (r.out.data[n - 1] == '\n' || r.out.data[n - 1] == '\r'))
                n--;
        *ret = xstrndup(buf_str(&r.out), n);
        return true;
}

static void pass_line(void *arg, int fd, const char *line)
{
        const HostCall *call = arg;
        call->say(call->arg, fd, line);
}

bool docker_do(const HostCall *call, const Argv *argv, const char *input, Err *err)
{
        announce(call, argv);
        HostCall copy = call ? *call : (HostCall){ 0 };
        ProcOptions o = { .cancel = copy.cancel,
                          .timeout_ms = copy.timeout_ms,
                          .input = input,
                          .input_len = input ? strlen(input) : 0,
                          .line = copy.say ? pass_line : NULL,
                          .line_arg = &copy };
        AUTO_PROC r = { 0 };
        return proc_run(argv, &o, &r, err) || explain_failure(argv, &r, err);
}

bool docker_info(const HostCall *call, json_t **ret, Err *err)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "info", "--format", "{{json .}}", NULL });
        if (!docker_read_json(call, &a, ret, err))
                return false;
        /* docker info exits with 0 and says in the JSON that it reached nobody. */
        const json_t *errors = jx_get(*ret, "ServerErrors");
        if (json_array_size(errors) == 0)
                return true;
        AUTO_FREE char *said = text_clean_str(json_string_value(json_array_get(errors, 0)));
        json_decref(*ret);
        *ret = NULL;
        docker_explain(err, said);
        return err->kind != ERR_NONE ? false : err_set(err, ERR_LINK, "docker info: %s", said);
}

bool docker_usable(const HostCall *call, Err *err)
{
        AUTO_JSON info = NULL;
        return docker_info(call, &info, err);
}

bool docker_compose_usable(const HostCall *call, Err *err)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "compose", "version", "--short", NULL });
        AUTO_FREE char *version = NULL;
        if (docker_read_text(call, &a, &version, err)) {
                const char *v = *version == 'v' ? version + 1 : version;
                if (strtol(v, NULL, 10) >= 2)
                        return true;
                AUTO_FREE char *clean = text_clean_str(v);
                return err_set(err, ERR_USER, "Docker Compose is %s, pgsherpa needs version 2",
                               clean);
        }
        if (err->kind == ERR_CANCELLED || err->kind == ERR_LINK || err->kind == ERR_USER)
                return false;
        AUTO_FREE char *v1 = proc_which("docker-compose");
        if (v1) {
                err_set(err, ERR_USER,
                        "only Docker Compose v1 (%s) is installed; pgsherpa needs "
                        "version 2, which is called `docker compose`",
                        v1);
                return err_hint(err, "install docker-compose-plugin (docker.com packages) or "
                                     "docker-compose 2 (Debian 13); your files need no change");
        }
        err_set(err, ERR_USER,
                "Docker Compose v2 is not installed (`docker compose` does not work)");
        return err_hint(err, "install docker-compose-plugin, or put the plugin into "
                             "~/.docker/cli-plugins");
}

static const char *thing_name(DockerThing thing)
{
        static const char *const names[] = { "container", "image", "volume", "network" };
        return names[thing];
}

bool docker_inspect(const HostCall *call, DockerThing thing, const char *name, json_t **ret,
                    Err *err)
{
        *ret = NULL;
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", thing_name(thing), "inspect", "--", name,
                                                NULL });
        ProcOptions o = { .cancel = call ? call->cancel : NULL,
                          .any_exit = true,
                          .timeout_ms = call && call->timeout_ms ? call->timeout_ms : LOOK_MS };
        AUTO_PROC r = { 0 };
        if (!proc_run(&a, &o, &r, err))
                return explain_failure(&a, &r, err);
        if (r.status != 0) {
                if (strcasestr(buf_str(&r.err), "no such") ||
                    strcasestr(buf_str(&r.err), "not found"))
                        return true;
                AUTO_FREE char *said = text_clean_str(buf_str(&r.err));
                err_set(err, ERR_COMMAND, "docker %s inspect %s: %s", thing_name(thing), name,
                        said);
                err->exit_status = r.status;
                docker_explain(err, said);
                return false;
        }
        AUTO_JSON list = jx_parse(buf_str(&r.out), r.out.len, err);
        if (!list)
                return err_wrap(err, "reading the answer of docker %s inspect", thing_name(thing));
        *ret = json_incref(json_array_get(list, 0));
        return true;
}

bool docker_containers(const HostCall *call, bool all, const char *const *filters, json_t **ret,
                       Err *err)
{
        AUTO_ARGV ps = { 0 };
        argv_add_all(&ps, (const char *const[]){ "docker", "ps", "--quiet", "--no-trunc", NULL });
        if (all)
                argv_add(&ps, "--all");
        for (const char *const *f = filters; f && *f; f++) {
                argv_add(&ps, "--filter");
                argv_add(&ps, *f);
        }
        AUTO_FREE char *ids = NULL;
        if (!docker_read_text(call, &ps, &ids, err))
                return false;
        AUTO_JSON found = json_array();
        AUTO_ARGV inspect = { 0 };
        argv_add_all(&inspect,
                     (const char *const[]){ "docker", "container", "inspect", "--", NULL });
        size_t before = inspect.n;
        for (char *save = NULL, *id = strtok_r(ids, "\n", &save); id;
             id = strtok_r(NULL, "\n", &save))
                argv_add(&inspect, id);
        if (inspect.n > before) {
                /* One that went away between the two commands makes inspect fail, but it still
                 * prints the others. */
                AUTO_PROC r = { 0 };
                ProcOptions o = { .cancel = call ? call->cancel : NULL,
                                  .any_exit = true,
                                  .timeout_ms = LOOK_MS };
                if (!proc_run(&inspect, &o, &r, err))
                        return explain_failure(&inspect, &r, err);
                json_t *list = jx_parse(buf_str(&r.out), r.out.len, err);
                if (!list)
                        return err_wrap(err, "reading the answer of docker container inspect");
                json_array_extend(found, list);
                json_decref(list);
        }
        *ret = json_incref(found);
        return true;
}
