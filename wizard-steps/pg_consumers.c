/* pg_consumers.c: who is connected, by name: addresses of pg_stat_activity mapped to containers,
 * also those of other Compose projects on the same network. Whom no list names would go on writing
 * in the downtime; it is known before anything stops, and looked at again when it begins. */
#include "base/text.h"
#include "kit/clients.h"
#include "kit/pg_steps.h"
#include "pg/fence.h"

static const ParamSpec params[] = {
        { .name = "stops",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "services of the server's own project that stop before it: explained" },
        { .name = "databases",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "databases that are moved; none: the whole server" },
        { .name = "advice",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "what to do about them, for whoever is asked" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "unexplained",
          .type = PARAM_LIST,
          .help = "who is connected and will not be stopped" },
        { .name = "explained",
          .type = PARAM_LIST,
          .help = "services that are connected and will be stopped" },
        { .name = "hint", .type = PARAM_STRING, .help = "the advice, where somebody needs it" },
        { 0 },
};

static bool pg_consumers_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_consumers_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_consumers = {
        .name = "pg.consumers",
        .summary = "See who is connected, and whom the run will not stop",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .plan = pg_consumers_plan,
        .run = pg_consumers_run,
};

static bool pg_consumers_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "select .. from pg_stat_activity where backend_type = 'client backend'");
        step_plan(ctx, "$ docker ps; docker inspect: whose addresses these are");
        return true;
}

static bool pg_consumers_is_listed(const json_t *names, const char *name)
{
        size_t i;
        json_t *one;
        json_array_foreach(names, i, one)
                if (str_eq(json_string_value(one), name))
                        return true;
        return false;
}

static void add_once(json_t *list, const char *text)
{
        if (!pg_consumers_is_listed(list, text))
                jx_append_str(list, text);
}

/* All who may be this client are stopped: then it is one of them, whichever. */
static bool is_explained(const Clients *w, const json_t *who, const json_t *stops)
{
        size_t i;
        json_t *c;
        json_array_foreach(who, i, c)
                if (!kit_clients_is_own_service(w, c) ||
                    !pg_consumers_is_listed(stops, kit_clients_service(c)))
                        return false;
        return json_array_size(who) > 0;
}

static bool pg_consumers_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON others = NULL;
        AUTO_JSON stops = kit_name_list(ctx, "stops");
        AUTO_JSON databases = kit_name_list(ctx, "databases");
        AUTO_CLIENTS who = { 0 };
        if (!kit_pg(ctx, &pg, err) || !pg_fence_others(pg, databases, &others, err) ||
            !kit_clients_look(ctx, &who, err))
                return false;
        json_t *unexplained = json_array(), *explained = json_array(), *o, *c;
        step_result_set(ctx, "unexplained", unexplained);
        step_result_set(ctx, "explained", explained);
        size_t i, k;
        json_array_foreach(others, i, o) {
                AUTO_JSON may_be = kit_clients_find(&who, o);
                if (is_explained(&who, may_be, stops)) {
                        json_array_foreach(may_be, k, c)
                                add_once(explained, kit_clients_service(c));
                        continue;
                }
                AUTO_FREE char *words = kit_clients_words(&who, o, may_be);
                add_once(unexplained, words);
        }
        json_array_foreach(unexplained, i, o)
                step_log(ctx, SAY_WARN, "pgsherpa", "%s", json_string_value(o));
        step_result_str(ctx, "hint", json_array_size(unexplained) ? step_str(ctx, "advice") : "");
        step_report(ctx, "%zu connected that will be stopped, %zu that will not",
                    json_array_size(explained), json_array_size(unexplained));
        return true;
}
