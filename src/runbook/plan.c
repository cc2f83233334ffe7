#include "runbook/plan.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"
#include "runbook/template.h"

#include <ctype.h>

typedef struct Planner {
        Plan *plan;
        Scope scope;
        size_t capacity;
        Err *err;
} Planner;

/* ---- words for people ---- */

static const char *touches_of(Arena *a, const Step *s)
{
        static const struct {
                const char *prefix, *word;
        } groups[] = { { "compose.set_", "files" }, { "env.", "files" },
                       { "yaml.", "files" },        { "file.", "files" },
                       { "image.", "images" },      { "volume.", "volumes" },
                       { "bundle.", "backup" },     { "pg.dump", "backup" } };
        if (s->effect == EFFECT_READ)
                return "nothing";
        for (size_t i = 0; i < LEN(groups); i++)
                if (str_starts(s->kind->name, groups[i].prefix))
                        return groups[i].word;
        const char *on = template_literal(s->on);
        return on ? arena_strdup(a, on) : s->on ? "target" : "host";
}

static bool undoable(const Step *s)
{
        return s->undo == UNDO_AUTO || s->undo == UNDO_STEPS || s->undo == UNDO_REF;
}

/* What can be put back until writes begin on the other side: the soft point's own phase. */
static const char *undo_words(Plan *p, const PlanStep *ps)
{
        const Step *s = ps->def;
        if (s->effect == EFFECT_READ)
                return "\xe2\x80\x93"; /* – */
        if (!undoable(s))
                return s->effect == EFFECT_DESTROY || s->pnr == PNR_HARD ? "NO" : "kept";
        if (s->pnr != PNR_NONE)
                return arena_printf(p->arena, "yes, until %d", ps->n);
        for (size_t i = 0; i < p->n; i++) {
                const PlanStep *other = &p->steps[i];
                if (other->n > ps->n && other->def->pnr != PNR_NONE && other->in &&
                    other->in == ps->in)
                        return arena_printf(p->arena, "yes, until %d", other->n);
        }
        return "yes";
}

static bool asks(const PlanStep *ps)
{
        static const char *const kinds[] = { "manual", "gate", "decide" };
        for (size_t i = 0; i < LEN(kinds); i++)
                if (str_eq(ps->def->kind->name, kinds[i]))
                        return true;
        for (size_t i = 0; i < ps->def->n_gates; i++)
                if (!ps->def->gates[i].once || ps->first_of_loop)
                        return true;
        return false;
}

/* ---- unrolling ---- */

static void find_item(void *arg, const Template *t, const TemplatePart *part)
{
        bool *found = arg;
        if (part->expr && strstr(expr_text(part->expr), "item"))
                *found = true;
}

static bool says_item(const Template *t)
{
        bool found = false;
        template_walk(t, find_item, &found);
        return found;
}

static const char *title_of(Planner *p, const Step *s, const char *item_id)
{
        Arena *a = p->plan->arena;
        AUTO_FREE char *text = NULL;
        AUTO_ERR ignored = { 0 };
        if (!s->title_text || !template_eval_text(s->title_text, &p->scope, &text, &ignored))
                text = xstrdup(s->title);
        AUTO_FREE char *clean = text_clean_str(text);
        if (item_id && !(s->title_text && says_item(s->title_text)))
                return arena_printf(a, "%s: %s", clean, item_id);
        return arena_strdup(a, clean);
}

static PlanStep *add(Planner *p, const Step *s, const Phase *in, const char *id)
{
        Plan *plan = p->plan;
        if (plan->n == p->capacity) {
                p->capacity = p->capacity ? p->capacity * 2 : 32;
                plan->steps = xrealloc(plan->steps, p->capacity * sizeof *plan->steps);
        }
        PlanStep *ps = &plan->steps[plan->n++];
        *ps = (PlanStep){ .n = (int)plan->n,
                          .id = id,
                          .phase = in ? in->id : "cleanup",
                          .def = s,
                          .in = in,
                          .cleanup = !in,
                          .first_of_loop = true };
        ps->hard = s->pnr == PNR_HARD || (s->effect == EFFECT_DESTROY && !undoable(s));
        return ps;
}

const char *plan_item_id(Arena *a, const char *name)
{
        char *id = arena_strdup(a, name);
        if (strlen(id) > LIMIT_NAME)
                id[LIMIT_NAME] = '\0';
        for (char *c = id; *c; c++)
                if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
                        *c = '_';
        return id;
}

static const char *item_id(Planner *p, const Step *s, const json_t *item, size_t i)
{
        AUTO_FREE char *text = NULL;
        AUTO_ERR ignored = { 0 };
        if (s->each_id && !template_eval_text(s->each_id, &p->scope, &text, &ignored))
                text = NULL;
        if (!text && json_is_object(item) && jx_str(item, "name", NULL))
                text = xstrdup(jx_str(item, "name", NULL));
        if (!text && !json_is_object(item) && !json_is_array(item))
                text = json_is_string(item) ? xstrdup(json_string_value(item)) : jx_dump(item);
        if (!text || !*text) {
                free(text);
                text = xasprintf("%zu", i + 1);
        }
        return plan_item_id(p->plan->arena, text);
}

static bool add_item(Planner *p, const Step *s, const Phase *in, json_t *item, size_t i)
{
        Plan *plan = p->plan;
        if (plan->n >= 10 * LIMIT_STEPS)
                return err_set(p->err, ERR_USER, "the plan has more than %d steps",
                               10 * LIMIT_STEPS);
        p->scope.item = item;
        const char *name = item_id(p, s, item, i);
        const char *id = arena_printf(plan->arena, "%s.%s", s->id, name);
        for (size_t j = plan->n - i; j < plan->n; j++)
                if (str_eq(plan->steps[j].id, id)) {
                        err_set(p->err, ERR_USER, "%s:%d: two items of `%s` are both called `%s`",
                                s->loc.file, s->loc.line, s->id, name);
                        return err_hint(p->err, "give foreach an id that differs, or remove one");
                }
        PlanStep *ps = add(p, s, in, id);
        ps->first_of_loop = i == 0;
        ps->title = title_of(p, s, name);
        ps->item = json_incref(item);
        p->scope.item = NULL;
        return true;
}

static bool add_step(Planner *p, const Step *s, const Phase *in)
{
        AUTO_JSON items = NULL;
        size_t i = 0;
        const char *key;
        json_t *item;
        if (!s->each) {
                PlanStep *ps = add(p, s, in, s->id);
                ps->title = title_of(p, s, NULL);
                return true;
        }
        if (!template_eval(s->each, NULL, &p->scope, &items, p->err))
                return err_wrap(p->err, "foreach of `%s`", s->id);
        if (value_is_unknown(items)) {
                PlanStep *ps = add(p, s, in, s->id);
                ps->late = true;
                ps->title = title_of(p, s, NULL);
                return true;
        }
        if (json_is_object(items)) {
                json_object_foreach(items, key, item) {
                        if (!add_item(p, s, in, item, i++))
                                return false;
                }
                return true;
        }
        if (!json_is_array(items))
                return err_set(p->err, ERR_USER, "%s:%d: foreach of `%s` needs a list", s->loc.file,
                               s->loc.line, s->id);
        for (i = 0; i < json_array_size(items); i++)
                if (!add_item(p, s, in, json_array_get(items, i), i))
                        return false;
        return true;
}

/* ---- JSON ---- */

static const char *downtime_word(Downtime d)
{
        return d == DOWNTIME_BEGIN ? "begin" : d == DOWNTIME_END ? "end" : NULL;
}

static json_t *step_json(const PlanStep *ps)
{
        json_t *o = json_object();
        jx_set_int(o, "n", ps->n);
        jx_set_str(o, "id", ps->id);
        jx_set_str(o, "phase", ps->phase);
        jx_set_str(o, "title", ps->title);
        if (ps->def->why)
                jx_set_str(o, "why", ps->def->why);
        jx_set_str(o, "kind", ps->def->kind->name);
        jx_set_str(o, "touches", ps->touches);
        jx_set_str(o, "undo", ps->undo);
        jx_set_bool(o, "asks", ps->asks);
        jx_set_bool(o, "hard", ps->hard);
        jx_set_bool(o, "cleanup", ps->cleanup);
        if (ps->late)
                jx_set_bool(o, "late", true);
        if (ps->def->downtime)
                jx_set_str(o, "downtime", downtime_word(ps->def->downtime));
        jx_set_int(o, "estimate_ms", ps->def->estimate_ms);
        jx_set(o, "commands", json_array());
        jx_set(o, "undo_commands", json_array());
        return o;
}

static void set_phases(const Plan *p, json_t *o)
{
        json_t *phases = json_array();
        for (size_t i = 0; i < p->rb->n_phases; i++) {
                json_t *x = json_object();
                jx_set_str(x, "id", p->rb->phases[i].id);
                jx_set_str(x, "title", p->rb->phases[i].title);
                if (p->rb->phases[i].users_see)
                        jx_set_str(x, "users_see", p->rb->phases[i].users_see);
                json_array_append_new(phases, x);
        }
        if (p->rb->n_cleanup) {
                json_t *x = json_object();
                jx_set_str(x, "id", "cleanup");
                jx_set_str(x, "title", "Clean up");
                jx_set_bool(x, "cleanup", true);
                json_array_append_new(phases, x);
        }
        jx_set(o, "phases", phases);
}

static void set_decisions(const Plan *p, json_t *o)
{
        json_t *all = json_array();
        for (size_t i = 0; i < p->rb->n_decisions; i++) {
                const Decision *d = &p->rb->decisions[i];
                json_t *x = json_object();
                jx_set_str(x, "id", d->id);
                jx_set_str(x, "question", d->question);
                jx_set(x, "choices", d->choices ? json_incref(d->choices) : json_null());
                jx_set_str(x, "default", d->fallback);
                jx_set_str(x, "needed_before", d->needed_before);
                json_array_append_new(all, x);
        }
        jx_set(o, "decisions", all);
}

static void set_times(const Plan *p, json_t *o)
{
        int64_t total = 0, down = 0;
        bool off = false;
        for (size_t i = 0; i < p->n; i++) {
                const Step *s = p->steps[i].def;
                off |= s->downtime == DOWNTIME_BEGIN;
                total += p->steps[i].cleanup ? 0 : s->estimate_ms;
                down += off ? s->estimate_ms : 0;
                off &= s->downtime != DOWNTIME_END;
        }
        jx_set_int(o, "budget_ms", p->rb->budget_ms);
        jx_set_int(o, "downtime_ms", down);
        jx_set_int(o, "total_ms", total);
}

json_t *plan_json(const Plan *p)
{
        json_t *o = json_object(), *steps = json_array();
        jx_set_str(o, "runbook", p->rb->name);
        jx_set_str(o, "title", p->rb->title);
        jx_set_int(o, "version", p->rb->version);
        jx_set_str(o, "sha256", p->rb->sha256);
        jx_set_str(o, "plan_sha256", p->sha256);
        jx_set(o, "vars", json_incref(p->vars));
        set_phases(p, o);
        for (size_t i = 0; i < p->n; i++)
                json_array_append_new(steps, step_json(&p->steps[i]));
        jx_set(o, "steps", steps);
        set_decisions(p, o);
        set_times(p, o);
        jx_set(o, "problems", json_array());
        return o;
}

/* What must not change between the plan a person accepted and the run that resumes. */
static void seal(Plan *p)
{
        AUTO_JSON o = json_object();
        json_t *steps = json_array();
        jx_set_str(o, "runbook", p->rb->sha256);
        jx_set(o, "vars", json_incref(p->vars));
        for (size_t i = 0; i < p->n; i++) {
                json_t *x = step_json(&p->steps[i]);
                jx_set_str(x, "title", p->steps[i].def->title); /* not resolved: run.id differs */
                if (p->steps[i].item)
                        jx_set(x, "item", json_incref(p->steps[i].item));
                json_array_append_new(steps, x);
        }
        jx_set(o, "steps", steps);
        AUTO_FREE char *text = jx_dump_sorted(o);
        digest_hex_of(text, strlen(text), p->sha256);
}

/* ---- the plan ---- */

/* Found here, before there is a run that waits for a time that never comes. */
static bool start_at_is_a_time(const Planner *p)
{
        const Template *t = p->plan->rb->start_at;
        AUTO_FREE char *text = NULL;
        int64_t when;
        if (!t)
                return true;
        if (!template_eval_text(t, &p->scope, &text, p->err))
                return err_wrap(p->err, "start_at");
        AUTO_JSON value = jx_text(text);
        if (!*text || value_is_unknown(value) || clock_parse_start(text, &when))
                return true;
        AUTO_FREE char *clean = text_clean_str(text);
        err_set(p->err, ERR_USER, "%s:%d:%d: start_at: `%s` is not a time", t->loc.file,
                t->loc.line, t->loc.col, clean);
        return err_hint(
                p->err,
                "write 22:00, or 2026-11-20T22:00:00.000Z; leave it empty to start at once");
}

Plan *plan_new(const Runbook *rb, const json_t *vars, const Scope *scope, Err *err)
{
        Plan *plan = xcalloc(1, sizeof *plan);
        plan->arena = arena_new();
        plan->rb = rb;
        plan->vars = vars ? json_deep_copy(vars) : json_object();
        Planner p = { .plan = plan, .scope = scope ? *scope : (Scope){ 0 }, .err = err };
        p.scope.vars = plan->vars;
        p.scope.planning = true;
        bool ok = start_at_is_a_time(&p);
        for (size_t i = 0; ok && i < rb->n_phases; i++)
                for (size_t j = 0; ok && j < rb->phases[i].n_steps; j++)
                        ok = add_step(&p, &rb->phases[i].steps[j], &rb->phases[i]);
        for (size_t j = 0; ok && j < rb->n_cleanup; j++)
                ok = add_step(&p, &rb->cleanup[j], NULL);
        if (!ok)
                return plan_free(plan);
        for (size_t i = 0; i < plan->n; i++) {
                PlanStep *ps = &plan->steps[i];
                ps->asks = asks(ps);
                ps->touches = touches_of(plan->arena, ps->def);
                ps->undo = undo_words(plan, ps);
        }
        seal(plan);
        return plan;
}

Plan *plan_free(Plan *p)
{
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n; i++)
                json_decref(p->steps[i].item);
        free(p->steps);
        json_decref(p->vars);
        arena_free(p->arena);
        free(p);
        return NULL;
}

const PlanStep *plan_find(const Plan *p, const char *id)
{
        for (size_t i = 0; i < p->n; i++)
                if (str_eq(p->steps[i].id, id))
                        return &p->steps[i];
        return NULL;
}
