/* pg_collisions.c: do two sources bring the same role or database name to one server? */
#include "kit/pg_steps.h"
#include "pg/database.h"
#include "pg/roles.h"

static const ParamSpec params[] = {
        { .name = "sets",
          .type = PARAM_ANY,
          .fallback = "[]",
          .help = "a list of names for each source" },
        { .name = "ignore", .type = PARAM_LIST, .fallback = "[]", .help = "names that may meet" },
        { .name = "databases",
          .type = PARAM_BOOL,
          .fallback = "false",
          .help = "names are databases; otherwise roles" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "collisions", .type = PARAM_LIST, .help = "names that meet" },
        { 0 },
};

static const char *const verdict[] = { "collisions", NULL };

static bool pg_collisions_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_collisions_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_collisions = {
        .name = "pg.collisions",
        .summary = "Find names that two sources bring to one server",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = pg_collisions_plan,
        .run = pg_collisions_run,
};

static bool pg_collisions_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx,
                  "# looks for names that two sources bring, or that are on the server already");
        return true;
}

static bool on_server(StepCtx *ctx, Pg *pg, const char *name, bool *ret, Err *err)
{
        AUTO_JSON there = NULL;
        if (!step_bool(ctx, "databases"))
                return pg_role_exists(pg, name, ret, err);
        if (!pg_database_describe(pg, name, &there, err))
                return false;
        *ret = there != NULL;
        return true;
}

/* How many sets have the name; a name twice in one set is one. */
static void pg_collisions_count(const json_t *set, json_t *counts)
{
        AUTO_JSON seen = json_object();
        size_t i;
        json_t *v;
        json_array_foreach(set, i, v) {
                const char *name =
                        json_is_object(v) ? jx_str(v, "name", NULL) : json_string_value(v);
                if (!name || jx_get(seen, name))
                        continue;
                jx_set_bool(seen, name, true);
                jx_set_int(counts, name, jx_int(counts, name, 0) + 1);
        }
}

static bool pg_collisions_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON counts = json_object();
        AUTO_JSON ignore = kit_name_list(ctx, "ignore");
        json_t *collisions = json_array();
        size_t i;
        json_t *v;
        const char *name;
        step_result_set(ctx, "collisions", collisions);
        if (step_target(ctx) && !kit_pg_open(ctx, step_target(ctx), NULL, &pg, err))
                return false;
        json_array_foreach(step_get(ctx, "sets"), i, v)
                pg_collisions_count(v, counts);
        json_array_foreach(ignore, i, v)
                json_object_del(counts, json_string_value(v));
        json_object_foreach(counts, name, v) {
                bool there = false;
                if (pg && !on_server(ctx, pg, name, &there, err))
                        return false;
                if (!there && json_integer_value(v) < 2)
                        continue;
                jx_append_str(collisions, name);
                step_log(ctx, SAY_WARN, "pgsherpa", "%s: %s", name,
                         there ? "is on the server already" : "comes from more than one source");
        }
        step_report(ctx, "%zu names meet", json_array_size(collisions));
        return true;
}
