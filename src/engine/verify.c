/* verify.c: after the way back: is everything really as it was? (rollback.verify) */
#include "engine/internal.h"

#include "base/clock.h"

static bool look(Engine *e, const PlanStep *p, Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        if (!kind)
                return false;
        if (!(kind->traits & STEP_READ_ONLY))
                return err_set(err, ERR_USER, "%s changes things: it cannot verify", kind->name);
        AUTO_STEP ctx = attempt_context(e, p, 1, false, err);
        if (!ctx || !attempt_call(e, ctx, kind->run, p->def->timeout_ms, err))
                return false;
        for (size_t i = 0; i < p->def->n_expect; i++) {
                const Expect *x = &p->def->expect[i];
                Scope scope = { 0 };
                bool yes = false;
                attempt_scope(e, p, step_results(ctx), &scope);
                bool ok = expr_true(x->that, &scope, &yes, err);
                attempt_scope_done(&scope);
                if (!ok)
                        return false;
                if (!yes && x->otherwise != VERDICT_WARN)
                        return err_set(err, ERR_USER, "expected %s", expr_text(x->that));
        }
        return attempt_no_bad_news(kind->name, step_results(ctx), err);
}

static bool tell(Engine *e, const PlanStep *p, const Err *why, Err *err)
{
        json_t *f = json_object();
        jx_set_str(f, "that", p->title ? p->title : p->def->kind->name);
        jx_set_str(f, "expected", "as before the run");
        jx_set_str(f, "actual", why->kind ? why->message : "so it is");
        jx_set_str(f, "verdict", why->kind ? "fail" : "ok");
        jx_set_str(f, "msg", "after the way back");
        return engine_append(e, EV_CHECK, NULL, f, err);
}

static bool ask(Engine *e, const PlanStep *p, const Err *why, bool *ret_again, Err *err)
{
        json_t *lines = json_array();
        jx_append_str(lines, why->message);
        if (why->hint)
                jx_append_str(lines, why->hint);
        Question q = { .kind = "error",
                       .title = "Everything is put back, but this check fails",
                       .lines = lines,
                       .choices = gate_choices("r", "Look again", p->def->kind->name, "s",
                                               "Accept it", "the log says that it failed", "a",
                                               "Stop here", "everything stays as it is", NULL) };
        if (!gate_ask(e, &q, err))
                return false;
        *ret_again = e->gate.answer[0] == 'r';
        AUTO_FREE char *reason = xasprintf("put back, but %s: %.800s", p->title, why->message);
        if (e->gate.answer[0] == 'a')
                return engine_stop(e, STOP_FAIL, e->gate.by, reason, err);
        return true;
}

bool verify_run(Engine *e, Err *err)
{
        if (!e->rb->rollback.set)
                return true;
        for (size_t i = 0; i < e->rb->rollback.n_verify; i++) {
                const Step *def = &e->rb->rollback.verify[i];
                PlanStep p = { .id = arena_printf(e->arena, "verify.%zu", i + 1),
                               .phase = "rollback",
                               .def = def,
                               .title = def->title ? def->title : def->kind->summary };
                bool again = true;
                while (again) {
                        AUTO_ERR why = { 0 };
                        again = false;
                        e->now = &p;
                        bool ok = look(e, &p, &why);
                        e->now = NULL;
                        if (e->stop || e->io_failed || !tell(e, &p, &why, err))
                                return false;
                        if (!ok && !ask(e, &p, &why, &again, err))
                                return false;
                }
        }
        return true;
}
