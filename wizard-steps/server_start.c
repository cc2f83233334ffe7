/* server_start.c: a server of our own beside the old one: new image, new volume, no port, no
 * restart policy, until Compose starts the service on that volume.
 *
 * What this makes carries the labels pgsherpa.run and pgsherpa.step; only what carries ours is
 * ever removed. A redo after a crash goes on waiting for a server that runs, which may have become
 * healthy meanwhile, and throws away what does not: nothing later has used it yet. The password
 * travels by the stdin of `docker run --env-file`, never by argv. */
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/labels.h"
#include "kit/layout.h"
#include "kit/new_server.h"
#include "kit/run_as.h"
#include "kit/service.h"

static const ParamSpec params[] = {
        { .name = "image", .type = PARAM_IMAGE, .help = "image of the new server" },
        { .name = "volume", .type = PARAM_STRING, .help = "name of its new volume" },
        { .name = "name", .type = PARAM_STRING, .help = "name of its container" },
        { .name = "service",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "service it will become: user, password and settings are taken from there" },
        { .name = "create", .type = PARAM_BOOL, .fallback = "true", .help = "make the volume" },
        { .name = "user",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "superuser; else the service's" },
        { .name = "database",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "first database; else the service's" },
        { .name = "password", .type = PARAM_SECRET, .fallback = "", .help = "else the service's" },
        { .name = "encoding", .type = PARAM_STRING, .fallback = "", .help = "of the old server" },
        { .name = "locale", .type = PARAM_STRING, .fallback = "", .help = "of the old server" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "120s",
          .help = "how long nothing may move until it answers: its log, its files" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "identity",
          .type = PARAM_MAP,
          .fields = kit_identity_fields,
          .help = "who it is" },
        { .name = "volume", .type = PARAM_STRING, .help = "its volume" },
        { .name = "container", .type = PARAM_STRING, .help = "its container" },
        { .name = "mount", .type = PARAM_PATH, .help = "where the volume is mounted" },
        { 0 },
};

static bool server_start_check(StepCtx *ctx, void *state, Err *err);
static bool server_start_plan(StepCtx *ctx, void *state, Err *err);
static bool server_start_dry(StepCtx *ctx, void *state, Err *err);
static bool server_start_run(StepCtx *ctx, void *state, Err *err);
static bool server_start_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool server_start_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_server_start = {
        .name = "server.start",
        .summary = "Start a new server on a new volume, beside the old",
        .params = params,
        .results = results,
        .check = server_start_check,
        .plan = server_start_plan,
        .dry = server_start_dry,
        .run = server_start_run,
        .probe = server_start_probe,
        .undo = server_start_undo,
};

/* ---- what there is ---- */

typedef struct World {
        json_t *image, *container, *volume; /* NULL: none of that name */
        json_t *old_image;                  /* the service's container was made from, or NULL */
        char *user, *database;              /* of the service; NULL: no service, or no container */
        Compose *compose;                   /* NULL: no service was named */
        const json_t *old;                  /* its container, borrowed, or NULL */
} World;

static void world_done(World *w)
{
        json_decref(w->image);
        json_decref(w->container);
        json_decref(w->volume);
        json_decref(w->old_image);
        free(w->user);
        free(w->database);
        w->compose = compose_close(w->compose);
}
#define AUTO_WORLD CLEANUP(world_done) World

static bool server_start_look(StepCtx *ctx, World *w, Err *err)
{
        HostCall call = kit_look(ctx);
        if (!docker_inspect(&call, DOCKER_IMAGE, step_str(ctx, "image"), &w->image, err) ||
            !docker_inspect(&call, DOCKER_CONTAINER, step_str(ctx, "name"), &w->container, err) ||
            !docker_inspect(&call, DOCKER_VOLUME, step_str(ctx, "volume"), &w->volume, err))
                return false;
        if (!*step_str(ctx, "service"))
                return true;
        if (!kit_project(ctx, &w->compose, err))
                return false;
        w->old = compose_container(w->compose, step_str(ctx, "service"));
        return !w->old || (container_login(&call, w->old, &w->user, &w->database, err) &&
                           docker_inspect(&call, DOCKER_IMAGE, container_image_id(w->old),
                                          &w->old_image, err));
}

static bool our_container(StepCtx *ctx, const json_t *c)
{
        return kit_is_ours(ctx, jx_get(jx_get(c, "Config"), "Labels"));
}

static bool our_volume(StepCtx *ctx, const json_t *v)
{
        return kit_is_ours(ctx, jx_get(v, "Labels"));
}

static bool server_start_locale(StepCtx *ctx, Err *err)
{
        const char *image = step_str(ctx, "image"), *locale = step_str(ctx, "locale");
        bool has = true;
        if (!kit_image_has_locale(ctx, image, locale, &has, err))
                return false;
        if (!has)
                step_problem(ctx,
                             "image %s does not have the locale %s of the old server; choose "
                             "an image that has it (a -bookworm or -trixie tag), or C.UTF-8",
                             image, locale);
        return true;
}

static bool server_start_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_WORLD w = { 0 };
        if (!server_start_look(ctx, &w, err))
                return false;
        const char *volume = step_str(ctx, "volume"), *name = step_str(ctx, "name");
        if (!w.image)
                step_problem(ctx, "image %s is not here; pull it first", step_str(ctx, "image"));
        else if (!container_pg_major(w.image))
                step_problem(ctx, "image %s does not say which PostgreSQL it is (no PG_MAJOR)",
                             step_str(ctx, "image"));
        if (w.container && !our_container(ctx, w.container))
                step_problem(ctx, "there is a container %s already, and it is not ours", name);
        if (w.volume && !our_volume(ctx, w.volume))
                step_problem(ctx, "volume %s exists already; choose another name for the new one",
                             volume);
        if (!w.volume && !step_bool(ctx, "create"))
                step_problem(ctx, "there is no volume %s", volume);
        if (w.compose && !w.old && !*step_str(ctx, "user"))
                step_problem(ctx, "service %s has no container to take its user and password from",
                             step_str(ctx, "service"));
        return !w.image || server_start_locale(ctx, err);
}

static bool server_start_plan(StepCtx *ctx, void *state, Err *err)
{
        const char *volume = step_words(ctx, "volume"), *name = step_words(ctx, "name");
        step_plan(ctx, "$ docker volume create --label %s=%s %s", LABEL_RUN, step_run_id(ctx),
                  volume);
        step_plan(ctx,
                  "$ docker run -d --name %s --volume %s:(where the image keeps data) "
                  "(rights, files and options of the service) --env-file (its environment) %s",
                  name, volume, step_words(ctx, "image"));
        step_plan(ctx, "# waits until it answers over the network");
        step_plan_undo(ctx, "# removes container %s and volume %s, if this run made them", name,
                       volume);
        step_plan_undo(ctx, "$ docker rm -f %s", name);
        step_plan_undo(ctx, "$ docker volume rm %s", volume);
        return true;
}

/* ---- making it ---- */

static bool server_start_remove_ours(StepCtx *ctx, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_WORLD w = { 0 };
        if (!docker_inspect(&call, DOCKER_CONTAINER, step_str(ctx, "name"), &w.container, err) ||
            !docker_inspect(&call, DOCKER_VOLUME, step_str(ctx, "volume"), &w.volume, err))
                return false;
        if (w.container && our_container(ctx, w.container)) {
                AUTO_ARGV a = { 0 };
                argv_add_all(&a, (const char *const[]){ "docker", "rm", "--force",
                                                        container_id(w.container), NULL });
                if (!docker_do(&call, &a, NULL, err))
                        return false;
        }
        if (!w.volume || !our_volume(ctx, w.volume))
                return true;
        AUTO_FREE char *users = NULL;
        if (!kit_volume_users(ctx, step_str(ctx, "volume"), false, NULL, &users, err))
                return false;
        if (*users) {
                err_set(err, ERR_USER, "volume %s is used by %s; it was left alone",
                        step_str(ctx, "volume"), users);
                return err_hint(err, "remove that container first, if it is not wanted");
        }
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "volume", "rm", step_str(ctx, "volume"),
                                                NULL });
        return docker_do(&call, &a, NULL, err);
}

static const char *server_start_setting(StepCtx *ctx, const char *param, const char *service,
                                        const char *fallback)
{
        const char *given = step_str(ctx, param);
        return *given ? given : service ? service : fallback;
}

/* The lines of --env-file; wiped by the caller. */
static bool server_start_env(StepCtx *ctx, const World *w, const PgLayout *layout, Buf *b, Err *err)
{
        const char *user = server_start_setting(ctx, "user", w->user, "postgres");
        NewServer s = { .compose = w->compose,
                        .service = step_str(ctx, "service"),
                        .old = w->old,
                        .old_image = w->old_image,
                        .user = user,
                        .database = server_start_setting(ctx, "database", w->database, user),
                        .encoding = step_str(ctx, "encoding"),
                        .locale = step_str(ctx, "locale"),
                        .layout = layout };
        if (json_is_object(step_get(ctx, "password")) &&
            !(s.password = step_secret(ctx, "password", err)))
                return false;
        return kit_server_env(ctx, &s, b, err);
}

/* With `user: "1000:1000"` initdb changes the mode of a directory that must be its own. */
static bool give_away(StepCtx *ctx, const World *w, const PgLayout *layout, Err *err)
{
        HostCall call = kit_call(ctx);
        AUTO_ARGV a = { 0 };
        long uid = 0, gid = 0;
        if (!kit_service_uid(w->old, &uid, &gid))
                return true;
        argv_add_all(&a, (const char *const[]){ "docker", "run", "--rm", "--pull", "never",
                                                "--network", "none", "--user", "0", "--entrypoint",
                                                "chown", "--volume", NULL });
        argv_addf(&a, "%s:%s:nocopy", step_str(ctx, "volume"), layout->mount);
        argv_add(&a, step_str(ctx, "image"));
        argv_addf(&a, "%ld:%ld", uid, gid);
        argv_add(&a, layout->mount);
        return docker_do(&call, &a, NULL, err);
}

static bool server_start_container(StepCtx *ctx, const World *w, const PgLayout *layout, Err *err)
{
        HostCall call = kit_call(ctx);
        const char *volume = step_str(ctx, "volume");
        AUTO_ARGV make = { 0 };
        argv_add_all(&make, (const char *const[]){ "docker", "volume", "create", NULL });
        argv_addf(&make, "--label=%s=%s", LABEL_RUN, step_run_id(ctx));
        argv_addf(&make, "--label=%s=%s", LABEL_STEP, step_id(ctx));
        argv_add(&make, volume);
        if (!docker_do(&call, &make, NULL, err) || !give_away(ctx, w, layout, err))
                return false;
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "run", "--detach", "--pull", "never",
                                                "--restart", "no", "--name", step_str(ctx, "name"),
                                                NULL });
        argv_addf(&a, "--label=%s=%s", LABEL_RUN, step_run_id(ctx));
        argv_addf(&a, "--label=%s=%s", LABEL_STEP, step_id(ctx));
        if (w->compose)
                argv_addf(&a, "--label=pgsherpa.project=%s", compose_project(w->compose));
        argv_add(&a, "--volume");
        /* An empty volume would get the image's directory, owner and all, once more. */
        long uid, gid;
        argv_addf(&a, "%s:%s%s", volume, layout->mount,
                  kit_service_uid(w->old, &uid, &gid) ? ":nocopy" : "");
        kit_run_as_service(w->old, &a);
        if (w->old)
                kit_service_mounts(w->old, layout, &a);
        if (*kit_service_platform(w->compose, step_str(ctx, "service"))) {
                argv_add(&a, "--platform");
                argv_add(&a, kit_service_platform(w->compose, step_str(ctx, "service")));
        }
        int64_t shm = w->old ? jx_int(jx_get(w->old, "HostConfig"), "ShmSize", 0) : 0;
        argv_add(&a, "--shm-size"); /* parallel index builds want more than 64 MB (R17) */
        argv_addf(&a, "%lld", (long long)MAX(shm, 256LL * 1024 * 1024));
        /* Over TCP: the temporary server of the init phase listens on its socket only. */
        argv_add_all(&a, (const char *const[]){
                                 "--health-cmd", "pg_isready -h 127.0.0.1 -U postgres",
                                 "--health-interval", "2s", "--stop-timeout", "120", "--env-file",
                                 "/dev/stdin", step_str(ctx, "image"), NULL });
        if (w->old)
                kit_service_command(w->old, w->old_image, layout, &a);
        AUTO_BUF env = buf_init(256 * 1024);
        bool ok = server_start_env(ctx, w, layout, &env, err);
        ok = ok && docker_do(&call, &a, buf_str(&env), err);
        if (env.data)
                explicit_bzero(env.data, env.capacity);
        return ok;
}

static bool wait_for_it(StepCtx *ctx, const World *w, const PgLayout *layout, Err *err)
{
        Wellness well = { .health = "pg_isready",
                          .within_ms = step_int(ctx, "within"),
                          .user = server_start_setting(ctx, "user", w->user, "postgres"),
                          .database = "postgres",
                          .patient = true };
        if (json_is_object(step_get(ctx, "password")) &&
            !(well.password = step_secret(ctx, "password", err)))
                return false;
        json_t *identity = NULL;
        if (!kit_service_wait(ctx, step_str(ctx, "name"), &well, &identity, err))
                return false;
        step_result_str(ctx, "volume", step_str(ctx, "volume"));
        step_result_str(ctx, "container", step_str(ctx, "name"));
        step_result_str(ctx, "mount", layout->mount);
        step_report(ctx, "PostgreSQL %s on volume %s", jx_str(identity, "version", "?"),
                    step_str(ctx, "volume"));
        step_result_set(ctx, "identity", identity);
        return true;
}

static void layout_for(StepCtx *ctx, const World *w, PgLayout *layout)
{
        AUTO_ERR ignored = { 0 };
        const char *own = w->compose ? compose_service_env(w->compose, step_str(ctx, "service"),
                                                           "PGDATA", &ignored)
                                     : NULL;
        kit_layout_of(own, w->old, w->image, layout);
}

static bool server_start_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_WORLD w = { 0 };
        AUTO_LAYOUT layout = { 0 };
        if (!server_start_look(ctx, &w, err))
                return false;
        if (!w.image)
                return err_set(err, ERR_USER, "image %s is not here; pull it first",
                               step_str(ctx, "image"));
        if ((w.container && !our_container(ctx, w.container)) ||
            (w.volume && !our_volume(ctx, w.volume)))
                return err_set(err, ERR_USER,
                               "container %s or volume %s is there already, and not ours",
                               step_str(ctx, "name"), step_str(ctx, "volume"));
        json_t *mine = json_object();
        jx_set_str(mine, "container", step_str(ctx, "name"));
        jx_set_str(mine, "volume", step_str(ctx, "volume"));
        if (!step_remember(ctx, mine, err))
                return false;
        layout_for(ctx, &w, &layout);
        if (w.container && w.volume && container_running(w.container)) {
                step_say(ctx, "%s of an earlier attempt runs; waiting for it",
                         step_str(ctx, "name"));
                return wait_for_it(ctx, &w, &layout, err);
        }
        /* An attempt that died may have left half an initdb: begin again. */
        if ((w.container || w.volume) && !server_start_remove_ours(ctx, err))
                return false;
        return server_start_container(ctx, &w, &layout, err) && wait_for_it(ctx, &w, &layout, err);
}

static bool server_start_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        AUTO_WORLD w = { 0 };
        AUTO_LAYOUT layout = { 0 };
        *ret = FOUND_NOTHING;
        if (!server_start_look(ctx, &w, err))
                return false;
        if (!w.container && !w.volume)
                return true;
        if ((w.container && !our_container(ctx, w.container)) ||
            (w.volume && !our_volume(ctx, w.volume))) {
                *ret = FOUND_DRIFT;
                return true;
        }
        *ret = FOUND_PART;
        if (!w.container || !w.volume || !container_running(w.container) || !w.image)
                return true;
        layout_for(ctx, &w, &layout);
        AUTO_ERR why = { 0 };
        if (wait_for_it(ctx, &w, &layout, &why))
                *ret = FOUND_ALL;
        return true;
}

static bool server_start_undo(StepCtx *ctx, void *state, Err *err)
{
        if (json_object_size(step_remembered(ctx)) == 0)
                return true;
        if (!server_start_remove_ours(ctx, err))
                return false;
        step_report(ctx, "container %s and volume %s are gone", step_str(ctx, "name"),
                    step_str(ctx, "volume"));
        return true;
}

static bool dry_image_fits(StepCtx *ctx, Err *err)
{
        AUTO_JSON image = NULL;
        const char *name = step_str(ctx, "image");
        if (!step_known(ctx, "image") || dry_image(ctx, name, false, &image) != SEEN_HERE)
                return true;
        const json_t *config = jx_get(image, "Config");
        if (!container_pg_major(image))
                step_problem(ctx, "image %s does not say which PostgreSQL it is (no PG_MAJOR)",
                             name);
        else if (json_array_size(jx_get(config, "Entrypoint")) +
                         json_array_size(jx_get(config, "Cmd")) ==
                 0)
                step_problem(ctx, "image %s has neither an entry point nor a command", name);
        kit_image_of_this_machine(ctx, name, image);
        if (step_has_problems(ctx) || !step_known(ctx, "locale"))
                return true;
        return server_start_locale(ctx, err);
}

static bool dry_names(StepCtx *ctx, Err *err)
{
        AUTO_JSON c = NULL;
        AUTO_JSON v = NULL;
        const char *volume = step_str(ctx, "volume"), *name = step_str(ctx, "name");
        if (step_known(ctx, "name") && dry_docker_name(ctx, "container", name)) {
                Seen seen = dry_container(ctx, name, &c, err);
                if (seen == SEEN_LATER || (c && !our_container(ctx, c)))
                        step_problem(ctx, "there is a container %s already, and it is not ours",
                                     name);
                step_will(ctx, "container", name, WILL_COME);
                step_will(ctx, "runs", name, WILL_COME);
        }
        if (err->kind || !step_known(ctx, "volume") || !dry_docker_name(ctx, "volume", volume))
                return err->kind == ERR_NONE;
        Seen seen = dry_volume(ctx, volume, &v, err);
        if (seen == SEEN_NOT && !step_bool(ctx, "create") && err->kind == ERR_NONE)
                step_problem(ctx, "there is no volume %s", volume);
        if (seen == SEEN_LATER || (v && !our_volume(ctx, v)))
                step_problem(ctx, "volume %s exists already; choose another name for the new one",
                             volume);
        step_will(ctx, "volume", volume, WILL_COME);
        return err->kind == ERR_NONE;
}

static bool dry_login(StepCtx *ctx)
{
        AUTO_COMPOSE c = NULL;
        AUTO_SECRET own = NULL;
        AUTO_ERR why = { 0 };
        const char *service = step_str(ctx, "service");
        bool has_password = json_is_object(step_get(ctx, "password"));
        dry_secret(ctx, "password");
        if (!*service && !has_password)
                step_problem(ctx, "no password for the new server: give `service` or `password`");
        if (!*service || !step_known(ctx, "service") || dry_project(ctx, &c) != SEEN_HERE)
                return true;
        if (!compose_container(c, service) && !*step_str(ctx, "user"))
                step_problem(ctx, "service %s has no container to take its user and password from",
                             service);
        else if (!has_password && !compose_service_secret(c, service, "POSTGRES_PASSWORD",
                                                          "POSTGRES_PASSWORD", &own, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        return true;
}

static bool server_start_dry(StepCtx *ctx, void *state, Err *err)
{
        const char *encoding = step_str(ctx, "encoding"), *locale = step_str(ctx, "locale");
        AUTO_FREE char *clean = text_clean_str(encoding);
        AUTO_FREE char *words = text_clean_str(locale);
        if ((step_known(ctx, "encoding") && !kit_is_plain_word(encoding)) ||
            (step_known(ctx, "locale") && !kit_is_plain_word(locale)))
                step_problem(ctx, "`%s`, `%s`: not an encoding and a locale", clean, words);
        if (!kit_fits_env_file(step_str(ctx, "user")) ||
            !kit_fits_env_file(step_str(ctx, "database")))
                step_problem(ctx, "user or database holds a line break");
        return dry_names(ctx, err) && dry_login(ctx) && dry_image_fits(ctx, err);
}
