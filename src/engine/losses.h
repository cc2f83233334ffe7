/* losses.h: what a rollback would lose, counted (losses.c). */
#pragma once

#include "engine/internal.h"

/* Appends to `lines` what was written since the last pg.writes step, as the server counts it, and
 * what that means for the way back to `to` (a step, or NULL: whole). *ret_word is what must be
 * typed when something was written or nobody can tell ("lose 12 rows"), else NULL; malloc()ed.
 * False when the way back does not pass such a step: nothing was appended. */
bool losses_tell(Engine *e, const PlanStep *to, json_t *lines, char **ret_word);
