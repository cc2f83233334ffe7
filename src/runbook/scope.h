/* scope.h: the names an expression or a ${...} can see.
 *
 * All borrowed. `planning` is set before the first effect: a fact that is not known yet then
 * reads as the text ‹facts.src.size›, so that the plan can show where a value will come
 * from; in a real run the same name is an error. */
#pragma once

#include "base/jsonx.h"

typedef struct Scope {
        const json_t *vars;
        const json_t *facts;   /* {"src": {"size": 123, ...}, "inventory": {"gitea": {...}}} */
        const json_t *run;     /* {"id": "p42-1a2b", "dir": "...", "started": "...", "mark"} */
        const json_t *item;    /* of foreach, or NULL */
        const json_t *result;  /* in expect and capture only */
        const json_t *targets; /* {"stack": {"kind": "compose", "dir": ..., "config_files"}} */
        bool planning;
} Scope;
