/* dry.h: the steps that come after the running one, each tried with its kind's dry() (dry.c).
 *
 * For StepHost: engine.c hands them to whoever makes contexts. They run in the thread of the step
 * that tries. */
#pragma once

#include "engine/record/record.h"

/* How many later steps there are. */
size_t dry_begin(void *engine);
bool dry_try(void *engine, StepCtx *ctx, size_t i, json_t **ret, Err *err);
void dry_end(Engine *e);
