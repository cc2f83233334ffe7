/* fake_kinds.h: step kinds with the shape of the real ones, for tests of this room alone. */
#pragma once

#include "runbook/runbook.h"

extern const KindSpec *const fake_kinds[];

/* Loads a text as "t.yaml"; its problems as lines, malloc()ed ("" when there are none). */
char *load_and_tell(const char *text, Runbook **ret);
/* A whole runbook around the given steps (two spaces deeper than `steps:`). */
char *with_steps(const char *steps);
