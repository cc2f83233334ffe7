/* steps.c: a step driven to its verdict, whatever state the journal says it is in. */
#include "engine/internal.h"

#include "base/clock.h"
#include "base/text.h"

bool steps_skip(Engine *e, const PlanStep *p, const char *reason, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "reason", reason);
        return engine_append(e, EV_STEP_SKIPPED, p->id, f, err);
}

static bool drive_one(Engine *e, const PlanStep *p, Err *err)
{
        const StepRec *rec = state_step(&e->state, p->id);
        bool asked = false;
        for (;;) {
                if (e->stop)
                        return false;
                bool ok = true;
                switch (rec->state) {
                case REC_DONE:
                case REC_SKIPPED:
                case REC_ALREADY:
                case REC_UNDO_LEFT:
                        return true;
                case REC_INTENT:
                case REC_UNKNOWN:
                        ok = resume_recover(e, p, err);
                        break;
                case REC_FAILED:
                        ok = policy_after_failure(e, p, err);
                        break;
                case REC_PENDING:
                case REC_UNDONE:
                        ok = (asked || ask_decisions(e, p, err)) && attempt_run(e, p, err);
                        asked = true;
                        break;
                case REC_UNDO_INTENT: /* the undo of one step, cut in two */
                case REC_UNDO_FAILED:
                case REC_UNDO_DRIFT:
                        ok = undo_one(e, p, err);
                        break;
                }
                if (!ok)
                        return false;
        }
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
        attempt_scope(e, s, NULL, &scope);
        scope.planning = true;
        bool ok = template_eval_text(p->def->title_text, &scope, &text, &ignored);
        attempt_scope_done(&scope);
        AUTO_FREE char *clean = text_clean_str(ok ? text : p->title);
        return arena_strdup(e->arena, clean);
}

const PlanStep *steps_item(Engine *e, const PlanStep *p, json_t *item, size_t i, Err *err)
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
        attempt_scope(e, s, NULL, &scope);
        bool ok = true;
        if (p->def->each_id)
                ok = template_eval_text(p->def->each_id, &scope, &name, err);
        else
                name = json_is_string(item) ? jx_words(item) : xasprintf("%zu", i + 1);
        attempt_scope_done(&scope);
        if (!ok) {
                err_wrap(err, "name of item %zu", i + 1);
                return NULL;
        }
        s->id = arena_printf(e->arena, "%s.%s", p->id, plan_item_id(e->arena, name));
        s->title = title_of_item(e, p, s, name);
        return s;
}

bool steps_items(Engine *e, const PlanStep *p, bool planning, json_t **ret, Err *err)
{
        Scope scope = { 0 };
        attempt_scope(e, p, NULL, &scope);
        scope.planning = planning;
        bool ok = p->def->each_expr ? expr_eval(p->def->each_expr, &scope, ret, err)
                                    : template_eval(p->def->each, NULL, &scope, ret, err);
        attempt_scope_done(&scope);
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
        return json_is_array(*ret) || err_set(err, ERR_USER, "items of step %s: not a list", p->id);
}

/* Two items of one id would share facts and verdicts, and the second never run. */
static bool seen_before(json_t *ids, const PlanStep *s, Err *err)
{
        if (!jx_get(ids, s->id)) {
                jx_set_bool(ids, s->id, true);
                return false;
        }
        err_set(err, ERR_USER, "two items are both called %s", s->id);
        err_hint(err, "give foreach an id that differs");
        return true;
}

static bool drive_items(Engine *e, const PlanStep *p, const json_t *items, Err *err)
{
        AUTO_JSON ids = json_object();
        for (size_t i = 0; i < json_array_size(items); i++) {
                const PlanStep *s = steps_item(e, p, json_array_get(items, i), i, err);
                if (!s || seen_before(ids, s, err) || !drive_one(e, s, err))
                        return false;
        }
        json_t *f = json_object();
        AUTO_FREE char *note = xasprintf("%zu item%s", json_array_size(items),
                                         json_array_size(items) == 1 ? "" : "s");
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "note", note);
        jx_set_int(f, "ms", 0);
        return engine_append(e, EV_STEP_DONE, p->id, f, err);
}

static bool drive_late(Engine *e, const PlanStep *p, Err *err)
{
        StepRec *rec = state_step(&e->state, p->id);
        while (rec->state != REC_DONE && rec->state != REC_SKIPPED) {
                if (e->stop)
                        return false;
                json_t *items = NULL;
                AUTO_ERR why = { 0 };
                if (rec->state == REC_FAILED && rec->answer == 's')
                        return steps_skip(e, p, "skipped after it failed", err);
                e->now = p;
                if (!steps_items(e, p, false, &items, &why)) {
                        if (!outcome_fail(e, p, NULL, 0, &why, err) ||
                            !policy_after_failure(e, p, err))
                                return false;
                        continue;
                }
                bool ok = drive_items(e, p, items, err);
                json_decref(items);
                if (!ok)
                        return false;
        }
        return true;
}

/* A late item's PlanStep is made when it is needed; after a crash the undo needs it too. */
const PlanStep *steps_find(Engine *e, const char *id)
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
                    !steps_items(e, late, false, &all, &ignored))
                        continue;
                AUTO_JSON items = all;
                for (size_t k = 0; k < json_array_size(items); k++) {
                        p = steps_item(e, late, json_array_get(items, k), k, &ignored);
                        if (p && str_eq(p->id, id))
                                return p;
                }
        }
        return NULL;
}

/* ---- after a step ---- */

static bool last_of_loop(Engine *e, const PlanStep *p)
{
        size_t i = (size_t)(p - e->plan->steps);
        return p->late || i + 1 >= e->plan->n || e->plan->steps[i + 1].def != p->def;
}

bool steps_drive(Engine *e, const PlanStep *p, Err *err)
{
        if (!(p->late ? drive_late(e, p, err) : drive_one(e, p, err)))
                return false;
        e->now = NULL;
        if (p->def->downtime == DOWNTIME_END && last_of_loop(e, p))
                return clocks_downtime(e, false, err);
        return true;
}
