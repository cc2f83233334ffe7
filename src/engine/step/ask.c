/* ask.c: what only a person can say: decisions, the time to start, checklists. */
#include "engine/step/one_step.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"

/* ---- decisions ---- */

static json_t *ask_choices_of(const json_t *choices, const char *fallback)
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

/* A choice's label, or what was typed, and who said so. */
static bool ask_choice(Engine *e, const char *step, const Decision *d, Answer *ret, Err *err)
{
        bool text = json_array_size(d->choices) == 0;
        AUTO_JSON list = text ? gate_choices("y", "Answer", "", NULL)
                              : ask_choices_of(d->choices, d->fallback);
        json_t *lines = json_array();
        jx_append_str(lines, "Your answer is written into the run's log, with your name.");
        Question q = { .kind = ASK_DECISION,
                       .step = step,
                       .title = d->question,
                       .lines = lines,
                       .choices = json_incref(list),
                       .free_text = text,
                       .suggested = d->fallback };
        if (!gate_ask(e, &q, ret, err))
                return false;
        if (text) {
                if (!ret->typed)
                        ret->typed = xstrdup("");
                return true;
        }
        size_t i = (size_t)strtoul(ret->key, NULL, 10);
        free(ret->typed);
        ret->typed = xstrdup(jx_str(json_array_get(list, i - 1), "label", ""));
        return true;
}

/* `question`: how it is asked when the decision has no words of its own. */
static bool ask_for_decision(Engine *e, const Decision *d, const char *question, const char *step,
                             Err *err)
{
        const char *given = jx_str(e->c->answers, d->id, NULL);
        if (!record_decision_open(e, d->id, d->question, d->choices, d->fallback, err))
                return false;
        if (given)
                return record_decision_answer(e, d->id, given, "the command line", err);
        Decision asked = *d;
        AUTO_ANSWER a = { 0 };
        asked.question = question;
        asked.fallback = d->fallback && *d->fallback ? d->fallback : NULL;
        return ask_choice(e, step, &asked, &a, err) &&
               record_decision_answer(e, d->id, a.typed, a.by, err);
}

bool ask_decisions(Engine *e, const PlanStep *p, Err *err)
{
        for (size_t i = 0; i < e->rb->n_decisions; i++) {
                const Decision *d = &e->rb->decisions[i];
                bool mine = str_eq(d->needed_before, p->def->id) || str_eq(d->needed_before, p->id);
                if (!mine || jx_get(e->state.decisions, d->id))
                        continue;
                if (!ask_for_decision(e, d, d->question, p->id, err))
                        return false;
        }
        return true;
}

/* ---- start_at ---- */

bool ask_start_at(Engine *e, Err *err)
{
        if (!e->rb->start_at || jx_get(e->state.answered, "run#start"))
                return true;
        AUTO_SCOPE scope = { 0 };
        AUTO_ANSWER a = { 0 };
        AUTO_FREE char *text = NULL;
        int64_t until = 0;
        scope_of(e, NULL, NULL, &scope);
        if (!template_eval_text(e->rb->start_at, &scope, &text, err))
                return err_wrap(err, "start_at");
        if (!*text)
                return true;
        if (!clock_parse_start(text, &until)) {
                err_set(err, ERR_USER, "start_at: `%s` is not a time", text);
                return err_hint(err, "write 22:00, or 2026-11-20T22:00:00.000Z");
        }
        AUTO_FREE char *title = xasprintf("Starts at %s", text);
        Question q = { .kind = ASK_START,
                       .key = "run#start",
                       .title = title,
                       .until_ms = until,
                       .choices = gate_choices("y", "Start now", "", NULL) };
        return gate_ask(e, &q, &a, err);
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
                AUTO_ANSWER a = { 0 };
                Question q = { .kind = ASK_MANUAL,
                               .step = p->id,
                               .key = key,
                               .title = p->title,
                               .lines = item_lines(items),
                               .items = n,
                               .choices = gate_choices("y", "All done", "", "n", "Not now",
                                                       "the run is paused", NULL) };
                if (!gate_ask(e, &q, &a, err))
                        return false;
                if (a.key[0] == 'n' && !gate_not_now(e, a.by, err))
                        return false;
        }
        say_ticks(e, p, ctx, n);
        return true;
}

static bool ask_decide(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        const char *question = step_str(ctx, "question");
        Decision d = { .id = p->id,
                       .question = question,
                       .choices = (json_t *)(uintptr_t)step_get(ctx, "choices"),
                       .fallback = step_str(ctx, "default") };
        if (!jx_get(e->state.decisions, p->id) &&
            !ask_for_decision(e, &d, *question ? question : p->title, p->id, err))
                return false;
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
                AUTO_ANSWER a = { 0 };
                Question q = { .kind = ASK_YES,
                               .step = p->id,
                               .key = key,
                               .title = p->title,
                               .lines = lines,
                               .choices = gate_choices("y", "Go on", "", "n", "Not now",
                                                       "the run is paused", NULL) };
                if (!gate_ask(e, &q, &a, err))
                        return false;
                if (a.key[0] == 'n' && !gate_not_now(e, a.by, err))
                        return false;
        }
        const char *by =
                p->def->n_gates ? gates_passed_by(e, p) : jx_str(e->state.answered_by, key, NULL);
        if (by)
                step_report(ctx, "answered by %s", by);
        return true;
}

bool ask_in_its_place(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        if (!kind)
                return false;
        switch (kind->asks) {
        case ASKS_TICKS:
                return ask_manual(e, p, ctx, err);
        case ASKS_CHOICE:
                return ask_decide(e, p, ctx, err);
        case ASKS_GO_ON:
                return ask_plain(e, p, ctx, err);
        case ASKS_NOTHING:
                break;
        }
        return true;
}
