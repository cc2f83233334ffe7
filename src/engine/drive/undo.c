/* undo.c: the way back: every step that touched something, newest first.
 *
 * It walks what the journal says was begun, not what the plan says was meant: a half-done step
 * is undone too, from what it remembered before it touched anything. A world that is not as
 * remembered is drift: nothing is done to it, and a person is asked. An undo that was cut in
 * two is simply called again, undo functions may be. */
#include "engine/drive/drive.h"

#include <stdio.h>

#include "base/clock.h"

typedef struct UndoList {
        const PlanStep **steps;
        size_t n;
} UndoList;

static int plan_index(const Engine *e, const PlanStep *p)
{
        for (size_t i = 0; i < e->plan->n; i++)
                if (e->plan->steps[i].n == p->n)
                        return (int)i;
        return -1;
}

static int by_newest(const void *a, const void *b, void *state)
{
        const StepRec *x = state_find(state, (*(const PlanStep *const *)a)->id);
        const StepRec *y = state_find(state, (*(const PlanStep *const *)b)->id);
        return (x->intent_seq < y->intent_seq) - (x->intent_seq > y->intent_seq);
}

/* Everything to be undone, newest first; `to` and `phase` limit it. Arena memory. */
static UndoList list_of(Engine *e, const char *to, const char *phase)
{
        UndoList l = { .steps = arena_new_array(e->arena, const PlanStep *, e->state.n_steps + 1) };
        const PlanStep *stop = to && *to ? lookup_step(e, to) : NULL;
        for (size_t i = 0; i < e->state.n_steps; i++) {
                const StepRec *r = e->state.steps[i];
                const PlanStep *p = lookup_touched(r) ? lookup_step(e, r->id) : NULL;
                if (!p || lookup_read_only(p) || (phase && !str_eq(phase, p->phase)))
                        continue;
                if (stop && plan_index(e, p) < plan_index(e, stop))
                        continue;
                l.steps[l.n++] = p;
        }
        qsort_r(l.steps, l.n, sizeof *l.steps, by_newest, &e->state);
        return l;
}

static const PlanStep *soft_point(Engine *e)
{
        for (size_t i = 0; i < e->plan->n; i++) {
                const PlanStep *p = &e->plan->steps[i];
                const StepRec *r = state_find(&e->state, p->id);
                if (p->def->pnr == PNR_SOFT && r && lookup_touched(r))
                        return p;
        }
        return NULL;
}

/* ---- one step ---- */

/* undo: [steps]: run in the order written, each must be fine with running twice. */
static bool call_own_steps(Engine *e, const PlanStep *p, char **ret_words, Err *err)
{
        for (size_t i = 0; i < p->def->n_undo_steps; i++) {
                const Step *def = &p->def->undo_steps[i];
                PlanStep s = *p;
                s.def = def;
                s.id = arena_printf(e->arena, "%s.undo%zu", p->id, i + 1);
                AUTO_STEP ctx = context_new(e, &s, 1, false, err);
                const StepKind *kind = ctx ? step_kind_find(def->kind->name, err) : NULL;
                if (!kind || !context_call(e, ctx, kind->run, def->timeout_ms, err))
                        return err_wrap(err, "step %zu of its undo, %s", i + 1, def->kind->name);
        }
        *ret_words = xasprintf("%zu steps run", p->def->n_undo_steps);
        return true;
}

static bool undo_call_kind(Engine *e, const PlanStep *p, char **ret_words, Err *err)
{
        int attempt = state_step(&e->state, p->id)->attempt;
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        AUTO_STEP ctx = kind ? context_new(e, p, attempt, false, err) : NULL;
        if (!ctx) {
                err->kind = err->kind == ERR_USER ? ERR_SYSTEM : err->kind; /* not drift */
                return err_wrap(err, "preparing the way back");
        }
        step_log(ctx, SAY_INFO, "pgsherpa", "undo of step %d, %s", p->n, kind->name);
        bool ok = context_call(e, ctx, kind->undo, p->def->timeout_ms, err);
        step_ctx_flush(ctx);
        if (!ok && err->message)
                step_log(ctx, SAY_ERROR, "pgsherpa", "undo: %s", err->message);
        if (ok && *step_ctx_note(ctx))
                *ret_words = xstrdup(step_ctx_note(ctx));
        return ok;
}

static bool ask_what_now(Engine *e, const PlanStep *p, const Err *why, Answer *ret, Err *err)
{
        bool drift = why->kind == ERR_USER;
        json_t *lines = json_array();
        jx_append_str(lines, why->message ? why->message : "");
        if (why->hint)
                jx_append_str(lines, why->hint);
        AUTO_FREE char *title = xasprintf(drift ? "Undo of step %d: not as it was left: %s"
                                                : "Undo of step %d failed: %s",
                                          p->n, p->title);
        Question q = { .kind = drift ? ASK_UNKNOWN : ASK_ERROR,
                       .step = p->id,
                       .title = title,
                       .lines = lines,
                       .choices =
                               gate_choices("r", "Try again", "looks at the present state first",
                                            "s", "Leave it", "stays as it is, and the log says so",
                                            "a", "Stop here", "nothing more is put back", NULL) };
        return gate_ask(e, &q, ret, err);
}

static bool try_undo(Engine *e, const PlanStep *p, bool *ret_over, Err *err)
{
        AUTO_FREE char *planned = undo_words(e, p);
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        bool steps = p->def->undo == UNDO_STEPS;
        bool said = p->def->undo == UNDO_NONE || p->def->undo == UNDO_REF ||
                    (!steps && (!kind || !kind->undo));
        *ret_over = true;
        if (!record_undo_intent(e, p, planned, err))
                return false;
        if (said)
                return record_undo_done(e, p, planned, 0, p->def->undo != UNDO_REF, err);
        int64_t start = clock_boot_ms();
        AUTO_ERR why = { 0 };
        AUTO_FREE char *words = NULL;
        bool ok = steps ? call_own_steps(e, p, &words, &why) : undo_call_kind(e, p, &words, &why);
        if (e->io_failed)
                return err_set(err, ERR_SYSTEM, "the journal cannot be written any more");
        if (ok)
                return record_undo_done(e, p, words ? words : planned, clock_boot_ms() - start,
                                        false, err);
        if (e->stop && why.kind == ERR_CANCELLED)
                return false; /* cut in two: the intent stays, resume does it again */
        *ret_over = false;
        AUTO_ANSWER a = { 0 };
        if (!record_undo_bad(e, p, &why, err) || !ask_what_now(e, p, &why, &a, err))
                return false;
        if (a.key[0] == 'a')
                return record_stop(e, STOP_ABORT, a.by, NULL, err);
        if (a.key[0] != 's')
                return true;
        *ret_over = true;
        AUTO_FREE char *left = xasprintf("left as it is, by %s", a.by);
        return record_undo_done(e, p, left, 0, true, err);
}

bool undo_one(Engine *e, const PlanStep *p, Err *err)
{
        bool over = false;
        e->now = p;
        while (!over)
                if (!try_undo(e, p, &over, err))
                        return false;
        return true;
}

static bool undo_safe_point(Engine *e, Err *err)
{
        if (e->stop)
                return false;
        if (!e->pause_wanted)
                return true;
        return gate_not_now(e, NULL, err);
}

static bool undo_list(Engine *e, const UndoList *l, Err *err)
{
        for (size_t i = 0; i < l->n; i++)
                if (!undo_safe_point(e, err) || !undo_one(e, l->steps[i], err))
                        return false;
        return true;
}

bool undo_phase(Engine *e, const char *phase, Err *err)
{
        UndoList l = list_of(e, NULL, phase);
        return undo_list(e, &l, err);
}

/* ---- the whole way ---- */

static json_t *list_lines(Engine *e, const UndoList *l, const char *to, char **ret_word)
{
        json_t *lines = json_array();
        const PlanStep *soft = soft_point(e);
        if (!losses_tell(e, *to ? lookup_step(e, to) : NULL, lines, ret_word) && soft) {
                const StepRec *r = state_find(&e->state, soft->id);
                char t[24];
                AUTO_FREE char *line = xasprintf("What was written since step %d, %s (%s), will be "
                                                 "lost.",
                                                 soft->n, soft->title, clock_day_hm(r->t_done, t));
                jx_append_str(lines, line);
        }
        size_t shown = 0;
        for (size_t i = 0; i < l->n && shown < 16; i++, shown++) {
                AUTO_FREE char *words = undo_words(e, l->steps[i]);
                AUTO_FREE char *line =
                        xasprintf("%2d  %.60s: %.110s", l->steps[i]->n, l->steps[i]->title, words);
                jx_append_str(lines, line);
        }
        if (l->n > shown) {
                AUTO_FREE char *line = xasprintf("and %zu more", l->n - shown);
                jx_append_str(lines, line);
        }
        if (l->n == 0)
                jx_append_str(lines, "Nothing was changed: there is nothing to put back.");
        return lines;
}

/* The runbook may ask for a word to be typed before its rollback. */
static bool word_wanted(Engine *e, char **ret, Err *err)
{
        *ret = NULL;
        for (size_t i = 0; i < e->rb->rollback.n_gates; i++) {
                const GateSpec *g = &e->rb->rollback.gates[i];
                if (g->kind == GATE_NAME_OF)
                        *ret = xstrdup(g->target);
                if (g->kind != GATE_WORD)
                        continue;
                AUTO_SCOPE scope = { 0 };
                scope_of(e, NULL, NULL, &scope);
                return template_eval_text(g->text, &scope, ret, err);
        }
        return true;
}

static bool ask_undo(Engine *e, const UndoList *l, const char *to, Answer *ret, Err *err)
{
        AUTO_FREE char *word = NULL;
        AUTO_FREE char *lose = NULL;
        if (!word_wanted(e, &word, err))
                return err_wrap(err, "the gate of the rollback");
        const char *title =
                e->rb->rollback.set && e->rb->rollback.title ? e->rb->rollback.title : "Undo";
        AUTO_FREE char *full = l->n ? xasprintf("%s: %zu step%s", title, l->n, l->n == 1 ? "" : "s")
                                    : xstrdup("End the run? There is nothing to undo");
        json_t *lines = list_lines(e, l, to, &lose);
        Question q = { .kind = ASK_UNDO,
                       .title = full,
                       .lines = lines,
                       .text = word ? word : lose,
                       .choices = gate_choices("y", l->n ? "Undo them" : "End the run",
                                               l->n ? "newest first" : "", "n", "Not now",
                                               "back to where the run was", NULL) };
        return gate_ask(e, &q, ret, err);
}

static size_t left_behind(const Engine *e)
{
        size_t n = 0;
        for (size_t i = 0; i < e->state.n_steps; i++)
                n += e->state.steps[i]->state == REC_UNDO_LEFT;
        return n;
}

static bool undo_finish(Engine *e, bool whole, Err *err)
{
        if (whole && (!verify_run(e, err) || !clocks_downtime(e, false, err)))
                return false;
        size_t left = left_behind(e);
        AUTO_FREE char *words =
                left ? xasprintf("%zu step%s", left,
                                 left == 1 ? " stayed as it was" : "s stayed as they were")
                     : xstrdup("everything is as it was before");
        return record_undo_end(e, words, err) &&
               (!whole || record_run_close(e, "undone", words, err));
}

static void forget_answers(Engine *e)
{
        for (size_t i = 0; i < e->state.n_steps; i++)
                e->state.steps[i]->answer = 0;
}

/* Comes with e->stop cleared by the caller. True and the run not closed: only a part was
 * undone, or nothing at all because the operator thought again. */
bool undo_run(Engine *e, Err *err)
{
        const char *to = e->state.undoing ? e->state.undo_to : e->undo_to ? e->undo_to : "";
        UndoList l = list_of(e, to, NULL);
        bool unasked = e->undo_unasked && !soft_point(e);
        e->undo_unasked = false;
        e->now = NULL;
        if (!e->state.undoing) {
                AUTO_ANSWER a = { .key = "y" };
                if (!unasked && !ask_undo(e, &l, to, &a, err))
                        return false;
                bool yes = a.key[0] == 'y';
                forget_answers(e);
                e->pause_wanted = !yes && e->c->rollback; /* came to go back, not on */
                snprintf(e->pause_by, sizeof e->pause_by, "%s", a.by);
                if (!yes)
                        return true;
                if (!record_undo_start(e, l.n ? l.steps[0]->id : "", to, l.n,
                                       *a.by ? a.by : e->stop_by, err))
                        return false;
        }
        e->undoing = true;
        bool ok = undo_list(e, &l, err) && undo_finish(e, !*to, err);
        e->undoing = false;
        if (!ok)
                return false;
        if (e->state.closed)
                return true;
        e->pause_wanted = true; /* a part was undone: let them look before going on */
        snprintf(e->pause_by, sizeof e->pause_by, "pgsherpa");
        return true;
}
