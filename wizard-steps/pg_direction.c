/* pg_direction.c: can the database go to that major, before anything is stopped? */
#include "transfer/direction.h"
#include "wizard-steps/pg_steps.h"

static const ParamSpec params[] = {
        { .name = "database", .type = PARAM_NAME, .help = "database that is to go" },
        { .name = "to", .type = PARAM_INT, .help = "major it goes to" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "refused", .type = PARAM_LIST, .help = "objects that cannot go, each with its reason" },
        { .name = "rewritten", .type = PARAM_LIST, .help = "objects that are said in older words" },
        { .name = "perhaps", .type = PARAM_LIST, .help = "functions whose text names a newer feature" },
        { 0 },
};

static bool plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# look in the catalogs of %s for what PostgreSQL %lld does not know",
                  step_words(ctx, "database"), (long long)step_int(ctx, "to"));
        return true;
}

static bool run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON found = NULL;
        static const char *const verdicts[] = { "refused", "rewritten", "perhaps" };
        json_t *lists[LEN(verdicts)];
        size_t i;
        json_t *j;
        if (!step_pg(ctx, &pg, err) || !direction_check(pg, (int)step_int(ctx, "to"), &found, err))
                return false;
        for (size_t k = 0; k < LEN(verdicts); k++) {
                lists[k] = json_array();
                step_result_set(ctx, verdicts[k], lists[k]);
        }
        json_array_foreach(found, i, j)
        {
                AUTO_FREE char *words = direction_words(j);
                const char *verdict = jx_str(j, "verdict", "");
                for (size_t k = 0; k < LEN(verdicts); k++)
                        if (str_eq(verdict, verdicts[k]))
                                jx_append_str(lists[k], words);
                step_log(ctx, str_eq(verdict, "refused") ? SAY_ERROR : SAY_WARN, "pgsherpa", "%s: %s",
                         verdict, words);
        }
        step_report(ctx, "%zu objects cannot go, %zu are rewritten", json_array_size(lists[0]),
                    json_array_size(lists[1]));
        return true;
}

const StepKind step_pg_direction = {
        .name = "pg.direction",
        .summary = "Find what a database has that the target's major does not know",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .plan = plan,
        .run = run,
};
