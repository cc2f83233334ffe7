/* record.h: the ground floor: what a run is, what its journal says, and who writes there.
 *
 *      state.c        the past, as a fold over the journal
 *      write.c        appending; questions, decisions, checks, facts, fences
 *      write_run.c    events of the run, its plan and its phases
 *      write_steps.c  events of steps and of their way back
 *      scope.c        what expressions may see; targets as the runbook writes them
 *      lookup.c       which step is meant; loops over facts; what bars the way back
 *      wake.c         waking the loop
 *
 * The floors of the engine, lowest first: record, desk (the loop, the socket, questions), world
 * (targets, secrets, locks, facts), step (one step: what it sees, what it is asked, what came of
 * it), drive (tries, failures, resume, undo). A file uses its own floor and those below; the
 * engine's door (step.h, step_ctx.h, step_host.h, target.h, engine.h) is for all. tests/house
 * watches over it.
 *
 * One writer for every event: EV_STEP_DONE is appended by record_step_done() and by nobody else.
 * Its fields are named there and in journal/events.h. Each record_*() returns what the append did:
 * false when the journal cannot be written any more (e->io_failed). After true the event is on
 * disk as the event table wants it, and folded into e->state.
 *
 * Thread rule: everything runs on the main thread, except what is marked "any thread" and the
 * functions of a step kind, which run through loop_work(). While one of those runs, the main
 * thread only polls.
 *
 * Bad news: `false` with e->stop set means "somebody wants the run to stop"; false with
 * e->io_failed means the journal is gone; false with neither is an error of this call. */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "engine/engine.h"
#include "engine/record/state.h"
#include "engine/step_host.h"
#include "journal/ask.h"
#include "runbook/plan.h"

typedef enum Stop { STOP_NONE, STOP_SHUTDOWN, STOP_ROLLBACK, STOP_ABORT, STOP_FAIL } Stop;

struct Desk;  /* desk/desk.c */
struct World; /* world/world.c */
struct Dry;   /* drive/dry.c */

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
        pthread_mutex_t lazy_lock; /* looked_up, keep, secrets, locks: filled when needed */

        const PlanStep *now; /* the step being tried */
        Stop stop;
        char stop_by[64];
        char *stop_why;    /* malloc()ed, may be NULL */
        char *undo_to;     /* of a wanted rollback */
        bool undo_unasked; /* phase.on_failure: rollback */
        bool undoing;
        bool pause_wanted, continue_wanted;
        char pause_by[64];
        int terms;      /* how often SIGTERM came */
        bool read_only; /* nothing in the plan changes anything: no locks */

        int lock_fd, dir_fd, wake_fd;
        struct Desk *desk;
        struct World *world;
        struct Dry *dry; /* while a step tries the later ones */
        /* Of StepHost, for the steps that try later ones: drive/dry.c, handed down by engine.c. */
        size_t (*later_begin)(void *engine);
        bool (*later_try)(void *engine, StepCtx *ctx, size_t i, json_t **ret, Err *err);
} Engine;

/* ---- write.c ---- */
/* What step_say.c says of its own: progress, artifacts, what undo needs. Steals. Any thread. */
bool record_said(Engine *e, EventType type, const char *step, json_t *fields, Err *err) MUST_CHECK;
/* For the writers of this floor only. Steals `fields`. Any thread. */
bool record_append(Engine *e, EventType type, const char *step, json_t *fields,
                   Err *err) MUST_CHECK;
/* For events that carry nothing the run depends on: a failure is remembered in io_failed. */
void record_tell(Engine *e, EventType type, const char *step, json_t *fields);
/* Somebody or something wants the run to stop; false, for `return`. */
bool record_stop(Engine *e, Stop stop, const char *by, const char *why, Err *err);

/* One question, as long as it is open. */
typedef struct Question {
        AskKind kind;
        const char *step, *key, *title, *text, *secret, *suggested;
        json_t *lines;    /* stolen by gate_ask(), may be NULL */
        json_t *choices;  /* stolen: [{"key","label","consequence"}] */
        int64_t until_ms; /* wall clock; then it answers itself with "time" */
        bool free_text;   /* the answer is the text */
        size_t items;     /* of a checklist */
} Question;

/* What was answered, and by whom. */
typedef struct Answer {
        char key[64]; /* of the choice; "time", "given" */
        char by[64];
        char *typed;    /* malloc()ed, or NULL */
        Secret *secret; /* of ASK_SECRET */
} Answer;
void answer_done(Answer *a);
#define AUTO_ANSWER CLEANUP(answer_done) Answer

bool record_gate_open(Engine *e, int64_t number, const Question *q, Err *err) MUST_CHECK;
bool record_gate_answer(Engine *e, int64_t number, const char *step, const Answer *a,
                        int64_t waited_ms, Err *err) MUST_CHECK;
bool record_tick(Engine *e, const char *step, int64_t item, bool ticked, const char *text,
                 const char *by, Err *err) MUST_CHECK;
bool record_decision_open(Engine *e, const char *id, const char *question, const json_t *choices,
                          const char *fallback, Err *err) MUST_CHECK;
bool record_decision_answer(Engine *e, const char *id, const char *answer, const char *by,
                            Err *err) MUST_CHECK;
bool record_note(Engine *e, const char *text, const char *by, Err *err) MUST_CHECK;

typedef struct Check {
        const PlanStep *step; /* NULL: of the run */
        const char *that, *expected, *actual, *verdict, *msg;
} Check;
bool record_check(Engine *e, const Check *c, Err *err) MUST_CHECK;

typedef struct Fact {
        const char *step, *name;
        json_t *path;             /* stolen */
        json_t *value;            /* stolen; NULL: it stands in the file `ref` */
        const char *ref, *sha256; /* of the run directory */
} Fact;
bool record_fact(Engine *e, const Fact *f, Err *err) MUST_CHECK;
bool record_fence_open(Engine *e, const char *step, const char *target, int64_t connections,
                       Err *err) MUST_CHECK;
bool record_fence_close(Engine *e, const char *step, const char *target, const char *verdict,
                        const char *message, Err *err) MUST_CHECK;

/* ---- write_run.c ---- */
char *record_operator(void); /* who started us, malloc()ed */
bool record_run_open(Engine *e, Err *err) MUST_CHECK;
/* plan.phase, plan.step, plan.accept: the whole plan. */
bool record_plan(Engine *e, Err *err) MUST_CHECK;
bool record_run_resume(Engine *e, const char *by, bool after_crash, Err *err) MUST_CHECK;
/* `why`, or NULL: an error nobody could be asked about. */
bool record_run_pause(Engine *e, const char *cause, const char *by, const Err *why,
                      Err *err) MUST_CHECK;
bool record_run_abort(Engine *e, const char *by, Err *err) MUST_CHECK;
bool record_run_close(Engine *e, const char *status, const char *reason, Err *err) MUST_CHECK;

typedef struct Viewer {
        uid_t uid;
        pid_t pid;
        char by[64], tty[64];
        bool watch;
} Viewer;
void record_run_attach(Engine *e, const Viewer *v);
void record_run_detach(Engine *e, const Viewer *v, const char *cause);
bool record_phase_start(Engine *e, const char *id, Err *err) MUST_CHECK;
bool record_phase_end(Engine *e, const char *id, Err *err) MUST_CHECK;
bool record_downtime(Engine *e, bool begin, Err *err) MUST_CHECK;
void record_clock_jump(Engine *e, int64_t by_ms);

/* ---- write_steps.c ---- */
enum { NOT_SAID = -1 }; /* for numbers that an event may leave out */
bool record_step_intent(Engine *e, const PlanStep *p, int attempt, Err *err) MUST_CHECK;
/* ms, tolerated: NOT_SAID when nothing ran. */
bool record_step_done(Engine *e, const PlanStep *p, const char *note, int64_t ms, int64_t tolerated,
                      Err *err) MUST_CHECK;
bool record_step_failed(Engine *e, const PlanStep *p, const Err *why, int64_t ms, int64_t log_line,
                        Err *err) MUST_CHECK;
bool record_step_skipped(Engine *e, const PlanStep *p, const char *reason, Err *err) MUST_CHECK;
bool record_step_already(Engine *e, const PlanStep *p, const char *reason, Err *err) MUST_CHECK;
bool record_step_unknown(Engine *e, const PlanStep *p, const char *message, Err *err) MUST_CHECK;

typedef struct ErrorVerdict {
        const char *object, *verdict; /* "tolerated", "stop", "retry" */
        const ErrorRule *rule;        /* that lets it pass, or NULL */
        int rule_index;
        int64_t count; /* 0: not said */
} ErrorVerdict;
bool record_error(Engine *e, const PlanStep *p, const Err *error, const ErrorVerdict *v,
                  Err *err) MUST_CHECK;
bool record_undo_start(Engine *e, const char *from, const char *to, size_t n, const char *by,
                       Err *err) MUST_CHECK;
bool record_undo_end(Engine *e, const char *message, Err *err) MUST_CHECK;
bool record_undo_intent(Engine *e, const PlanStep *p, const char *words, Err *err) MUST_CHECK;
bool record_undo_done(Engine *e, const PlanStep *p, const char *words, int64_t ms, bool left,
                      Err *err) MUST_CHECK;
/* undo.drift when the world is not as remembered (ERR_USER), else undo.failed. */
bool record_undo_bad(Engine *e, const PlanStep *p, const Err *why, Err *err) MUST_CHECK;

/* ---- scope.c ---- */
/* What expressions of that step (NULL: of the run) may name; scope_done() frees it. Any thread. */
void scope_of(Engine *e, const PlanStep *p, const json_t *result, Scope *ret);
void scope_done(Scope *s);
#define AUTO_SCOPE CLEANUP(scope_done) Scope
/* Without targets: for what targets themselves are made of. */
void scope_base(Engine *e, const json_t *item, Scope *ret);
json_t *scope_targets(Engine *e, const json_t *item) MUST_CHECK; /* the namespace, new reference */
const TargetSpec *scope_target_spec(const Engine *e, const char *name); /* or NULL */
/* A target's map as it is now, with what was found about it. New reference in *ret. */
bool scope_target(Engine *e, const TargetSpec *t, const json_t *item, bool planning, json_t **ret,
                  Err *err) MUST_CHECK;
/* "pg" of "pg", "secrets.pg" and {"$secret": "pg"}; NULL: names none. Borrowed. */
const char *scope_secret_name(const json_t *password);

/* ---- lookup.c ---- */
bool lookup_read_only(const PlanStep *p);
Effect lookup_effect(const PlanStep *p);
/* It began, and was not put back. */
bool lookup_touched(const StepRec *r);
const PlanStep *lookup_step(Engine *e, const char *id); /* late items too */
/* What a loop over facts goes over, an array; while planning also ‹..›. One of its items as a step.
 * Any thread. */
bool lookup_items(Engine *e, const PlanStep *p, bool planning, json_t **ret, Err *err) MUST_CHECK;
const PlanStep *lookup_item(Engine *e, const PlanStep *p, json_t *item, size_t i, Err *err);
/* The step that made going back impossible, or NULL. */
const PlanStep *lookup_bar(Engine *e);

/* ---- wake.c ---- */
bool wake_open(Engine *e, Err *err) MUST_CHECK;
void wake_close(Engine *e);
void wake_up(Engine *e); /* any thread */
void wake_drain(Engine *e);
