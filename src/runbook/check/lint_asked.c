/* lint_asked.c: is a person asked before users see anything, and is it tried, whatever the lists
 * hold?
 *
 * A step with `foreach` does not exist when its list is empty, and one with `when` may be left out.
 * A downtime mark, a decision, a fence or a point of no return that hangs on such a step would be
 * gone with it, although the phase and its effects are not; and its gate is none for what comes
 * after it. */
#include "runbook/check/lint.h"

static bool sure_to_come(const Step *s)
{
        return !s->each && !s->when;
}

static bool asks_somebody(const Step *s)
{
        for (size_t i = 0; i < s->n_gates; i++)
                if (s->gates[i].kind != GATE_AFTER)
                        return true;
        return lint_kind(s, "gate") && s->n_gates == 0; /* a plain yes of its own */
}

/* What the people who use an application notice. */
static bool users_see(const Step *s)
{
        static const char *const kinds[] = { "compose.stop", "compose.up",       "compose.start",
                                             "compose.down", "compose.recreate", "pg.terminate" };
        for (size_t i = 0; i < LEN(kinds); i++)
                if (lint_kind(s, kinds[i]))
                        return true;
        return s->downtime == DOWNTIME_BEGIN;
}

static bool has_downtime(const Lint *l)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->steps[i].s->downtime == DOWNTIME_BEGIN)
                        return true;
        return false;
}

void lint_asked(Lint *l)
{
        if (!has_downtime(l))
                return;
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                if (sure_to_come(s) && asks_somebody(s))
                        return;
                if (!users_see(s))
                        continue;
                problems_add(l->problems, s->loc, "E-ASKED",
                             "give it, or a step before it that is always there, gate: {before: "
                             "{type: yes}}",
                             "users see `%s`, and nobody was asked before it", s->id);
                return;
        }
}

/* What comes after the first step that users see is tried before it, or found out then. */
void lint_dry(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                if (lint_kind(s, "effects.try") && sure_to_come(s))
                        return;
                if (!l->steps[i].in || !users_see(s))
                        continue;
                problems_add(l->problems, s->loc, "W-DRY",
                             "put {id: try_all, title: \"Every later step, tried dry\", do: "
                             "effects.try} before it, last in the phase that only looks",
                             "users see `%s`, and nothing tries before it whether it and the steps "
                             "after it can work",
                             s->id);
                return;
        }
}

static const char *hangs_on(const Step *s)
{
        if (s->downtime != DOWNTIME_NONE)
                return "a mark of the downtime";
        if (s->pnr != PNR_NONE)
                return "the point of no return";
        return lint_kind(s, "pg.fence") ? "the fence" : NULL;
}

static bool is_list(const Lint *l, const char *id)
{
        for (size_t i = 0; i < l->n; i++)
                if (id && str_eq(l->steps[i].s->id, id))
                        return l->steps[i].s->each != NULL;
        return false;
}

void lint_list(Lint *l)
{
        static const char hint[] =
                "put it on a step of its own, such as do: gate or do: note, beside the list";
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                const char *what = s->each ? hangs_on(s) : NULL;
                if (what)
                        problems_add(l->problems, s->loc, "E-LIST", hint,
                                     "%s hangs on the list of `%s`, which may be empty", what,
                                     s->id);
                for (size_t j = 0; j < s->n_gates; j++)
                        if (is_list(l, s->gates[j].step))
                                problems_add(l->problems, s->gates[j].loc, "E-LIST", hint,
                                             "the gate waits after `%s`, whose list may be empty",
                                             s->gates[j].step);
        }
        for (size_t i = 0; i < l->rb->n_decisions; i++) {
                const Decision *d = &l->rb->decisions[i];
                if (is_list(l, d->needed_before))
                        problems_add(
                                l->problems, d->loc, "E-LIST", hint,
                                "the decision `%s` hangs on the list of `%s`, which may be empty",
                                d->id, d->needed_before);
        }
}
