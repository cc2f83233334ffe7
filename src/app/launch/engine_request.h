/* engine_request.h: one command to a run's engine, and its answer.
 *
 * For clients of one line: they wait, and they leave no trace of joining in the journal. */
#pragma once

#include "base/jsonx.h"

/* `command` is stolen. ERR_LINK: nobody answered; ERR_USER: the engine refused, in its words.
 * *ret_reply may be NULL. */
bool engine_request(const char *run_dir, const char *who, json_t *command, json_t **ret_reply,
                    Err *err) MUST_CHECK;
