/* lint.h: what the files with the rules share. Inside this room only.
 *
 * A rule sees a runbook that is whole: every name leads somewhere, every kind exists. */
#pragma once

#include "runbook/template.h"

typedef struct LintStep {
        const Step *s;
        const Phase *in; /* NULL: cleanup */
} LintStep;

typedef struct Lint {
        const Runbook *rb;
        Problems *problems;
        LintStep *steps; /* all, in the order of the run */
        size_t n;
} Lint;

bool lint_kind(const Step *s, const char *name);
/* Does a template (or anything below it) name a fact of that step? */
bool lint_uses_fact(const Template *t, const char *step);
/* The text between ${ and }, or the literal: what two templates can be compared by. */
const char *lint_source(const Template *t);

/* lint_order.c: what must come before what. */
void lint_fence(Lint *l);
void lint_space(Lint *l);
void lint_verify(Lint *l);
void lint_down(Lint *l);
void lint_pnr(Lint *l);
void lint_same_volume(Lint *l);
void lint_collation(Lint *l);
/* lint_asked.c: who is asked before users see anything, and what hangs on a list. */
void lint_asked(Lint *l);
void lint_list(Lint *l);
void lint_dry(Lint *l);
/* lint_step.c: what one step, target or image must say. */
void lint_undo(Lint *l);
void lint_shell(Lint *l);
void lint_tolerate(Lint *l);
void lint_timeout(Lint *l);
void lint_clean(Lint *l);
void lint_typed(Lint *l);
void lint_retry(Lint *l);
void lint_identity(Lint *l);
void lint_latest(Lint *l);
