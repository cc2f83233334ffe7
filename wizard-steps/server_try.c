/* server_try.c: the new image with the service's own command line and mounted files, on a volume
 * that nobody keeps: a setting that the new major does not know keeps it from starting, and that
 * has to be seen while the old server still runs.
 *
 * The scratch server has no network, and of the service's mounts all but its data and its init
 * scripts, read-only. Where it wants to write into one (a socket's directory, logs), it is tried
 * once more with those that are writable empty and its own. It is removed with its volume when it
 * has answered or died. */
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/labels.h"
#include "kit/layout.h"
#include "kit/run_as.h"
#include "kit/service.h"

static const ParamSpec params[] = {
        { .name = "service",
          .type = PARAM_STRING,
          .help = "service whose command and mounts are tried" },
        { .name = "image", .type = PARAM_IMAGE, .help = "image of the new server" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "180s",
          .help = "how long nothing may move until it answers" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "mounts", .type = PARAM_LIST, .help = "what was mounted into it" },
        { .name = "problems",
          .type = PARAM_LIST,
          .help = "why it did not start, in the server's words, or lines of its files it cannot "
                  "read" },
        { 0 },
};

static const char *const verdict[] = { "problems", NULL };

static bool server_try_plan(StepCtx *ctx, void *state, Err *err);
static bool server_try_dry(StepCtx *ctx, void *state, Err *err);
static bool server_try_run(StepCtx *ctx, void *state, Err *err);
static bool server_try_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool server_try_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_server_try = {
        .name = "server.try",
        .summary = "Start the new image once, as a trial",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = server_try_plan,
        .dry = server_try_dry,
        .run = server_try_run,
        .probe = server_try_probe,
        .undo = server_try_undo,
};

static const char *scratch_name(StepCtx *ctx)
{
        return arena_printf(step_arena(ctx), "pgsherpa-%s-try", step_run_id(ctx));
}

static bool server_try_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx,
                  "$ docker run -d --name %s --network none (mounts of %s, read-only) %s (its "
                  "command)",
                  scratch_name(ctx), step_words(ctx, "service"), step_words(ctx, "image"));
        step_plan(ctx, "# waits until it answers, reads which settings it refuses, and removes it");
        step_plan_undo(ctx, "# what it made is gone when the step ends");
        return true;
}

static bool remove_it(StepCtx *ctx, Err *err)
{
        HostCall call = kit_look(ctx);
        AUTO_JSON c = NULL;
        AUTO_ARGV a = { 0 };
        if (!docker_inspect(&call, DOCKER_CONTAINER, scratch_name(ctx), &c, err))
                return false;
        if (!c)
                return true;
        if (!kit_is_ours(ctx, jx_get(jx_get(c, "Config"), "Labels")))
                return err_set(err, ERR_USER, "there is a container %s, and it is not ours",
                               scratch_name(ctx));
        argv_add_all(&a, (const char *const[]){ "docker", "rm", "--force", "--volumes",
                                                container_id(c), NULL });
        return docker_do(&call, &a, NULL, err);
}

/* Its data stays away from the scratch server; what init scripts would do is nobody's to try. */
static bool is_tried(const json_t *mount, const json_t *data)
{
        const char *to = jx_str(mount, "Destination", "");
        return mount != data && !str_starts(to, "/docker-entrypoint-initdb.d") &&
               *jx_str(mount, "Source", "");
}

static bool is_file(const char *path)
{
        struct stat st;
        return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_writable_directory(const json_t *mount)
{
        return jx_bool(mount, "RW", false) && !is_file(jx_str(mount, "Source", ""));
}

static bool has_writable(const json_t *old)
{
        const json_t *data = container_mount_of(old, container_pgdata(old));
        size_t i;
        json_t *m;
        json_array_foreach(jx_get(old, "Mounts"), i, m)
                if (is_tried(m, data) && is_writable_directory(m))
                        return true;
        return false;
}

static void add_mounts(StepCtx *ctx, const json_t *old, bool own, Argv *a)
{
        const json_t *data = container_mount_of(old, container_pgdata(old));
        json_t *names = json_array(), *m;
        size_t i;
        json_array_foreach(jx_get(old, "Mounts"), i, m) {
                bool volume = str_eq(jx_str(m, "Type", ""), "volume");
                if (!is_tried(m, data) || str_eq(jx_str(m, "Type", ""), "tmpfs"))
                        continue;
                if (own && is_writable_directory(m)) {
                        argv_add(a, "--tmpfs");
                        argv_addf(a, "%s:mode=1777", jx_str(m, "Destination", ""));
                        continue;
                }
                argv_add(a, "--mount");
                argv_addf(a, "type=%s,source=%s,target=%s,readonly", volume ? "volume" : "bind",
                          jx_str(m, volume ? "Name" : "Source", ""), jx_str(m, "Destination", ""));
                jx_append_str(names, jx_str(m, "Destination", ""));
        }
        step_result_set(ctx, "mounts", names);
}

static void add_words(Argv *a, const json_t *list)
{
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v)
                argv_add(a, json_string_value(v) ? json_string_value(v) : "");
}

/* As server.start, but nobody's password: what the entry point reads, and initdb's options. */
static bool server_try_environment(StepCtx *ctx, const json_t *old, Buf *b, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_JSON made_from = NULL;
        AUTO_FREE char *initdb = NULL;
        if (!docker_inspect(&look, DOCKER_IMAGE, container_image_id(old), &made_from, err) ||
            !kit_service_environment(&look, old, made_from, &initdb, b, err))
                return false;
        if (initdb && !strpbrk(initdb, "\r\n"))
                buf_printf(b, "POSTGRES_INITDB_ARGS=%s\n", initdb);
        /* Nobody can reach it: a password would only be one more thing to hide. */
        buf_adds(b, "POSTGRES_HOST_AUTH_METHOD=trust\n");
        return !b->overflow || err_set(err, ERR_USER, "the container's environment is too large");
}

static bool server_try_start(StepCtx *ctx, Compose *compose, const json_t *old, const json_t *image,
                             bool own, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_ARGV a = { 0 };
        AUTO_BUF env = buf_init(256 * 1024);
        const char *platform = kit_service_platform(compose, step_str(ctx, "service"));
        const json_t *config = jx_get(old, "Config");
        long uid = 0, gid = 0;
        argv_add_all(&a, (const char *const[]){ "docker", "run", "--detach", "--pull", "never",
                                                "--network", "none", "--restart", "no", "--name",
                                                scratch_name(ctx), NULL });
        argv_addf(&a, "--label=%s=%s", LABEL_RUN, step_run_id(ctx));
        argv_addf(&a, "--label=%s=%s", LABEL_STEP, step_id(ctx));
        /* The server of the init phase is a child of the entry point; port and addresses are what
         * the mounted files say, and are not asked. */
        argv_add_all(&a, (const char *const[]){ "--health-cmd",
                                                "grep -qx postgres /proc/1/comm && "
                                                "grep -q ^ready \"$PGDATA/postmaster.pid\"",
                                                "--health-interval", "1s", "--health-retries",
                                                "1000", NULL });
        argv_add_all(&a, (const char *const[]){ "--env-file", "/dev/stdin", NULL });
        if (*platform) {
                argv_add(&a, "--platform");
                argv_add(&a, platform);
        }
        kit_run_as_service(old, &a);
        kit_limit_as_service(old, &a);
        if (kit_service_uid(old, &uid,
                            &gid)) { /* who is not the image's own user owns no volume of it */
                AUTO_LAYOUT layout = { 0 };
                kit_layout_of(NULL, old, image, &layout);
                argv_add(&a, "--tmpfs");
                argv_addf(&a, "%s:uid=%ld,gid=%ld,mode=0700", layout.mount, uid, gid);
        }
        add_mounts(ctx, old, own, &a);
        argv_add(&a, step_str(ctx, "image"));
        add_words(&a, jx_get(config, "Cmd"));
        kit_service_command_beside(old, NULL, &a);
        bool ok = server_try_environment(ctx, old, &env, err) &&
                  docker_do(&call, &a, buf_str(&env), err);
        if (env.data)
                explicit_bzero(env.data, env.capacity);
        return ok;
}

/* Line `n` of what a program printed; "" when there is none. Cuts the text. */
static const char *line_of(char *text, int n)
{
        for (; n > 1 && text; n--)
                text = (text = strchr(text, '\n')) ? text + 1 : NULL;
        if (text)
                text[strcspn(text, "\n")] = '\0';
        return text ? text : "";
}

/* Where it listens says its own postmaster.pid: line 4 the port, line 5 the socket's directory. */
static bool server_try_where(StepCtx *ctx, const char **port, const char **socket, Err *err)
{
        HostCall call = kit_look(ctx);
        AUTO_ARGV a = { 0 };
        AUTO_FREE char *text = NULL;
        argv_add_all(&a, (const char *const[]){ "docker", "exec", scratch_name(ctx), "sh", "-c",
                                                "cat \"$PGDATA/postmaster.pid\"", NULL });
        if (!docker_read_text(&call, &a, &text, err))
                return err_wrap(err, "asking the scratch server where it listens");
        AUTO_FREE char *again = xstrdup(text);
        *port = arena_strdup(step_arena(ctx), line_of(text, 4));
        *socket = arena_strdup(step_arena(ctx), line_of(again, 5));
        return true;
}

/* Lines of a file that it could start without, and does not understand. */
static bool file_errors(StepCtx *ctx, json_t *problems, Err *err)
{
        HostCall call = kit_look(ctx);
        AUTO_ARGV a = { 0 };
        AUTO_FREE char *text = NULL;
        const char *port = "", *socket = "";
        if (!server_try_where(ctx, &port, &socket, err))
                return false;
        argv_add_all(
                &a,
                (const char *const[]){
                        "docker", "exec", scratch_name(ctx), "psql", "-X", "-At", "-h", socket,
                        "-p", port, "-U", "postgres", "-c",
                        "select concat_ws(': ', sourcefile || ':' || sourceline, "
                        "name, error) from pg_file_settings where error is not null and error <> "
                        "'setting could not be applied' union all select 'pg_hba.conf line ' || "
                        "line_number || ': ' || error from pg_hba_file_rules where error is "
                        "not null",
                        NULL });
        if (!docker_read_text(&call, &a, &text, err))
                return err_wrap(err, "asking the scratch server about its files");
        for (char *save = NULL, *l = strtok_r(text, "\n", &save); l;
             l = strtok_r(NULL, "\n", &save)) {
                AUTO_FREE char *clean = text_clean_str(l);
                jx_append_str(problems, clean);
        }
        return true;
}

/* What keeps it from starting goes to `problems`; false: could not even try. */
static bool try_it(StepCtx *ctx, Compose *compose, const json_t *old, bool own, json_t *problems,
                   Err *err)
{
        Wellness well = { .health = "container",
                          .within_ms = step_int(ctx, "within"),
                          .patient = true };
        AUTO_ERR died = { 0 };
        HostCall look = kit_look(ctx);
        AUTO_JSON image = NULL;
        if (!docker_inspect(&look, DOCKER_IMAGE, step_str(ctx, "image"), &image, err) ||
            !remove_it(ctx, err) || !server_try_start(ctx, compose, old, image, own, err))
                return false;
        if (kit_service_wait(ctx, scratch_name(ctx), &well, NULL, &died))
                return file_errors(ctx, problems, err);
        if (died.kind == ERR_CANCELLED) {
                err_move(err, &died);
                return false;
        }
        AUTO_FREE char *clean = text_clean_str(died.message);
        jx_append_str(problems, clean);
        return true;
}

/* The words of the first try count: what it reads was there. */
static bool try_twice(StepCtx *ctx, Compose *compose, const json_t *old, json_t *problems, Err *err)
{
        AUTO_JSON again = json_array();
        if (!try_it(ctx, compose, old, false, problems, err))
                return false;
        if (!json_array_size(problems) || !has_writable(old))
                return true;
        step_say(ctx, "once more, with directories of its own where it may write");
        if (!try_it(ctx, compose, old, true, again, err))
                return false;
        if (!json_array_size(again))
                json_array_clear(problems);
        return true;
}

static bool server_try_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE compose = NULL;
        json_t *problems = json_array(), *v;
        AUTO_ERR why = { 0 };
        size_t i;
        step_result_set(ctx, "problems", problems);
        if (!kit_project(ctx, &compose, err))
                return false;
        const json_t *old = compose_container(compose, step_str(ctx, "service"));
        if (!old)
                return err_set(err, ERR_USER, "service %s has no container",
                               step_str(ctx, "service"));
        bool ok = try_twice(ctx, compose, old, problems, err);
        if (!remove_it(ctx, ok ? err : &why))
                return false;
        json_array_foreach(problems, i, v)
                step_log(ctx, SAY_ERROR, "server", "%s", json_string_value(v));
        size_t n = json_array_size(problems);
        step_report(ctx, n ? "the new image does not start with them"
                           : "it starts with them and reads every line");
        return ok;
}

static bool server_try_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        *ret = FOUND_NOTHING; /* run() removes what an earlier try left */
        return true;
}

static bool server_try_undo(StepCtx *ctx, void *state, Err *err)
{
        return remove_it(ctx, err);
}

static bool server_try_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON image = NULL;
        const char *service = step_str(ctx, "service");
        if (step_known(ctx, "image"))
                (void)!dry_image(ctx, step_str(ctx, "image"), false, &image);
        if (dry_project(ctx, &c) == SEEN_HERE && step_known(ctx, "service") &&
            !compose_container(c, service))
                step_problem(ctx,
                             "service %s has no container whose command and files could be tried",
                             service);
        return true;
}
