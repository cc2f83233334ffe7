/* plan.h: the runbook with its loops unrolled: what will really happen, in order.
 *
 * Numbers start at 1 and never change for a plan; an item of a foreach is a step of its own
 * ("stop_services.web"). foreach over vars is expanded when the plan is made. A foreach over
 * facts cannot be: it stands as one PlanStep with `late` set, and the engine expands it when
 * it gets there (items become attempts of sub ids "copy.gitea", same number).
 *
 * plan.json, written by plan_json() and completed by the engine with each kind's plan():
 *   { "runbook", "title", "version", "sha256" (of the runbook), "plan_sha256", "vars": {..},
 *     "phases": [ {"id", "title", "users_see"} .. , {"id": "cleanup", "cleanup": true} ],
 *     "steps": [ {"n", "id", "phase", "title", "why", "kind", "touches", "undo", "asks",
 *                 "hard", "cleanup", "downtime", "estimate_ms",
 *                 "commands": [..], "undo_commands": [..]} ],
 *     "decisions": [ {"id", "question", "choices", "default", "needed_before"} ],
 *     "budget_ms", "downtime_ms", "total_ms", "problems": [..] } */
#pragma once

#include "runbook/runbook.h"

typedef struct PlanStep {
        int n;
        const char *id;    /* "restore" or "stop_services.web" */
        const char *phase; /* id, or "cleanup" */
        const char *title; /* ${...} resolved as far as known */
        const Step *def;
        const Phase *in; /* NULL for cleanup */
        json_t *item;    /* of foreach, or NULL */
        bool late;       /* foreach over facts */
        bool first_of_loop, cleanup, asks, hard;
        const char *touches; /* "nothing" "old" "files" ... one word or two */
        const char *undo;    /* "yes", "–", "NO", "yes, until start_services" */
} PlanStep;

typedef struct Plan {
        Arena *arena;
        const Runbook *rb; /* borrowed */
        json_t *vars;
        PlanStep *steps;
        size_t n;
        char sha256[65];
} Plan;

Plan *plan_new(const Runbook *rb, const json_t *vars, const Scope *scope, Err *err) MUST_CHECK;
Plan *plan_free(Plan *p);
json_t *plan_json(const Plan *p) MUST_CHECK;
const PlanStep *plan_find(const Plan *p, const char *id);
/* Ids are keys of the journal and names of files: of an item's name only letters, digits, _ and -
 * are left, at most as long as a name may be. Arena. */
const char *plan_item_id(Arena *a, const char *name);
