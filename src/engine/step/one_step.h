/* one_step.h: one step: what it sees, what is asked before it, what came of it.
 *
 *      context.c    parameters, targets, the StepCtx; calling a kind's functions
 *      rules.c      on_error: which rule decides about an error
 *      gates.c      the gates a step has before it
 *      ask.c        decisions, the time to start, steps that are nothing but a question
 *      outcome.c    expect, verdicts, capture: done or failed
 *
 * Nothing here tries a step, undoes one, or knows which one comes next: that is drive/. */
#pragma once

#include "engine/world/world.h"

/* ---- context.c ---- */
/* A context for one of the step's functions: parameters, target, remembered data. NULL with
 * *err (then nothing was written). */
StepCtx *context_new(Engine *e, const PlanStep *p, int attempt, bool planning, Err *err) MUST_CHECK;
/* The step's `on:`, identity checked; NULL when it has none. While planning: its name and spec. */
bool context_target(Engine *e, const PlanStep *p, bool planning, const Target **ret,
                    Err *err) MUST_CHECK;
/* A target written in place, or named. */
bool context_use_target(Engine *e, const json_t *spec, const json_t *item, const Target **ret,
                        Err *err) MUST_CHECK;
/* Parameters of the step; while planning, what is not known yet is ‹..›. New reference. */
bool context_params(Engine *e, const PlanStep *p, const StepKind *kind, bool planning, json_t **ret,
                    Err *err) MUST_CHECK;
/* The same of a check before the step. */
bool context_pre_params(Engine *e, const PlanStep *p, const PreCheck *pre, bool planning,
                        json_t **ret, Err *err) MUST_CHECK;
StepCtx *context_for_pre(Engine *e, const PlanStep *p, const StepKind *kind, json_t *params,
                         const Target *on); /* steals params; its progress is not the step's */
/* A kind's function through loop_work(). */
typedef bool (*KindFn)(StepCtx *ctx, void *state, Err *err);
bool context_call(Engine *e, StepCtx *ctx, KindFn fn, int64_t timeout_ms, Err *err) MUST_CHECK;

/* ---- rules.c ---- */
/* Index of the rule in on_error that decides about this error, or -1: a person. */
int rules_deciding(const PlanStep *p, const StepRec *rec, const Err *error);
/* Nothing is counted. */
bool rules_would_tolerate(Engine *e, const PlanStep *p, const Err *error);
/* Of StepHost: one error of many; counted and journaled. Any thread. */
bool rules_tolerate(void *engine, const char *object, const Err *error);

/* ---- gates.c, ask.c ---- */
bool gates_of_step(Engine *e, const PlanStep *p, bool *ret_skipped, Err *err) MUST_CHECK;
/* Who let the step's gates pass: the last of them; NULL: nobody, or only the clock. */
const char *gates_passed_by(Engine *e, const PlanStep *p);
bool ask_decisions(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
bool ask_start_at(Engine *e, Err *err) MUST_CHECK;
/* StepKind.asks. */
bool ask_in_its_place(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err) MUST_CHECK;

/* ---- outcome.c ---- */
/* expect, capture, step.done; on a failed expectation: step.failed. *ret_again: try again. */
bool outcome_settle(Engine *e, const PlanStep *p, StepCtx *ctx, int64_t ms, bool *ret_again,
                    Err *err) MUST_CHECK;
/* step.failed; ctx may be NULL. */
bool outcome_fail(Engine *e, const PlanStep *p, StepCtx *ctx, int64_t ms, const Err *why,
                  Err *err) MUST_CHECK;
/* False when the kind's verdict lists something; `as` is how it was called. */
bool outcome_no_bad_news(const StepKind *kind, const char *as, const json_t *results,
                         Err *err) MUST_CHECK;
