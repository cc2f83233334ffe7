/* fence.h: closing the fence of a phase (fence.c). */
#pragma once

#include "engine/internal.h"

/* After every step of a fenced phase; closes what nothing later in the phase needs. */
bool fence_after(Engine *e, const PlanStep *p, bool last_of_phase, Err *err) MUST_CHECK;
