/* internal.h: the engine's own house: one struct, and who does what.
 *
 *      engine.c     opens, loops over the plan, closes
 *      steps.c      one step, from `when` to its verdict; foreach over facts
 *      attempt.c    parameters, targets, check, run: one try
 *      outcome.c    expect, capture, done, failed
 *      policy.c     on_error, retry, the question after a failure
 *      gates.c      one question, its answer; the gates of a step
 *      ask.c        decisions, checklists, start_at
 *      dry.c        the later steps, each with its kind's dry()
 *      undo.c       the way back
 *      resume.c     replay; intents without a verdict
 *      loop.c       poll: socket, timers, signals; work in another thread
 *      control.c    the socket; commands.c: what is said over it
 *      targets.c    resolve, identity; locks.c; secrets.c; facts.c; clocks.c
 *
 * Thread rule: everything here runs on the main thread, except what is marked "any thread"
 * and the functions of a step kind, which run through loop_work(). While one of those runs,
 * the main thread only polls.
 *
 * Bad news: `false` with e->stop set means "somebody wants the run to stop"; false with
 * e->io_failed means the journal is gone; false with neither is an error of this call. */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "base/frame.h"
#include "engine/engine.h"
#include "engine/state.h"
#include "engine/step_host.h"
#include "runbook/plan.h"

typedef enum Stop { STOP_NONE, STOP_SHUTDOWN, STOP_ROLLBACK, STOP_ABORT, STOP_FAIL } Stop;

typedef struct Client {
        int fd; /* -1: free place */
        FrameReader in;
        Buf out;
        bool greeted, watch, told;
        uid_t uid;
        pid_t pid;
        char by[64], tty[64];
        int64_t sent_seq;
} Client;

typedef struct OpenGate {
        bool open, answered;
        int64_t number, seq, opened_bt;
        const char *kind, *step, *text, *secret;
        const json_t *choices, *lines; /* borrowed from whoever asks */
        bool needs_text, free_text, no_answer;
        size_t items; /* of a manual step */
        char answer[64];
        char *typed; /* malloc()ed */
        char by[64];
        Secret *value; /* of a secret gate */
} OpenGate;

typedef struct NamedSecret {
        char *key; /* name, and the item of a foreach */
        Secret *secret;
        bool typed; /* by a person, who may have mistyped it */
} NamedSecret;

typedef struct TargetLock {
        char *name;
        int fd;
} TargetLock;

typedef struct Engine {
        const EngineConfig *c;
        const Runbook *rb;
        const Plan *plan;
        const TargetOps *ops;
        Arena *arena;
        char *tag;       /* "p42-1a2b" */
        const char *run; /* "p42" */
        Journal *journal;
        pthread_mutex_t journal_lock;
        bool io_failed;
        EngineState state; /* under journal_lock while a step runs */
        json_t *run_ns;
        json_t *looked_up;         /* target name -> what identify() said */
        json_t *keep;              /* specs that Targets point into */
        pthread_mutex_t lazy_lock; /* looked_up, secrets, locks: filled when needed */
        NamedSecret *secrets;
        size_t n_secrets;
        TargetLock *locks;
        size_t n_locks;
        bool read_only; /* nothing in the plan changes anything: no locks */

        const PlanStep *now; /* the step being tried */
        StepCtx *ctx;        /* its context, while it has one */
        Stop stop;
        char stop_by[64];
        char *stop_why;    /* malloc()ed, may be NULL */
        char *undo_to;     /* of a wanted rollback */
        bool undo_unasked; /* phase.on_failure: rollback */
        bool pause_wanted, continue_wanted;
        char pause_by[64];
        int terms; /* how often SIGTERM came */
        OpenGate gate;

        int lock_fd, dir_fd, listen_fd, wake_fd, signal_fd;
        Client clients[16];
        int64_t told_seq;
        int64_t clock_skew_ms, last_tick_bt;
        bool budget_warned, budget_over;
        bool undoing;
        struct Dry *dry; /* of dry.c: while a step tries the later ones */
} Engine;

/* ---- events (any thread) ---- */
bool engine_append(Engine *e, EventType type, const char *step, json_t *fields,
                   Err *err) MUST_CHECK;
/* For events that carry nothing the run depends on: a failure is remembered in io_failed. */
void engine_tell(Engine *e, EventType type, const char *step, json_t *fields);
bool engine_stop(Engine *e, Stop stop, const char *by, const char *why, Err *err);

/* ---- loop.c ---- */
bool loop_open(Engine *e, Err *err) MUST_CHECK;
void loop_close(Engine *e);
/* One round of poll(), at most max_ms long. */
bool loop_pump(Engine *e, int64_t max_ms, Err *err) MUST_CHECK;
/* Sleeps, serving the socket; false when the run is to stop. */
bool loop_sleep(Engine *e, int64_t ms, Err *err) MUST_CHECK;
/* Runs fn in a thread of its own until it returns. ctx (may be NULL) is cancelled on timeout,
 * abort and rollback. */
typedef bool (*WorkFn)(void *arg, Err *err);
bool loop_work(Engine *e, StepCtx *ctx, int64_t timeout_ms, WorkFn fn, void *arg,
               Err *err) MUST_CHECK;
void loop_wake(Engine *e); /* any thread */

/* ---- control.c, commands.c ---- */
bool control_open(Engine *e, Err *err) MUST_CHECK;
void control_close(Engine *e);
void control_accept(Engine *e);
void control_read(Engine *e, Client *cl);
void control_flush(Engine *e, Client *cl);
void control_tell_seq(Engine *e);
/* Answers in `reply`: {"ok": true, ..} or {"ok": false, "error", "hint"}. */
void control_command(Engine *e, Client *cl, const json_t *message, json_t *reply);

/* ---- clocks.c ---- */
void clocks_tick(Engine *e);
bool clocks_downtime(Engine *e, bool begin, Err *err) MUST_CHECK;
int64_t clocks_downtime_ms(const Engine *e); /* -1: none running or run */

/* ---- steps.c, attempt.c, outcome.c, policy.c ---- */
bool steps_drive(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
bool steps_skip(Engine *e, const PlanStep *p, const char *reason, Err *err) MUST_CHECK;
/* One whole try: true when it ended with a verdict in the journal, good or bad. */
bool attempt_run(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
/* A context for one of the step's functions: parameters, target, remembered data. NULL with
 * *err (then nothing was written). */
StepCtx *attempt_context(Engine *e, const PlanStep *p, int attempt, bool planning,
                         Err *err) MUST_CHECK;
/* Parameters of the step; while planning, what is not known yet is ‹..›. New reference. */
bool attempt_params(Engine *e, const PlanStep *p, const StepKind *kind, bool planning, json_t **ret,
                    Err *err) MUST_CHECK;
bool attempt_pre_params(Engine *e, const PlanStep *p, const PreCheck *pre, const StepKind *kind,
                        bool planning, json_t **ret, Err *err) MUST_CHECK;
/* A kind's function through loop_work(). */
typedef bool (*KindFn)(StepCtx *ctx, void *state, Err *err);
bool attempt_call(Engine *e, StepCtx *ctx, KindFn fn, int64_t timeout_ms, Err *err) MUST_CHECK;
void attempt_scope(Engine *e, const PlanStep *p, const json_t *result, Scope *ret);
void attempt_scope_done(Scope *s);
/* False when a read-only kind's results list something bad (missing, unhealthy ..). */
bool attempt_no_bad_news(const char *kind, const json_t *results, Err *err) MUST_CHECK;
Effect attempt_effect(const PlanStep *p);
bool attempt_read_only(const PlanStep *p);
/* expect, capture, step.done; on a failed expectation: step.failed. *ret_again: try again. */
bool outcome_settle(Engine *e, const PlanStep *p, StepCtx *ctx, int64_t ms, bool *ret_again,
                    Err *err) MUST_CHECK;
bool outcome_fail(Engine *e, const PlanStep *p, StepCtx *ctx, int64_t ms, const Err *why,
                  Err *err) MUST_CHECK;
/* What comes after a failure: another try, a skip, a stop. */
bool policy_after_failure(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
/* The same by the rules alone: nothing is counted. */
bool policy_would_tolerate(Engine *e, const PlanStep *p, const Err *error);
bool policy_tolerates(void *engine, const char *object, const Err *error); /* any thread */

/* ---- gates.c, ask.c ---- */
typedef struct Question {
        const char *kind, *step, *key, *title, *text, *secret, *suggested;
        json_t *lines;    /* stolen, may be NULL */
        json_t *choices;  /* stolen: [{"key","label","consequence"}] */
        int64_t until_ms; /* wall clock; then it answers itself with "time" */
        bool free_text;   /* the answer is the text */
        size_t items;
} Question;
/* Answer's key in e->gate.answer. False: stop. */
bool gate_ask(Engine *e, Question *q, Err *err) MUST_CHECK;
json_t *gate_choices(const char *first_key, const char *label, const char *consequence,
                     ...) MUST_CHECK; /* triples, ended by NULL */
bool gates_of_step(Engine *e, const PlanStep *p, bool *ret_skipped, Err *err) MUST_CHECK;
/* The price of an answer, said and typed. `key` is answered by going on only; false in *ret_sure:
 * back. */
bool gates_going_on(Engine *e, const char *step, const char *key, const char *risk, bool *ret_sure,
                    Err *err);
bool gates_not_now(Engine *e, Err *err) MUST_CHECK; /* paused until somebody continues */
bool ask_decisions(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
bool ask_start_at(Engine *e, Err *err) MUST_CHECK;
bool ask_flow(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err) MUST_CHECK;

/* ---- dry.c: of StepHost, in the thread of the step that tries ---- */
size_t dry_begin(void *engine);
bool dry_try(void *engine, StepCtx *ctx, size_t i, json_t **ret, Err *err);
void dry_end(Engine *e);

/* ---- undo.c, resume.c ---- */
bool undo_run(Engine *e, Err *err) MUST_CHECK;
bool undo_one(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;
bool undo_phase(Engine *e, const char *phase, Err *err) MUST_CHECK;
/* The step that made going back impossible, or NULL. */
const PlanStep *undo_barred_by(Engine *e);
/* rollback.verify: read-only steps after the way back. */
bool verify_run(Engine *e, Err *err) MUST_CHECK;
const PlanStep *steps_find(Engine *e, const char *id); /* late items too */
/* What a loop over facts goes over, an array; while planning also ‹..›. One of its items as a step.
 * Any thread. */
bool steps_items(Engine *e, const PlanStep *p, bool planning, json_t **ret, Err *err) MUST_CHECK;
const PlanStep *steps_item(Engine *e, const PlanStep *p, json_t *item, size_t i, Err *err);
bool resume_replay(Engine *e, Err *err) MUST_CHECK;
bool resume_recover(Engine *e, const PlanStep *p, Err *err) MUST_CHECK;

/* ---- plan_steps.c ---- */
bool plan_fill(Engine *e, json_t **ret, Err *err) MUST_CHECK;

/* ---- targets.c, locks.c, secrets.c, facts.c ---- */
const Target *targets_use(Engine *e, Arena *a, const json_t *spec, const json_t *item, Err *err);
/* For a dry(): what cannot be known yet is ‹..› in its spec, and nobody is asked who it is; a
 * password that cannot be had is left out. targets_now(): who answers there, and is it who it is to
 * be? */
const Target *targets_dry(Engine *e, Arena *a, const json_t *spec, const json_t *item, Err *err);
TargetNow targets_now(Engine *e, const Target *t, Err *why);
json_t *targets_all(Engine *e, const json_t *item) MUST_CHECK; /* the namespace */
bool targets_look_up(Engine *e, Err *err);                     /* compose projects and the like */
bool locks_take_all(Engine *e, Err *err) MUST_CHECK;
bool locks_take(Engine *e, const Target *t, Err *err) MUST_CHECK;
void locks_drop(Engine *e);
int locks_alive(Engine *e, const char *step, int attempt); /* descriptor, or -1 */
/* True while some descendant of that attempt still lives. */
bool locks_alive_held(Engine *e, const char *step, int attempt);
void locks_alive_stop(Engine *e, const char *step, int attempt);
const Secret *secrets_get(Engine *e, const char *name, const json_t *item, Err *err);
/* Asks at the keyboard for what `tree` names ({"$secret": ..}) and nobody knows yet. */
bool secrets_prepare(Engine *e, const json_t *tree, const json_t *item, Err *err) MUST_CHECK;
/* A server refused a password: what was typed is asked for anew. The old values stay in memory
 * until secrets_drop(), for they are still kept out of every output. */
void secrets_forget_typed(Engine *e);
void secrets_drop(Engine *e);
bool facts_load(Engine *e, Err *err) MUST_CHECK;
bool facts_capture(Engine *e, const PlanStep *p, const json_t *results, Err *err) MUST_CHECK;
bool facts_remembered(Engine *e, const StepRec *r, json_t **ret, Err *err) MUST_CHECK;
