/* host_steps.c: shared by the kinds that work on Docker: see the header. */
#include "wizard-steps/host_steps.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "host/http.h"
#include "host/ports.h"
#include "sql/sql.h"

static void say(void *arg, int fd, const char *line)
{
        StepCtx *ctx = arg;
        if (fd == 0)
                step_log(ctx, SAY_CMD, "docker", "$ %s", line);
        else
                step_log(ctx, SAY_INFO, "docker", "%s", line);
}

HostCall step_call(StepCtx *ctx)
{
        return (HostCall){ .cancel = step_cancel_flag(ctx), .say = say, .arg = ctx };
}

HostCall step_look(StepCtx *ctx)
{
        return (HostCall){ .cancel = step_cancel_flag(ctx) };
}

bool step_compose(StepCtx *ctx, Compose **ret, Err *err)
{
        return target_compose(step_target(ctx), ret, err);
}

json_t *step_names(StepCtx *ctx, const char *param)
{
        json_t *out = json_array();
        size_t i;
        json_t *one;
        json_array_foreach(step_get(ctx, param), i, one) {
                const char *name =
                        json_is_object(one) ? jx_str(one, "name", "") : json_string_value(one);
                if (name && *name)
                        jx_append_str(out, name);
        }
        return out;
}

void step_plan_compose(StepCtx *ctx, bool undo, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *rest = xvasprintf(fmt, ap);
        va_end(ap);
        const Target *t = step_target(ctx);
        const char *dir = t ? jx_str(t->spec, "dir", ".") : ".";
        AUTO_ARGV a = { 0 };
        argv_add_all(
                &a, (const char *const[]){ "docker", "compose", "--project-directory", dir, NULL });
        AUTO_FREE char *words = argv_for_humans(&a);
        if (undo)
                step_plan_undo(ctx, "$ %s %s", words, rest);
        else
                step_plan(ctx, "$ %s %s", words, rest);
}

/* ---- services ---- */

const ParamSpec host_identity_fields[] = {
        { .name = "major", .type = PARAM_INT, .help = "major version" },
        { .name = "version", .type = PARAM_STRING, .help = "version" },
        { .name = "system", .type = PARAM_STRING, .help = "system identifier" },
        { 0 },
};

bool services_remember(StepCtx *ctx, const Compose *c, const json_t *names, Err *err)
{
        if (jx_get(step_remembered(ctx), "before"))
                return true;
        json_t *all = json_object(), *list = json_array();
        jx_set(all, "before", list);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name) {
                const char *service = json_string_value(name);
                const json_t *one = compose_container(c, service);
                json_t *s = json_object();
                jx_set_str(s, "service", service);
                jx_set_str(s, "container", one ? container_id(one) : "");
                jx_set_str(s, "name", one ? container_name(one) : "");
                jx_set_bool(s, "running", one && container_running(one));
                jx_set_str(s, "health", one ? container_health(one) : "none");
                jx_set_str(s, "image", one ? container_image(one) : "");
                json_array_append_new(list, s);
        }
        return step_remember(ctx, all, err);
}

const json_t *services_remembered_one(const json_t *list, const char *service)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one) {
                if (str_eq(jx_str(one, "service", ""), service))
                        return one;
        }
        return NULL;
}

static bool identity_of(StepCtx *ctx, const json_t *c, const Wellness *w, json_t **ret, Err *err)
{
        HostCall look = step_look(ctx);
        AUTO_FREE char *own_user = NULL, *own_db = NULL;
        AUTO_SECRET own = NULL;
        AUTO_CONTAINER_ADDRESS at = { 0 };
        if (!container_address(&look, c, &at, err) ||
            !container_login(&look, c, &own_user, &own_db, err))
                return false;
        const char *user = w->user && *w->user ? w->user : own_user;
        const char *db = w->database && *w->database ? w->database
                         : w->user && *w->user       ? user
                                                     : own_db;
        if (!w->password &&
            !container_secret(&look, c, "POSTGRES_PASSWORD", "POSTGRES_PASSWORD", &own, err))
                return false;
        AUTO_FREE char *app = xasprintf("pgsherpa/%s/%s", step_run_id(ctx), step_id(ctx));
        PgParams p = { .host = at.host,
                       .port = at.port,
                       .system = at.system,
                       .user = user,
                       .database = db,
                       .app = app,
                       .password = w->password ? w->password : own,
                       .connect_timeout_ms = 5000,
                       .statement_timeout_ms = 15000 };
        AUTO_PG Pg *pg = NULL;
        if (!pg_open(&p, &pg, err))
                return false;
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select pg_catalog.current_setting('listen_addresses'), "
                    "pg_catalog.current_setting('server_version'), "
                    "(select system_identifier::text from pg_catalog.pg_control_system())");
        if (!pg_query(pg, &q, &r, err))
                return false;
        /* The temporary server of the image's init phase listens on its socket only. */
        const char *listens = pg_cell(r, 0, 0);
        if (!listens || !*listens)
                return err_set(err, ERR_LINK,
                               "only the temporary server of the init phase answers yet");
        json_t *id = json_object();
        jx_set_int(id, "major", pg_major(pg));
        AUTO_FREE char *version = xstrndup(pg_cell(r, 0, 1), strcspn(pg_cell(r, 0, 1), " "));
        jx_set_str(id, "version", version);
        jx_set_str(id, "system", pg_cell(r, 0, 2));
        *ret = id;
        return true;
}

/* The last words of a container, for an error. */
static char *last_words(StepCtx *ctx, const char *container)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(&a,
                     (const char *const[]){ "docker", "logs", "--tail", "20", container, NULL });
        AUTO_PROC r = { 0 };
        AUTO_ERR ignored = { 0 };
        ProcOptions o = { .timeout_ms = 20000, .any_exit = true, .max_output = 16384 };
        if (!proc_run(&a, &o, &r, &ignored))
                return xstrdup("");
        for (int k = 0; k < 2; k++) {
                const Buf *b = k ? &r.err : &r.out;
                AUTO_FREE char *lines = text_clean_lines(buf_str(b), b->len);
                for (char *save = NULL, *l = strtok_r(lines, "\n", &save); l;
                     l = strtok_r(NULL, "\n", &save))
                        step_log(ctx, SAY_WARN, "container", "%s", l);
        }
        const Buf *b = r.err.len ? &r.err : &r.out;
        const char *text = buf_str(b), *end = text + b->len;
        while (end > text && strchr(" \r\n", end[-1]))
                end--;
        const char *start = end;
        while (start > text && start[-1] != '\n' && end - start < 300)
                start--;
        return text_clean(start, (size_t)(end - start));
}

static bool dead(StepCtx *ctx, const json_t *c, Err *err)
{
        AUTO_FREE char *words = last_words(ctx, container_id(c));
        err_set(err, ERR_COMMAND, "container %s %s with status %d%s%s", container_name(c),
                str_eq(container_status(c), "restarting") ? "keeps ending" : "ended",
                container_exit_code(c), *words ? ": " : "", words);
        return err_hint(err, "docker logs %s shows more", container_name(c));
}

bool service_is_well(StepCtx *ctx, const char *container, const Wellness *w, bool *ret_well,
                     char **ret_why, json_t **ret_identity, Err *err)
{
        HostCall look = step_look(ctx);
        AUTO_JSON c = NULL;
        *ret_well = false;
        if (!docker_inspect(&look, DOCKER_CONTAINER, container, &c, err))
                return false;
        if (!c) {
                *ret_why = xstrdup("its container is gone");
                return true;
        }
        const char *health = container_health(c), *want = w->health;
        bool checked = !str_eq(health, "none");
        if (str_eq(want, "completed")) {
                *ret_well = !container_running(c) && container_exit_code(c) == 0;
        } else if (!container_running(c)) {
                *ret_why = xasprintf("it is not running (%s)", container_status(c));
                return true;
        } else if (str_starts(want, "http://") || str_starts(want, "https://")) {
                AUTO_ERR why = { 0 };
                HttpAnswer answer = { 0 };
                HttpRequest ask = { .url = want,
                                    .timeout_ms = 5000,
                                    .cancel = step_cancel_flag(ctx) };
                *ret_well = http_get(&ask, &answer, &why) && answer.status >= 200 &&
                            answer.status < 300;
                if (!*ret_well)
                        *ret_why = why.message ? xstrdup(why.message)
                                               : xasprintf("it answers with HTTP status %ld",
                                                           answer.status);
                http_answer_done(&answer);
                return true;
        } else if (str_eq(want, "pg_isready")) {
                AUTO_ERR why = { 0 };
                json_t *id = NULL;
                *ret_well = identity_of(ctx, c, w, &id, &why);
                if (!*ret_well)
                        *ret_why = xstrdup(why.message);
                else if (ret_identity)
                        *ret_identity = id;
                else
                        json_decref(id);
                return true;
        } else if (str_eq(want, "container") && !checked) {
                return err_set(err, ERR_USER, "container %s has no health check to wait for",
                               container_name(c)),
                       err_hint(err, "write `health: running` or a URL instead");
        } else if (str_eq(want, "container") || (!*want && checked)) {
                *ret_well = str_eq(health, "healthy");
        } else if (str_eq(want, "running") || !*want) {
                *ret_well = str_eq(container_status(c), "running");
        } else {
                AUTO_FREE char *clean = text_clean_str(want);
                err_set(err, ERR_USER, "`%s` is no health check", clean);
                return err_hint(err,
                                "it is one of pg_isready, container, running, completed, or a URL");
        }
        if (!*ret_well)
                *ret_why = xasprintf("it is %s, its health is %s", container_status(c), health);
        return true;
}

/* "running" alone proves little: a container that dies at once runs for a moment, too. */
#define STEADY_MS 2000
/* Docker starts one again that has a restart policy; this often in a row is a loop. */
#define MAX_RESTARTS 4

/* Its last lines and the size of its files: what moves while it works. malloc()ed. */
static char *signs_of_life(StepCtx *ctx, const char *container)
{
        AUTO_FREE char *words = NULL, *size = NULL;
        AUTO_ERR ignored = { 0 };
        AUTO_PROC r = { 0 };
        HostCall look = step_look(ctx);
        AUTO_ARGV logs = { 0 };
        AUTO_ARGV du = { 0 };
        ProcOptions o = { .timeout_ms = 20000, .any_exit = true, .max_output = 16384 };
        argv_add_all(&logs,
                     (const char *const[]){ "docker", "logs", "--tail", "1", container, NULL });
        argv_add_all(&du,
                     (const char *const[]){ "docker", "exec", "--user", "0", container, "sh", "-c",
                                            "du -s \"${PGDATA:-/var/lib/postgresql}\"", NULL });
        if (proc_run(&logs, &o, &r, &ignored))
                words = xasprintf("%s%s", r.out.len ? buf_str(&r.out) : "",
                                  r.err.len ? buf_str(&r.err) : "");
        err_clear(&ignored);
        if (!docker_read_text(&look, &du, &size, &ignored))
                size = xstrdup("");
        return xasprintf("%s\n%s", words ? words : "", size);
}

#define SIGN_EVERY_MS 5000

typedef struct Patience {
        int64_t asked, moved; /* since the start */
        char *sign;
} Patience;

static void patience_done(Patience *p)
{
        free(p->sign);
}

/* When something last moved; asked now and then, said each time. */
static int64_t last_move(StepCtx *ctx, const char *container, int64_t waited, Patience *p)
{
        if (waited - p->asked < SIGN_EVERY_MS)
                return p->moved;
        p->asked = waited;
        char *now = signs_of_life(ctx, container);
        if (!p->sign || !str_eq(now, p->sign))
                p->moved = waited;
        AUTO_FREE char *line = text_clean(now, strcspn(now, "\n"));
        step_say(ctx, "waiting for %lld s; its last line: %s", (long long)waited / 1000,
                 *line ? line : "(none)");
        free(p->sign);
        p->sign = now;
        return p->moved;
}

bool service_wait(StepCtx *ctx, const char *container, const Wellness *w, json_t **ret_identity,
                  Err *err)
{
        int64_t start = clock_boot_ms(), well_since = -1, waited = 0;
        Patience CLEANUP(patience_done) patience = { 0 };
        HostCall look = step_look(ctx);
        for (;;) {
                AUTO_FREE char *why = NULL;
                bool well = false;
                json_t *id = NULL;
                if (!service_is_well(ctx, container, w, &well, &why, &id, err))
                        return false;
                waited = clock_boot_ms() - start;
                bool proves = !str_eq(w->health, "running");
                if (well && well_since < 0)
                        well_since = waited;
                if (!well)
                        well_since = -1;
                if (well && (proves || waited - well_since >= STEADY_MS)) {
                        if (ret_identity)
                                *ret_identity = id;
                        else
                                json_decref(id);
                        return true;
                }
                json_decref(id);
                AUTO_JSON c = NULL;
                if (!docker_inspect(&look, DOCKER_CONTAINER, container, &c, err))
                        return false;
                bool ended = c && (str_eq(container_status(c), "exited") ||
                                   str_eq(container_status(c), "dead"));
                bool loops = c && jx_int(c, "RestartCount", 0) >= MAX_RESTARTS &&
                             (!container_running(c) || str_eq(container_status(c), "restarting"));
                if (loops)
                        return dead(ctx, c, err);
                if (ended && !(str_eq(w->health, "completed") && container_exit_code(c) == 0))
                        return dead(ctx, c, err);
                int64_t from = w->patient ? last_move(ctx, container, waited, &patience) : 0;
                if (waited - from >= w->within_ms) {
                        const char *name = c ? container_name(c) : container;
                        if (c && str_eq(container_status(c), "restarting"))
                                return dead(ctx, c, err);
                        AUTO_FREE char *words = last_words(ctx, container);
                        err_set(err, ERR_COMMAND, "%s is not well after %lld s%s: %s", name,
                                (long long)waited / 1000,
                                w->patient ? ", and nothing moved for long" : "",
                                why ? why : "it has not run for long enough");
                        return err_hint(err, "its last line: %s", *words ? words : "(none)");
                }
                if (!step_sleep(ctx, 250))
                        return err_set(err, ERR_CANCELLED, "waiting for %s was stopped",
                                       c ? container_name(c) : container);
        }
}

/* Compose makes the new container under a name of its own before it removes the old one. When
 * it is killed in between, the next `up` removes that leftover and then stumbles over its name
 * ("is already in use"); the one after that does its work. Measured with Compose 2.26. */
bool services_up(StepCtx *ctx, const Compose *c, const json_t *names, bool no_deps, Err *err)
{
        HostCall call = step_call(ctx);
        AUTO_ARGV a = { 0 };
        size_t i;
        json_t *name;
        compose_begin(c, &a);
        argv_add_all(&a, (const char *const[]){ "up", "--detach", "--pull", "missing", NULL });
        if (no_deps)
                argv_add(&a, "--no-deps");
        json_array_foreach(names, i, name)
                argv_add(&a, json_string_value(name));
        for (int tries = 1;; tries++) {
                if (docker_start(&call, &a, err))
                        return true;
                if (tries >= 3 || err->kind == ERR_CANCELLED ||
                    !strstr(err->message, "is already in use by container"))
                        return false;
                step_log(ctx, SAY_WARN, "pgsherpa",
                         "Compose met what an interrupted attempt left; once more");
                err_clear(err);
        }
}

bool container_stop(StepCtx *ctx, const char *container, int64_t grace_ms, Err *err)
{
        HostCall call = step_call(ctx);
        AUTO_JSON c = NULL;
        if (!docker_inspect(&call, DOCKER_CONTAINER, container, &c, err))
                return false;
        if (!c || !container_running(c))
                return true;
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "stop", "--time", NULL });
        argv_addf(&a, "%lld", (long long)MAX(grace_ms / 1000, 1));
        argv_add(&a, container_name(c));
        return docker_do(&call, &a, NULL, err);
}

bool service_bring_back(StepCtx *ctx, Compose *c, const json_t *before, int64_t within_ms, Err *err)
{
        const char *service = jx_str(before, "service", ""), *id = jx_str(before, "container", "");
        HostCall call = step_call(ctx);
        if (!compose_refresh(c, err))
                return false;
        const json_t *now = compose_container(c, service);
        bool same = now && str_eq(container_id(now), id);
        if (!same || !container_running(now)) {
                AUTO_ARGV a = { 0 };
                AUTO_JSON names = json_pack("[s]", service);
                /* Where another container took its place, the file, put back by now, says how
                 * it is made. */
                bool ok = true;
                if (same) {
                        argv_add_all(&a, (const char *const[]){ "docker", "start",
                                                                container_name(now), NULL });
                        ok = docker_start(&call, &a, err);
                } else {
                        ok = compose_data_fits(&call, c, service, err) &&
                             services_up(ctx, c, names, true, err);
                }
                if (!ok || !compose_refresh(c, err))
                        return err_wrap(err, "starting %s again", service);
        }
        now = compose_container(c, service);
        if (!now)
                return err_set(err, ERR_COMMAND, "service %s has no container after it was started",
                               service);
        Wellness w = { .health = str_eq(jx_str(before, "health", ""), "none") ? "running"
                                                                              : "container",
                       .within_ms = within_ms };
        AUTO_FREE char *now_id = xstrdup(container_id(now));
        return service_wait(ctx, now_id, &w, NULL, err);
}

bool container_check_clean(StepCtx *ctx, const json_t *container, char **ret_system, Err *err)
{
        HostCall look = step_look(ctx);
        AUTO_FREE char *state = NULL;
        if (!container_controldata(&look, container, &state, ret_system, err))
                return false;
        step_log(ctx, SAY_OK, "pg_controldata", "cluster state: %s", state);
        if (str_eq(state, "shut down") || str_eq(state, "shut down in recovery"))
                return true;
        err_set(err, ERR_COMMAND,
                "the server in %s was not shut down cleanly: its files say \"%s\"",
                container_name(container), state);
        return err_hint(err,
                        "start it again, give it more time to stop (grace), and stop it once more");
}

bool volume_users(StepCtx *ctx, const char *volume, bool running_only, const char *except_container,
                  char **ret, Err *err)
{
        HostCall look = step_look(ctx);
        AUTO_FREE char *filter = xasprintf("volume=%s", volume);
        AUTO_JSON all = NULL;
        if (!docker_containers(&look, !running_only, (const char *const[]){ filter, NULL }, &all,
                               err))
                return false;
        AUTO_BUF names = buf_init(4096);
        size_t i, k;
        json_t *c, *m;
        json_array_foreach(all, i, c) {
                if (except_container && (str_eq(container_name(c), except_container) ||
                                         str_eq(container_id(c), except_container)))
                        continue;
                json_array_foreach(jx_get(c, "Mounts"), k, m) {
                        if (!str_eq(jx_str(m, "Name", ""), volume))
                                continue;
                        buf_printf(&names, "%s%s", names.len ? ", " : "", container_name(c));
                        break;
                }
        }
        *ret = xstrdup(buf_str(&names));
        return true;
}

bool is_ours(StepCtx *ctx, const json_t *labels)
{
        return str_eq(jx_str(labels, LABEL_RUN, ""), step_run_id(ctx)) &&
               str_eq(jx_str(labels, LABEL_STEP, ""), step_id(ctx));
}

/* ---- layout ---- */

static bool is_below(const char *path, const char *dir)
{
        size_t n = strlen(dir);
        return n && strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

/* PGDATA that the service set itself stays; else the new image's own, which from 18 on is
 * below /var/lib/postgresql/MAJOR (docker-library/postgres pull request 1259). The volume goes
 * where the image declares one, so that no anonymous volume comes to lie inside it. */
void layout_of(const char *service_pgdata, const json_t *service_container, const json_t *image,
               PgLayout *ret)
{
        *ret = (PgLayout){ .explicit_pgdata = service_pgdata && *service_pgdata };
        const char *data = ret->explicit_pgdata ? service_pgdata : container_pgdata(image);
        if (!*data)
                data = "/var/lib/postgresql/data";
        const char *mount = NULL, *key;
        json_t *value;
        json_object_foreach(jx_get(jx_get(image, "Config"), "Volumes"), key, value) {
                if (is_below(data, key) && (!mount || strlen(key) > strlen(mount)))
                        mount = key;
        }
        if (!mount && service_container)
                mount = jx_str(container_mount_of(service_container, data), "Destination", NULL);
        ret->pgdata = xstrdup(data);
        ret->mount = xstrdup(mount ? mount : data);
}

void layout_done(PgLayout *l)
{
        free(l->pgdata);
        free(l->mount);
        *l = (PgLayout){ 0 };
}
