/* engine.h: runs a plan: order, intent before effect, gates, retry, resume, undo.
 *
 * The engine is a process of its own (session leader, no terminal). Its main thread is one
 * poll loop: control socket, timers, the running step's wake-up descriptor. The running step
 * has its own thread. Whoever looks, looks at the journal.
 *
 *      EngineConfig c = { .run_dir = dir, .runbook = rb, .plan = plan, .ops = &ops };
 *      int code = engine_run(&c, err);         // returns when the run closes or pauses
 */
#pragma once

#include "base/err.h"
#include "engine/step.h"
#include "engine/target.h"
#include "runbook/plan.h"

typedef struct EngineConfig {
        const char *run_dir;
        const Runbook *runbook;
        const Plan *plan;
        const json_t *answers; /* decisions given beforehand: {"window": "Wed 00:00"} */
        const TargetOps *ops;
        const char *tool;                /* "pgsherpa 0.1.0" for run.open */
        bool resume;                     /* the journal has events already */
        bool rollback;                   /* with resume: go back instead of on; also for a run
                                            that is closed, as long as there is a way back */
        const char *const *secret_files; /* "pg=file:/path", NULL-terminated, or NULL */
} EngineConfig;

/* How a run can end, or rest. */
enum {
        ENGINE_DONE = 0,
        ENGINE_FAILED = 1,  /* failed, or undone */
        ENGINE_REFUSED = 3, /* lock held, wrong plan, not a run: *err says it */
        ENGINE_PAUSED = 11, /* at a safe point; `resume` goes on */
        ENGINE_ABORTED = 130,
};
int engine_run(const EngineConfig *config, Err *err) MUST_CHECK;

/* plan.json completed with every kind's plan(): commands, undo commands. Touches nothing. */
bool engine_plan(const EngineConfig *config, json_t **ret, Err *err) MUST_CHECK;

/* Commands over control.sock, one JSON frame each, answered by {"ok": true} or {"ok": false,
 * "error": "..", "hint": ".."} (an "id" in the command comes back in its reply):
 *   {"cmd": "hello", "by": "anna", "tty": "pts/3", "watch": false}   -> + "seq", "run"
 *        ("quiet": true: no run.attach and run.detach in the journal, for one-line clients)
 *   {"cmd": "answer", "gate": 12, "seq": 207, "answer": "y", "text": "pgdata13"}
 *        answer is a choice's key (or label); seq: what the sender has read, may be left out
 *   {"cmd": "tick", "step": "last_look", "item": 0, "ticked": true}
 *   {"cmd": "secret", "gate": 3, "value": ".."}            (never journaled)
 *   {"cmd": "pause"} {"cmd": "continue"} {"cmd": "abort", "run": "p42"}
 *   {"cmd": "jobs", "delta": 1}  -> "jobs", "message"  (workers of the running step; -1: fewer)
 *   {"cmd": "rollback", "to": "step id or empty"} {"cmd": "note", "text": ".."}
 *   {"cmd": "status"}            -> "step", "running", "gate", "gate_kind", "paused"
 *   {"cmd": "bye"}
 * After hello the engine also sends {"seq": n} whenever it appended up to n. Which kinds of gate
 * there are, and what each may be answered, stands in journal/ask.h; n is "not now": the run pauses
 * until "continue". A pause that meets a gate which waits for a time ends the engine
 * (ENGINE_PAUSED). */
