/* drive.h: the top floor: a run driven through its plan, and back.
 *
 *      steps.c        one step, from its state to its verdict; loops over facts
 *      attempt.c      one try: when, pre, gates, check, intent, run
 *      policy.c       what comes after a failure: it answers, steps.c does it
 *      resume.c       replay; intents without a verdict
 *      undo.c         the way back; undo_words.c what it says of itself
 *      verify.c       rollback.verify
 *      fence.c        did anybody else write?
 *      losses.c       what a rollback would lose
 *      plan_steps.c   the dry run: plan.json with its commands
 *      dry.c          the later steps, each with its kind's dry() (dry.h)
 */
#pragma once

#include "engine/step/one_step.h"

/* ---- what is to be done next with a step, said by policy.c and resume.c ---- */
typedef enum Next {
        NEXT_LOOK,       /* nothing: its state says it */
        NEXT_TRY,        /* from its start */
        NEXT_RETRY,      /* the same, after a while */
        NEXT_SKIP,       /* with `words` as its reason */
        NEXT_ASK,        /* a person */
        NEXT_UNDO_STEP,  /* put it back, then ask a person */
        NEXT_UNDO_PHASE, /* put its phase back, then ask a person */
        NEXT_STOP,       /* the run: `stop` */
} Next;

typedef struct Decided {
        Next next;
        int64_t wait_ms;     /* of NEXT_RETRY */
        Stop stop;           /* of NEXT_STOP */
        bool unasked;        /* of a rollback: nobody is asked once more */
        bool other_password; /* of NEXT_TRY: what was typed is asked for anew */
        const char *by;      /* who wants it so; arena memory, as all texts here */
        const char *words;   /* a reason, or NULL */
        const char *note;    /* for the log: why it cannot be done as wished; or NULL */
} Decided;

/* ---- steps.c, attempt.c ---- */
bool steps_drive(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
/* One whole try: true when it ended with a verdict in the journal, good or bad. */
bool attempt_run(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;

/* ---- policy.c ---- */
/* By the rules alone: nothing is asked, nothing done. */
void policy_after_failure(Engine *e, const PlanStep *p, Decided *ret);
/* The question after a failure. False: stop. */
bool policy_ask(Engine *e, const PlanStep *p, Decided *ret, Err *err) MUST_CHECK;
/* The failure as the journal has it: so that a resumed engine decides as a live one. */
void policy_failure_of(const StepRec *rec, Err *ret);

/* ---- resume.c ---- */
bool resume_replay(Engine *e, Err *err) MUST_CHECK;
/* A step with an intent and no verdict: what is there? */
bool resume_recover(Engine *e, const PlanStep *p, Decided *ret, Err *err) MUST_CHECK;

/* ---- undo.c, undo_words.c, verify.c ---- */
bool undo_run(Engine *e, Err *err) MUST_CHECK;
bool undo_one(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
bool undo_phase(Engine *e, const char *phase, Err *err) MUST_CHECK;
/* What going back does with it, as far as is known; malloc()ed. */
char *undo_words(Engine *e, const PlanStep *p);
/* rollback.verify: read-only steps after the way back. */
bool verify_run(Engine *e, Err *err) MUST_CHECK;

/* ---- fence.c, losses.c ---- */
/* After every step of a fenced phase; closes what nothing later in the phase needs. */
bool fence_after(Engine *e, const PlanStep *p, bool last_of_phase, Err *err) MUST_CHECK;
/* Appends to `lines` what was written since the last step that counted (STEP_COUNTS), as the server
 * counts it, and what that means for the way back to `to` (a step, or NULL: whole). *ret_word is
 * what must be typed when something was written or nobody can tell ("lose 12 rows"), else NULL;
 * malloc()ed. False when the way back does not pass such a step: nothing was appended. */
bool losses_tell(Engine *e, const PlanStep *to, json_t *lines, char **ret_word);

/* ---- plan_steps.c ---- */
bool plan_fill(Engine *e, json_t **ret, Err *err) MUST_CHECK;
