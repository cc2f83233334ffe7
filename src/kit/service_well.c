/* service_well.c: is a service well, and waiting until it is. */
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "host/http.h"
#include "host/ports.h"
#include "kit/docker.h"
#include "kit/service.h"
#include "pg/conn.h"
#include "sql/sql.h"

static bool identity_of(StepCtx *ctx, const json_t *c, const Wellness *w, json_t **ret, Err *err)
{
        HostCall look = kit_look(ctx);
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

static bool service_well_dead(StepCtx *ctx, const json_t *c, Err *err)
{
        AUTO_FREE char *words = last_words(ctx, container_id(c));
        err_set(err, ERR_COMMAND, "container %s %s with status %d%s%s", container_name(c),
                str_eq(container_status(c), "restarting") ? "keeps ending" : "ended",
                container_exit_code(c), *words ? ": " : "", words);
        return err_hint(err, "docker logs %s shows more", container_name(c));
}

bool kit_service_is_well(StepCtx *ctx, const char *container, const Wellness *w, bool *ret_well,
                         char **ret_why, json_t **ret_identity, Err *err)
{
        HostCall look = kit_look(ctx);
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
        HostCall look = kit_look(ctx);
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

bool kit_service_wait(StepCtx *ctx, const char *container, const Wellness *w, json_t **ret_identity,
                      Err *err)
{
        int64_t start = clock_boot_ms(), well_since = -1, waited = 0;
        Patience CLEANUP(patience_done) patience = { 0 };
        HostCall look = kit_look(ctx);
        for (;;) {
                AUTO_FREE char *why = NULL;
                bool well = false;
                json_t *id = NULL;
                if (!kit_service_is_well(ctx, container, w, &well, &why, &id, err))
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
                        return service_well_dead(ctx, c, err);
                if (ended && !(str_eq(w->health, "completed") && container_exit_code(c) == 0))
                        return service_well_dead(ctx, c, err);
                int64_t from = w->patient ? last_move(ctx, container, waited, &patience) : 0;
                if (waited - from >= w->within_ms) {
                        const char *name = c ? container_name(c) : container;
                        if (c && str_eq(container_status(c), "restarting"))
                                return service_well_dead(ctx, c, err);
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
