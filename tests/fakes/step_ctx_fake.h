/* step_ctx_fake.h: a step's surroundings without an engine.
 *
 *      FakeStep f = fake_step(&step_pg_sql, "{\"sql\": \"select 1\"}");
 *      fake_on(&f, json_pack(...));            // the target of `on:`
 *      cr_assert(fake_run(&f, &err));
 *      jx_int(f.results, "rows", 0);
 *      fake_step_done(&f);
 *
 * Defaults of the kind's ParamSpec rows are filled in. What was remembered lives on in
 * f.remembered, so a crash is: run, forget f.results, probe. */
#pragma once

#include "engine/step_ctx.h"

struct StepCtx {
        const StepKind *kind;
        json_t *params, *results, *remembered, *targets;
        json_t *problems, *plan, *undo_plan, *said;
        Arena  *arena;
        Target  on;
        bool    has_on;
        const Secret *password;         /* of every target */
        Secret *secret;                 /* the only one a parameter can name */
        char   *report;
        char   *dir;
        volatile bool cancelled;
        bool    refuse_remember;        /* the disk is full: nothing may happen after this */
        int     remembers;
        const char *id, *run_id;        /* NULL: "fake", "p0-fake"                           */
        const json_t *steps;            /* id -> what that step remembered, or NULL          */
        const char *kept_dir;           /* instead of dir: outlives this, for an undo later  */
};
typedef struct StepCtx FakeStep;

FakeStep fake_step(const StepKind *kind, const char *params);
void     fake_target(FakeStep *f, const char *name, json_t *stolen);
/* `on:` names a target given before. */
void     fake_on(FakeStep *f, const char *name);
bool     fake_run(FakeStep *f, Err *err);
Found    fake_probe(FakeStep *f);
bool     fake_undo(FakeStep *f, Err *err);
void     fake_step_done(FakeStep *f);
