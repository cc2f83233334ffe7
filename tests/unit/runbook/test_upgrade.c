/* The example of the runbook language in full must load as it is printed. */
#include <criterion/criterion.h>

#include "base/io.h"
#include "base/limits.h"
#include "fake_kinds.h"
#include "runbook/plan.h"

static Runbook *load_upgrade(void)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_ERR err = { 0 };
        Runbook *rb = runbook_load(UPGRADE_YAML, NULL, fake_kinds, &problems, &err);
        for (size_t i = 0; i < problems.n; i++) {
                AUTO_FREE char *line = problem_words(&problems.list[i]);
                cr_log_error("%s", line);
        }
        cr_assert_not_null(rb, "%s", err.message);
        cr_assert_eq(problems.n, 0);
        return rb;
}

Test(upgrade, loads_without_a_single_problem)
{
        Runbook *rb = load_upgrade();
        cr_assert_str_eq(rb->name, "compose-upgrade");
        cr_assert_eq(rb->n_phases, 4);
        cr_assert_eq(rb->n_cleanup, 2);
        cr_assert_eq(rb->budget_ms, 20 * 60 * 1000);
        cr_assert_eq(rb->warn_at, 70);
        cr_assert_eq(rb->n_decisions, 2);
        cr_assert(rb->phases[3].fence.set);
        cr_assert_eq(rb->cleanup[1].pnr, PNR_HARD);
        cr_assert_eq(rb->cleanup[1].n_gates, 2);
        cr_assert_eq(rb->cleanup[1].gates[0].wait_ms, 7LL * 24 * 3600 * 1000);
        cr_assert_eq(rb->cleanup[0].n_pre, 2);
        cr_assert_str_eq(rb->cleanup[0].pre[1].kind->name, "bundle.verify");
        cr_assert_str_eq(rb->rollback.from, "cut");
        cr_assert_eq(rb->rollback.n_verify, 2);
        runbook_free(rb);
}

Test(upgrade, becomes_a_plan_with_numbers_and_loops_unrolled)
{
        AUTO_ERR err = { 0 };
        AUTO_PROBLEMS problems = { 0 };
        AUTO_JSON vars = NULL;
        Runbook *rb = load_upgrade();
        cr_assert(runbook_vars(rb, NULL, &vars, &problems));
        Plan *plan = plan_new(rb, vars, NULL, &err);
        cr_assert_not_null(plan, "%s", err.message);
        const PlanStep *web = plan_find(plan, "stop_services.web");
        cr_assert_not_null(web);
        cr_assert(plan_find(plan, "begin")->asks);
        cr_assert_str_eq(web->title, "Stop writers in order: web");
        cr_assert_not(plan_find(plan, "stop_services.api")->asks);
        const PlanStep *up = plan_find(plan, "start_services.api");
        cr_assert_str_eq(jx_str(up->item, "health", ""), "container");
        cr_assert_eq(jx_int(up->item, "within", 0), 120000);
        cr_assert_str_eq(plan_find(plan, "drop_old_volume")->undo, "NO");
        cr_assert(plan_find(plan, "drop_old_volume")->hard);
        cr_assert_str_eq(plan_find(plan, "src")->touches, "nothing");
        cr_assert_str_eq(plan_find(plan, "image")->touches, "files");
        cr_assert_str_eq(plan_find(plan, "pull")->undo, "kept");
        AUTO_FREE char *until = xasprintf("yes, until %d", plan_find(plan, "open")->n);
        cr_assert_str_eq(plan_find(plan, "image")->undo, until);
        AUTO_JSON json = plan_json(plan);
        cr_assert_eq(json_array_size(jx_get(json, "steps")), plan->n);
        cr_assert_str_eq(jx_str(json, "plan_sha256", ""), plan->sha256);
        plan_free(plan);
        runbook_free(rb);
}

Test(upgrade, evaluates_its_parameters_while_facts_are_still_unknown)
{
        AUTO_ERR err = { 0 };
        AUTO_PROBLEMS problems = { 0 };
        AUTO_JSON vars = NULL;
        AUTO_JSON with = NULL;
        Runbook *rb = load_upgrade();
        cr_assert(runbook_vars(rb, NULL, &vars, &problems));
        Plan *plan = plan_new(rb, vars, NULL, &err);
        Scope scope = { .vars = vars, .planning = true };
        for (size_t i = 0; i < plan->n; i++) {
                const Step *s = plan->steps[i].def;
                AUTO_JSON v = NULL;
                AUTO_JSON on = NULL;
                scope.item = plan->steps[i].item;
                cr_assert(template_eval(s->with, s->kind->params, &scope, &v, &err), "%s: %s",
                          s->id, err.message);
                if (s->on)
                        cr_assert(template_eval(s->on, NULL, &scope, &on, &err), "%s", err.message);
        }
        const Step *disk = plan_find(plan, "disk")->def;
        cr_assert(template_eval(disk->with, disk->kind->params, &scope, &with, &err));
        const json_t *need = json_array_get(jx_get(with, "need"), 0);
        cr_assert_str_eq(jx_str(need, "free", ""),
                         "\xe2\x80\xb9max(500MB, 2 * facts.src.size)\xe2\x80\xba");
        plan_free(plan);
        runbook_free(rb);
}
