/* service.c: services remembered, started, stopped and brought back. */
#include "kit/service.h"

#include "host/container_server.h"
#include "host/ports.h"
#include "kit/docker.h"

const ParamSpec kit_identity_fields[] = {
        { .name = "major", .type = PARAM_INT, .help = "major version" },
        { .name = "version", .type = PARAM_STRING, .help = "version" },
        { .name = "system", .type = PARAM_STRING, .help = "system identifier" },
        { 0 },
};

bool kit_services_remember(StepCtx *ctx, const Compose *c, const json_t *names, Err *err)
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

const json_t *kit_service_remembered(const json_t *list, const char *service)
{
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one) {
                if (str_eq(jx_str(one, "service", ""), service))
                        return one;
        }
        return NULL;
}

/* Compose makes the new container under a name of its own before it removes the old one. When
 * it is killed in between, the next `up` removes that leftover and then stumbles over its name
 * ("is already in use"); the one after that does its work. Measured with Compose 2.26. */
bool kit_services_up(StepCtx *ctx, const Compose *c, const json_t *names, bool no_deps, Err *err)
{
        HostCall call = kit_call(ctx);
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

bool kit_container_stop(StepCtx *ctx, const char *container, int64_t grace_ms, Err *err)
{
        HostCall call = kit_call(ctx);
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

bool kit_service_bring_back(StepCtx *ctx, Compose *c, const json_t *before, int64_t within_ms,
                            Err *err)
{
        const char *service = jx_str(before, "service", ""), *id = jx_str(before, "container", "");
        HostCall call = kit_call(ctx);
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
                             kit_services_up(ctx, c, names, true, err);
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
        return kit_service_wait(ctx, now_id, &w, NULL, err);
}

bool kit_container_check_clean(StepCtx *ctx, const json_t *container, char **ret_system, Err *err)
{
        HostCall look = kit_look(ctx);
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
