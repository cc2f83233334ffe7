/* gates.c: the gates a step has before it, and what they show. */
#include "engine/step/one_step.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "journal/run_view.h"

/* ---- what a gate shows ---- */

static void add_lines(json_t *lines, const char *lead, const json_t *from, size_t most)
{
        size_t n = json_array_size(from);
        for (size_t i = 0; i < n && i < most; i++) {
                AUTO_FREE char *line = xasprintf("%s%.300s", i ? "           " : lead,
                                                 json_string_value(json_array_get(from, i)));
                jx_append_str(lines, line);
        }
        if (n > most) {
                AUTO_FREE char *line = xasprintf("           and %zu more", n - most);
                jx_append_str(lines, line);
        }
}

/* What a plan says in words ("# read every byte of .."); all of it where a runbook's own commands
 * run, and where something goes: what, they name. */
static json_t *gates_sentences(const json_t *plan, bool all)
{
        json_t *lines = json_array();
        size_t i;
        json_t *line;
        json_array_foreach(plan, i, line) {
                const char *text = json_string_value(line);
                if (str_starts(text, "# "))
                        jx_append_str(lines, text + 2);
                else if (all)
                        json_array_append(lines, line);
        }
        return lines;
}

/* In sentences, with what is known by now: the exact commands are behind a key, for whoever wants
 * to read SQL at midnight. */
static void show_plan(Engine *e, const PlanStep *p, json_t *lines)
{
        AUTO_ERR ignored = { 0 };
        AUTO_STEP ctx = context_new(e, p, 1, true, &ignored);
        const StepKind *kind = step_kind_find(p->def->kind->name, &ignored);
        if (!kind)
                return;
        bool planned = ctx && kind->plan && kind->plan(ctx, step_ctx_state(ctx), &ignored);
        bool all = (kind->traits & (STEP_SHELL | STEP_DESTRUCTIVE)) ||
                   p->def->effect == EFFECT_DESTROY;
        AUTO_JSON words = gates_sentences(planned ? step_ctx_plan(ctx) : NULL, all);
        if (!json_array_size(words))
                jx_append_str(words, kind->summary);
        add_lines(lines, "does       ", words, 4);
}

static void show_budget(Engine *e, json_t *lines)
{
        char a[24], b[24];
        int64_t used = clocks_downtime_ms(e);
        if (e->rb->budget_ms <= 0)
                return;
        AUTO_FREE char *line = xasprintf("downtime   %s of %s", fmt_clock(MAX(used, 0), a),
                                         fmt_clock(e->rb->budget_ms, b));
        jx_append_str(lines, line);
}

static bool gates_shows(const GateSpec *g, const char *what)
{
        for (size_t i = 0; i < g->n_show; i++)
                if (str_eq(g->show[i], what))
                        return true;
        return false;
}

static json_t *lines_of(Engine *e, const PlanStep *p, const GateSpec *g)
{
        json_t *lines = json_array();
        if (p->def->why)
                jx_append_str(lines, p->def->why);
        show_plan(e, p, lines);
        if (p->undo && str_eq(p->undo, "NO")) {
                AUTO_FREE char *line =
                        xasprintf("This cannot be undone%s%s.", p->def->undo_why ? ": " : "",
                                  p->def->undo_why ? p->def->undo_why : "");
                jx_append_str(lines, line);
        } else if (p->undo && p->def->effect != EFFECT_READ) {
                AUTO_FREE char *words = run_view_undo_words(p->undo);
                AUTO_FREE char *line = xasprintf("back       %s", words);
                jx_append_str(lines, line);
        }
        if (p->in && p->in->users_see) {
                AUTO_FREE char *line = xasprintf("users see  %s", p->in->users_see);
                jx_append_str(lines, line);
        }
        if (gates_shows(g, "budget") || p->def->downtime == DOWNTIME_BEGIN)
                show_budget(e, lines);
        if (gates_shows(g, "data_loss_after_this") || p->def->pnr == PNR_SOFT)
                jx_append_str(lines, "from here  going back loses what is written after this step");
        if (p->def->pnr == PNR_HARD)
                jx_append_str(lines, "from here  there is no way back");
        return lines;
}

/* ---- the gates of a step ---- */

static const char *step_of_key(const PlanStep *p, const GateSpec *g)
{
        return g->once ? p->def->id : p->id;
}

/* Once answered, a gate stays answered; `once` shares its answer among the items of a loop. */
static char *gates_key_of(const PlanStep *p, const GateSpec *g, size_t i)
{
        return xasprintf("%s#%zu", step_of_key(p, g), i);
}

static bool word_of(Engine *e, const PlanStep *p, const GateSpec *g, char **ret, Err *err)
{
        *ret = NULL;
        if (g->kind == GATE_WORD) {
                AUTO_SCOPE scope = { 0 };
                scope_of(e, p, NULL, &scope);
                return template_eval_text(g->text, &scope, ret, err) ||
                       err_wrap(err, "the word to be typed");
        }
        if (g->kind == GATE_NAME_OF) {
                const json_t *seen = jx_get(e->looked_up, g->target);
                const char *name = jx_str(seen, "project", jx_str(seen, "name", g->target));
                *ret = xstrdup(name);
        }
        return true;
}

/* How long a gate of type after waits: written, or answered when the run was planned. */
static int64_t wait_of(Engine *e, const PlanStep *p, const GateSpec *g)
{
        if (!g->wait)
                return g->wait_ms;
        AUTO_SCOPE scope = { 0 };
        AUTO_JSON value = NULL;
        AUTO_ERR ignored = { 0 };
        scope_of(e, p, NULL, &scope);
        bool ok = template_eval(g->wait, NULL, &scope, &value, &ignored);
        /* Answers were typed before the start; if one cannot be read now, never is too early. */
        return ok && json_is_integer(value) ? json_integer_value(value) : INT64_MAX / 4;
}

static int64_t until_of(Engine *e, const PlanStep *p, const GateSpec *g)
{
        if (g->kind != GATE_AFTER)
                return 0;
        const StepRec *r = state_find(&e->state, g->step ? g->step : "");
        int64_t from = r && r->t_done ? r->t_done : clock_wall_ms();
        return from + wait_of(e, p, g);
}

static json_t *gates_choices_of(const PlanStep *p, const GateSpec *g)
{
        if (g->kind == GATE_AFTER && p->cleanup)
                return gate_choices("k", "Keep it", "this clean-up is left out, for good", NULL);
        if (g->kind == GATE_AFTER)
                return gate_choices("n", "Not now", "the run is paused", NULL);
        if (p->cleanup)
                return gate_choices("y", "Go on", "", "n", "Not now", "the run is paused", "k",
                                    "Keep it", "this clean-up is left out, for good", NULL);
        return gate_choices("y", "Go on", "", "n", "Not now", "the run is paused", NULL);
}

static bool ask_gate(Engine *e, const PlanStep *p, const GateSpec *g, const char *key, Answer *ret,
                     Err *err)
{
        static const AskKind kinds[] = { ASK_YES, ASK_WORD, ASK_WORD, ASK_AFTER };
        AUTO_FREE char *word = NULL;
        if (!word_of(e, p, g, &word, err))
                return false;
        for (;;) {
                Question q = { .kind = kinds[g->kind],
                               .step = p->id,
                               .key = key,
                               .title = p->title,
                               .text = word,
                               .lines = lines_of(e, p, g),
                               .until_ms = until_of(e, p, g),
                               .choices = gates_choices_of(p, g) };
                if (!gate_ask(e, &q, ret, err))
                        return false;
                if (ret->key[0] != 'n')
                        return true;
                if (!gate_not_now(e, ret->by, err))
                        return false;
        }
}

bool gates_of_step(Engine *e, const PlanStep *p, bool *ret_skipped, Err *err)
{
        *ret_skipped = false;
        for (size_t i = 0; i < p->def->n_gates; i++) {
                const GateSpec *g = &p->def->gates[i];
                AUTO_FREE char *key = gates_key_of(p, g, i);
                AUTO_ANSWER a = { 0 };
                if (jx_get(e->state.answered, key))
                        continue;
                if (!ask_gate(e, p, g, key, &a, err))
                        return false;
                if (a.key[0] != 'k')
                        continue;
                AUTO_FREE char *why = xasprintf("kept, as %s wished", a.by);
                *ret_skipped = true;
                return record_step_skipped(e, p, why, err);
        }
        return true;
}

const char *gates_passed_by(Engine *e, const PlanStep *p)
{
        const char *by = NULL;
        for (size_t i = 0; i < p->def->n_gates; i++) {
                AUTO_FREE char *key = gates_key_of(p, &p->def->gates[i], i);
                if (str_eq(jx_str(e->state.answered, key, ""), "y"))
                        by = jx_str(e->state.answered_by, key, NULL);
        }
        return by;
}
