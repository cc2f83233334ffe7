/* step_host.h: the other side of a StepCtx: whoever calls a step kind holds one of these.
 *
 * The engine does, and so may a test of one kind, without any engine:
 *
 *      StepHost host = { 0 };                          // NULL functions: nothing is kept
 *      StepCtx *ctx = step_ctx_new(&(StepSetup){
 *              .host = &host, .kind = &step_note, .id = "n1", .run_id = "p1-abcd",
 *              .run_dir = dir, .params = json_pack("{s:s}", "text", "hello") });
 *      void *state = step_ctx_state(ctx);
 *      ok = step_note.run(ctx, state, err);
 *      step_ctx_free(ctx);
 */
#pragma once

#include "engine/step_ctx.h"
#include "journal/journal.h"

typedef struct StepHost {
        void *arg;
        /* Appends an event of this step; steals `fields`. NULL: dropped. May be called from
         * any thread. */
        bool (*append)(void *arg, EventType type, const char *step, json_t *fields, Err *err);
        /* A target by name or written in place, identity checked. Arena memory. */
        const Target *(*target)(void *arg, Arena *a, const json_t *spec, Err *err);
        const Secret *(*secret)(void *arg, const char *name, Err *err);
        const json_t *(*remembered_of)(void *arg, const char *step_id);
        /* True: the runbook's rules let this error pass. NULL: none does. */
        bool (*tolerates)(void *arg, const char *object, const Err *error);
        /* Of step_target_now(); NULL: everything is there. */
        TargetNow (*target_now)(void *arg, const Target *t, Err *why);
        /* Of step_later_begin() and step_later_try(), which `ctx` calls; NULL: there are none. */
        size_t (*later_begin)(void *arg);
        bool (*later_try)(void *arg, StepCtx *ctx, size_t i, json_t **ret, Err *err);
        json_t *wills; /* of step_will(): borrowed object; NULL: nothing is kept */
} StepHost;

typedef struct StepSetup {
        const StepHost *host; /* must outlive the context; NULL: an empty one */
        const StepKind *kind;
        const char *id, *run_id, *run_dir;
        int attempt; /* 0 reads as 1 */
        int64_t timeout_ms;
        bool planning;
        json_t *params;       /* stolen; NULL: {} */
        const Target *target; /* must outlive the context */
        json_t *remembered;   /* stolen; NULL: {} */
} StepSetup;

StepCtx *step_ctx_new(const StepSetup *setup) MUST_CHECK;
StepCtx *step_ctx_free(StepCtx *ctx);
static inline void step_ctx_freep(StepCtx **ctx)
{
        *ctx = step_ctx_free(*ctx);
}
#define AUTO_STEP CLEANUP(step_ctx_freep) StepCtx *

/* The kind's zeroed state, as long as the context. */
void *step_ctx_state(StepCtx *ctx);
/* What check() complained about, what plan() would do: arrays of text, borrowed. */
const json_t *step_ctx_problems(const StepCtx *ctx);
const json_t *step_ctx_unseen(const StepCtx *ctx);
const json_t *step_ctx_warnings(const StepCtx *ctx);
const json_t *step_ctx_plan(const StepCtx *ctx);
const json_t *step_ctx_plan_undo(const StepCtx *ctx);
const char *step_ctx_note(const StepCtx *ctx); /* of step_report(), or "" */
int64_t step_ctx_log_line(StepCtx *ctx);       /* lines in output/<step>.log */
int64_t step_ctx_last_sign_ms(StepCtx *ctx);   /* boot clock of its last word */
void step_ctx_flush(StepCtx *ctx);             /* writes a progress that was thinned */
/* Sets the flag, wakes sleepers, calls every registered function. Any thread, any often. */
void step_ctx_cancel(StepCtx *ctx);
/* Workers of the step, by `delta` more or fewer; 0: it has none at this moment. Any thread. */
int step_ctx_jobs(StepCtx *ctx, int delta);
