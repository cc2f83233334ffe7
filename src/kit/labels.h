/* labels.h: whose a container or volume is: our own things carry the run's name, others are
 * somebody's. */
#pragma once

#include "engine/step_ctx.h"

#define LABEL_RUN  "pgsherpa.run"
#define LABEL_STEP "pgsherpa.step"
bool kit_is_ours(StepCtx *ctx, const json_t *labels); /* of this run and this step */

/* Name of a volume's other running users ("" when there are none), malloc()ed. */
bool kit_volume_users(StepCtx *ctx, const char *volume, bool running_only,
                      const char *except_container, char **ret, Err *err) MUST_CHECK;
