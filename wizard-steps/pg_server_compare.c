/* pg_server_compare.c: does a server hold what the other one held, beside the insides of databases?
 * Roles, memberships, settings of every level, properties of databases: pg_dumpall's matter. */
#include "base/fmt.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "kit/pg_steps.h"
#include "pg/server.h"

#define SHOWN 50 /* differences in the log and the result; the file has them all */

static const ParamSpec params[] = {
        { .name = "against", .type = PARAM_PATH, .help = "file that pg.server wrote (result.ref)" },
        { .name = "databases",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "databases that were carried" },
        { .name = "own_password",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "roles whose password was made anew on this server: the image's superuser" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "equal", .type = PARAM_BOOL, .help = "no difference" },
        { .name = "objects", .type = PARAM_INT, .help = "roles, memberships, databases compared" },
        { .name = "differences",
          .type = PARAM_LIST,
          .item = PARAM_MAP,
          .help = "object, what, source, target of each (the first 50)" },
        { .name = "differences_total", .type = PARAM_INT, .help = "how many there are" },
        { .name = "rules", .type = PARAM_MAP, .help = "expected differences, counted by rule" },
        { .name = "report", .type = PARAM_PATH, .help = "file with both sides" },
        { 0 },
};

static const char *const verdict[] = { "differences", "differences_total", "equal", NULL };

static bool pg_server_compare_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_server_compare_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_server_compare = {
        .name = "pg.server.compare",
        .summary = "Compare a server's roles and settings with another's",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .verdict = verdict,
        .plan = pg_server_compare_plan,
        .run = pg_server_compare_run,
};

static bool pg_server_compare_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# compares roles, memberships, settings and databases with %s",
                  step_words(ctx, "against"));
        return true;
}

static bool pg_server_compare_load(const char *path, json_t **ret, Err *err)
{
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_read_file(path, LIMIT_MANIFEST, &text, &n, err))
                return false;
        *ret = jx_parse(text, n, err);
        return *ret || err_wrap(err, "reading %s", path);
}

/* "image-superuser": the entry point of the image made this role with the password of the compose
 * file. */
static json_t *rules_of(StepCtx *ctx, Pg *pg, Err *err)
{
        AUTO_JSON roles = kit_name_list(ctx, "own_password");
        json_t *rules = json_object(), *v;
        size_t i;
        json_array_foreach(roles, i, v) {
                AUTO_SQL q = { 0 };
                AUTO_FREE char *object = NULL;
                sql_add(&q, "select 'role ' || quote_ident(");
                sql_value(&q, json_string_value(v));
                sql_add(&q, ")");
                if (!pg_query_value(pg, &q, &object, err)) {
                        json_decref(rules);
                        return NULL;
                }
                AUTO_FREE char *clean = text_clean_str(object);
                AUTO_FREE char *key = xasprintf("%s\npassword", clean);
                jx_set_str(rules, key, "image-superuser");
        }
        return rules;
}

static void pg_server_compare_say(StepCtx *ctx, const json_t *differences)
{
        json_t *shown = json_array(), *d;
        size_t i;
        json_array_foreach(differences, i, d) {
                const char *object = jx_str(d, "object", ""), *what = jx_str(d, "what", "");
                bool hidden = str_starts(what, "set ") || str_eq(what, "password");
                if (i >= SHOWN)
                        break;
                json_array_append(shown, d);
                if (hidden)
                        step_log(ctx, SAY_ERROR, "compare", "%s: %s is %s", object, what,
                                 !jx_str(d, "target", NULL) ? "not there" : "another one");
                else
                        step_log(ctx, SAY_ERROR, "compare", "%s: %s was %s, is %s", object, what,
                                 jx_str(d, "source", "(nothing)"),
                                 jx_str(d, "target", "(nothing)"));
        }
        step_result_set(ctx, "differences", shown);
}

static bool pg_server_compare_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON source = NULL;
        AUTO_JSON names = kit_name_list(ctx, "databases");
        AUTO_JSON lines = NULL;
        const char *path = NULL;
        if (!pg_server_compare_load(step_str(ctx, "against"), &source, err) ||
            !kit_pg_open(ctx, step_target(ctx), NULL, &pg, err) ||
            !pg_server_lines(pg, names, pg_major(pg), &lines, err))
                return false;
        AUTO_JSON rules = rules_of(ctx, pg, err);
        if (!rules)
                return false;
        json_t *excused = NULL;
        AUTO_JSON differences =
                pg_server_differences(jx_get(source, "lines"), lines, rules, &excused);
        AUTO_JSON report = json_object();
        size_t n = json_array_size(differences),
               objects = json_object_size(jx_get(source, "lines"));
        jx_set(report, "differences", json_incref(differences));
        jx_set(report, "rules", json_incref(excused));
        jx_set(report, "target", json_incref(lines));
        step_result_set(ctx, "rules", excused);
        step_result_bool(ctx, "equal", n == 0);
        step_result_int(ctx, "objects", (int64_t)objects);
        step_result_int(ctx, "differences_total", (int64_t)n);
        pg_server_compare_say(ctx, differences);
        if (n)
                step_report(ctx, "%s in %s", THINGS(n, "difference"), THINGS(objects, "object"));
        else
                step_report(ctx, "%s equal", THINGS(objects, "object"));
        return step_result_file(ctx, "report", report, &path, err);
}
