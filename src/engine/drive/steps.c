/* steps.c: a step driven to its verdict, whatever state the journal says it is in. */
#include "engine/drive/drive.h"

/* An error that is met with another try: the log says so. */
static bool note_retry(Engine *e, const PlanStep *p, Err *err)
{
        const StepRec *rec = state_step(&e->state, p->id);
        ErrorVerdict v = { .object = "", .verdict = "retry", .count = rec->tries };
        AUTO_ERR why = { 0 };
        policy_failure_of(rec, &why);
        return record_error(e, p, &why, &v, err);
}

/* What policy.c or resume.c decided, done. *ret_try: the step is to be tried. */
static bool carry_out(Engine *e, const PlanStep *p, Decided d, bool *ret_try, Err *err)
{
        for (*ret_try = false;;) {
                switch (d.next) {
                case NEXT_LOOK:
                        if (!d.note)
                                return true;
                        state_step(&e->state, p->id)->answer = 0;
                        return record_note(e, d.note, "pgsherpa", err);
                case NEXT_RETRY:
                        *ret_try = true;
                        return note_retry(e, p, err) && loop_sleep(e, d.wait_ms, err);
                case NEXT_TRY:
                        *ret_try = true;
                        if (d.other_password)
                                secrets_forget_typed(e);
                        return true;
                case NEXT_SKIP:
                        return record_step_skipped(e, p, d.words, err);
                case NEXT_STOP:
                        e->undo_unasked = e->undo_unasked || d.unasked;
                        return record_stop(e, d.stop, d.by, d.words, err);
                case NEXT_UNDO_STEP:
                        if (!undo_one(e, p, err))
                                return false;
                        break;
                case NEXT_UNDO_PHASE:
                        if (!undo_phase(e, p->phase, err))
                                return false;
                        break;
                case NEXT_ASK:
                        break;
                }
                if (!policy_ask(e, p, &d, err))
                        return false;
        }
}

static bool after_failure(Engine *e, const PlanStep *p, bool *ret_try, Err *err)
{
        Decided d = { 0 };
        e->now = p;
        policy_after_failure(e, p, &d);
        return carry_out(e, p, d, ret_try, err);
}

static bool steps_recover(Engine *e, const PlanStep *p, bool *ret_try, Err *err)
{
        Decided d = { 0 };
        e->now = p;
        return resume_recover(e, p, &d, err) && carry_out(e, p, d, ret_try, err);
}

static bool drive_one(Engine *e, const PlanStep *p, Err *err)
{
        const StepRec *rec = state_step(&e->state, p->id);
        bool asked = false;
        for (;;) {
                if (e->stop)
                        return false;
                bool ok = true, again = false;
                switch (rec->state) {
                case REC_DONE:
                case REC_SKIPPED:
                case REC_ALREADY:
                case REC_UNDO_LEFT:
                        return true;
                case REC_INTENT:
                case REC_UNKNOWN:
                        ok = steps_recover(e, p, &again, err);
                        break;
                case REC_FAILED:
                        ok = after_failure(e, p, &again, err);
                        break;
                case REC_PENDING:
                case REC_UNDONE:
                        ok = again = asked || ask_decisions(e, p, err);
                        asked = true;
                        break;
                case REC_UNDO_INTENT: /* the undo of one step, cut in two */
                case REC_UNDO_FAILED:
                case REC_UNDO_DRIFT:
                        ok = undo_one(e, p, err);
                        break;
                }
                if (!ok || (again && !attempt_run(e, p, err)))
                        return false;
        }
}

/* ---- foreach over facts ---- */

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
                const PlanStep *s = lookup_item(e, p, json_array_get(items, i), i, err);
                if (!s || seen_before(ids, s, err) || !drive_one(e, s, err))
                        return false;
        }
        AUTO_FREE char *note = xasprintf("%zu item%s", json_array_size(items),
                                         json_array_size(items) == 1 ? "" : "s");
        return record_step_done(e, p, note, 0, NOT_SAID, err);
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
                        return record_step_skipped(e, p, "skipped after it failed", err);
                e->now = p;
                if (!lookup_items(e, p, false, &items, &why)) {
                        bool again; /* its items are looked for again */
                        if (!outcome_fail(e, p, NULL, 0, &why, err) ||
                            !after_failure(e, p, &again, err))
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
