/* step_ctx.h: everything a step kind can see and say.
 *
 *      static bool run(StepCtx *ctx, void *state, Err *err)
 *      {
 *              const char *image = step_str(ctx, "image");
 *              step_say(ctx, "pulling %s", image);
 *              ...
 *              step_result_str(ctx, "digest", digest);
 *              step_report(ctx, "%s, %s", image, fmt_bytes(size, buf));
 *              return true;
 *      }
 *
 * Parameters are resolved and typed before any of the kind's functions is called, and live
 * as long as the attempt. All text given to step_say, step_report, step_problem .. is cleaned
 * and redacted by the callee. Thread rule: one step runs at a time, in a thread of its own;
 * step_progress, step_say and step_cancelled may be called from worker threads too. */
#pragma once

#include "base/arena.h"
#include "base/jsonx.h"
#include "base/progress.h"
#include "base/secret.h"
#include "engine/step.h"
#include "engine/target.h"

/* ---- what it was asked to do ---- */
const char *step_str(StepCtx *ctx, const char *param); /* "" when absent */
int64_t step_int(StepCtx *ctx, const char *param);     /* also size, duration (ms) */
bool step_bool(StepCtx *ctx, const char *param);
const json_t *step_get(StepCtx *ctx, const char *param); /* borrowed, or NULL */
const Secret *step_secret(StepCtx *ctx, const char *param, Err *err);
/* A value as a person would read it, placeholders included; for plan(). Arena memory. */
const char *step_words(StepCtx *ctx, const char *param);
/* The step's `on:`; NULL when it has none. */
const Target *step_target(StepCtx *ctx);
/* A target given as a parameter ("old", or a map). NULL with *err when there is none. */
const Target *step_param_target(StepCtx *ctx, const char *param, Err *err) MUST_CHECK;
const Target *step_named_target(StepCtx *ctx, const char *name, Err *err) MUST_CHECK;

/* ---- where it is ---- */
const char *step_id(StepCtx *ctx);     /* "copy", "stop_services.web" */
const char *step_run_id(StepCtx *ctx); /* "p42-1a2b": unique on this host, for labels */
const char *step_run_dir(StepCtx *ctx);
const char *step_saved_dir(StepCtx *ctx, Err *err); /* run dir/saved/<step>, made 0700 on demand */
Arena *step_arena(StepCtx *ctx);                    /* lives as long as the attempt */
int step_attempt(StepCtx *ctx);                     /* from 1 */
int64_t step_timeout_ms(StepCtx *ctx);              /* 0: none */
bool step_planning(StepCtx *ctx);

/* ---- what it says ---- */
typedef enum SayLevel { SAY_DEBUG, SAY_INFO, SAY_CMD, SAY_OK, SAY_WARN, SAY_ERROR } SayLevel;
void step_log(StepCtx *ctx, SayLevel level, const char *who, const char *fmt, ...) PRINTF(4, 5);
#define step_say(ctx, ...) step_log((ctx), SAY_INFO, "pgsherpa", __VA_ARGS__)
/* check(): one problem; the step will not start. */
void step_problem(StepCtx *ctx, const char *fmt, ...) PRINTF(2, 3);
/* plan(): one line of what would be done ("$ docker pull .." or SQL), and of the way back. */
void step_plan(StepCtx *ctx, const char *fmt, ...) PRINTF(2, 3);
void step_plan_undo(StepCtx *ctx, const char *fmt, ...) PRINTF(2, 3);
/* The numbers that belong into the log's Notes column; the last call wins. */
void step_report(StepCtx *ctx, const char *fmt, ...) PRINTF(2, 3);

/* Cheap; thinned to one a second. Of its rows at most 8 are kept. */
void step_progress(StepCtx *ctx, const Progress *p);

/* ---- what it found: for expect, capture, and the log ---- */
json_t *step_results(StepCtx *ctx); /* borrowed object, fill it */
void step_result_str(StepCtx *ctx, const char *name, const char *text);
void step_result_int(StepCtx *ctx, const char *name, int64_t n);
void step_result_bool(StepCtx *ctx, const char *name, bool flag);
void step_result_set(StepCtx *ctx, const char *name, json_t *stolen);
/* Large results (an inventory) go to a file in the run directory; returns its path. */
bool step_result_file(StepCtx *ctx, const char *name, const json_t *value, const char **ret_path,
                      Err *err) MUST_CHECK;
void step_artifact(StepCtx *ctx, const char *what, const char *path, int64_t size,
                   const char *sha256);

/* ---- what undo and probe will need ---- */
/* Merges `stolen` (an object) into what is remembered of this step and waits for the disk.
 * After this returns true the world may be changed. */
bool step_remember(StepCtx *ctx, json_t *stolen, Err *err) MUST_CHECK;
const json_t *step_remembered(StepCtx *ctx); /* object; empty when nothing was */
/* What another step remembered or resulted in (undo of a group), or NULL. */
const json_t *step_remembered_of(StepCtx *ctx, const char *step_id);

/* ---- errors that may be tolerated, by class (on_error) ---- */
/* Asks the runbook's rules about one error of many (an entry of a restore). True: tolerated,
 * counted and journaled, go on. False: stop with it. */
bool step_tolerates(StepCtx *ctx, const char *object, const Err *error);

/* ---- dry(): long before run(), when not everything is there yet ---- */
/* False: the parameter, or a part of it, names a fact that a later step finds. Then it holds
 * ‹..›. */
bool step_known(StepCtx *ctx, const char *param);
bool step_has_problems(StepCtx *ctx); /* step_problem() was called */
/* Something that cannot be seen before the run gets there, in words. */
void step_unseen(StepCtx *ctx, const char *fmt, ...) PRINTF(2, 3);
/* run() gets through, at a price that a person should know before: the bundle goes without its
 * dump. */
void step_warn(StepCtx *ctx, const char *fmt, ...) PRINTF(2, 3);
/* What will be otherwise when later steps run: ("volume", "pgdata17", WILL_COME). step_will_be():
 * what an earlier step said of it, the last word counts. Kinds agree on the words: see
 * kit/dry.h. */
typedef enum Will { WILL_STAY, WILL_COME, WILL_GO } Will;
void step_will(StepCtx *ctx, const char *what, const char *name, Will will);
Will step_will_be(StepCtx *ctx, const char *what, const char *name);
/* Is that target there now, and who it is to be? TARGET_LATER: what it is called or who it is
 * depends on a fact of a later step. TARGET_AWAY: it does not answer, or another one does. *why
 * says so. */
typedef enum TargetNow { TARGET_HERE, TARGET_LATER, TARGET_AWAY } TargetNow;
TargetNow step_target_now(StepCtx *ctx, const Target *t, Err *why) MUST_CHECK;

/* ---- the steps after this one, each tried with its kind's dry() ---- */
/* Lists them, in order, loops unrolled as far as their items are known: how many there are. */
size_t step_later_begin(StepCtx *ctx) MUST_CHECK;
/* Tries number i; after number i - 1, whose words about what will be it sees. *ret, a new
 * reference:
 * {"id", "title", "problems", "warnings", "unseen": [..], "skipped": true when it would not
 * run}. */
bool step_later_try(StepCtx *ctx, size_t i, json_t **ret, Err *err) MUST_CHECK;

/* ---- being stopped ---- */
bool step_cancelled(StepCtx *ctx);
/* Registers something to call (from another thread) when the step is to stop: PQcancel, kill.
 * Returns a handle for step_uncancel(). The function may be called more than once, and must
 * not call step_* functions itself. */
int step_on_cancel(StepCtx *ctx, void (*fn)(void *arg), void *arg);
void step_uncancel(StepCtx *ctx, int handle);
/* Registers what changes the number of workers while the step runs; fn NULL: it has none (any
 * more). Called from another thread: by `delta` more or fewer, 0 only asks. Returns how many there
 * are now, 0: none at this moment. It must not call step_* functions itself. */
void step_on_jobs(StepCtx *ctx, int (*fn)(void *arg, int delta), void *arg);
/* For proc_run(): becomes true when the step is cancelled. Never NULL. */
const volatile bool *step_cancel_flag(StepCtx *ctx);
/* Sleeps up to ms, returns early (false) when cancelled. For waiting on a server. */
bool step_sleep(StepCtx *ctx, int64_t ms);
