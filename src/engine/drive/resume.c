/* resume.c: going on after a crash: the past from the journal, the present from the world.
 *
 * An intent without a verdict means that nobody knows. The class of the step says who may be
 * asked: a read-only step is run again, a step that works under a temporary name is run again,
 * for the others the kind's probe() looks at the world. Whoever cannot know asks a person. */
#include "engine/drive/drive.h"

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

static bool ask_about_orphan(Engine *e, const PlanStep *p, Answer *ret, Err *err)
{
        json_t *lines = json_array();
        jx_append_str(lines, "A command of this step still runs since before the crash.");
        Question q = { .kind = ASK_UNKNOWN,
                       .step = p->id,
                       .lines = lines,
                       .title = p->title,
                       .suggested = "w",
                       .choices = gate_choices("w", "Wait for it", "looks again when it ended", "k",
                                               "Stop it", "TERM, later KILL", "a", "Leave the run",
                                               "it goes on by itself", NULL) };
        if (!record_step_unknown(e, p, "a command of it still runs", err)) {
                json_decref(q.lines);
                json_decref(q.choices);
                return false;
        }
        return gate_ask(e, &q, ret, err);
}

static bool resume_orphans(Engine *e, const PlanStep *p, int attempt, Err *err)
{
        /* A child that saw its parent die is often a moment behind. */
        for (int i = 0; i < 20 && locks_alive_held(e, p->id, attempt); i++)
                if (!loop_sleep(e, 100, err))
                        return false;
        while (locks_alive_held(e, p->id, attempt)) {
                AUTO_ANSWER answer = { 0 };
                if (!ask_about_orphan(e, p, &answer, err))
                        return false;
                char a = answer.key[0];
                if (a == 'a')
                        return record_stop(e, STOP_ABORT, answer.by, NULL, err);
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

static bool ask_unknown(Engine *e, const PlanStep *p, const char *message, Answer *ret, Err *err)
{
        static const char done[] = "I have looked, go on", again[] = "from its start",
                          stop[] = "everything stays as it is";
        json_t *lines = json_array();
        jx_append_str(lines, message);
        AUTO_FREE char *log = xasprintf("its log    %s/output/%s.log", e->c->run_dir, p->id);
        jx_append_str(lines, log);
        AUTO_FREE char *title = xasprintf("Step %d was cut off: %s", p->n, p->title);
        Question q = { .kind = ASK_UNKNOWN,
                       .step = p->id,
                       .lines = lines,
                       .title = title,
                       .choices = lookup_bar(e) ? gate_choices("d", "It was done", done, "r",
                                                               "Run it again", again, "a",
                                                               "Stop the run", stop, NULL)
                                                : gate_choices("d", "It was done", done, "r",
                                                               "Run it again", again, "u", "Undo",
                                                               "shows you the list first", "a",
                                                               "Stop the run", stop, NULL) };
        if (!record_step_unknown(e, p, message, err)) {
                json_decref(q.lines);
                json_decref(q.choices);
                return false;
        }
        return gate_ask(e, &q, ret, err);
}

static bool said_done(Engine *e, const PlanStep *p, const char *by, Decided *ret, Err *err)
{
        AUTO_FREE char *note = xasprintf("was done, says %s", *by ? by : "the operator");
        ret->next = NEXT_LOOK;
        return record_step_done(e, p, note, NOT_SAID, NOT_SAID, err);
}

static bool person_decides(Engine *e, const PlanStep *p, const char *message, Decided *ret,
                           Err *err)
{
        AUTO_ANSWER answer = { 0 };
        char a = state_step(&e->state, p->id)->answer; /* answered before a second crash */
        if (!a || !strchr("drua", a)) {
                if (!ask_unknown(e, p, message, &answer, err))
                        return false;
                a = answer.key[0];
        }
        if (a == 'd')
                return said_done(e, p, answer.by, ret, err);
        *ret = a == 'u' || a == 'a' ? (Decided){ .next = NEXT_STOP,
                                                 .stop = a == 'u' ? STOP_ROLLBACK : STOP_ABORT,
                                                 .by = arena_strdup(e->arena, answer.by) }
                                    : (Decided){ .next = NEXT_TRY };
        return true;
}

static bool found_all(Engine *e, const PlanStep *p, StepCtx *ctx, Decided *ret, Err *err)
{
        bool again = false;
        if (!*step_ctx_note(ctx))
                step_report(ctx, "found done after a crash");
        if (!outcome_settle(e, p, ctx, 0, &again, err))
                return false;
        ret->next = again ? NEXT_TRY : NEXT_LOOK;
        return true;
}

static bool undo_half(Engine *e, const PlanStep *p, const StepKind *kind, StepCtx *ctx,
                      Decided *ret, Err *err)
{
        AUTO_ERR why = { 0 };
        ret->next = NEXT_TRY;
        if (context_call(e, ctx, kind->undo, p->def->timeout_ms, &why))
                return true;
        if (e->stop || e->io_failed)
                return false;
        AUTO_FREE char *message =
                xasprintf("half of it is there, and putting that back failed: %s", why.message);
        return person_decides(e, p, message, ret, err);
}

static bool decide_by(Engine *e, const PlanStep *p, const StepKind *kind, const ProbeCall *c,
                      Decided *ret, Err *err)
{
        bool redo = str_eq(p->def->resume, "redo") || (kind->traits & STEP_IDEMPOTENT);
        ret->next = NEXT_TRY;
        switch (c->found) {
        case FOUND_ALL:
                return found_all(e, p, c->ctx, ret, err);
        case FOUND_NOTHING:
                return true;
        case FOUND_PART:
                if (redo)
                        return true;
                if (kind->undo)
                        return undo_half(e, p, kind, c->ctx, ret, err);
                return person_decides(e, p, "half of it is there", ret, err);
        case FOUND_BUSY:
                return person_decides(e, p, "something is still working on it", ret, err);
        case FOUND_DRIFT:
                return person_decides(e, p,
                                      "what is there is neither the state before nor the "
                                      "state after",
                                      ret, err);
        }
        return person_decides(e, p, "nobody can tell", ret, err);
}

static bool resume_probe(Engine *e, const PlanStep *p, const StepKind *kind, Decided *ret, Err *err)
{
        AUTO_ERR why = { 0 };
        int attempt = state_step(&e->state, p->id)->attempt;
        AUTO_STEP ctx = context_new(e, p, attempt, false, &why);
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
                return decide_by(e, p, kind, &c, ret, err);
        AUTO_FREE char *message = xasprintf("it could not be looked at: %s",
                                            why.message ? why.message : "no reason given");
        return person_decides(e, p, message, ret, err);
}

bool resume_recover(Engine *e, const PlanStep *p, Decided *ret, Err *err)
{
        StepRec *rec = state_step(&e->state, p->id);
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        const char *class = p->def->resume;
        *ret = (Decided){ .next = NEXT_TRY };
        if (!kind || !resume_orphans(e, p, rec->attempt, err))
                return false;
        if (kind->traits & STEP_READ_ONLY)
                return true;
        if (str_eq(class, "ask"))
                return person_decides(e, p, "its runbook wants you to look", ret, err);
        if (str_eq(class, "skip"))
                return said_done(e, p, "", ret, err);
        if (str_eq(class, "redo"))
                return true;
        if (kind->probe)
                return resume_probe(e, p, kind, ret, err);
        if (kind->traits & STEP_IDEMPOTENT)
                return true;
        return person_decides(e, p, "it was running when the engine died, and it cannot be asked",
                              ret, err);
}
