/* resume.c: going on after a crash: the past from the journal, the present from the world.
 *
 * An intent without a verdict means that nobody knows. The class of the step says who may be
 * asked: a read-only step is run again, a step that works under a temporary name is run again,
 * for the others the kind's probe() looks at the world. Whoever cannot know asks a person. */
#include "engine/internal.h"

#include "base/clock.h"

bool resume_replay(Engine *e, Err *err)
{
        JournalReader *r = journal_reader_open(e->c->run_dir, err);
        if (!r)
                return err_wrap(err, "reading the journal");
        bool ok = true;
        for (;;) {
                Event ev = { 0 };
                ok = journal_next(r, &ev, err);
                if (!ok || ev.type == EV_NONE)
                        break;
                state_apply(&e->state, &ev);
        }
        journal_reader_close(r);
        if (!ok)
                return err_wrap(err, "reading the journal");
        if (!e->state.run) {
                err_set(err, ERR_USER, "the journal of %s does not begin with a run",
                        e->c->run_dir);
                return err_hint(err, "the run died before it began: start it anew");
        }
        if (*e->state.plan_sha256 && !str_eq(e->state.plan_sha256, e->plan->sha256)) {
                err_set(err, ERR_USER,
                        "the plan is not the one that was accepted (%.12s, now %.12s)",
                        e->state.plan_sha256, e->plan->sha256);
                return err_hint(err, "resume it with the runbook and the pgsherpa it began with");
        }
        return facts_load(e, err);
}

/* ---- somebody of the last try may still be alive ---- */

static bool write_unknown(Engine *e, const PlanStep *p, const char *message, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "message", message);
        return engine_append(e, EV_STEP_UNKNOWN, p->id, f, err);
}

static bool orphans(Engine *e, const PlanStep *p, int attempt, Err *err)
{
        /* A child that saw its parent die is often a moment behind. */
        for (int i = 0; i < 20 && locks_alive_held(e, p->id, attempt); i++)
                if (!loop_sleep(e, 100, err))
                        return false;
        while (locks_alive_held(e, p->id, attempt)) {
                json_t *lines = json_array();
                jx_append_str(lines, "A command of this step still runs since before the crash.");
                Question q = { .kind = "unknown",
                               .step = p->id,
                               .lines = lines,
                               .title = p->title,
                               .suggested = "w",
                               .choices = gate_choices("w", "Wait for it",
                                                       "looks again when it ended", "k", "Stop it",
                                                       "TERM, later KILL", "a", "Leave the run",
                                                       "it goes on by itself", NULL) };
                if (!write_unknown(e, p, "a command of it still runs", err) ||
                    !gate_ask(e, &q, err))
                        return false;
                char a = e->gate.answer[0];
                if (a == 'a')
                        return engine_stop(e, STOP_ABORT, e->gate.by, NULL, err);
                if (a == 'k')
                        locks_alive_stop(e, p->id, attempt);
                while (a == 'w' && locks_alive_held(e, p->id, attempt))
                        if (!loop_sleep(e, 500, err))
                                return false;
        }
        return true;
}

/* ---- what is there? ---- */

typedef struct ProbeCall {
        const StepKind *kind;
        StepCtx *ctx;
        Found found;
} ProbeCall;

static bool call_probe(void *arg, Err *err)
{
        ProbeCall *c = arg;
        return c->kind->probe(c->ctx, step_ctx_state(c->ctx), &c->found, err);
}

static bool ask_unknown(Engine *e, const PlanStep *p, const char *message, bool undoable, Err *err)
{
        json_t *lines = json_array();
        jx_append_str(lines, message);
        AUTO_FREE char *log = xasprintf("its log    %s/output/%s.log", e->c->run_dir, p->id);
        jx_append_str(lines, log);
        AUTO_FREE char *title = xasprintf("Step %d was cut off: %s", p->n, p->title);
        Question q = {
                .kind = "unknown",
                .step = p->id,
                .lines = lines,
                .title = title,
                .choices = undoable
                                   ? gate_choices("d", "It was done", "I have looked, go on", "r",
                                                  "Run it again", "from its start", "u", "Undo",
                                                  "shows you the list first", "a", "Stop the run",
                                                  "everything stays as it is", NULL)
                                   : gate_choices("d", "It was done", "I have looked, go on", "r",
                                                  "Run it again", "from its start", "a",
                                                  "Stop the run", "everything stays as it is", NULL)
        };
        return write_unknown(e, p, message, err) && gate_ask(e, &q, err);
}

static bool said_done(Engine *e, const PlanStep *p, Err *err)
{
        json_t *f = json_object();
        AUTO_FREE char *note =
                xasprintf("was done, says %s", e->gate.by[0] ? e->gate.by : "the operator");
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "note", note);
        return engine_append(e, EV_STEP_DONE, p->id, f, err);
}

static bool person_decides(Engine *e, const PlanStep *p, const char *message, Err *err)
{
        StepRec *rec = state_step(&e->state, p->id);
        bool undoable = undo_barred_by(e) == NULL;
        char a = rec->answer; /* answered before a second crash */
        if (!a || !strchr("drua", a)) {
                if (!ask_unknown(e, p, message, undoable, err))
                        return false;
                a = e->gate.answer[0];
        }
        switch (a) {
        case 'd':
                return said_done(e, p, err);
        case 'u':
                return engine_stop(e, STOP_ROLLBACK, e->gate.by, NULL, err);
        case 'a':
                return engine_stop(e, STOP_ABORT, e->gate.by, NULL, err);
        default:
                return attempt_run(e, p, err);
        }
}

static bool found_all(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        bool again = false;
        if (!*step_ctx_note(ctx))
                step_report(ctx, "found done after a crash");
        if (!outcome_settle(e, p, ctx, 0, &again, err))
                return false;
        return !again || attempt_run(e, p, err);
}

static bool undo_then_run(Engine *e, const PlanStep *p, const StepKind *kind, StepCtx *ctx,
                          Err *err)
{
        AUTO_ERR why = { 0 };
        if (!attempt_call(e, ctx, kind->undo, p->def->timeout_ms, &why)) {
                if (e->stop || e->io_failed)
                        return false;
                AUTO_FREE char *message = xasprintf("half of it is there, and putting that back "
                                                    "failed: %s",
                                                    why.message);
                return person_decides(e, p, message, err);
        }
        return attempt_run(e, p, err);
}

static bool act_on(Engine *e, const PlanStep *p, const StepKind *kind, StepCtx *ctx, Found found,
                   Err *err)
{
        bool redo = str_eq(p->def->resume, "redo") || (kind->traits & STEP_IDEMPOTENT);
        switch (found) {
        case FOUND_ALL:
                return found_all(e, p, ctx, err);
        case FOUND_NOTHING:
                return attempt_run(e, p, err);
        case FOUND_PART:
                if (redo)
                        return attempt_run(e, p, err);
                if (kind->undo)
                        return undo_then_run(e, p, kind, ctx, err);
                return person_decides(e, p, "half of it is there", err);
        case FOUND_BUSY:
                return person_decides(e, p, "something is still working on it", err);
        case FOUND_DRIFT:
                return person_decides(e, p,
                                      "what is there is neither the state before nor the "
                                      "state after",
                                      err);
        }
        return person_decides(e, p, "nobody can tell", err);
}

static bool probe(Engine *e, const PlanStep *p, const StepKind *kind, Err *err)
{
        AUTO_ERR why = { 0 };
        int attempt = state_step(&e->state, p->id)->attempt;
        AUTO_STEP ctx = attempt_context(e, p, attempt, false, &why);
        ProbeCall c = { .kind = kind, .ctx = ctx };
        bool ok = ctx != NULL;
        for (int i = 0; ok && i < 30; i++) {
                ok = loop_work(e, ctx, p->def->timeout_ms, call_probe, &c, &why);
                if (!ok || c.found != FOUND_BUSY)
                        break;
                if (!loop_sleep(e, 1000, err))
                        return false;
        }
        if (e->stop || e->io_failed)
                return false;
        if (ok)
                return act_on(e, p, kind, ctx, c.found, err);
        AUTO_FREE char *message = xasprintf("it could not be looked at: %s",
                                            why.message ? why.message : "no reason given");
        return person_decides(e, p, message, err);
}

bool resume_recover(Engine *e, const PlanStep *p, Err *err)
{
        StepRec *rec = state_step(&e->state, p->id);
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        const char *class = p->def->resume;
        e->now = p;
        if (!kind || !orphans(e, p, rec->attempt, err))
                return false;
        if (kind->traits & STEP_READ_ONLY)
                return attempt_run(e, p, err);
        if (str_eq(class, "ask"))
                return person_decides(e, p, "its runbook wants you to look", err);
        if (str_eq(class, "skip"))
                return said_done(e, p, err);
        if (str_eq(class, "redo"))
                return attempt_run(e, p, err);
        if (kind->probe)
                return probe(e, p, kind, err);
        if (kind->traits & STEP_IDEMPOTENT)
                return attempt_run(e, p, err);
        return person_decides(e, p, "it was running when the engine died, and it cannot be asked",
                              err);
}
