/* project.h: from a target of kind compose to its Compose project.
 *
 *      AUTO_COMPOSE c = NULL;
 *      if (!place_project(step_target(ctx), &c, err)) ... */
#pragma once

#include "engine/target.h"
#include "host/compose.h"

/* ERR_USER when `t` is NULL or no Compose project. The caller closes it. */
bool place_project(const Target *t, Compose **ret, Err *err) MUST_CHECK;
