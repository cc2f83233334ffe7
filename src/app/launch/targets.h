/* targets.h: the engine's questions about servers and projects, answered with libpq and Docker. */
#pragma once

#include "engine/target.h"

TargetOps targets_ops(void);
