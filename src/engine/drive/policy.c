/* policy.c: what comes after a failure: the runbook's rules, another try, a question.
 *
 * It answers and does nothing itself: steps.c carries out what is decided here. */
#include "engine/drive/drive.h"

#include <stdio.h>

#include "base/fmt.h"

static ErrKind kind_named(const char *name)
{
        for (int k = ERR_NONE; k <= ERR_CANCELLED; k++)
                if (str_eq(err_kind_name((ErrKind)k), name))
                        return (ErrKind)k;
        return ERR_USER;
}

void policy_failure_of(const StepRec *rec, Err *ret)
{
        err_set(ret, kind_named(jx_str(rec->failure, "kind", "user")), "%s",
                jx_str(rec->failure, "message", ""));
        const char *sqlstate = jx_str(rec->failure, "sqlstate", "");
        snprintf(ret->sqlstate, sizeof ret->sqlstate, "%.5s", sqlstate);
        const char *hint = jx_str(rec->failure, "hint", NULL);
        if (hint)
                err_hint(ret, "%s", hint);
}

static int64_t policy_backoff(const Step *s, int tries)
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
                before += r && r->state == REC_DONE && !lookup_read_only(&e->plan->steps[i]);
        }
        AUTO_FREE char *count =
                before == 0   ? xstrdup("No step before this one changed anything")
                : before == 1 ? xstrdup("1 step before this one changed something")
                              : xasprintf("%d steps before this one changed something", before);
        AUTO_FREE char *where = xasprintf("%s; this one %s.", count,
                                          lookup_read_only(p) ? "only looks"
                                          : rec->intent_seq   ? "is not complete"
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
        return lookup_read_only(p) ? "what it checks stays unchecked" : "its work is then missing";
}

static const char *closing_words(Engine *e, const PlanStep *p, const char *message)
{
        return arena_printf(e->arena, "step %d, %s: %.800s", p->n, p->title,
                            message && *message ? message : "failed");
}

/* invalid_password, invalid_authorization_specification. */
static bool wrong_password(const StepRec *rec)
{
        const char *sqlstate = jx_str(rec->failure, "sqlstate", "");
        return str_eq(sqlstate, "28P01") || str_eq(sqlstate, "28000");
}

/* What a person wants, as what is to be done. */
static Decided policy_wish(Engine *e, const PlanStep *p, char answer, const char *who)
{
        const StepRec *rec = state_step(&e->state, p->id);
        const char *by = arena_strdup(e->arena, who && *who ? who : "the operator");
        const PlanStep *bar = answer == 'u' ? lookup_bar(e) : NULL;
        if (bar) /* the question is asked again */
                return (Decided){ .next = NEXT_LOOK,
                                  .note = arena_printf(e->arena,
                                                       "There is no way back: step %d, %s, was "
                                                       "the point of no return.",
                                                       bar->n, bar->title) };
        switch (answer) {
        case 's':
                return (Decided){ .next = NEXT_SKIP,
                                  .words = arena_printf(e->arena, "skipped by %s after it failed",
                                                        by) };
        case 'u':
                return (Decided){ .next = NEXT_STOP, .stop = STOP_ROLLBACK, .by = by };
        case 'a': /* it is the failure that ends the run: aborted is what was stopped without one */
                return (Decided){ .next = NEXT_STOP,
                                  .stop = STOP_FAIL,
                                  .by = by,
                                  .words = closing_words(e, p,
                                                         jx_str(rec->failure, "message", "")) };
        default:
                return (Decided){ .next = NEXT_TRY, .other_password = wrong_password(rec) };
        }
}

bool policy_ask(Engine *e, const PlanStep *p, Decided *ret, Err *err)
{
        const StepRec *rec = state_step(&e->state, p->id);
        AUTO_ERR why = { 0 };
        policy_failure_of(rec, &why);
        AUTO_FREE char *title = xasprintf("Step %d stopped: %s", p->n, p->title);
        Question q = { .kind = ASK_ERROR,
                       .step = p->id,
                       .title = title,
                       .lines = failure_lines(e, p, rec),
                       .suggested = err_is_retryable(&why) ? "r" : NULL,
                       .choices = gate_choices("r", "Try again", "this step from its start", "s",
                                               "Skip it", skip_consequence(p), "u", "Undo",
                                               "shows you the list first", "a", "Stop the run",
                                               "everything stays as it is", NULL) };
        AUTO_ANSWER a = { 0 };
        if (!gate_ask(e, &q, &a, err))
                return false;
        *ret = policy_wish(e, p, a.key[0], a.by);
        return true;
}

/* `then: fail`, and failures that no rule speaks of in a phase that knows what to do. */
static Decided phase_policy(Engine *e, const PlanStep *p, const Err *why)
{
        static const char runbook[] = "the runbook";
        if (!p->in || p->in->on_failure == PHASE_ASK)
                return (Decided){ .next = NEXT_ASK };
        if (p->in->on_failure == PHASE_STOP)
                return (Decided){ .next = NEXT_STOP,
                                  .stop = STOP_FAIL,
                                  .by = runbook,
                                  .words = closing_words(e, p, why->message) };
        return (Decided){
                .next = NEXT_STOP, .stop = STOP_ROLLBACK, .by = runbook, .unasked = true
        };
}

static Decided rule_policy(Engine *e, const PlanStep *p, const ErrorRule *rule, const Err *why)
{
        switch (rule->then) {
        case ON_RETRY:
                return (Decided){ .next = NEXT_RETRY, .wait_ms = rule->wait_ms };
        case ON_TOLERATE:
                return (Decided){ .next = NEXT_SKIP,
                                  .words = arena_printf(e->arena, "tolerated: %s",
                                                        rule->note ? rule->note : why->message) };
        case ON_UNDO_STEP:
                return (Decided){ .next = NEXT_UNDO_STEP };
        case ON_UNDO_PHASE:
                return (Decided){ .next = NEXT_UNDO_PHASE };
        case ON_FAIL:
                return phase_policy(e, p, why);
        case ON_ASK:
                break;
        }
        return (Decided){ .next = NEXT_ASK };
}

void policy_after_failure(Engine *e, const PlanStep *p, Decided *ret)
{
        const StepRec *rec = state_step(&e->state, p->id);
        AUTO_ERR why = { 0 };
        if (rec->answer) { /* answered before a crash */
                *ret = policy_wish(e, p, rec->answer, NULL);
                return;
        }
        policy_failure_of(rec, &why);
        bool stopped = why.kind == ERR_CANCELLED;
        int i = stopped ? -1 : rules_deciding(p, rec, &why);
        if (!stopped && rec->tries <= p->def->retry_times && err_is_retryable(&why))
                *ret = (Decided){ .next = NEXT_RETRY,
                                  .wait_ms = policy_backoff(p->def, rec->tries) };
        else if (stopped)
                *ret = (Decided){ .next = NEXT_ASK };
        else
                *ret = i >= 0 ? rule_policy(e, p, &p->def->on_error[i], &why)
                              : phase_policy(e, p, &why);
}
