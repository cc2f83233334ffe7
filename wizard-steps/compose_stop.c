/* compose_stop.c: stops services, most dependent first; undo starts again those that ran.
 *
 * Each container is remembered by id before it stops. Undo starts the very same container
 * where it still exists, and asks Compose for a new one where it was replaced meanwhile. */
#include "base/buf.h"
#include "kit/docker.h"
#include "kit/dry.h"
#include "kit/service.h"

static const ParamSpec params[] = {
        { .name = "services",
          .type = PARAM_LIST,
          .item = PARAM_STRING,
          .help = "services to stop" },
        { .name = "grace",
          .type = PARAM_DURATION,
          .fallback = "30s",
          .help = "time to end by itself before it is killed" },
        { .name = "require",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "clean_shutdown: fail when a server's files say otherwise" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "stopped", .type = PARAM_LIST, .help = "services that ran and were stopped" },
        { .name = "not_running", .type = PARAM_LIST, .help = "services that did not run anyway" },
        { .name = "system",
          .type = PARAM_STRING,
          .help = "system identifier of a server stopped cleanly" },
        { 0 },
};

static bool compose_stop_check(StepCtx *ctx, void *state, Err *err);
static bool compose_stop_plan(StepCtx *ctx, void *state, Err *err);
static bool compose_stop_dry(StepCtx *ctx, void *state, Err *err);
static bool compose_stop_run(StepCtx *ctx, void *state, Err *err);
static bool compose_stop_probe(StepCtx *ctx, void *state, Found *ret, Err *err);
static bool compose_stop_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_compose_stop = {
        .name = "compose.stop",
        .summary = "Stop services of a project, most dependent first",
        .traits = STEP_IDEMPOTENT | STEP_ON_PROJECT,
        .params = params,
        .results = results,
        .check = compose_stop_check,
        .plan = compose_stop_plan,
        .dry = compose_stop_dry,
        .run = compose_stop_run,
        .probe = compose_stop_probe,
        .undo = compose_stop_undo,
};

static bool wants_clean(StepCtx *ctx)
{
        return str_eq(step_str(ctx, "require"), "clean_shutdown");
}

static bool compose_stop_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        if (!kit_project(ctx, &c, err))
                return false;
        if (*step_str(ctx, "require") && !wants_clean(ctx))
                step_problem(ctx, "require: %s is not known; it is clean_shutdown",
                             step_str(ctx, "require"));
        AUTO_JSON names = kit_names(ctx, "services");
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name) {
                const json_t *ignored = NULL;
                AUTO_ERR why = { 0 };
                if (!compose_container(c, json_string_value(name)) &&
                    !compose_service(c, json_string_value(name), &ignored, &why))
                        step_problem(ctx, "%s", why.message);
        }
        return true;
}

static char *compose_stop_joined(const json_t *names)
{
        AUTO_BUF b = buf_init(4096);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name)
                buf_printf(&b, "%s%s", i ? " " : "", json_string_value(name));
        return xstrdup(buf_str(&b));
}

static bool compose_stop_plan(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON names = kit_names(ctx, "services");
        AUTO_FREE char *words = compose_stop_joined(names);
        const char *shown = *words ? words : step_words(ctx, "services");
        kit_plan_compose(ctx, false, "stop --timeout %lld %s",
                         (long long)step_int(ctx, "grace") / 1000, shown);
        if (wants_clean(ctx))
                step_plan(
                        ctx,
                        "# its data files must say that it was shut down cleanly (pg_controldata)");
        step_plan_undo(ctx, "# starts %s again, if it ran before", shown);
        kit_plan_compose(ctx, true, "up -d --no-deps %s", shown);
        return true;
}

/* Results of what is stopped now; checks the files where that is wanted. */
static bool compose_stop_finish(StepCtx *ctx, Compose *c, const json_t *before, Err *err)
{
        json_t *stopped = json_array(), *others = json_array();
        size_t i;
        json_t *s;
        json_array_foreach(before, i, s)
                jx_append_str(jx_bool(s, "running", false) ? stopped : others,
                              jx_str(s, "service", ""));
        step_result_set(ctx, "stopped", stopped);
        step_result_set(ctx, "not_running", others);
        json_array_foreach(before, i, s) {
                const json_t *now = compose_container(c, jx_str(s, "service", ""));
                if (!now || !wants_clean(ctx))
                        continue;
                AUTO_FREE char *system = NULL;
                if (!kit_container_check_clean(ctx, now, &system, err))
                        return false;
                step_result_str(ctx, "system", system);
        }
        AUTO_FREE char *words = compose_stop_joined(stopped);
        step_report(ctx, "%s%s%s", *words ? "stopped " : "nothing ran", words,
                    wants_clean(ctx) ? ", shut down cleanly" : "");
        return true;
}

static bool compose_stop_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON order = NULL;
        AUTO_JSON names = kit_names(ctx, "services");
        if (!kit_project(ctx, &c, err) || !compose_order(c, names, true, &order, err))
                return false;
        if (!kit_services_remember(ctx, c, order, err))
                return false;
        HostCall call = kit_call(ctx);
        size_t i;
        json_t *name;
        json_array_foreach(order, i, name) {
                const json_t *one = compose_container(c, json_string_value(name));
                if (!one || !container_running(one)) {
                        step_say(ctx, "%s does not run", json_string_value(name));
                        continue;
                }
                AUTO_ARGV a = { 0 };
                compose_begin(c, &a);
                argv_add_all(&a, (const char *const[]){ "stop", "--timeout", NULL });
                argv_addf(&a, "%lld", (long long)MAX(step_int(ctx, "grace") / 1000, 1));
                argv_add(&a, json_string_value(name));
                if (!docker_do(&call, &a, NULL, err))
                        return err_wrap(err, "stopping %s", json_string_value(name));
        }
        if (!compose_refresh(c, err))
                return false;
        json_array_foreach(order, i, name) {
                const json_t *one = compose_container(c, json_string_value(name));
                if (one && container_running(one))
                        return err_set(err, ERR_COMMAND,
                                       "%s still runs after it was stopped: "
                                       "something starts it again",
                                       json_string_value(name));
        }
        return compose_stop_finish(ctx, c, jx_get(step_remembered(ctx), "before"), err);
}

static bool compose_stop_probe(StepCtx *ctx, void *state, Found *ret, Err *err)
{
        const json_t *before = jx_get(step_remembered(ctx), "before");
        AUTO_COMPOSE c = NULL;
        *ret = FOUND_NOTHING;
        if (!before)
                return true;
        if (!kit_project(ctx, &c, err))
                return false;
        size_t i, up = 0, down = 0;
        json_t *s;
        json_array_foreach(before, i, s) {
                const json_t *now = compose_container(c, jx_str(s, "service", ""));
                if (now && container_running(now))
                        up++;
                else if (jx_bool(s, "running", false))
                        down++;
        }
        if (up)
                *ret = down ? FOUND_PART : FOUND_NOTHING;
        else
                *ret = compose_stop_finish(ctx, c, before, err) ? FOUND_ALL : FOUND_PART;
        err_clear(err); /* an unclean stop is told by run(), which is called next */
        return true;
}

static bool compose_stop_undo(StepCtx *ctx, void *state, Err *err)
{
        const json_t *before = jx_get(step_remembered(ctx), "before");
        AUTO_COMPOSE c = NULL;
        if (!before)
                return true;
        if (!kit_project(ctx, &c, err))
                return false;
        size_t started = 0;
        for (size_t i = json_array_size(before); i-- > 0;) {
                const json_t *s = json_array_get(before, i);
                if (!jx_bool(s, "running", false))
                        continue;
                if (!kit_service_bring_back(ctx, c, s, 180000, err))
                        return err_wrap(err, "bringing %s back", jx_str(s, "service", ""));
                started++;
        }
        step_report(ctx, "%zu of %zu services run again", started, json_array_size(before));
        return true;
}

static bool compose_stop_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_COMPOSE c = NULL;
        AUTO_JSON names = kit_names(ctx, "services");
        size_t i;
        json_t *name;
        if (*step_str(ctx, "require") && !wants_clean(ctx))
                step_problem(ctx, "require: %s is not known; it is clean_shutdown",
                             step_str(ctx, "require"));
        if (dry_project(ctx, &c) != SEEN_HERE || !step_known(ctx, "services"))
                return true;
        json_array_foreach(names, i, name) {
                const char *service = json_string_value(name);
                const json_t *one = compose_container(c, service), *ignored = NULL;
                AUTO_ERR why = { 0 };
                if (!one && !compose_service(c, service, &ignored, &why))
                        step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                                     why.hint ? why.hint : "");
                else if (wants_clean(ctx) && one && !*container_pgdata(one))
                        step_problem(ctx,
                                     "require: %s runs no PostgreSQL whose files could say that it "
                                     "was shut down",
                                     service);
                step_will(ctx, "server", dry_service(ctx, service), WILL_GO);
                if (one)
                        step_will(ctx, "runs", container_name(one), WILL_GO);
        }
        step_will(ctx, "services", "any", WILL_GO);
        return true;
}
