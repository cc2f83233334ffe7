/* options.h: the options several verbs share, read in one place.
 *
 *      --var NAME=VALUE       an answer to a question of the runbook
 *      --answer ID=VALUE      a decision, answered beforehand
 *      --secret NAME=file:P   a secret from the first line of a 0600 file
 *      --plain --json --watch --theme NAME --yes --answers-from FILE
 *      --detach               start without watching
 *
 * Words that are no options are left in `words`. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"
#include "ui/ui.h"

typedef struct Options {
        json_t *vars;            /* object: strings as typed */
        json_t *decisions;       /* object */
        const char *secrets[32]; /* "pg=file:/path", NULL-terminated */
        size_t n_secrets;
        const char **words; /* NULL after the last */
        size_t n_words;
        const char *format, *runbook_dir;
        bool deep, detach;
        UiOptions ui;
} Options;

bool options_read(Options *o, int argc, char **argv, Err *err) MUST_CHECK;
/* Of a verb whose word is a run; without one it is the latest. 0, or the exit code of an error that
 * was printed. */
int options_read_run(Options *o, int argc, char **argv, char **ret_dir) MUST_CHECK;
void options_done(Options *o) NONNULL;
#define AUTO_OPTIONS CLEANUP(options_done) Options
