/* world.h: what a run uses of the world: targets that are who they claim to be, secrets, locks,
 * and what its steps found.
 *
 *      targets.c    from a name in the runbook to a target; who answers there
 *      secrets.c    where a secret comes from, once per run
 *      locks.c      one run per target; children that outlive us
 *      facts.c      captured results, and what steps remember, small or in a file
 */
#pragma once

#include "engine/desk/desk.h"

/* In engine_init() and engine_done(). world_free() lets go of locks and wipes the secrets. */
void world_new(Engine *e);
void world_free(Engine *e);

/* ---- targets.c ---- */
const Target *targets_use(Engine *e, Arena *a, const json_t *spec, const json_t *item, Err *err);
/* For a dry(): what cannot be known yet is ‹..› in its spec, and nobody is asked who it is; a
 * password that cannot be had is left out. targets_now(): who answers there, and is it who it is to
 * be? */
const Target *targets_dry(Engine *e, Arena *a, const json_t *spec, const json_t *item, Err *err);
TargetNow targets_now(Engine *e, const Target *t, Err *why);
bool targets_look_up(Engine *e, Err *err); /* compose projects and the like */

/* ---- secrets.c ---- */
const Secret *secrets_get(Engine *e, const char *name, const json_t *item, Err *err);
/* Asks at the keyboard for what `tree` names ({"$secret": ..}) and nobody knows yet. */
bool secrets_prepare(Engine *e, const json_t *tree, const json_t *item, Err *err) MUST_CHECK;
/* A server refused a password: what was typed is asked for anew. The old values stay in memory
 * until the run ends, for they are still kept out of every output. */
void secrets_forget_typed(Engine *e);

/* ---- locks.c ---- */
bool locks_take_all(Engine *e, Err *err) MUST_CHECK;
bool locks_take(Engine *e, const Target *t, Err *err) MUST_CHECK;
int locks_alive(Engine *e, const char *step, int attempt); /* descriptor, or -1 */
/* True while some descendant of that attempt still lives. */
bool locks_alive_held(Engine *e, const char *step, int attempt);
void locks_alive_stop(Engine *e, const char *step, int attempt);

/* ---- facts.c ---- */
bool facts_load(Engine *e, Err *err) MUST_CHECK;
bool facts_capture(Engine *e, const PlanStep *p, const json_t *results, Err *err) MUST_CHECK;
/* Who answered as that target when it was first seen. */
bool facts_pin(Engine *e, const char *target, const json_t *who, Err *err) MUST_CHECK;
bool facts_remembered(Engine *e, const StepRec *r, json_t **ret, Err *err) MUST_CHECK;
