/* undo_words.c: what going back does with a step, in words. */
#include "engine/drive/drive.h"

#include "journal/run_view.h"

static char *planned_words(Engine *e, const PlanStep *p)
{
        AUTO_ERR ignored = { 0 };
        const StepKind *kind = step_kind_find(p->def->kind->name, &ignored);
        AUTO_STEP ctx = context_new(e, p, 1, true, &ignored);
        if (!ctx || !kind || !kind->plan || !kind->plan(ctx, step_ctx_state(ctx), &ignored))
                return NULL;
        const char *said = run_view_sentence(step_ctx_plan_undo(ctx));
        return said ? xstrdup(said) : NULL;
}

char *undo_words(Engine *e, const PlanStep *p)
{
        const Step *def = p->def;
        const StepKind *kind = NULL;
        AUTO_ERR ignored = { 0 };
        switch (def->undo) {
        case UNDO_NONE:
                return xasprintf("stays: %s",
                                 def->undo_why ? def->undo_why : "nothing to put back");
        case UNDO_REF:
                return xasprintf("goes with step %s", def->undo_why ? def->undo_why : "?");
        case UNDO_STEPS:
                return xasprintf("%zu step%s of its own", def->n_undo_steps,
                                 def->n_undo_steps == 1 ? "" : "s");
        case UNDO_AUTO:
        case UNDO_UNSET:
                break;
        }
        kind = step_kind_find(def->kind->name, &ignored);
        if (!kind || !kind->undo)
                return xstrdup("stays: nothing can put it back");
        char *planned = planned_words(e, p);
        return planned ? planned : xasprintf("put back by %s", kind->name);
}
