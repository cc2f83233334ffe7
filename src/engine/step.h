/* step.h: one kind of work, in one file, described by one struct.
 *
 * To teach the engine a new trick:
 *
 *      1. write wizard-steps/<kind>.c, opening with its parameters and `const StepKind step_<kind>`
 *         (pg.slot.create is pg_slot_create.c and step_pg_slot_create);
 *      2. add '<kind>' to the list in wizard-steps/meson.build;
 *      3. run `meson test --suite steps`: the contract tests find it by
 *         themselves and will tell you what you forgot.
 *
 * A kind gets a StepCtx and nothing else. Through it it can talk to Postgres,
 * spawn a command, and report; it cannot draw, prompt, sleep, or exit. */
#pragma once

#include "base/err.h"
#include "runbook/param.h"

typedef struct StepCtx StepCtx; /* engine/step_ctx.h */

/* What probe() found of a step whose verdict is missing after a crash. */
typedef enum Found { FOUND_NOTHING, FOUND_PART, FOUND_ALL, FOUND_BUSY, FOUND_DRIFT } Found;

/* What the engine asks a person before run(): in the kind's place, from its parameters. */
typedef enum StepAsks {
        ASKS_NOTHING,
        ASKS_TICKS,  /* `items`: each has to be ticked by somebody */
        ASKS_CHOICE, /* `question`, `choices`, `default`; the answer becomes result `answer` */
        ASKS_GO_ON,  /* `text`, unless the step has gates of its own */
} StepAsks;

typedef struct StepKind {
        const char *name;         /* "pg.slot.create", as written after `do:` */
        const char *summary;      /* "Create a logical replication slot" */
        unsigned traits;          /* StepTrait bits: runbook/param.h */
        const ParamSpec *params;  /* of `with:`; ends with {0}; NULL: none */
        const ParamSpec *results; /* what expect and capture may name, or NULL */
        /* Results that say whether all is well, one of them a list of what is not; ends with NULL.
         * A step whose runbook expects none of them fails when that list has anything in it (not
         * with STEP_ONLY_REPORTS); and so does a check that names the kind. */
        const char *const *verdict;
        StepAsks asks;
        size_t state_size; /* zeroed, lives as long as the attempt */

        /* Can this work? Read-only. Reports every problem to ctx, not just the first;
         * *err is only for "could not even look". NULL: nothing to check. Called right
         * before the intent is written, never at plan time. */
        bool (*check)(StepCtx *ctx, void *state, Err *err);

        /* What would run() do, in words and SQL, for the dry run? Touches nothing, connects
         * to nothing; parameters may hold placeholders (‹facts.src.size›). */
        bool (*plan)(StepCtx *ctx, void *state, Err *err);

        /* Could run() work later, as far as can be seen now? Asked in preflight, long before run(),
         * of every kind that is not STEP_READ_ONLY; often, and for any step. It changes nothing, or
         * puts back what it tried before it returns. Parameters whose facts are not there yet are
         * not known (step_known()), and the target may be one that an earlier step makes
         * (step_target_now()). Every problem goes to step_problem(), what will be done otherwise
         * than asked to step_warn(), what cannot be seen yet to step_unseen(), what run() will make
         * or take away, and later steps rely on, to step_will(). *err is for "could not even
         * look". */
        bool (*dry)(StepCtx *ctx, void *state, Err *err);

        /* Do it. May be called again after a crash unless probe() said FOUND_ALL. What undo()
         * and probe() need is written with step_remember() *before* the world changes. */
        bool (*run)(StepCtx *ctx, void *state, Err *err);

        /* After a crash: how much of it is already true out there? Read-only. When it says
         * FOUND_ALL it has also set the results again. NULL: for read-only kinds. */
        bool (*probe)(StepCtx *ctx, void *state, Found *ret_found, Err *err);

        /* Put it back, from what was remembered; must also work on a half-done run() and when
         * called twice. A world that is not as remembered is drift: err kind ERR_USER, and
         * nothing is touched. NULL means "cannot be undone", and the wizard says so early. */
        bool (*undo)(StepCtx *ctx, void *state, Err *err);
} StepKind;

/* Every kind that was compiled in, sorted by name, ending with NULL. */
extern const StepKind *const step_kinds[];

/* The kind with that name, or NULL with *err naming the nearest one we do have. */
const StepKind *step_kind_find(const char *name, Err *err) MUST_CHECK;
