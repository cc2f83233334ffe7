/* lint_order.c: rules about what must come before what. */
#include "runbook/check/lint.h"

static bool word_gate(const Step *s)
{
        for (size_t i = 0; i < s->n_gates; i++)
                if (s->gates[i].kind == GATE_WORD)
                        return true;
        return false;
}

/* Is step `at` inside an open fence: its phase has one, and a pg.fence step before it? */
static bool fenced(const Lint *l, size_t at)
{
        const Phase *in = l->steps[at].in;
        if (!in || !in->fence.set)
                return false;
        for (size_t i = 0; i < at; i++)
                if (l->steps[i].in == in && lint_kind(l->steps[i].s, "pg.fence"))
                        return true;
        return false;
}

/* Where a restore's dump was made, as far as its parameters tell: an earlier step. */
static bool from_unfenced(const Lint *l, size_t at, const char **ret)
{
        for (size_t i = 0; i < at; i++) {
                const Step *s = l->steps[i].s;
                bool dump = lint_kind(s, "bundle.create") || lint_kind(s, "pg.dump") ||
                            lint_kind(s, "pg.copy");
                if (!dump || fenced(l, i) || !lint_uses_fact(l->steps[at].s->with, s->id))
                        continue;
                *ret = s->id;
                return true;
        }
        return false;
}

void lint_fence(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                const char *source = NULL;
                bool copy = lint_kind(s, "pg.copy") && !fenced(l, i);
                bool restore = lint_kind(s, "pg.restore") && from_unfenced(l, i, &source);
                if ((!copy && !restore) || (s->accept_lost_writes && word_gate(s)))
                        continue;
                const char *hint = s->accept_lost_writes
                                           ? "accept_lost_writes needs a gate of type word"
                                   : copy ? "put it into a phase with fence:, after a pg.fence step"
                                          : "make the dump inside a fence";
                if (copy)
                        problems_add(l->problems, s->loc, "E-FENCE", hint,
                                     "`%s` copies while others may still write", s->id);
                else
                        problems_add(l->problems, s->loc, "E-FENCE", hint,
                                     "`%s` restores what `%s` read while others could still write",
                                     s->id, source);
        }
        for (size_t i = 0; i < l->rb->n_phases; i++) {
                const Phase *p = &l->rb->phases[i];
                bool opens = !p->fence.set;
                for (size_t j = 0; j < p->n_steps; j++)
                        opens |= lint_kind(&p->steps[j], "pg.fence");
                if (!opens)
                        problems_add(l->problems, p->fence.loc, "E-FENCE", "add a pg.fence step",
                                     "the fence of phase `%s` is never closed to writers", p->id);
        }
}

static bool looks_at_space(const Step *s)
{
        if (lint_kind(s, "host.disk"))
                return true;
        for (size_t i = 0; i < s->n_pre; i++)
                if (s->pre[i].kind && str_eq(s->pre[i].kind->name, "host.disk"))
                        return true;
        return false;
}

void lint_space(Lint *l)
{
        static const char *const heavy[] = { "volume.copy", "volume.from_dir", "pg.restore",
                                             "pg.copy", "bundle.create" };
        bool looked = false;
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                looked |= looks_at_space(s);
                for (size_t k = 0; k < LEN(heavy); k++)
                        if (!looked && lint_kind(s, heavy[k]))
                                problems_add(l->problems, s->loc, "E-SPACE",
                                             "put a host.disk step before it",
                                             "`%s` writes without having looked at the free space",
                                             s->id);
        }
}

/* Relied on: restored from, or the way back of a step that changes what was there. Making
 * something new beside the old (effect create) needs no way back. */
static bool relies_on(const Step *s, const Step *dump)
{
        if (lint_kind(s, "pg.restore") && lint_uses_fact(s->with, dump->id))
                return true;
        return lint_kind(dump, "bundle.create") &&
               (s->downtime == DOWNTIME_BEGIN || s->effect == EFFECT_MODIFY ||
                s->effect == EFFECT_DESTROY);
}

static bool verifies(const Step *s, const Step *dump)
{
        if (lint_kind(s, "bundle.verify") && lint_uses_fact(s->with, dump->id))
                return true;
        for (size_t i = 0; i < s->n_pre; i++)
                if (s->pre[i].kind && str_eq(s->pre[i].kind->name, "bundle.verify") &&
                    lint_uses_fact(s->pre[i].with, dump->id))
                        return true;
        return false;
}

void lint_verify(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *dump = l->steps[i].s;
                if (!lint_kind(dump, "bundle.create") && !lint_kind(dump, "pg.copy"))
                        continue;
                for (size_t j = i + 1; j < l->n; j++) {
                        if (verifies(l->steps[j].s, dump))
                                break;
                        if (!relies_on(l->steps[j].s, dump))
                                continue;
                        problems_add(l->problems, l->steps[j].s->loc, "E-VERIFY",
                                     "put a bundle.verify step before it",
                                     "`%s` relies on the backup of `%s`, which nobody read back",
                                     l->steps[j].s->id, dump->id);
                        break;
                }
        }
}

void lint_down(Lint *l)
{
        const Step *begun = NULL;
        bool ended = false;
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                const char *what = NULL;
                if (s->downtime == DOWNTIME_BEGIN && (begun || ended))
                        what = "the downtime begins a second time";
                else if (s->downtime == DOWNTIME_END && !begun)
                        what = "the downtime ends without having begun";
                else if (s->downtime == DOWNTIME_BEGIN)
                        begun = s;
                else if (s->downtime == DOWNTIME_END) {
                        begun = NULL;
                        ended = true;
                }
                if (what)
                        problems_add(l->problems, s->loc, "E-DOWN",
                                     "one step says begin, one later step end", "%s", what);
        }
        if (begun)
                problems_add(l->problems, begun->loc, "E-DOWN",
                             "say downtime: end where the applications are back",
                             "the downtime begins here and never ends");
}

void lint_pnr(Lint *l)
{
        const Step *hard = NULL;
        const Phase *told = NULL;
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                const Phase *in = l->steps[i].in;
                for (size_t j = 0; hard && j < s->n_on_error; j++)
                        if (s->on_error[j].then == ON_UNDO_PHASE)
                                problems_add(l->problems, s->on_error[j].loc, "E-PNR",
                                             "write ask or fail",
                                             "after `%s` there is no way back, but `%s` would undo "
                                             "its phase",
                                             hard->id, s->id);
                if (hard && in && in != told && in->on_failure == PHASE_ROLLBACK) {
                        problems_add(l->problems, in->loc, "E-PNR", "write on_failure: ask",
                                     "after `%s` there is no way back, but the phase `%s` would be "
                                     "rolled back",
                                     hard->id, in->id);
                        told = in;
                }
                if (s->pnr == PNR_HARD)
                        hard = s;
        }
}

/* Two servers of this runbook must be of majors that are written differently. */
static bool crosses_majors(const Lint *l)
{
        const char *first = NULL;
        for (size_t i = 0; i < l->rb->n_targets; i++) {
                const Template *identity = template_get(l->rb->targets[i].spec, "identity");
                const char *major = lint_source(template_get(identity, "major"));
                if (!major)
                        continue;
                if (first && !str_eq(first, major))
                        return true;
                first = major;
        }
        return false;
}

static bool database_service(const Lint *l, const char *service)
{
        for (size_t i = 0; i < l->rb->n_targets; i++) {
                const Template *via = template_get(l->rb->targets[i].spec, "via");
                if (service && str_eq(service, lint_source(template_get(via, "service"))))
                        return true;
        }
        return false;
}

static bool about_service(const Step *s, const char *service)
{
        if (str_eq(service, lint_source(template_get(s->with, "service"))))
                return true;
        const Template *services = template_get(s->with, "services");
        for (const Template *c = services ? services->first : NULL; c; c = c->next)
                if (str_eq(service, lint_source(c)))
                        return true;
        return false;
}

void lint_same_volume(Lint *l)
{
        if (!crosses_majors(l))
                return;
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                const char *service = lint_source(template_get(s->with, "service"));
                if (!lint_kind(s, "compose.set_image") || !database_service(l, service))
                        continue;
                bool moved = false;
                for (size_t j = 0; j < l->n; j++) {
                        const Step *other = l->steps[j].s;
                        bool about = about_service(other, service);
                        moved |= about && lint_kind(other, "compose.set_volume");
                        bool starts = lint_kind(other, "compose.up") ||
                                      lint_kind(other, "compose.start") ||
                                      lint_kind(other, "compose.recreate");
                        if (j < i || !about || !starts)
                                continue;
                        if (!moved)
                                problems_add(l->problems, other->loc, "E-SAMEVOL",
                                             "put compose.set_volume before it",
                                             "`%s` starts a new major on the old volume",
                                             other->id);
                        break;
                }
        }
}

void lint_collation(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                if (!lint_kind(l->steps[i].s, "pg.collation.refresh"))
                        continue;
                for (size_t j = i + 1; j < l->n; j++)
                        if (lint_kind(l->steps[j].s, "pg.reindex"))
                                problems_add(l->problems, l->steps[i].s->loc, "W-COLL",
                                             "put the reindex first",
                                             "`%s` silences the warning before `%s` repairs",
                                             l->steps[i].s->id, l->steps[j].s->id);
        }
}
