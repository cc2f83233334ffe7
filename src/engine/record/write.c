/* write.c: the one hand that writes the journal: questions, decisions, checks, facts, fences.
 * Events of the run stand in write_run.c, those of steps in write_steps.c. */
#include "engine/record/record.h"

bool record_append(Engine *e, EventType type, const char *step, json_t *fields, Err *err)
{
        Event ev = { 0 };
        pthread_mutex_lock(&e->journal_lock);
        bool ok = !e->io_failed && e->journal;
        if (!e->journal) { /* a viewer who came while the run is still being opened */
                json_decref(fields);
                err_set(err, ERR_USER, "the run is not open yet");
        } else if (!ok) {
                json_decref(fields);
                err_set(err, ERR_SYSTEM, "the journal cannot be written any more");
        } else {
                ok = journal_append(e->journal, type, step, fields, &ev, err);
                if (ok)
                        state_apply(&e->state, &ev);
                else
                        e->io_failed = true;
        }
        pthread_mutex_unlock(&e->journal_lock);
        wake_up(e);
        return ok;
}

void record_tell(Engine *e, EventType type, const char *step, json_t *fields)
{
        AUTO_ERR ignored = { 0 };
        if (!record_append(e, type, step, fields, &ignored))
                wake_up(e); /* io_failed is set: whoever waits shall see it */
}

bool record_said(Engine *e, EventType type, const char *step, json_t *fields, Err *err)
{
        return record_append(e, type, step, fields, err);
}

bool record_stop(Engine *e, Stop stop, const char *by, const char *why, Err *err)
{
        e->stop = stop;
        snprintf(e->stop_by, sizeof e->stop_by, "%s", by && *by ? by : "the operator");
        free(e->stop_why);
        e->stop_why = why ? xstrdup(why) : NULL;
        wake_up(e);
        return false;
}

/* ---- questions ---- */

void answer_done(Answer *a)
{
        free(a->typed);
        a->secret = secret_free(a->secret);
        *a = (Answer){ 0 };
}

bool record_gate_open(Engine *e, int64_t number, const Question *q, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "gate", number);
        jx_set_str(f, "kind", ask_kind_name(q->kind));
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
        return record_append(e, EV_GATE_OPEN, q->step, f, err);
}

/* Of a secret its name is in gate.open, and nothing of it is here. */
bool record_gate_answer(Engine *e, int64_t number, const char *step, const Answer *a,
                        int64_t waited_ms, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "gate", number);
        jx_set_str(f, "answer", a->key);
        if (a->typed)
                jx_set_str(f, "text", a->typed);
        jx_set_str(f, "by", a->by);
        jx_set_int(f, "waited_ms", waited_ms);
        return record_append(e, EV_GATE_ANSWER, step, f, err);
}

bool record_tick(Engine *e, const char *step, int64_t item, bool ticked, const char *text,
                 const char *by, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "item", item);
        jx_set_bool(f, "ticked", ticked);
        jx_set_str(f, "text", text ? text : "");
        jx_set_str(f, "by", by);
        return record_append(e, EV_MANUAL_TICK, step, f, err);
}

bool record_decision_open(Engine *e, const char *id, const char *question, const json_t *choices,
                          const char *fallback, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "id", id);
        jx_set_str(f, "question", question);
        jx_set(f, "choices", choices ? json_deep_copy(choices) : json_array());
        jx_set_str(f, "default", fallback ? fallback : "");
        return record_append(e, EV_DECISION_OPEN, NULL, f, err);
}

bool record_decision_answer(Engine *e, const char *id, const char *answer, const char *by, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "id", id);
        jx_set_str(f, "answer", answer);
        jx_set_str(f, "by", by);
        return record_append(e, EV_DECISION_ANSWER, NULL, f, err);
}

bool record_note(Engine *e, const char *text, const char *by, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "text", text);
        jx_set_str(f, "by", by);
        return record_append(e, EV_NOTE, NULL, f, err);
}

/* ---- what was found ---- */

bool record_check(Engine *e, const Check *c, Err *err)
{
        json_t *f = json_object();
        if (c->step)
                jx_set_int(f, "n", c->step->n);
        jx_set_str(f, "that", c->that);
        jx_set_str(f, "expected", c->expected);
        jx_set_str(f, "actual", c->actual);
        jx_set_str(f, "verdict", c->verdict);
        jx_set_str(f, "msg", c->msg ? c->msg : "");
        return record_append(e, EV_CHECK, c->step ? c->step->id : NULL, f, err);
}

bool record_fact(Engine *e, const Fact *fact, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "name", fact->name);
        jx_set(f, "path", fact->path);
        if (fact->value) {
                jx_set(f, "value", fact->value);
        } else {
                jx_set_str(f, "ref", fact->ref);
                jx_set_str(f, "sha256", fact->sha256);
        }
        return record_append(e, EV_FACT, fact->step, f, err);
}

bool record_fence_open(Engine *e, const char *step, const char *target, int64_t connections,
                       Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "target", target);
        jx_set_str(f, "by_step", step);
        jx_set_int(f, "connections", connections);
        return record_append(e, EV_FENCE_OPEN, step, f, err);
}

bool record_fence_close(Engine *e, const char *step, const char *target, const char *verdict,
                        const char *message, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "target", target);
        jx_set_str(f, "verdict", verdict);
        jx_set_str(f, "message", message);
        return record_append(e, EV_FENCE_CLOSE, step, f, err);
}
