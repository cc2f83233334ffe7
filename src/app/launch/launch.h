/* launch.h: from an accepted plan to a running engine of its own.
 *
 * A run directory is made, the exact bytes that were accepted are put into it (runbook.yaml,
 * its parts/, plan.json, answers.json), and `pgsherpa __engine DIR` is started in a session of its
 * own. Secrets never pass here: the engine reads them where the runbook says, or asks. */
#pragma once

#include "app/launch/journeys.h"

typedef struct Launch {
        const Journey *journey;
        const json_t *answers;      /* as given: {"dir": ..} */
        const json_t *decisions;    /* answered beforehand */
        const char *const *secrets; /* "pg=file:/path", NULL-terminated, or NULL */
} Launch;

bool launch_new(const Launch *l, char **ret_run_dir, Err *err) MUST_CHECK;
/* Loads and plans the runbook at `path` first (l->journey is ignored). A plan that is not the one
 * with `plan_sha256` (may be NULL: any) is refused. The first problem of the file or of an
 * answer becomes the error. */
bool launch_path(const char *path, const Launch *l, const char *plan_sha256, char **ret_run_dir,
                 Err *err) MUST_CHECK;
/* On an existing run directory whose engine is gone. */
bool launch_resume(const char *run_dir, const char *const *secrets, Err *err) MUST_CHECK;
/* The same, but it goes back instead of on; also for a run that is closed, as long as there is a
 * way back. */
bool launch_rollback(const char *run_dir, const char *const *secrets, Err *err) MUST_CHECK;
/* plan.json for a journey: plan() of every kind filled in. */
bool launch_plan(const Journey *j, const json_t *decisions, json_t **ret, Err *err) MUST_CHECK;
