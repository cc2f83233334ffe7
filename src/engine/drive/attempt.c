/* attempt.c: one try of one step, from `when` to its verdict. */
#include "engine/drive/drive.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/inherit.h"

/* ---- before the intent ---- */

static bool check_kind(Engine *e, const PlanStep *p, const StepKind *kind, StepCtx *ctx, Err *err)
{
        if (!kind->check)
                return true;
        if (!context_call(e, ctx, kind->check, 0, err))
                return err_wrap(err, "looking before step %s", p->id);
        const json_t *problems = step_ctx_problems(ctx);
        size_t n = json_array_size(problems);
        if (n == 0)
                return true;
        AUTO_BUF all = buf_init(2000);
        for (size_t i = 0; i < n; i++) {
                const char *text = json_string_value(json_array_get(problems, i));
                step_log(ctx, SAY_ERROR, "check", "%s", text);
                buf_printf(&all, "%s%s", i ? "; " : "", text);
        }
        return err_set(err, ERR_USER, "cannot start: %s", buf_str(&all));
}

/* `pre:` names a read-only kind. It fails when the kind does, and when the kind has bad news. */
static bool pre_one(Engine *e, const PlanStep *p, const PreCheck *pre, const Target *on, Err *err)
{
        const StepKind *kind = step_kind_find(pre->kind->name, err);
        json_t *params = NULL;
        if (!kind)
                return false;
        if (!(kind->traits & STEP_READ_ONLY))
                return err_set(err, ERR_USER,
                               "%s changes things: it cannot be a check before a step", pre->check);
        if (!context_pre_params(e, p, pre, false, &params, err))
                return err_wrap(err, "check %s", pre->check);
        AUTO_STEP ctx = context_for_pre(e, p, kind, params, on);
        if (!context_call(e, ctx, kind->run, p->def->timeout_ms, err))
                return err_wrap(err, "check before the step: %s", pre->check);
        return outcome_no_bad_news(kind, pre->check, step_results(ctx), err) ||
               err_wrap(err, "check before the step");
}

static bool pre_checks(Engine *e, const PlanStep *p, Err *err)
{
        const Target *on = NULL;
        if (p->def->n_pre == 0)
                return true;
        if (!context_target(e, p, false, &on, err))
                return false;
        for (size_t i = 0; i < p->def->n_pre; i++)
                if (!pre_one(e, p, &p->def->pre[i], on, err))
                        return false;
        return true;
}

/* ---- conditions that make a step needless ---- */

typedef struct DoneCall {
        Engine *e;
        const Target *t;
        const json_t *cond;
        bool yes;
} DoneCall;

static bool call_done_if(void *arg, Err *err)
{
        DoneCall *c = arg;
        return c->e->ops->done_if(c->e->ops->app, c->t, c->cond, &c->yes, err);
}

static bool attempt_already(Engine *e, const PlanStep *p, bool *ret, Err *err)
{
        *ret = p->def->n_done_if > 0 && e->ops && e->ops->done_if;
        for (size_t i = 0; *ret && i < p->def->n_done_if; i++) {
                AUTO_SCOPE scope = { 0 };
                scope_of(e, p, NULL, &scope);
                json_t *evaluated = NULL;
                if (!template_eval(p->def->done_if[i].cond, NULL, &scope, &evaluated, err))
                        return err_wrap(err, "done_if");
                AUTO_JSON cond = evaluated;
                const Target *t = NULL;
                const json_t *on = jx_get(cond, "on");
                bool ok = on ? context_use_target(e, on, p->item, &t, err)
                             : context_target(e, p, false, &t, err);
                DoneCall c = { .e = e, .t = t, .cond = cond };
                if (!ok || !loop_work(e, NULL, 0, call_done_if, &c, err))
                        return err_wrap(err, "asking whether it is done already");
                *ret = c.yes;
        }
        return true;
}

static bool attempt_needless(Engine *e, const PlanStep *p, bool *ret, Err *err)
{
        *ret = false;
        if (p->def->when) {
                AUTO_SCOPE scope = { 0 };
                bool yes = false;
                scope_of(e, p, NULL, &scope);
                if (!expr_true(p->def->when, &scope, &yes, err))
                        return err_wrap(err, "when");
                if (!yes) {
                        AUTO_FREE char *why = xasprintf("not needed: %s", expr_text(p->def->when));
                        *ret = true;
                        return record_step_skipped(e, p, why, err);
                }
        }
        bool done = false;
        if (!attempt_already(e, p, &done, err) || !done)
                return !err->kind;
        *ret = true;
        return record_step_already(e, p, "already done, seen on the target", err);
}

/* ---- the try ---- */

/* After a shutdown that cut the step in two nobody knows what is there: the intent stays
 * without a verdict, and resume will ask the world. */
static bool cut_by_shutdown(const Engine *e, const Err *why)
{
        return e->stop == STOP_SHUTDOWN && why->kind == ERR_CANCELLED;
}

static bool run_kind(Engine *e, const PlanStep *p, const StepKind *kind, StepCtx *ctx, int attempt,
                     bool *ret_again, Err *err)
{
        AUTO_FD int alive = locks_alive(e, p->id, attempt);
        int64_t start = clock_boot_ms();
        AUTO_ERR why = { 0 };
        step_log(ctx, SAY_INFO, "pgsherpa", "step %d, %s, try %d", p->n, kind->name, attempt);
        bool ok = context_call(e, ctx, kind->run, p->def->timeout_ms, &why);
        inherit_set(-1);
        step_ctx_flush(ctx);
        int64_t ms = clock_boot_ms() - start;
        if (e->io_failed)
                return err_set(err, ERR_SYSTEM, "the journal cannot be written any more");
        if (ok)
                return outcome_settle(e, p, ctx, ms, ret_again, err);
        if (cut_by_shutdown(e, &why))
                return false;
        return outcome_fail(e, p, ctx, ms, &why, err);
}

/* From `when` to the intent. *ret_over: the step has its verdict without having run. */
static bool attempt_prepare(Engine *e, const PlanStep *p, StepCtx **ret_ctx, bool *ret_over,
                            Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        int attempt = state_step(&e->state, p->id)->attempt + 1;
        *ret_over = false;
        if (!kind || !attempt_needless(e, p, ret_over, err))
                return false;
        if (*ret_over)
                return true;
        if (!pre_checks(e, p, err) || !gates_of_step(e, p, ret_over, err))
                return false;
        if (*ret_over)
                return true;
        *ret_ctx = context_new(e, p, attempt, false, err);
        if (!*ret_ctx)
                return false;
        return check_kind(e, p, kind, *ret_ctx, err) && ask_in_its_place(e, p, *ret_ctx, err);
}

static bool attempt_begin(Engine *e, const PlanStep *p, int attempt, Err *err)
{
        if (p->def->downtime == DOWNTIME_BEGIN && !clocks_downtime(e, true, err))
                return false;
        return record_step_intent(e, p, attempt, err);
}

static bool try_once(Engine *e, const PlanStep *p, bool *ret_again, Err *err)
{
        AUTO_STEP ctx = NULL;
        AUTO_ERR why = { 0 };
        bool over = false;
        if (!attempt_prepare(e, p, &ctx, &over, &why)) {
                if (e->stop || e->io_failed) {
                        err_move(err, &why);
                        return false;
                }
                return outcome_fail(e, p, ctx, 0, &why, err);
        }
        if (over)
                return true;
        if (e->stop)
                return false;
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        int attempt = step_attempt(ctx);
        if (!kind || !attempt_begin(e, p, attempt, err))
                return false;
        return run_kind(e, p, kind, ctx, attempt, ret_again, err);
}

bool attempt_run(Engine *e, const PlanStep *p, Err *err)
{
        bool again = true;
        e->now = p;
        while (again) {
                again = false;
                if (!try_once(e, p, &again, err))
                        return false;
        }
        return true;
}
