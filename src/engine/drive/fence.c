/* fence.c: proving that nobody else wrote while a phase held its fence.
 *
 * Opened by the phase's step that has STEP_FENCES. Closed, that is asked for its verdict, as soon
 * as no later step of the phase names the fenced target any more: at the end of the phase the
 * server is usually stopped, and a stopped server answers nothing. */
#include "engine/drive/drive.h"

static bool names_target(const json_t *tree, const char *name)
{
        if (json_is_string(tree))
                return str_eq(json_string_value(tree), name);
        const char *key;
        json_t *value;
        size_t i;
        if (json_is_object(tree)) {
                if (str_eq(jx_str(tree, "$target", NULL), name))
                        return true;
                json_object_foreach((json_t *)(uintptr_t)tree, key, value)
                        if (names_target(value, name))
                                return true;
        }
        json_array_foreach(tree, i, value)
                if (names_target(value, name))
                        return true;
        return false;
}

/* Does this step speak to the target? With placeholders where facts are not known yet. */
static bool step_names(Engine *e, const PlanStep *p, const char *name)
{
        AUTO_SCOPE scope = { 0 };
        bool yes = false;
        AUTO_ERR ignored = { 0 };
        AUTO_JSON on = NULL;
        AUTO_JSON with = NULL;
        scope_of(e, p, NULL, &scope);
        scope.planning = true;
        if (p->def->on && template_eval(p->def->on, NULL, &scope, &on, &ignored))
                yes = names_target(on, name);
        err_clear(&ignored);
        if (!yes && p->def->with && template_eval(p->def->with, NULL, &scope, &with, &ignored))
                yes = names_target(with, name);
        return yes;
}

static bool needed_later(Engine *e, const PlanStep *p, const char *name)
{
        size_t i = (size_t)(p - e->plan->steps);
        for (i++; i < e->plan->n && e->plan->steps[i].in == p->in; i++)
                if (step_names(e, &e->plan->steps[i], name))
                        return true;
        return false;
}

typedef struct FenceCall {
        Engine *e;
        const char *name;
        const json_t *opened;
        json_t *verdict;
} FenceCall;

static bool call_close(void *arg, Err *err)
{
        FenceCall *c = arg;
        AUTO_JSON spec = json_object();
        jx_set_str(spec, "$target", c->name);
        const Target *t = targets_use(c->e, c->e->arena, spec, NULL, err);
        return t && c->e->ops->fence_close(c->e->ops->app, t, c->opened, &c->verdict, err);
}

static const PlanStep *fence_opener(Engine *e, const PlanStep *p)
{
        for (size_t i = 0; i < e->plan->n; i++) {
                const PlanStep *s = &e->plan->steps[i];
                if (s->in == p->in && (s->def->kind->traits & STEP_FENCES))
                        return s;
        }
        return NULL;
}

static bool ask_about_writes(Engine *e, const PlanStep *p, const char *message, Err *err)
{
        AUTO_FREE char *key = xasprintf("%s#fence", p->id);
        if (jx_get(e->state.answered, key))
                return true;
        static const char risk[] =
                "what was written there since is not on the new server, and will be lost";
        AUTO_ANSWER a = { 0 };
        for (bool sure = false; !sure;) {
                json_t *lines = json_array();
                jx_append_str(lines, message);
                Question q = { .kind = ASK_ASK,
                               .step = p->id,
                               .lines = lines,
                               .title = "Somebody wrote while the fence was up",
                               .choices = gate_choices("u", "Undo", "shows you the list first", "a",
                                                       "Stop the run", "everything stays as it is",
                                                       "y", "Go on", risk, NULL) };
                if (!gate_ask(e, &q, &a, err))
                        return false;
                sure = a.key[0] != 'y';
                if (!sure && !gate_going_on(e, p->id, key, risk, &sure, err))
                        return false;
        }
        if (a.key[0] == 'u')
                return record_stop(e, STOP_ROLLBACK, a.by, NULL, err);
        if (a.key[0] == 'a')
                return record_stop(e, STOP_ABORT, a.by, NULL, err);
        return true;
}

static bool close_one(Engine *e, const PlanStep *p, const char *name, Err *err)
{
        const PlanStep *o = fence_opener(e, p);
        const StepRec *r = o ? state_find(&e->state, o->id) : NULL;
        AUTO_ERR why = { 0 };
        json_t *opened = NULL;
        if (!facts_remembered(e, r, &opened, err))
                return false;
        FenceCall c = { .e = e, .name = name, .opened = opened };
        bool ok = loop_work(e, NULL, 0, call_close, &c, &why);
        json_decref(opened);
        AUTO_JSON verdict = c.verdict;
        bool clean = ok && jx_bool(verdict, "clean", jx_bool(verdict, "ok", false));
        AUTO_FREE char *message = xstrdup(ok ? jx_str(verdict, "message", "") : why.message);
        const char *word = !ok ? "unknown" : clean ? "clean" : "written";
        if (ok && !clean && !ask_about_writes(e, p, message, err))
                return false;
        return record_fence_close(e, p->id, name, word, message, err);
}

bool fence_after(Engine *e, const PlanStep *p, bool last_of_phase, Err *err)
{
        const char *name;
        json_t *state;
        if (!p->in || !p->in->fence.set || !e->ops || !e->ops->fence_close)
                return true;
        AUTO_JSON fences = json_copy(e->state.fences);
        json_object_foreach(fences, name, state) {
                if (!str_eq(json_string_value(state), "open"))
                        continue;
                if (!last_of_phase && needed_later(e, p, name))
                        continue;
                if (!close_one(e, p, name, err))
                        return false;
        }
        return true;
}
