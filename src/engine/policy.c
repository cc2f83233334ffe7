/* policy.c: what an error means: the runbook's rules, another try, a question.
 *
 * Rules are asked in order, the first that fits decides. A rule with `max` fits only so often
 * per try; after that the next one is asked, so a flood of "harmless" errors ends as a
 * failure. No rule that fits means: ask a person. */
#include "engine/internal.h"

#include <regex.h>
#include <stdio.h>

#include "base/fmt.h"

enum { FEW_TRIES = 3 }; /* of a retry rule without `max` */

static bool matches(const char *pattern, const char *text)
{
        regex_t re;
        if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return false;
        bool yes = regexec(&re, text, 0, NULL, 0) == 0;
        regfree(&re);
        return yes;
}

static bool fits(const ErrorRule *r, const Err *error)
{
        if (r->sqlstate && !str_eq(r->sqlstate, error->sqlstate))
                return false;
        return !r->match || matches(r->match, error->message ? error->message : "");
}

static int64_t used(const StepRec *rec, size_t rule)
{
        char key[24];
        snprintf(key, sizeof key, "%zu", rule);
        return rec ? jx_int(rec->counts, key, 0) : 0;
}

/* Index of the deciding rule, or -1. */
static int rule_for(const PlanStep *p, const StepRec *rec, const Err *error)
{
        for (size_t i = 0; i < p->def->n_on_error; i++) {
                const ErrorRule *r = &p->def->on_error[i];
                if (!fits(r, error))
                        continue;
                if (r->then == ON_TOLERATE && r->max > 0 && used(rec, i) >= r->max)
                        continue;
                if (r->then == ON_RETRY && rec && rec->tries > (r->max > 0 ? r->max : FEW_TRIES))
                        continue;
                return (int)i;
        }
        return -1;
}

static json_t *error_fields(const Err *error, const char *object, const char *verdict)
{
        json_t *f = json_object();
        jx_set_str(f, "kind", err_kind_name(error->kind));
        jx_set_str(f, "sqlstate", error->sqlstate);
        jx_set_str(f, "message", error->message ? error->message : "");
        if (error->hint)
                jx_set_str(f, "hint", error->hint);
        jx_set_str(f, "object", object ? object : "");
        jx_set_str(f, "verdict", verdict);
        return f;
}

bool policy_would_tolerate(Engine *e, const PlanStep *p, const Err *error)
{
        pthread_mutex_lock(&e->lazy_lock);
        int i = rule_for(p, state_find(&e->state, p->id), error);
        pthread_mutex_unlock(&e->lazy_lock);
        return i >= 0 && p->def->on_error[i].then == ON_TOLERATE;
}

bool policy_tolerates(void *engine, const char *object, const Err *error)
{
        Engine *e = engine;
        const PlanStep *p = e->now;
        if (!p)
                return false;
        pthread_mutex_lock(&e->lazy_lock);
        const StepRec *rec = state_find(&e->state, p->id);
        int i = rule_for(p, rec, error);
        bool yes = i >= 0 && p->def->on_error[i].then == ON_TOLERATE;
        json_t *f = error_fields(error, object, yes ? "tolerated" : "stop");
        if (yes) {
                jx_set_int(f, "rule_index", i);
                jx_set_str(f, "rule", p->def->on_error[i].note ? p->def->on_error[i].note : "");
                jx_set_int(f, "count", 1); /* one event each: readers add them up */
        }
        AUTO_ERR err = { 0 };
        if (!engine_append(e, EV_ERROR, p->id, f, &err))
                yes = false;
        pthread_mutex_unlock(&e->lazy_lock);
        return yes;
}

/* ---- after step.failed ---- */

static ErrKind kind_named(const char *name)
{
        for (int k = ERR_NONE; k <= ERR_CANCELLED; k++)
                if (str_eq(err_kind_name((ErrKind)k), name))
                        return (ErrKind)k;
        return ERR_USER;
}

/* The failure as the journal has it: so that a resumed engine decides as a live one. */
static void failure_of(const StepRec *rec, Err *ret)
{
        err_set(ret, kind_named(jx_str(rec->failure, "kind", "user")), "%s",
                jx_str(rec->failure, "message", ""));
        const char *sqlstate = jx_str(rec->failure, "sqlstate", "");
        snprintf(ret->sqlstate, sizeof ret->sqlstate, "%.5s", sqlstate);
        const char *hint = jx_str(rec->failure, "hint", NULL);
        if (hint)
                err_hint(ret, "%s", hint);
}

static bool try_again(Engine *e, const PlanStep *p, const Err *why, int64_t wait_ms, Err *err)
{
        json_t *f = error_fields(why, "", "retry");
        jx_set_int(f, "count", state_find(&e->state, p->id)->tries);
        if (!engine_append(e, EV_ERROR, p->id, f, err) || !loop_sleep(e, wait_ms, err))
                return false;
        return attempt_run(e, p, err);
}

static int64_t backoff(const Step *s, int tries)
{
        double wait = (double)s->retry_wait_ms;
        for (int i = 1; i < tries; i++)
                wait *= s->retry_factor > 0 ? s->retry_factor : 1;
        return wait > 3600000.0 ? 3600000 : (int64_t)wait;
}

static json_t *failure_lines(Engine *e, const PlanStep *p, const StepRec *rec)
{
        json_t *lines = json_array();
        jx_append_str(lines, jx_str(rec->failure, "message", ""));
        const char *hint = jx_str(rec->failure, "hint", NULL);
        if (hint) {
                AUTO_FREE char *line = xasprintf("hint       %s", hint);
                jx_append_str(lines, line);
        }
        int before = 0;
        for (size_t i = 0; i < e->plan->n; i++) {
                const StepRec *r = state_find(&e->state, e->plan->steps[i].id);
                before += r && r->state == REC_DONE && !attempt_read_only(&e->plan->steps[i]);
        }
        AUTO_FREE char *count =
                before == 0   ? xstrdup("No step before this one changed anything")
                : before == 1 ? xstrdup("1 step before this one changed something")
                              : xasprintf("%d steps before this one changed something", before);
        AUTO_FREE char *where = xasprintf("%s; this one %s.", count,
                                          attempt_read_only(p) ? "only looks"
                                          : rec->intent_seq    ? "is not complete"
                                                               : "has not begun");
        jx_append_str(lines, where);
        int64_t down = clocks_downtime_ms(e);
        if (down >= 0 && !e->state.downtime_end_t) {
                char t[24];
                AUTO_FREE char *line = xasprintf("downtime   %s so far", fmt_clock(down, t));
                jx_append_str(lines, line);
        }
        return lines;
}

static const char *skip_consequence(const PlanStep *p)
{
        if (p->def->n_capture)
                return "later steps that need what it finds will fail";
        return attempt_read_only(p) ? "what it checks stays unchecked" : "its work is then missing";
}

static bool ask_what_now(Engine *e, const PlanStep *p, const StepRec *rec, const Err *why, Err *err)
{
        AUTO_FREE char *title = xasprintf("Step %d stopped: %s", p->n, p->title);
        Question q = { .kind = "error",
                       .step = p->id,
                       .title = title,
                       .lines = failure_lines(e, p, rec),
                       .suggested = err_is_retryable(why) ? "r" : NULL,
                       .choices = gate_choices("r", "Try again", "this step from its start", "s",
                                               "Skip it", skip_consequence(p), "u", "Undo",
                                               "shows you the list first", "a", "Stop the run",
                                               "everything stays as it is", NULL) };
        return gate_ask(e, &q, err);
}

/* The way back is closed: say so, and let the question be asked again. */
static bool barred(Engine *e, const PlanStep *p, const PlanStep *bar, Err *err)
{
        AUTO_FREE char *text = xasprintf("There is no way back: step %d, %s, was the point of no "
                                         "return.",
                                         bar->n, bar->title);
        json_t *f = json_object();
        jx_set_str(f, "text", text);
        jx_set_str(f, "by", "pgsherpa");
        state_step(&e->state, p->id)->answer = 0;
        return engine_append(e, EV_NOTE, NULL, f, err);
}

static char *closing_words(const PlanStep *p, const char *message)
{
        return xasprintf("step %d, %s: %.800s", p->n, p->title,
                         message && *message ? message : "failed");
}

/* Somebody stops it, but it is the failure that ends the run: it closes as failed, and says by
 * what. Aborted is what was stopped without one. */
static bool stop_failed(Engine *e, const PlanStep *p, const char *by, Err *err)
{
        AUTO_FREE char *reason =
                closing_words(p, jx_str(state_step(&e->state, p->id)->failure, "message", ""));
        return engine_stop(e, STOP_FAIL, by, reason, err);
}

/* invalid_password, invalid_authorization_specification. */
static bool wrong_password(Engine *e, const PlanStep *p)
{
        const char *sqlstate = jx_str(state_step(&e->state, p->id)->failure, "sqlstate", "");
        return str_eq(sqlstate, "28P01") || str_eq(sqlstate, "28000");
}

static bool act(Engine *e, const PlanStep *p, char answer, Err *err)
{
        const PlanStep *bar = answer == 'u' ? undo_barred_by(e) : NULL;
        if (bar)
                return barred(e, p, bar, err);
        const char *by = e->gate.by[0] ? e->gate.by : "the operator";
        AUTO_FREE char *why = xasprintf("skipped by %s after it failed", by);
        switch (answer) {
        case 's':
                return steps_skip(e, p, why, err);
        case 'u':
                return engine_stop(e, STOP_ROLLBACK, by, NULL, err);
        case 'a':
                return stop_failed(e, p, by, err);
        default:
                if (wrong_password(e, p))
                        secrets_forget_typed(e);
                return attempt_run(e, p, err);
        }
}

static bool ask_and_act(Engine *e, const PlanStep *p, const StepRec *rec, const Err *why, Err *err)
{
        return ask_what_now(e, p, rec, why, err) && act(e, p, e->gate.answer[0], err);
}

/* `then: fail`, and failures that no rule speaks of in a phase that knows what to do. */
static bool phase_policy(Engine *e, const PlanStep *p, const StepRec *rec, const Err *why, Err *err)
{
        if (!p->in || p->in->on_failure == PHASE_ASK)
                return ask_and_act(e, p, rec, why, err);
        if (p->in->on_failure == PHASE_STOP) {
                AUTO_FREE char *reason = closing_words(p, why->message);
                return engine_stop(e, STOP_FAIL, "the runbook", reason, err);
        }
        e->undo_unasked = true;
        return engine_stop(e, STOP_ROLLBACK, "the runbook", NULL, err);
}

bool policy_after_failure(Engine *e, const PlanStep *p, Err *err)
{
        StepRec *rec = state_step(&e->state, p->id);
        AUTO_ERR why = { 0 };
        e->now = p;
        if (rec->answer)
                return act(e, p, rec->answer, err);
        failure_of(rec, &why);
        bool stopped = why.kind == ERR_CANCELLED;
        if (!stopped && rec->tries <= p->def->retry_times && err_is_retryable(&why))
                return try_again(e, p, &why, backoff(p->def, rec->tries), err);
        int i = stopped ? -1 : rule_for(p, rec, &why);
        const ErrorRule *rule = i >= 0 ? &p->def->on_error[i] : NULL;
        OnError then = rule ? rule->then : ON_ASK;
        AUTO_FREE char *reason =
                xasprintf("tolerated: %s", rule && rule->note ? rule->note : why.message);
        switch (then) {
        case ON_RETRY:
                return try_again(e, p, &why, rule->wait_ms, err);
        case ON_TOLERATE:
                return steps_skip(e, p, reason, err);
        case ON_UNDO_STEP:
                return undo_one(e, p, err) && ask_and_act(e, p, rec, &why, err);
        case ON_UNDO_PHASE:
                return undo_phase(e, p->phase, err) && ask_and_act(e, p, rec, &why, err);
        case ON_FAIL:
                return phase_policy(e, p, rec, &why, err);
        case ON_ASK:
                break;
        }
        if (!rule && !stopped)
                return phase_policy(e, p, rec, &why, err);
        return ask_and_act(e, p, rec, &why, err);
}
