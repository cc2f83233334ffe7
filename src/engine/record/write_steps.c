/* write_steps.c: events of steps: intent, verdict, errors, and the way back. */
#include "engine/record/record.h"

bool record_step_intent(Engine *e, const PlanStep *p, int attempt, Err *err)
{
        static const char *const effects[] = { "read", "create", "modify", "destroy" };
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_int(f, "attempt", attempt);
        jx_set_str(f, "kind", p->def->kind->name);
        jx_set_str(f, "effect", effects[lookup_effect(p)]);
        jx_set_str(f, "resume", p->def->resume ? p->def->resume : "");
        jx_set_int(f, "timeout_ms", p->def->timeout_ms);
        if (p->late)
                jx_set_str(f, "late_item", p->id);
        return record_append(e, EV_STEP_INTENT, p->id, f, err);
}

/* ---- verdicts ---- */

bool record_step_done(Engine *e, const PlanStep *p, const char *note, int64_t ms, int64_t tolerated,
                      Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "note", note);
        if (ms != NOT_SAID)
                jx_set_int(f, "ms", ms);
        if (tolerated != NOT_SAID)
                jx_set_int(f, "tolerated", tolerated);
        return record_append(e, EV_STEP_DONE, p->id, f, err);
}

bool record_step_failed(Engine *e, const PlanStep *p, const Err *why, int64_t ms, int64_t log_line,
                        Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "kind", err_kind_name(why->kind));
        jx_set_str(f, "sqlstate", why->sqlstate);
        jx_set_str(f, "message", why->message ? why->message : "failed without a word");
        if (why->hint)
                jx_set_str(f, "hint", why->hint);
        jx_set_int(f, "ms", ms);
        jx_set_int(f, "attempt", state_step(&e->state, p->id)->attempt);
        if (log_line != NOT_SAID)
                jx_set_int(f, "log_line", log_line);
        return record_append(e, EV_STEP_FAILED, p->id, f, err);
}

bool record_step_skipped(Engine *e, const PlanStep *p, const char *reason, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "reason", reason);
        return record_append(e, EV_STEP_SKIPPED, p->id, f, err);
}

bool record_step_already(Engine *e, const PlanStep *p, const char *reason, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "reason", reason);
        return record_append(e, EV_STEP_ALREADY, p->id, f, err);
}

bool record_step_unknown(Engine *e, const PlanStep *p, const char *message, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "message", message);
        return record_append(e, EV_STEP_UNKNOWN, p->id, f, err);
}

bool record_error(Engine *e, const PlanStep *p, const Err *error, const ErrorVerdict *v, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "kind", err_kind_name(error->kind));
        jx_set_str(f, "sqlstate", error->sqlstate);
        jx_set_str(f, "message", error->message ? error->message : "");
        if (error->hint)
                jx_set_str(f, "hint", error->hint);
        jx_set_str(f, "object", v->object ? v->object : "");
        jx_set_str(f, "verdict", v->verdict);
        if (v->rule) {
                jx_set_int(f, "rule_index", v->rule_index);
                jx_set_str(f, "rule", v->rule->note ? v->rule->note : "");
        }
        if (v->count)
                jx_set_int(f, "count", v->count);
        return record_append(e, EV_ERROR, p->id, f, err);
}

/* ---- the way back ---- */

bool record_undo_start(Engine *e, const char *from, const char *to, size_t n, const char *by,
                       Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "from", from);
        jx_set_str(f, "to", to);
        jx_set_int(f, "n_steps", (int64_t)n);
        jx_set_str(f, "by", by);
        return record_append(e, EV_UNDO_START, NULL, f, err);
}

bool record_undo_end(Engine *e, const char *message, Err *err)
{
        json_t *f = json_object();
        jx_set_bool(f, "ok", true);
        jx_set_str(f, "message", message);
        return record_append(e, EV_UNDO_END, NULL, f, err);
}

bool record_undo_intent(Engine *e, const PlanStep *p, const char *words, Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "kind", p->def->kind->name);
        jx_set_str(f, "words", words);
        return record_append(e, EV_UNDO_INTENT, p->id, f, err);
}

bool record_undo_done(Engine *e, const PlanStep *p, const char *words, int64_t ms, bool left,
                      Err *err)
{
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "words", words);
        jx_set_int(f, "ms", ms);
        if (left)
                jx_set_bool(f, "left", true);
        return record_append(e, EV_UNDO_DONE, p->id, f, err);
}

bool record_undo_bad(Engine *e, const PlanStep *p, const Err *why, Err *err)
{
        bool drift = why->kind == ERR_USER;
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "message", why->message ? why->message : "failed without a word");
        if (why->hint)
                jx_set_str(f, "hint", why->hint);
        return record_append(e, drift ? EV_UNDO_DRIFT : EV_UNDO_FAILED, p->id, f, err);
}
