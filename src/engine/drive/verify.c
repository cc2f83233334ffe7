/* verify.c: after the way back: is everything really as it was? (rollback.verify) */
#include "engine/drive/drive.h"

static bool verify_look(Engine *e, const PlanStep *p, Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        if (!kind)
                return false;
        if (!(kind->traits & STEP_READ_ONLY))
                return err_set(err, ERR_USER, "%s changes things: it cannot verify", kind->name);
        AUTO_STEP ctx = context_new(e, p, 1, false, err);
        if (!ctx || !context_call(e, ctx, kind->run, p->def->timeout_ms, err))
                return false;
        for (size_t i = 0; i < p->def->n_expect; i++) {
                const Expect *x = &p->def->expect[i];
                AUTO_SCOPE scope = { 0 };
                bool yes = false;
                scope_of(e, p, step_results(ctx), &scope);
                if (!expr_true(x->that, &scope, &yes, err))
                        return false;
                if (!yes && x->otherwise != VERDICT_WARN)
                        return err_set(err, ERR_USER, "expected %s", expr_text(x->that));
        }
        return outcome_no_bad_news(kind, kind->name, step_results(ctx), err);
}

static bool verify_tell(Engine *e, const PlanStep *p, const Err *why, Err *err)
{
        Check c = { .that = p->title ? p->title : p->def->kind->name,
                    .expected = "as before the run",
                    .actual = why->kind ? why->message : "so it is",
                    .verdict = why->kind ? "fail" : "ok",
                    .msg = "after the way back" };
        return record_check(e, &c, err);
}

static bool verify_ask(Engine *e, const PlanStep *p, const Err *why, bool *ret_again, Err *err)
{
        json_t *lines = json_array();
        jx_append_str(lines, why->message);
        if (why->hint)
                jx_append_str(lines, why->hint);
        Question q = { .kind = ASK_ERROR,
                       .title = "Everything is put back, but this check fails",
                       .lines = lines,
                       .choices = gate_choices("r", "Look again", p->def->kind->name, "s",
                                               "Accept it", "the log says that it failed", "a",
                                               "Stop here", "everything stays as it is", NULL) };
        AUTO_ANSWER a = { 0 };
        if (!gate_ask(e, &q, &a, err))
                return false;
        *ret_again = a.key[0] == 'r';
        AUTO_FREE char *reason = xasprintf("put back, but %s: %.800s", p->title, why->message);
        if (a.key[0] == 'a')
                return record_stop(e, STOP_FAIL, a.by, reason, err);
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
                        bool ok = verify_look(e, &p, &why);
                        e->now = NULL;
                        if (e->stop || e->io_failed || !verify_tell(e, &p, &why, err))
                                return false;
                        if (!ok && !verify_ask(e, &p, &why, &again, err))
                                return false;
                }
        }
        return true;
}
