/* step_ctx_fake.h: a step on its own, in the engine's real surroundings but without an engine.
 *
 *      FakeStep f = fake_step(&step_pg_sql, "{\"sql\": \"select 1\"}");
 *      fake_target(&f, "on", json_pack(...));
 *      fake_on(&f, "on");                      // the target of `on:`
 *      cr_assert(fake_run(&f, &err));
 *      jx_int(f.results, "rows", 0);
 *      fake_step_done(&f);
 *
 * Every call is an attempt with a StepCtx of its own (engine/step_host.h); what it found, said
 * and remembered is kept here. Defaults of the kind's ParamSpec rows are filled in. What was
 * remembered lives on in f.remembered, so a crash is: run, forget f.results, probe. */
#pragma once

#include "engine/step_ctx.h"

typedef struct FakeStep {
        const StepKind *kind;
        json_t *params, *results, *remembered, *targets;
        json_t *problems, *unseen, *warnings, *plan, *undo_plan; /* of the last call */
        json_t *wills;          /* what dry() said will be, and is told; kept */
        const char *on;         /* name of a target, or NULL */
        const Secret *password; /* of every target */
        Secret *secret;         /* the only one a parameter can name */
        char *report, *dir;
        bool refuse_remember; /* the disk is full: nothing may happen after this */
        int remembers;
        const char *id, *run_id; /* NULL: "fake", "p0-fake" */
        const json_t *steps;     /* id -> what that step remembered, or NULL */
        const char *kept_dir;    /* instead of dir: outlives this, for an undo later */
} FakeStep;

FakeStep fake_step(const StepKind *kind, const char *params);
void fake_target(FakeStep *f, const char *name, json_t *stolen);
/* `on:` names a target given before. */
void fake_on(FakeStep *f, const char *name);
/* What the target of `on:` is, to be changed. */
json_t *fake_spec(FakeStep *f);
/* check() only; its first problem is the error. */
bool fake_check(FakeStep *f, Err *err);
/* dry(): f.problems, f.unseen, f.warnings, f.wills. */
bool fake_dry(FakeStep *f, Err *err);
/* check(), then run(). */
bool fake_run(FakeStep *f, Err *err);
bool fake_run_alone(FakeStep *f, Err *err);
bool fake_plan(FakeStep *f, Err *err);
bool fake_probe_it(FakeStep *f, Found *ret, Err *err);
Found fake_probe(FakeStep *f); /* (Found)-1: it failed */
bool fake_undo(FakeStep *f, Err *err);
/* The lines of output/<step>.log; malloc()ed. */
char *fake_said(const FakeStep *f);
void fake_step_done(FakeStep *f);
