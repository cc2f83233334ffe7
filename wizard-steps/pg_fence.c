/* pg_fence.c: proof that nobody else is connected, and the counters that will prove at the end
 * of the phase that nobody else wrote. It looks and remembers; ending sessions is pg.terminate. */
#include "kit/clients.h"
#include "kit/pg_steps.h"
#include "pg/fence.h"

static const ParamSpec client_fields[] = {
        { .name = "pid", .type = PARAM_INT, .help = "server process" },
        { .name = "user", .type = PARAM_NAME, .help = "role" },
        { .name = "database", .type = PARAM_NAME, .help = "database" },
        { .name = "application", .type = PARAM_STRING, .help = "application_name" },
        { .name = "address", .type = PARAM_STRING, .help = "where it comes from" },
        { .name = "port", .type = PARAM_INT, .help = "of the client, there" },
        { .name = "state", .type = PARAM_STRING, .help = "active, idle and so on" },
        { .name = "command", .type = PARAM_STRING, .help = "first word of its last statement" },
        { 0 },
};

static const ParamSpec params[] = {
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "5s",
          .help = "how long the last clients may take to leave" },
        { .name = "databases",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "databases that are moved: only they are watched; none: the whole server" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "others",
          .type = PARAM_LIST,
          .fields = client_fields,
          .help = "clients that are not ours" },
        { .name = "who",
          .type = PARAM_LIST,
          .help = "the same as a person would say it, each once" },
        { .name = "connections", .type = PARAM_INT, .help = "how many" },
        { .name = "prepared", .type = PARAM_INT, .help = "prepared transactions" },
        { .name = "subscriptions", .type = PARAM_LIST, .help = "running logical subscriptions" },
        { .name = "lsn", .type = PARAM_STRING, .help = "where the WAL stood" },
        { 0 },
};

static const char *const verdict[] = { "others", NULL };

static bool pg_fence_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_fence_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_fence = {
        .name = "pg.fence",
        .summary = "Check that nobody else is connected",
        .traits =
                STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER | STEP_FENCES | STEP_ONLY_REPORTS,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = pg_fence_plan,
        .run = pg_fence_run,
};

static bool pg_fence_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# checks that nobody else is connected, and notes what was written so far");
        step_plan(ctx, "select .. from pg_stat_activity where backend_type = 'client backend'");
        step_plan(ctx, "select pg_current_wal_insert_lsn(); select .. from pg_stat_all_tables");
        return true;
}

/* Things that write without being a client we could wait for. */
static bool hidden_writers(const json_t *look, Err *err)
{
        if (jx_int(look, "prepared", 0)) {
                err_set(err, ERR_USER, "there are %d prepared transactions",
                        (int)jx_int(look, "prepared", 0));
                return err_hint(err,
                                "COMMIT PREPARED or ROLLBACK PREPARED them: a copy loses them");
        }
        if (json_array_size(jx_get(look, "subscriptions"))) {
                err_set(err, ERR_USER, "a logical subscription writes into this server");
                return err_hint(err, "ALTER SUBSCRIPTION .. DISABLE it first");
        }
        return true;
}

/* By container, service or program; each once, where one holds many connections. */
static bool name_them(StepCtx *ctx, const json_t *others, Err *err)
{
        AUTO_CLIENTS who = { 0 };
        json_t *list = json_array(), *o;
        size_t i;
        step_result_set(ctx, "who", list);
        if (!json_array_size(others))
                return true;
        if (!kit_clients_look(ctx, &who, err))
                return false;
        json_array_foreach(others, i, o) {
                AUTO_JSON may_be = kit_clients_find(&who, o);
                AUTO_FREE char *words = kit_clients_words(&who, o, may_be);
                bool known = false;
                size_t k;
                json_t *one;
                json_array_foreach(list, k, one)
                        known = known || str_eq(json_string_value(one), words);
                if (!known)
                        jx_append_str(list, words);
                step_log(ctx, SAY_WARN, "pgsherpa", "%s: backend %lld, %s", words,
                         (long long)jx_int(o, "pid", 0), jx_str(o, "state", ""));
        }
        return true;
}

static bool pg_fence_run(StepCtx *ctx, void *state, Err *err)
{
        static const char *const keys[] = { "others", "prepared", "subscriptions", "lsn", NULL };
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON look = NULL;
        AUTO_JSON others = NULL;
        AUTO_JSON databases = kit_name_list(ctx, "databases");
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err))
                return false;
        /* A pool closes its connections a moment after its service has stopped. */
        for (int64_t left = step_int(ctx, "within");; left -= 500) {
                json_decref(others);
                others = NULL;
                if (!pg_fence_others(pg, databases, &others, err))
                        return false;
                if (!json_array_size(others) || left <= 0)
                        break;
                if (!step_sleep(ctx, 500))
                        return err_set(err, ERR_CANCELLED,
                                       "stopped while waiting for clients to "
                                       "leave");
        }
        if (!pg_fence_look(pg, databases, &look, err) || !hidden_writers(look, err))
                return false;
        size_t n = json_array_size(jx_get(look, "others"));
        kit_results_from(ctx, look, keys);
        step_result_int(ctx, "connections", (int64_t)n);
        if (!name_them(ctx, jx_get(look, "others"), err))
                return false;
        json_t *o;
        const char *name;
        json_object_foreach(jx_get(look, "writes"), name, o)
                if (json_is_null(o))
                        step_log(ctx, SAY_WARN, "pgsherpa",
                                 "this role may not look into database %s: whether "
                                 "somebody writes there is not seen",
                                 name);
        if (n)
                step_report(ctx, "%zu other clients", n);
        else
                step_report(ctx, "nobody else is connected; WAL at %s", jx_str(look, "lsn", "?"));
        return step_remember(ctx, json_incref(look), err);
}
