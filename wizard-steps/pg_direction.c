/* pg_direction.c: can the database go to that major, before anything is stopped? Only read,
 * catalogs and where it must be rows; pg.rehearse then tries it. */
#include "base/fmt.h"
#include "kit/pg_steps.h"
#include "transfer/direction.h"

static const ParamSpec params[] = {
        { .name = "database", .type = PARAM_NAME, .help = "database that is to go" },
        { .name = "to", .type = PARAM_INT, .fallback = "0", .help = "major it goes to" },
        { .name = "server",
          .type = PARAM_TARGET,
          .fallback = "~",
          .help = "server it goes to, instead of a major" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "refused",
          .type = PARAM_LIST,
          .help = "objects that cannot go, each with its reason" },
        { .name = "rewritten", .type = PARAM_LIST, .help = "objects that are said in older words" },
        { .name = "perhaps",
          .type = PARAM_LIST,
          .help = "functions whose text names a newer feature" },
        { .name = "search",
          .type = PARAM_LIST,
          .help = "statements that make words for text search anew afterwards" },
        { 0 },
};

static bool pg_direction_check(StepCtx *ctx, void *state, Err *err);
static bool pg_direction_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_direction_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_direction = {
        .name = "pg.direction",
        .summary = "Find what the other server's version does not know",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .check = pg_direction_check,
        .plan = pg_direction_plan,
        .run = pg_direction_run,
};

static bool pg_direction_check(StepCtx *ctx, void *state, Err *err)
{
        if ((step_int(ctx, "to") > 0) == (step_get(ctx, "server") != NULL))
                step_problem(ctx,
                             "say either the major it goes to (`to`) or the server (`server`)");
        return true;
}

static bool pg_direction_plan(StepCtx *ctx, void *state, Err *err)
{
        bool server = step_get(ctx, "server") != NULL;
        step_plan(ctx, "# looks in database %s for what %s %s does not know",
                  step_words(ctx, "database"), server ? "server" : "PostgreSQL",
                  step_words(ctx, server ? "server" : "to"));
        return true;
}

static bool target_major(StepCtx *ctx, int *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        *ret = (int)step_int(ctx, "to");
        if (*ret)
                return true;
        const Target *t = step_param_target(ctx, "server", err);
        if (!t || !kit_pg_open(ctx, t, NULL, &pg, err))
                return false;
        *ret = pg_major(pg);
        return true;
}

static bool pg_direction_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON found = NULL;
        static const char *const verdicts[] = { "refused", "rewritten", "perhaps" };
        json_t *lists[LEN(verdicts)];
        size_t i;
        json_t *j;
        int to = 0;
        if (!target_major(ctx, &to, err) || !kit_pg(ctx, &pg, err) ||
            !direction_check(pg, to, &found, err) || !direction_rows(pg, to, found, err))
                return false;
        for (size_t k = 0; k < LEN(verdicts); k++) {
                lists[k] = json_array();
                step_result_set(ctx, verdicts[k], lists[k]);
        }
        json_t *search = json_array();
        step_result_set(ctx, "search", search);
        json_array_foreach(found, i, j) {
                AUTO_FREE char *words = direction_words(j);
                if (jx_str(j, "update", NULL))
                        jx_append_str(search, jx_str(j, "update", ""));
                const char *verdict = jx_str(j, "verdict", "");
                for (size_t k = 0; k < LEN(verdicts); k++)
                        if (str_eq(verdict, verdicts[k]))
                                jx_append_str(lists[k], words);
                step_log(ctx, str_eq(verdict, "refused") ? SAY_ERROR : SAY_WARN, "pgsherpa",
                         "%s: %s", verdict, words);
        }
        step_report(ctx, "%d to %d: %s cannot go, %s rewritten", pg_major(pg), to,
                    THINGS(json_array_size(lists[0]), "object"),
                    THINGS(json_array_size(lists[1]), "object"));
        return true;
}
