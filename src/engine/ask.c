/* ask.c: what only a person can say: decisions, the time to start, checklists. */
#include "engine/internal.h"

#include <stdio.h>

#include "base/clock.h"

/* ---- decisions ---- */

static json_t *choices_of(const json_t *choices, const char *fallback)
{
        json_t *list = json_array();
        size_t i;
        json_t *v;
        json_array_foreach(choices, i, v) {
                AUTO_FREE char *words = jx_words(v);
                AUTO_FREE char *key = xasprintf("%zu", i + 1);
                json_t *c = json_object();
                jx_set_str(c, "key", key);
                jx_set_str(c, "label", words);
                jx_set_str(c, "consequence", str_eq(words, fallback) ? "the default" : "");
                json_array_append_new(list, c);
        }
        return list;
}

static bool write_decision(Engine *e, const char *id, const char *answer, const char *by, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "id", id);
        jx_set_str(f, "answer", answer);
        jx_set_str(f, "by", by);
        return engine_append(e, EV_DECISION_ANSWER, NULL, f, err);
}

/* Answer in words, malloc()ed: a choice's label, or what was typed. */
static bool ask_choice(Engine *e, const char *step, const char *question, const json_t *choices,
                       const char *fallback, char **ret, Err *err)
{
        bool text = json_array_size(choices) == 0;
        AUTO_JSON list =
                text ? gate_choices("y", "Answer", "", NULL) : choices_of(choices, fallback);
        json_t *lines = json_array();
        jx_append_str(lines, "Your answer is written into the run's log, with your name.");
        Question q = { .kind = "decision",
                       .step = step,
                       .title = question,
                       .lines = lines,
                       .choices = json_incref(list),
                       .free_text = text,
                       .suggested = fallback };
        if (!gate_ask(e, &q, err))
                return false;
        if (text) {
                *ret = xstrdup(e->gate.typed ? e->gate.typed : "");
                return true;
        }
        size_t i = (size_t)strtoul(e->gate.answer, NULL, 10);
        *ret = xstrdup(jx_str(json_array_get(list, i - 1), "label", ""));
        return true;
}

static bool decide(Engine *e, const Decision *d, const char *step, Err *err)
{
        const char *given = jx_str(e->c->answers, d->id, NULL);
        json_t *f = json_object();
        jx_set_str(f, "id", d->id);
        jx_set_str(f, "question", d->question);
        jx_set(f, "choices", d->choices ? json_incref(d->choices) : json_array());
        jx_set_str(f, "default", d->fallback ? d->fallback : "");
        if (!engine_append(e, EV_DECISION_OPEN, NULL, f, err))
                return false;
        if (given)
                return write_decision(e, d->id, given, "the command line", err);
        AUTO_FREE char *answer = NULL;
        return ask_choice(e, step, d->question, d->choices, d->fallback, &answer, err) &&
               write_decision(e, d->id, answer, e->gate.by, err);
}

bool ask_decisions(Engine *e, const PlanStep *p, Err *err)
{
        for (size_t i = 0; i < e->rb->n_decisions; i++) {
                const Decision *d = &e->rb->decisions[i];
                bool mine = str_eq(d->needed_before, p->def->id) || str_eq(d->needed_before, p->id);
                if (!mine || jx_get(e->state.decisions, d->id))
                        continue;
                if (!decide(e, d, p->id, err))
                        return false;
        }
        return true;
}

/* ---- start_at ---- */

bool ask_start_at(Engine *e, Err *err)
{
        if (!e->rb->start_at || jx_get(e->state.answered, "run#start"))
                return true;
        Scope scope = { 0 };
        AUTO_FREE char *text = NULL;
        int64_t until = 0;
        attempt_scope(e, NULL, NULL, &scope);
        bool ok = template_eval_text(e->rb->start_at, &scope, &text, err);
        attempt_scope_done(&scope);
        if (!ok)
                return err_wrap(err, "start_at");
        if (!*text)
                return true;
        if (!clock_parse_start(text, &until)) {
                err_set(err, ERR_USER, "start_at: `%s` is not a time", text);
                return err_hint(err, "write 22:00, or 2026-11-20T22:00:00.000Z");
        }
        AUTO_FREE char *title = xasprintf("Starts at %s", text);
        Question q = { .kind = "start",
                       .key = "run#start",
                       .title = title,
                       .until_ms = until,
                       .choices = gate_choices("y", "Start now", "", NULL) };
        return gate_ask(e, &q, err);
}

/* ---- steps that are nothing but a question ---- */

static json_t *item_lines(const json_t *items)
{
        json_t *lines = json_array();
        size_t i;
        json_t *v;
        json_array_foreach(items, i, v) {
                AUTO_FREE char *words = jx_words(v);
                jx_append_str(lines, words);
        }
        return lines;
}

static void say_ticks(Engine *e, const PlanStep *p, StepCtx *ctx, size_t items)
{
        const StepRec *r = state_find(&e->state, p->id);
        json_t *who = json_object();
        const char *key;
        json_t *by;
        json_object_foreach(r ? r->ticks : NULL, key, by)
                json_object_set(who, json_string_value(by), json_true());
        AUTO_BUF names = buf_init(500);
        json_object_foreach(who, key, by)
                buf_printf(&names, "%s%s", names.len ? ", " : "", key);
        json_decref(who);
        step_report(ctx, "%zu of %zu ticked%s%s", json_object_size(r ? r->ticks : NULL), items,
                    names.len ? " by " : "", buf_str(&names));
}

static bool ask_manual(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        const json_t *items = step_get(ctx, "items");
        size_t n = json_array_size(items);
        AUTO_FREE char *key = xasprintf("%s#manual", p->id);
        while (!jx_get(e->state.answered, key)) {
                Question q = { .kind = "manual",
                               .step = p->id,
                               .key = key,
                               .title = p->title,
                               .lines = item_lines(items),
                               .items = n,
                               .choices = gate_choices("y", "All done", "", "n", "Not now",
                                                       "the run is paused", NULL) };
                if (!gate_ask(e, &q, err))
                        return false;
                if (e->gate.answer[0] == 'n' && !gates_not_now(e, err))
                        return false;
        }
        say_ticks(e, p, ctx, n);
        return true;
}

static bool ask_decide(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        const char *question = step_str(ctx, "question");
        if (!jx_get(e->state.decisions, p->id)) {
                AUTO_FREE char *answer = NULL;
                const char *fallback = step_str(ctx, "default");
                const char *given = jx_str(e->c->answers, p->id, NULL);
                json_t *f = json_object();
                jx_set_str(f, "id", p->id);
                jx_set_str(f, "question", question);
                const json_t *choices = step_get(ctx, "choices");
                jx_set(f, "choices", choices ? json_deep_copy(choices) : json_array());
                jx_set_str(f, "default", fallback);
                if (!engine_append(e, EV_DECISION_OPEN, NULL, f, err))
                        return false;
                if (given) {
                        if (!write_decision(e, p->id, given, "the command line", err))
                                return false;
                } else if (!ask_choice(e, p->id, *question ? question : p->title, choices,
                                       *fallback ? fallback : NULL, &answer, err) ||
                           !write_decision(e, p->id, answer, e->gate.by, err)) {
                        return false;
                }
        }
        const char *answer = jx_str(e->state.decisions, p->id, "");
        step_result_str(ctx, "answer", answer);
        step_report(ctx, "%s", answer);
        return true;
}

/* A step `do: gate` without a gate of its own is a plain yes. */
static bool ask_plain(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        AUTO_FREE char *key = xasprintf("%s#gate", p->id);
        while (p->def->n_gates == 0 && !jx_get(e->state.answered, key)) {
                json_t *lines = json_array();
                if (*step_str(ctx, "text"))
                        jx_append_str(lines, step_str(ctx, "text"));
                Question q = { .kind = "yes",
                               .step = p->id,
                               .key = key,
                               .title = p->title,
                               .lines = lines,
                               .choices = gate_choices("y", "Go on", "", "n", "Not now",
                                                       "the run is paused", NULL) };
                if (!gate_ask(e, &q, err))
                        return false;
                if (e->gate.answer[0] == 'n' && !gates_not_now(e, err))
                        return false;
        }
        if (e->gate.by[0])
                step_report(ctx, "answered by %s", e->gate.by);
        return true;
}

bool ask_flow(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        const char *kind = p->def->kind->name;
        if (str_eq(kind, "manual"))
                return ask_manual(e, p, ctx, err);
        if (str_eq(kind, "decide"))
                return ask_decide(e, p, ctx, err);
        if (str_eq(kind, "gate"))
                return ask_plain(e, p, ctx, err);
        return true;
}
