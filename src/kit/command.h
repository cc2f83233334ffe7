/* command.h: what exec and shell share: an operator's own command, run and recorded.
 *
 * Nobody but the operator knows whether it was done when we were killed in the middle: probe()
 * answers "ask" unless its end was recorded. */
#pragma once

#include "engine/step_ctx.h"
#include "proc/proc.h"

bool kit_command_run(StepCtx *ctx, const Argv *argv, Err *err) MUST_CHECK;
bool kit_command_probe(StepCtx *ctx, Found *ret, Err *err) MUST_CHECK;
/* Problems of `env`: names that are none, values that are no text. */
void kit_command_check_env(StepCtx *ctx);

/* `env`, `cwd` and `stdin` rows, `status` and `output` rows; the same for both. */
#define COMMAND_PARAMS                                                                             \
        { .name = "env",                                                                           \
          .type = PARAM_MAP,                                                                       \
          .fallback = "{}",                                                                        \
          .help = "variables it gets, and no others of ours" },                                    \
                { .name = "cwd",                                                                   \
                  .type = PARAM_STRING,                                                            \
                  .fallback = "",                                                                  \
                  .help = "directory it runs in" },                                                \
                { .name = "stdin",                                                                 \
                  .type = PARAM_STRING,                                                            \
                  .fallback = "",                                                                  \
                  .help = "text for its standard input" },                                         \
        {                                                                                          \
                .name = "password_stdin", .type = PARAM_SECRET, .fallback = "",                    \
                .help = "a secret for its standard input, as one line"                             \
        }
#define COMMAND_RESULTS                                                                            \
        { .name = "status", .type = PARAM_INT, .help = "its exit status" },                        \
        {                                                                                          \
                .name = "output", .type = PARAM_STRING, .help = "the end of what it wrote"         \
        }
