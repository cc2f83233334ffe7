/* verb_lint.c: `pgsherpa lint FILE..`: every problem of a runbook, before anything happens. */
#include <stdio.h>

#include "app/launch/journeys.h"
#include "app/cli/options.h"
#include "app/cli/verb.h"
#include "base/fmt.h"

static void count_escapes(const Runbook *rb)
{
        size_t shells = 0, destroys = 0, steps = 0;
        for (size_t p = 0; p < rb->n_phases; p++)
                for (size_t s = 0; s < rb->phases[p].n_steps; s++, steps++) {
                        shells += (rb->phases[p].steps[s].kind->traits & STEP_SHELL) != 0;
                        destroys += rb->phases[p].steps[s].effect == EFFECT_DESTROY;
                }
        for (size_t s = 0; s < rb->n_cleanup; s++, steps++)
                destroys += rb->cleanup[s].effect == EFFECT_DESTROY;
        printf("%s: %s; of these %zu delete and %zu run commands of the runbook's own\n", rb->name,
               THINGS(steps, "step"), destroys, shells);
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        if (!options_read(&o, argc, argv, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (o.n_words == 0)
                return verb_usage("lint", "wants at least one runbook");
        int code = EXIT_DONE;
        for (size_t i = 0; i < o.n_words; i++) {
                AUTO_PROBLEMS problems = { 0 };
                AUTO_FREE char *path = NULL;
                if (!journeys_find(o.words[i], &path, &err))
                        return verb_fail(&err, EXIT_USAGE);
                Runbook *rb = journeys_load(path, &problems, &err);
                problems_print(&problems);
                if (!rb && err.kind)
                        return verb_fail(&err, EXIT_UNKNOWN);
                if (rb)
                        count_escapes(rb);
                else
                        code = EXIT_NO;
                runbook_free(rb);
        }
        return code;
}

const Verb verb_lint = { .name = "lint",
                         .args = "RUNBOOK..",
                         .summary = "check runbooks, naming file:line:col of every problem",
                         .run = run };
