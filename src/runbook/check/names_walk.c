/* names_walk.c: where names stand in a runbook, in the order of the run. */
#include "base/clock.h"
#include "runbook/check/names.h"

static const char *kind_of_target(const Names *ns, const Template *on)
{
        const char *name = template_literal(on);
        if (!name)
                return template_literal(template_get(on, "kind"));
        for (size_t i = 0; i < ns->rb->n_targets; i++)
                if (str_eq(ns->rb->targets[i].name, name))
                        return ns->rb->targets[i].kind;
        return NULL;
}

static void check_kind_of_target(Names *ns, const Step *s)
{
        static const struct {
                StepTrait trait;
                const char *target, *words;
        } wants[] = { { STEP_ON_SERVER, "postgres", "a server" },
                      { STEP_ON_PROJECT, "compose", "a compose project" } };
        const char *kind = s->on ? kind_of_target(ns, s->on) : NULL;
        for (size_t i = 0; kind && s->kind && i < LEN(wants); i++)
                if ((s->kind->traits & wants[i].trait) && !str_eq(kind, wants[i].target)) {
                        AUTO_FREE char *hint =
                                xasprintf("name a target of kind %s", wants[i].target);
                        problems_add(ns->problems, s->on->loc, "E-KIND", hint,
                                     "`%s` works on %s, and this target is of kind %s",
                                     s->kind->name, wants[i].words, kind);
                }
}

static void check_on(Names *ns, const Template *on)
{
        const char *name = template_literal(on);
        if (name)
                names_check_target(ns, name, on->loc);
        else
                names_check_template(ns, on, NULL);
}

static void check_gates(Names *ns, const GateSpec *gates, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const GateSpec *g = &gates[i];
                names_check_template(ns, g->text, NULL);
                if (g->target)
                        names_check_target(ns, g->target, g->loc);
                if (g->step && *g->step)
                        names_check_step(ns, g->step, g->loc);
        }
}

static void check_step(Names *ns, const Step *s, bool item)
{
        ns->step = s;
        ns->item = false;
        names_check_template(ns, s->each, NULL);
        ns->item = item || s->each;
        names_check_template(ns, s->each_id, NULL);
        check_on(ns, s->on);
        check_kind_of_target(ns, s);
        names_check_template(ns, s->title_text, NULL);
        names_check_template(ns, s->with, NULL);
        names_check_expr(ns, s->when);
        for (size_t i = 0; i < s->n_done_if; i++)
                names_check_template(ns, s->done_if[i].cond, NULL);
        for (size_t i = 0; i < s->n_pre; i++) {
                check_on(ns, s->pre[i].on);
                names_check_template(ns, s->pre[i].with, NULL);
        }
        check_gates(ns, s->gates, s->n_gates);
        ns->result = true;
        for (size_t i = 0; i < s->n_expect; i++)
                names_check_expr(ns, s->expect[i].that);
        for (size_t i = 0; i < s->n_capture; i++)
                names_check_expr(ns, s->capture[i].value);
        ns->result = false;
        if (s->undo == UNDO_REF && s->undo_why)
                names_check_step(ns, s->undo_why, s->loc);
        /* Undo steps run after their step: its own facts are there. */
        size_t seen = ns->seen;
        ns->seen = seen < ns->n_steps ? seen + 1 : seen;
        bool inner = ns->item;
        for (size_t i = 0; i < s->n_undo_steps; i++)
                check_step(ns, &s->undo_steps[i], inner);
        ns->seen = seen;
}

static void collect(Names *ns, const Step *steps, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                size_t index;
                if (*steps[i].id && names_step(ns, steps[i].id, &index))
                        problems_add(ns->problems, steps[i].loc, "E-ID",
                                     "ids are the keys of the journal: one step each",
                                     "the id `%s` is here twice", steps[i].id);
                ns->steps[ns->n_steps++] = &steps[i];
        }
}

static void check_start(Names *ns, const Template *t)
{
        const char *text = template_literal(t);
        int64_t when;
        if (text && *text && !clock_parse_start(text, &when))
                problems_add(ns->problems, t->loc, "E-TYPE",
                             "write 22:00, or 2026-11-20T22:00:00.000Z",
                             "start_at: `%.60s` is not a time", text);
}

static void check_head(Names *ns)
{
        const Runbook *rb = ns->rb;
        ns->seen = ns->n_steps;
        check_start(ns, rb->start_at);
        for (size_t i = 0; i < rb->n_targets; i++)
                names_check_template(ns, rb->targets[i].spec, NULL);
        for (size_t i = 0; i < rb->n_secrets; i++) {
                names_check_template(ns, rb->secrets[i].spec, NULL);
                const Template *target = template_get(rb->secrets[i].spec, "target");
                if (template_literal(target))
                        names_check_target(ns, target->text, target->loc);
        }
        for (size_t i = 0; i < rb->n_decisions; i++)
                if (rb->decisions[i].needed_before)
                        names_check_step(ns, rb->decisions[i].needed_before, rb->decisions[i].loc);
        ns->seen = 0;
        names_check_template(ns, rb->start_at, NULL); /* before any step: no fact is known */
}

static void check_rollback(Names *ns)
{
        const Runbook *rb = ns->rb;
        ns->seen = ns->n_steps;
        ns->step = NULL;
        const Template *since = template_get(rb->rollback.meter, "since");
        names_check_template(ns, rb->rollback.meter, NULL);
        if (template_literal(since))
                names_check_step(ns, since->text, since->loc);
        check_gates(ns, rb->rollback.gates, rb->rollback.n_gates);
        for (size_t i = 0; i < rb->rollback.n_verify; i++)
                check_step(ns, &rb->rollback.verify[i], false);
        if (!rb->rollback.from)
                return;
        const char *known[16];
        size_t n = 0;
        for (; n < rb->n_phases && n < LEN(known); n++) {
                known[n] = rb->phases[n].id;
                if (str_eq(known[n], rb->rollback.from))
                        return;
        }
        names_report(ns, rb->rollback.loc, known, n, rb->rollback.from, "there is no phase");
}

static void check_fence(Names *ns, const Fence *f)
{
        names_check_template(ns, f->services, NULL);
        names_check_template(ns, f->targets, NULL);
        for (const Template *c = f->targets ? f->targets->first : NULL; c; c = c->next)
                if (template_literal(c))
                        names_check_target(ns, c->text, c->loc);
}

void names_check(const Runbook *rb, Problems *problems)
{
        size_t n = rb->n_cleanup;
        for (size_t i = 0; i < rb->n_phases; i++)
                n += rb->phases[i].n_steps;
        AUTO_FREE const Step **steps = xcalloc(n + 1, sizeof *steps);
        Names ns = { .rb = rb, .problems = problems, .steps = steps };
        for (size_t i = 0; i < rb->n_phases; i++)
                collect(&ns, rb->phases[i].steps, rb->phases[i].n_steps);
        collect(&ns, rb->cleanup, rb->n_cleanup);
        check_head(&ns);
        size_t done = 0;
        for (size_t i = 0; i < rb->n_phases; i++) {
                ns.seen = done;
                ns.step = NULL;
                check_fence(&ns, &rb->phases[i].fence);
                for (size_t j = 0; j < rb->phases[i].n_steps; j++, done++) {
                        ns.seen = done;
                        check_step(&ns, &rb->phases[i].steps[j], false);
                }
        }
        for (size_t j = 0; j < rb->n_cleanup; j++, done++) {
                ns.seen = done;
                check_step(&ns, &rb->cleanup[j], false);
        }
        check_rollback(&ns);
}
