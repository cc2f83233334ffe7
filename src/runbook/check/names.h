/* names.h: what the check of names knows while it walks over a runbook. Inside this room only. */
#pragma once

#include "runbook/expr/expr_tree.h"
#include "runbook/load/load.h"

typedef struct Names {
        const Runbook *rb;
        Problems *problems;
        const Step **steps;   /* all, in order */
        size_t n_steps, seen; /* seen: how many come before */
        const Step *step;     /* whose text it is, or NULL */
        bool result, item;    /* are these names there? */
} Names;

/* ---- names.c ---- */
/* NULL: there is none. */
const Step *names_step(const Names *ns, const char *id, size_t *ret_index);
/* The row of a kind's results; NULL: there is none. */
const ParamSpec *names_result(const Step *step, const char *name);
Loc names_loc(Loc base, int col);

/* "there is no variable `x`", with the nearest of those that are known. */
void names_report(Names *ns, Loc at, const char *const *known, size_t n, const char *word,
                  const char *what);
void names_check_target(Names *ns, const char *name, Loc at);
const Step *names_check_step(Names *ns, const char *id, Loc at);
void names_check_expr(Names *ns, const Expr *e);
void names_check_template(Names *ns, const Template *t, const char *parent);

/* ---- names_types.c ---- */
/* `16 == "16"` is an error of the evaluator, in the middle of the run: where both types are known
 * before, it is one of lint. */
void names_check_comparison(Names *ns, const ExprNode *n, Loc base);
