/* plan_steps.c: the dry run: plan.json with the exact commands of every step. */
#include "engine/drive/drive.h"

static bool commands_of(Engine *e, const PlanStep *p, json_t *into, Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        AUTO_STEP ctx = kind ? context_new(e, p, 1, true, err) : NULL;
        if (!ctx)
                return false;
        if (kind->plan && !kind->plan(ctx, step_ctx_state(ctx), err))
                return false;
        jx_set(into, "commands", json_deep_copy(step_ctx_plan(ctx)));
        json_t *undo = json_deep_copy(step_ctx_plan_undo(ctx));
        if (p->def->undo == UNDO_NONE && json_array_size(undo) == 0 && p->def->undo_why)
                jx_append_str(undo, p->def->undo_why);
        jx_set(into, "undo_commands", undo);
        return true;
}

static json_t *entry_of(json_t *plan, int n)
{
        size_t i;
        json_t *s;
        json_array_foreach(jx_get(plan, "steps"), i, s)
                if (jx_int(s, "n", 0) == n)
                        return s;
        return NULL;
}

bool plan_fill(Engine *e, json_t **ret, Err *err)
{
        AUTO_JSON plan = plan_json(e->plan);
        for (size_t i = 0; i < e->plan->n; i++) {
                const PlanStep *p = &e->plan->steps[i];
                json_t *entry = entry_of(plan, p->n);
                if (entry && !commands_of(e, p, entry, err))
                        return err_wrap(err, "planning step %d, %s (%s)", p->n, p->id,
                                        p->def->kind->name);
        }
        *ret = json_incref(plan);
        return true;
}
