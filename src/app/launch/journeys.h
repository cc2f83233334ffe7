/* journeys.h: finding, loading and planning runbooks by name or path. */
#pragma once

#include "base/err.h"
#include "runbook/plan.h"

/* The step kinds as the runbook room wants to see them; static storage. */
KindTable journeys_kinds(void);

/* "compose-upgrade" or a path with a slash or .yaml -> path; the error lists what there is. */
bool journeys_find(const char *name, char **ret_path, Err *err) MUST_CHECK;

/* The directories of shipped parts; ends with NULL, static storage. */
const char *const *journeys_part_dirs(void);
/* runbook_load() with the kinds and parts there are. */
Runbook *journeys_load(const char *path, Problems *problems, Err *err) MUST_CHECK;

/* A journey ready to be planned or run: everything owned by it. */
typedef struct Journey {
        Runbook *runbook;
        json_t *vars;
        Plan *plan;
} Journey;

/* Loads and plans. Problems (of the file or of the answers) go to `problems` and give false
 * with a clean *err; *err is for what could not even be read. */
bool journey_open(const char *path, const json_t *answers, Journey *ret, Problems *problems,
                  Err *err) MUST_CHECK;
void journey_done(Journey *j) NONNULL;
#define AUTO_JOURNEY CLEANUP(journey_done) Journey

/* "file:12:5: E-TYPE: ..." one per line to stderr. */
void problems_print(const Problems *p) NONNULL;
