/* compose_up.c: brings services up as the compose file says now, and waits until they are well.
 *
 * Before anything starts, PG_VERSION on the service's volume is compared with the image's
 * major: a new major is never started on old files (A10). Undo stops what did not run before;
 * a container that was not there before is removed, its volumes are not. */
#include "base/buf.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/service.h"

static const ParamSpec params[] = {
        { .name = "services",
          .type = PARAM_LIST,
          .item = PARAM_STRING,
          .help = "services to start, in this order" },
        { .name = "no_deps",
          .type = PARAM_BOOL,
          .fallback = "true",
          .help = "leave what they depend on alone" },
        { .name = "health",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "pg_isready, container, running, completed, or a URL; empty: its own health "
                  "check" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "120s",
          .help = "time to become well" },
        { .name = "grace",
          .type = PARAM_DURATION,
          .fallback = "60s",
          .help = "time to end by itself when this is undone" },
        { .name = "user",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "for pg_isready: role to log in as" },
        { .name = "database",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "for pg_isready: database" },
        { .name = "password",
          .type = PARAM_SECRET,
          .fallback = "",
          .help = "for pg_isready; else POSTGRES_PASSWORD of the service" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "identity",
          .type = PARAM_MAP,
          .fields = kit_identity_fields,
          .help = "of the server, with health: pg_isready" },
        { .name = "started", .type = PARAM_LIST, .help = "services that did not run before" },
        { .name = "containers", .type = PARAM_LIST, .help = "names of their containers" },
        { 0 },
};

static bool compose_up_check(StepCtx *ctx, void *state, Err *err);
static bool compose_up_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_up_dry(StepCtx *ctx, void *state, Err *err);
static bool compose_up_run(StepCtx *ctx, void *state, Err *err);
static bool compose_up_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool compose_up_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_up = {
        .name = "compose.up",
        .summary = "Start services and wait until they are healthy",
        .traits = STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .check = compose_up_check,
        .plan = compose_up_plan,
        .dry = compose_up_dry,
        .run = compose_up_run,
        .probe = compose_up_probe,
        .undo = compose_up_undo,
};

static bool compose_up_wellness(StepCtx *ctx, Wellness *w, Err *err)
{
        *w = (Wellness){ .health = step_str(ctx, "health"),
                         .within_ms = step_int(ctx, "within"),
                         .user = step_str(ctx, "user"),
                         .database = step_str(ctx, "database") };
        if (!json_is_object(step_get(ctx, "password")))
                return true;
        w->password = step_secret(ctx, "password", err);
        return w->password != NULL;
}

static bool compose_up_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        if (!kit_project(ctx, &c, err))
                return false;
        AUTO_JSON names = kit_names(ctx, "services");
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name) {
                const json_t *ignored = NULL;
                AUTO_ERR why = { 0 };
                HostCall look = kit_look(ctx);
                if (!compose_service(c, json_string_value(name), &ignored, &why) ||
                    !compose_data_fits(&look, c, json_string_value(name), &why))
                        step_problem(ctx, "%s", why.message);
        }
        return true;
}

static bool compose_up_plan(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON names = kit_names(ctx, "services");
        AUTO_BUF b = buf_init(4096);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name)
                buf_printf(&b, "%s%s", i ? " " : "", json_string_value(name));
        const char *shown = b.len ? buf_str(&b) : step_words(ctx, "services");
        kit_plan_compose(ctx, false, "up -d %s%s", step_bool(ctx, "no_deps") ? "--no-deps " : "",
                         shown);
        const char *health = step_words(ctx, "health");
        step_plan(ctx, "# waits until it is healthy: %s",
                  *health ? health : "its own health check");
        step_plan_undo(ctx, "# puts %s back as it was before this step", shown);
        kit_plan_compose(ctx, true, "stop %s", shown);
        return true;
}

static bool wait_all(StepCtx *ctx, Compose *c, const json_t *names, const json_t *before, Err *err)
{
        Wellness w;
        if (!compose_up_wellness(ctx, &w, err))
                return false;
        json_t *started = json_array(), *containers = json_array();
        step_result_set(ctx, "started", started);
        step_result_set(ctx, "containers", containers);
        AUTO_BUF words = buf_init(4096);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name) {
                const char *service = json_string_value(name);
                AUTO_FREE char *id = NULL;
                json_t *identity = NULL;
                if (!compose_service_container(c, service, &id, err) ||
                    !kit_service_wait(ctx, id, &w, &identity, err))
                        return err_wrap(err, "starting %s", service);
                if (identity)
                        step_result_set(ctx, "identity", identity);
                const json_t *was = kit_service_remembered(before, service);
                if (!was || !jx_bool(was, "running", false))
                        jx_append_str(started, service);
                jx_append_str(containers, container_name(compose_container(c, service)));
                buf_printf(&words, "%s%s", i ? ", " : "", service);
        }
        const json_t *identity = jx_get(step_results(ctx), "identity");
        if (identity)
                step_report(ctx, "%s is up, PostgreSQL %s", buf_str(&words),
                            jx_str(identity, "version", "?"));
        else
                step_report(ctx, "%s up", buf_str(&words));
        return true;
}

static bool compose_up_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON names = kit_names(ctx, "services");
        if (!kit_project(ctx, &c, err))
                return false;
        if (!kit_services_remember(ctx, c, names, err))
                return false;
        HostCall look = kit_look(ctx);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name) {
                if (!compose_data_fits(&look, c, json_string_value(name), err))
                        return false;
        }
        if (json_array_size(names) == 0)
                return err_set(err, ERR_USER, "no service was named");
        if (!kit_services_up(ctx, c, names, step_bool(ctx, "no_deps"), err) ||
            !compose_refresh(c, err))
                return false;
        return wait_all(ctx, c, names, jx_get(step_remembered(ctx), "before"), err);
}

/* All there: every service runs a container made from the present file, and is well. Anything
 * less is brought up again, which does no harm. */
static bool compose_up_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        const json_t *before = jx_get(step_remembered(ctx), "before");
        AUTO_COMPOSE c = NULL;
        *ret = FOUND_NOTHING;
        if (!before)
                return true;
        AUTO_JSON names = kit_names(ctx, "services");
        AUTO_JSON drifted = NULL;
        Wellness w;
        if (!kit_project(ctx, &c, err) || !compose_drift(c, &drifted, err) ||
            !compose_up_wellness(ctx, &w, err))
                return false;
        size_t i, k, well = 0, running = 0;
        json_t *name, *d;
        json_array_foreach(names, i, name) {
                const char *service = json_string_value(name);
                const json_t *one = compose_container(c, service);
                bool stale = false, fine = false;
                json_array_foreach(drifted, k, d)
                        stale = stale || str_eq(jx_str(d, "service", ""), service);
                if (!one || !container_running(one))
                        continue;
                running++;
                AUTO_FREE char *why = NULL;
                if (!stale &&
                    !kit_service_is_well(ctx, container_id(one), &w, &fine, &why, NULL, err))
                        return false;
                well += fine;
        }
        if (well == json_array_size(names) && well)
                *ret = wait_all(ctx, c, names, before, err) ? FOUND_ALL : FOUND_PART;
        else if (running)
                *ret = FOUND_PART;
        err_clear(err);
        return true;
}

static bool compose_up_undo_one(StepCtx *ctx, Compose *c, const json_t *was, Err *err)
{
        const char *service = jx_str(was, "service", ""), *id = jx_str(was, "container", "");
        const json_t *now = compose_container(c, service);
        HostCall call = kit_call(ctx);
        if (jx_bool(was, "running", false))
                return kit_service_bring_back(ctx, c, was, step_int(ctx, "within"), err);
        if (!now)
                return true;
        AUTO_FREE char *now_id = xstrdup(container_id(now));
        if (!kit_container_stop(ctx, now_id, step_int(ctx, "grace"), err))
                return false;
        if (*id)
                return true;
        /* There was none before: ours goes. Never --volumes. */
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, (const char *const[]){ "docker", "rm", now_id, NULL });
        return docker_do(&call, &a, NULL, err);
}

static bool compose_up_undo(StepCtx *ctx, void *state, Err *err)
{
        const json_t *before = jx_get(step_remembered(ctx), "before");
        AUTO_COMPOSE c = NULL;
        if (!before)
                return true;
        if (!kit_project(ctx, &c, err))
                return false;
        for (size_t i = json_array_size(before); i-- > 0;) {
                const json_t *was = json_array_get(before, i);
                if (!compose_up_undo_one(ctx, c, was, err))
                        return err_wrap(err, "stopping %s", jx_str(was, "service", ""));
        }
        step_report(ctx, "as before");
        return true;
}

static bool dry_one(StepCtx *ctx, Compose *c, const char *service, Err *err)
{
        const json_t *ignored = NULL, *one = compose_container(c, service);
        AUTO_ERR why = { 0 };
        AUTO_FREE char *name = NULL;
        AUTO_JSON image = NULL;
        HostCall look = kit_look(ctx);
        if (!compose_service(c, service, &ignored, &why)) {
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
                return true;
        }
        bool edited = step_will_be(ctx, "server", dry_service(ctx, service)) == WILL_COME;
        if (step_known(ctx, "health"))
                dry_health(ctx, step_str(ctx, "health"), service, edited ? NULL : one);
        if (edited) {
                step_unseen(ctx, "service %s is changed by an earlier step", service);
                return true;
        }
        if (!compose_data_fits(&look, c, service, &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        if (jx_get(ignored, "build") || !compose_service_image(c, service, &name, &why))
                return true; /* Compose builds it */
        (void)!dry_image(ctx, name, true, &image);
        return true;
}

static bool compose_up_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON names = kit_names(ctx, "services");
        size_t i;
        json_t *name;
        dry_secret(ctx, "password");
        if (step_known(ctx, "services") && json_array_size(names) == 0)
                step_problem(ctx, "services: none is named");
        if (dry_project(ctx, &c) != SEEN_HERE || !step_known(ctx, "services"))
                return true;
        json_array_foreach(names, i, name) {
                const char *service = json_string_value(name);
                if (!dry_one(ctx, c, service, err))
                        return false;
                step_will(ctx, "server", dry_service(ctx, service), WILL_COME);
        }
        step_will(ctx, "containers", "any", WILL_GO);
        return true;
}
