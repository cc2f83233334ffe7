/* verb_engine.c: `pgsherpa __engine DIR`: the process that carries a run. Not for people. */
#include <stdio.h>

#include "app/launch/bundle_locks.h"
#include "app/launch/journeys.h"
#include "app/launch/targets.h"
#include "app/cli/verb.h"
#include "base/io.h"
#include "base/limits.h"
#include "config.h"
#include "engine/engine.h"

typedef struct Loaded {
        json_t *answers, *plan_file;
        Journey journey;
} Loaded;

static void loaded_done(Loaded *l)
{
        json_decref(l->answers);
        json_decref(l->plan_file);
        journey_done(&l->journey);
}
#define AUTO_LOADED CLEANUP(loaded_done) Loaded

static json_t *read_json(const char *dir, const char *name, Err *err)
{
        AUTO_FREE char *path = io_join(dir, name);
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_read_file(path, LIMIT_CAPTURE, &text, &n, err))
                return NULL;
        return jx_parse(text, n, err);
}

static bool plan_again(const char *dir, Loaded *l, Err *err)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_FREE char *path = io_join(dir, "runbook.yaml");
        AUTO_FREE char *parts = io_join(dir, "parts");
        const char *const part_dirs[] = { parts, NULL }; /* those that were accepted, no others */
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        Journey *j = &l->journey;
        if (!io_read_file(path, LIMIT_YAML_BYTES, &text, &n, err))
                return false;
        j->runbook = runbook_load_text(jx_str(l->answers, "runbook", "runbook"), text, n, part_dirs,
                                       journeys_kinds(), &problems, err);
        if (!j->runbook ||
            !runbook_vars(j->runbook, jx_get(l->answers, "vars"), &j->vars, &problems)) {
                problems_print(&problems);
                return err->kind ? false : err_set(err, ERR_USER, "the runbook does not load");
        }
        AUTO_JSON run = json_object();
        jx_set_str(run, "id", "\xe2\x80\xb9run\xe2\x80\xba");
        Scope scope = { .vars = j->vars, .run = run, .planning = true };
        j->plan = plan_new(j->runbook, j->vars, &scope, err);
        return j->plan != NULL;
}

static bool load(const char *dir, Loaded *l, Err *err)
{
        l->answers = read_json(dir, "answers.json", err);
        if (!l->answers)
                return false;
        l->plan_file = read_json(dir, "plan.json", err);
        if (!l->plan_file || !plan_again(dir, l, err))
                return false;
        const char *accepted = jx_str(l->plan_file, "plan_sha256", "");
        if (str_eq(accepted, l->journey.plan->sha256))
                return true;
        err_set(err, ERR_USER, "the plan is not the one that was accepted (%.12s, now %.12s)",
                accepted, l->journey.plan->sha256);
        return err_hint(err, "this pgsherpa expands the runbook differently; finish the run with "
                             "the version that started it, or roll it back");
}

static int run(int argc, char **argv)
{
        const char *secrets[33] = { NULL };
        size_t n_secrets = 0;
        bool resume = false, rollback = false;
        if (argc < 2)
                return verb_usage("__engine", "wants a run directory");
        for (int i = 2; i < argc; i++) {
                if (str_eq(argv[i], "--resume"))
                        resume = true;
                else if (str_eq(argv[i], "--rollback"))
                        rollback = true;
                else if (str_eq(argv[i], "--secret") && i + 1 < argc && n_secrets < 32)
                        secrets[n_secrets++] = argv[++i];
        }
        AUTO_ERR err = { 0 };
        AUTO_LOADED l = { 0 };
        if (!load(argv[1], &l, &err))
                return verb_fail(&err, EXIT_REFUSED);
        TargetOps ops = targets_ops();
        EngineConfig config = { .run_dir = argv[1],
                                .runbook = l.journey.runbook,
                                .plan = l.journey.plan,
                                .answers = jx_get(l.answers, "decisions"),
                                .ops = &ops,
                                .tool = "pgsherpa " PGSHERPA_VERSION,
                                .resume = resume,
                                .rollback = rollback,
                                .secret_files = secrets };
        int code = engine_run(&config, &err);
        AUTO_ERR locks = { 0 }; /* the run itself is over, whatever a lock says */
        if (!bundle_locks_release(argv[1], &locks))
                verb_fail(&locks, code);
        return err.kind ? verb_fail(&err, code ? code : EXIT_NO) : code;
}

const Verb verb_engine = { .name = "__engine", .args = "DIR [--resume [--rollback]]", .run = run };
