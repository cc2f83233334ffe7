/* pg_consumers.c: who is connected, by name: addresses of pg_stat_activity mapped to containers,
 * also those of other Compose projects on the same network. Whom no list names would go on writing
 * in the downtime; it is known before anything stops. */
#include <limits.h>
#include <stdio.h>

#include "base/text.h"
#include "pg/fence.h"
#include "wizard-steps/host_steps.h"
#include "wizard-steps/pg_steps.h"

static const ParamSpec params[] = {
        { .name = "stops",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "services of the server's own project that stop before it: explained" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "unexplained",
          .type = PARAM_LIST,
          .help = "who is connected and will not be stopped" },
        { .name = "explained",
          .type = PARAM_LIST,
          .help = "services that are connected and will be stopped" },
        { 0 },
};

static bool plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "select .. from pg_stat_activity where backend_type = 'client backend'");
        step_plan(ctx, "$ docker ps; docker inspect: whose addresses these are");
        return true;
}

/* As pg_stat_activity prints it: an inet, with "/32" at its end. */
static const json_t *container_at(const json_t *all, const char *inet)
{
        AUTO_FREE char *address = xstrndup(inet, strcspn(inet, "/"));
        size_t i;
        json_t *c, *network;
        const char *key;
        json_array_foreach(all, i, c) json_object_foreach(
                jx_get(jx_get(c, "NetworkSettings"), "Networks"), key,
                network) if (*address &&
                             (str_eq(jx_str(network, "IPAddress", ""), address) ||
                              str_eq(jx_str(network, "GlobalIPv6Address", ""), address))) return c;
        return NULL;
}

/* The directory of the Compose project that the target lives in, links resolved; "" for none. */
static char *project_dir(const Target *t)
{
        const json_t *via = jx_get(t->spec, "via"), *c = jx_get(via, "compose");
        const char *name = json_is_string(c) ? json_string_value(c) : jx_str(c, "$target", NULL);
        char *real = realpath(jx_str(name ? jx_get(t->all, name) : c, "dir", ""), NULL);
        return real ? real : xstrdup("");
}

static bool is_listed(const json_t *names, const char *name)
{
        size_t i;
        json_t *one;
        json_array_foreach(names, i, one) if (str_eq(json_string_value(one), name)) return true;
        return false;
}

static void add_once(json_t *list, const char *text)
{
        if (!is_listed(list, text))
                jx_append_str(list, text);
}

static char *words_for(const json_t *other, const json_t *c)
{
        const char *address = jx_str(other, "address", ""), *app = jx_str(other, "application", "");
        AUTO_FREE char *who = NULL;
        if (c && *container_label(c, "com.docker.compose.service"))
                who = xasprintf("service %s of project %s",
                                container_label(c, "com.docker.compose.service"),
                                container_label(c, "com.docker.compose.project"));
        else if (c)
                who = xasprintf("container %s", container_name(c));
        else
                who = xasprintf("somebody at %s", *address ? address : "the server's own socket");
        char *text = xasprintf("%s, as %s in %s%s%s", who, jx_str(other, "user", "?"),
                               jx_str(other, "database", "?"), *app ? " with " : "", app);
        return text;
}

static bool run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON others = NULL;
        AUTO_JSON all = NULL;
        AUTO_JSON stops = step_name_list(ctx, "stops");
        HostCall look = step_look(ctx);
        if (!step_pg(ctx, &pg, err) || !pg_fence_others(pg, NULL, &others, err) ||
            !docker_containers(&look, false, NULL, &all, err))
                return false;
        AUTO_FREE char *dir = project_dir(step_target(ctx));
        json_t *unexplained = json_array(), *explained = json_array(), *o;
        step_result_set(ctx, "unexplained", unexplained);
        step_result_set(ctx, "explained", explained);
        size_t i;
        json_array_foreach(others, i, o)
        {
                const json_t *c = container_at(all, jx_str(o, "address", ""));
                AUTO_FREE char *home =
                        c ? realpath(container_label(c, "com.docker.compose.project.working_dir"),
                                     NULL)
                          : NULL;
                const char *service = c ? container_label(c, "com.docker.compose.service") : "";
                if (home && *dir && str_eq(home, dir) && is_listed(stops, service)) {
                        add_once(explained, service);
                        continue;
                }
                AUTO_FREE char *words = words_for(o, c);
                AUTO_FREE char *clean = text_clean_str(words);
                add_once(unexplained, clean);
        }
        json_array_foreach(unexplained, i, o)
                step_log(ctx, SAY_WARN, "pgsherpa", "%s", json_string_value(o));
        step_report(ctx, "%zu connected that will be stopped, %zu that will not",
                    json_array_size(explained), json_array_size(unexplained));
        return true;
}

const StepKind step_pg_consumers = {
        .name = "pg.consumers",
        .summary = "Who is connected, by container and service, and whom the journey does not stop",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = plan,
        .run = run,
};
