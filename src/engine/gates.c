/* gates.c: one question at a time, and the gates a step has before it.
 *
 * A gate never answers itself with yes. The only thing time can open is a gate that waits for
 * a time. Answers of gates with a key are remembered in the journal: after a crash, and for
 * the other items of a loop, what was answered stays answered. */
#include "engine/internal.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "journal/run_view.h"

json_t *gate_choices(const char *key, const char *label, const char *consequence, ...)
{
        json_t *list = json_array();
        va_list ap;
        va_start(ap, consequence);
        while (key) {
                json_t *c = json_object();
                jx_set_str(c, "key", key);
                jx_set_str(c, "label", label);
                jx_set_str(c, "consequence", consequence);
                json_array_append_new(list, c);
                key = va_arg(ap, const char *);
                label = key ? va_arg(ap, const char *) : NULL;
                consequence = key ? va_arg(ap, const char *) : NULL;
        }
        va_end(ap);
        return list;
}

static json_t *open_fields(Engine *e, const Question *q, int64_t number)
{
        json_t *f = json_object();
        jx_set_int(f, "gate", number);
        jx_set_str(f, "kind", q->kind);
        jx_set_str(f, "title", q->title ? q->title : "");
        jx_set(f, "lines", q->lines ? json_incref(q->lines) : json_array());
        if (q->text)
                jx_set_str(f, "text", q->text);
        if (q->until_ms)
                jx_set_int(f, "until_ms", q->until_ms);
        jx_set(f, "choices", q->choices ? json_incref(q->choices) : json_array());
        if (q->suggested)
                jx_set_str(f, "suggested", q->suggested);
        if (q->secret)
                jx_set_str(f, "secret", q->secret);
        if (q->key)
                jx_set_str(f, "key", q->key);
        return f;
}

static bool close_by_time(Engine *e, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "gate", e->gate.number);
        jx_set_str(f, "answer", "time");
        jx_set_str(f, "by", "the clock");
        jx_set_int(f, "waited_ms", clock_boot_ms() - e->gate.opened_bt);
        if (!engine_append(e, EV_GATE_ANSWER, e->gate.step, f, err))
                return false;
        snprintf(e->gate.answer, sizeof e->gate.answer, "time");
        e->gate.answered = true;
        return true;
}

static bool wait_for_answer(Engine *e, const Question *q, Err *err)
{
        while (!e->gate.answered) {
                if (e->stop)
                        return false;
                if (q->until_ms && clock_wall_ms() >= q->until_ms)
                        return close_by_time(e, err);
                /* Days may pass at this gate: an engine that is asked to pause may go. */
                if (q->until_ms && e->pause_wanted)
                        return engine_stop(e, STOP_SHUTDOWN, e->pause_by, "paused", err);
                int64_t wait = q->until_ms ? q->until_ms - clock_wall_ms() : 1000;
                if (!loop_pump(e, MIN(wait, (int64_t)1000), err))
                        return false;
        }
        return true;
}

bool gate_ask(Engine *e, Question *q, Err *err)
{
        int64_t number = e->state.last_gate + 1;
        AUTO_JSON choices = q->choices;
        AUTO_JSON lines = q->lines;
        Secret *old = e->gate.value;
        free(e->gate.typed);
        secret_free(old);
        e->gate = (OpenGate){ .open = true,
                              .number = number,
                              .kind = q->kind,
                              .step = q->step,
                              .text = q->text,
                              .secret = q->secret,
                              .choices = choices,
                              .lines = lines,
                              .free_text = q->free_text,
                              .items = q->items,
                              .opened_bt = clock_boot_ms() };
        bool ok = engine_append(e, EV_GATE_OPEN, q->step, open_fields(e, q, number), err);
        if (ok) {
                e->gate.seq = e->state.last_seq;
                ok = wait_for_answer(e, q, err);
        }
        e->gate.open = false;
        e->gate.choices = e->gate.lines = NULL;
        e->gate.text = e->gate.secret = NULL;
        return ok;
}

/* ---- "not now" ---- */

static bool write_pause(Engine *e, const char *cause, const char *by, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "cause", cause);
        jx_set_str(f, "by", by);
        return engine_append(e, EV_RUN_PAUSE, NULL, f, err);
}

static bool wait_until_continued(Engine *e, Err *err)
{
        e->continue_wanted = false;
        while (!e->continue_wanted) {
                if (e->stop)
                        return false;
                if (!loop_pump(e, 1000, err))
                        return false;
        }
        e->continue_wanted = e->pause_wanted = false;
        json_t *f = json_object();
        jx_set_str(f, "by", e->pause_by);
        jx_set_bool(f, "after_crash", false);
        jx_set_str(f, "boot_id", clock_boot_id());
        jx_set_int(f, "pid", getpid());
        return engine_append(e, EV_RUN_RESUME, NULL, f, err);
}

bool gates_not_now(Engine *e, Err *err)
{
        if (!e->pause_wanted)
                return write_pause(e, "not now", e->gate.by, err) && wait_until_continued(e, err);
        return write_pause(e, "asked", e->pause_by, err) && wait_until_continued(e, err);
}

bool gates_going_on(Engine *e, const char *step, const char *key, const char *risk, bool *ret_sure,
                    Err *err)
{
        json_t *lines = json_array();
        AUTO_FREE char *line = xasprintf("If you go on: %s.", risk);
        jx_append_str(lines, line);
        Question q = { .kind = "word",
                       .step = step,
                       .key = key,
                       .title = "Go on although it has a price?",
                       .text = "go on",
                       .lines = lines,
                       .choices = gate_choices("y", "Go on", "", "b", "Back",
                                               "to the question before", NULL) };
        if (!gate_ask(e, &q, err))
                return false;
        *ret_sure = e->gate.answer[0] == 'y';
        return true;
}

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
static json_t *sentences(const json_t *plan, bool all)
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
        AUTO_STEP ctx = attempt_context(e, p, 1, true, &ignored);
        const StepKind *kind = step_kind_find(p->def->kind->name, &ignored);
        if (!kind)
                return;
        bool planned = ctx && kind->plan && kind->plan(ctx, step_ctx_state(ctx), &ignored);
        bool all = (kind->traits & (STEP_SHELL | STEP_DESTRUCTIVE)) ||
                   p->def->effect == EFFECT_DESTROY;
        AUTO_JSON words = sentences(planned ? step_ctx_plan(ctx) : NULL, all);
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

static bool shows(const GateSpec *g, const char *what)
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
        if (shows(g, "budget") || p->def->downtime == DOWNTIME_BEGIN)
                show_budget(e, lines);
        if (shows(g, "data_loss_after_this") || p->def->pnr == PNR_SOFT)
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
static char *key_of(const PlanStep *p, const GateSpec *g, size_t i)
{
        return xasprintf("%s#%zu", step_of_key(p, g), i);
}

static bool word_of(Engine *e, const PlanStep *p, const GateSpec *g, char **ret, Err *err)
{
        *ret = NULL;
        if (g->kind == GATE_WORD) {
                Scope scope = { 0 };
                attempt_scope(e, p, NULL, &scope);
                bool ok = template_eval_text(g->text, &scope, ret, err);
                attempt_scope_done(&scope);
                return ok || err_wrap(err, "the word to be typed");
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
        Scope scope = { 0 };
        json_t *ms = NULL;
        AUTO_ERR ignored = { 0 };
        attempt_scope(e, p, NULL, &scope);
        bool ok = template_eval(g->wait, NULL, &scope, &ms, &ignored);
        attempt_scope_done(&scope);
        AUTO_JSON value = ms;
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

static json_t *choices_of(const PlanStep *p, const GateSpec *g)
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

static bool ask_gate(Engine *e, const PlanStep *p, const GateSpec *g, const char *key,
                     bool *ret_kept, Err *err)
{
        static const char *const kinds[] = { "yes", "word", "word", "after" };
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
                               .choices = choices_of(p, g) };
                if (!gate_ask(e, &q, err))
                        return false;
                char a = e->gate.answer[0];
                *ret_kept = a == 'k';
                if (a != 'n')
                        return true;
                if (!gates_not_now(e, err))
                        return false;
        }
}

bool gates_of_step(Engine *e, const PlanStep *p, bool *ret_skipped, Err *err)
{
        *ret_skipped = false;
        for (size_t i = 0; i < p->def->n_gates; i++) {
                const GateSpec *g = &p->def->gates[i];
                AUTO_FREE char *key = key_of(p, g, i);
                if (jx_get(e->state.answered, key))
                        continue;
                bool kept = false;
                if (!ask_gate(e, p, g, key, &kept, err))
                        return false;
                if (!kept)
                        continue;
                AUTO_FREE char *why = xasprintf("kept, as %s wished", e->gate.by);
                *ret_skipped = true;
                return steps_skip(e, p, why, err);
        }
        return true;
}
