/* suggest.h: answers the wizard already knows.
 *
 * Discovery found a server; its facts answer most questions of a journey ("which directory,
 * which service, which user"). What was found says where it was found, what was typed on the
 * command line says so, and the rest is the runbook's default. */
#pragma once

#include "runbook/runbook.h"

/* [{name, type, item, ask, default, found, choices, pattern}], one row per var that has an
 * `ask`. `server` is one of discovery's servers or NULL, `given` the --var answers. New ref. */
json_t *suggest_questions(const Runbook *rb, const json_t *server, const json_t *given) MUST_CHECK;
