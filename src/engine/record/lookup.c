/* lookup.c: which step is meant: of the plan, of a loop over facts, on the way back. */
#include "engine/record/record.h"

#include "base/text.h"

bool lookup_read_only(const PlanStep *p)
{
        return (p->def->kind->traits & STEP_READ_ONLY) != 0;
}

Effect lookup_effect(const PlanStep *p)
{
        return lookup_read_only(p) ? EFFECT_READ : p->def->effect;
}

bool lookup_touched(const StepRec *r)
{
        return r->intent_seq > 0 && r->state != REC_UNDONE && r->state != REC_UNDO_LEFT;
}

const PlanStep *lookup_bar(Engine *e)
{
        for (size_t i = 0; i < e->plan->n; i++) {
                const PlanStep *p = &e->plan->steps[i];
                const StepRec *r = state_find(&e->state, p->id);
                if (p->def->pnr == PNR_HARD && r && lookup_touched(r))
                        return p;
        }
        return NULL;
}

/* ---- foreach over facts: expanded when the run gets there ---- */

/* "Copy ${item.name}" of a loop whose items nobody knew when the plan was made. */
static const char *title_of_item(Engine *e, const PlanStep *p, const PlanStep *s, const char *name)
{
        AUTO_FREE char *text = NULL;
        AUTO_ERR ignored = { 0 };
        Scope scope = { 0 };
        if (!strstr(p->title, "\xe2\x80\xb9item") || !p->def->title_text)
                return arena_printf(e->arena, "%s: %s", p->title, name);
        scope_of(e, s, NULL, &scope);
        scope.planning = true;
        bool ok = template_eval_text(p->def->title_text, &scope, &text, &ignored);
        scope_done(&scope);
        AUTO_FREE char *clean = text_clean_str(ok ? text : p->title);
        return arena_strdup(e->arena, clean);
}

const PlanStep *lookup_item(Engine *e, const PlanStep *p, json_t *item, size_t i, Err *err)
{
        PlanStep *s = arena_new_type(e->arena, PlanStep);
        *s = *p;
        s->item = item;
        s->first_of_loop = i == 0;
        pthread_mutex_lock(&e->lazy_lock);
        json_array_append(e->keep, item);
        pthread_mutex_unlock(&e->lazy_lock);
        AUTO_FREE char *name = NULL;
        Scope scope = { 0 };
        scope_of(e, s, NULL, &scope);
        bool ok = true;
        if (p->def->each_id)
                ok = template_eval_text(p->def->each_id, &scope, &name, err);
        else
                name = json_is_string(item) ? jx_words(item) : xasprintf("%zu", i + 1);
        scope_done(&scope);
        if (!ok) {
                err_wrap(err, "name of item %zu", i + 1);
                return NULL;
        }
        s->id = arena_printf(e->arena, "%s.%s", p->id, plan_item_id(e->arena, name));
        s->title = title_of_item(e, p, s, name);
        return s;
}

bool lookup_items(Engine *e, const PlanStep *p, bool planning, json_t **ret, Err *err)
{
        Scope scope = { 0 };
        scope_of(e, p, NULL, &scope);
        scope.planning = planning;
        bool ok = p->def->each_expr ? expr_eval(p->def->each_expr, &scope, ret, err)
                                    : template_eval(p->def->each, NULL, &scope, ret, err);
        scope_done(&scope);
        if (!ok)
                return err_wrap(err, "items of step %s", p->id);
        if (value_is_unknown(*ret))
                return true;
        if (json_is_object(*ret)) { /* facts by name: their keys */
                json_t *keys = json_array();
                const char *key;
                json_t *value;
                json_object_foreach(*ret, key, value)
                        jx_append_str(keys, key);
                json_decref(*ret);
                *ret = keys;
        }
        if (json_is_array(*ret))
                return true;
        json_decref(*ret);
        *ret = NULL;
        return err_set(err, ERR_USER, "items of step %s: not a list", p->id);
}

/* A late item's PlanStep is made when it is needed; after a crash the undo needs it too. */
const PlanStep *lookup_step(Engine *e, const char *id)
{
        const PlanStep *p = plan_find(e->plan, id);
        if (p)
                return p;
        for (size_t i = 0; i < e->plan->n; i++) {
                const PlanStep *late = &e->plan->steps[i];
                size_t n = strlen(late->id);
                AUTO_ERR ignored = { 0 };
                json_t *all = NULL;
                if (!late->late || strncmp(id, late->id, n) != 0 || id[n] != '.' ||
                    !lookup_items(e, late, false, &all, &ignored))
                        continue;
                AUTO_JSON items = all;
                for (size_t k = 0; k < json_array_size(items); k++) {
                        p = lookup_item(e, late, json_array_get(items, k), k, &ignored);
                        if (p && str_eq(p->id, id))
                                return p;
                }
        }
        return NULL;
}
