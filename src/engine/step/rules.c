/* rules.c: which of the runbook's rules decides about an error.
 *
 * Rules are asked in order, the first that fits decides. A rule with `max` fits only so often
 * per try; after that the next one is asked, so a flood of "harmless" errors ends as a
 * failure. No rule that fits means: ask a person. */
#include "engine/step/one_step.h"

#include <regex.h>
#include <stdio.h>

enum { FEW_TRIES = 3 }; /* of a retry rule without `max` */

static bool rules_match(const char *pattern, const char *text)
{
        regex_t re;
        if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return false;
        bool yes = regexec(&re, text, 0, NULL, 0) == 0;
        regfree(&re);
        return yes;
}

static bool rules_fit(const ErrorRule *r, const Err *error)
{
        if (r->sqlstate && !str_eq(r->sqlstate, error->sqlstate))
                return false;
        return !r->match || rules_match(r->match, error->message ? error->message : "");
}

static int64_t rules_used(const StepRec *rec, size_t rule)
{
        char key[24];
        snprintf(key, sizeof key, "%zu", rule);
        return rec ? jx_int(rec->counts, key, 0) : 0;
}

int rules_deciding(const PlanStep *p, const StepRec *rec, const Err *error)
{
        for (size_t i = 0; i < p->def->n_on_error; i++) {
                const ErrorRule *r = &p->def->on_error[i];
                if (!rules_fit(r, error))
                        continue;
                if (r->then == ON_TOLERATE && r->max > 0 && rules_used(rec, i) >= r->max)
                        continue;
                if (r->then == ON_RETRY && rec && rec->tries > (r->max > 0 ? r->max : FEW_TRIES))
                        continue;
                return (int)i;
        }
        return -1;
}

bool rules_would_tolerate(Engine *e, const PlanStep *p, const Err *error)
{
        pthread_mutex_lock(&e->lazy_lock);
        int i = rules_deciding(p, state_find(&e->state, p->id), error);
        pthread_mutex_unlock(&e->lazy_lock);
        return i >= 0 && p->def->on_error[i].then == ON_TOLERATE;
}

bool rules_tolerate(void *engine, const char *object, const Err *error)
{
        Engine *e = engine;
        const PlanStep *p = e->now;
        if (!p)
                return false;
        pthread_mutex_lock(&e->lazy_lock);
        const StepRec *rec = state_find(&e->state, p->id);
        int i = rules_deciding(p, rec, error);
        bool yes = i >= 0 && p->def->on_error[i].then == ON_TOLERATE;
        ErrorVerdict v = { .object = object, .verdict = yes ? "tolerated" : "stop" };
        if (yes) {
                v.rule = &p->def->on_error[i];
                v.rule_index = i;
                v.count = 1; /* one event each: readers add them up */
        }
        AUTO_ERR err = { 0 };
        if (!record_error(e, p, error, &v, &err))
                yes = false;
        pthread_mutex_unlock(&e->lazy_lock);
        return yes;
}
