/* docker.h: how a step calls Docker: cancelled with the step, its commands and their lines in the
 * step's log; and the Compose project it works on. */
#pragma once

#include "engine/step_ctx.h"
#include "host/compose.h"
#include "host/docker.h"

/* Commands cancelled with the step, their lines in its log. */
HostCall kit_call(StepCtx *ctx);
/* The same, quiet. */
HostCall kit_look(StepCtx *ctx);
/* The Compose project of the step's `on:`. */
bool kit_project(StepCtx *ctx, Compose **ret, Err *err) MUST_CHECK;
/* A parameter that is a list of texts; an item that is a map counts by its `name`. Borrowed
 * text, new array. */
json_t *kit_names(StepCtx *ctx, const char *param);
/* "docker compose -p PROJECT <verb words..>" as plan line; the project may not be known yet. */
void kit_plan_compose(StepCtx *ctx, bool undo, const char *fmt, ...) PRINTF(3, 4);
