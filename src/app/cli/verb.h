/* verb.h: one verb of the command line, in one file.
 *
 * A verb parses its own words and returns an exit code of the one table (pgsherpa(1), and the last
 * lines of `pgsherpa --help`): 0 done, 1 the answer is no, 2 usage, 3 refused before the start,
 * 4 could not look, 130 cancelled. Everything it prints for people goes to stdout, errors to
 * stderr by verb_fail(). */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "journal/run_view.h"

enum ExitCode {
        EXIT_DONE = 0,
        EXIT_NO = 1,
        EXIT_USAGE = 2,
        EXIT_REFUSED = 3,
        EXIT_UNKNOWN = 4,
        EXIT_CANCELLED = 130,
};

typedef struct Verb {
        const char *name, *args, *summary;
        int (*run)(int argc, char **argv); /* argv[0] is the verb */
} Verb;

extern const Verb *const verbs[]; /* in the order of the help text; ends with NULL */

/* Prints the error and its hint to stderr, returns `code`. */
int verb_fail(Err *err, int code) NONNULL;
/* "pgsherpa run: unknown option --foo", EXIT_USAGE. */
int verb_usage(const char *verb, const char *fmt, ...) PRINTF(2, 3);
/* A line for each form of the verb; only those that begin with `word`, if any does; NULL: all. */
void usage_print(FILE *to, const Verb *v, const char *word);
/* The code an error of this kind deserves. */
int verb_code(const Err *err) NONNULL;
/* The same for work on servers: `before` it began, all but a cancellation is EXIT_UNKNOWN; after
 * that the link's end is, and everything else is EXIT_NO. */
int verb_work_code(const Err *err, bool before) NONNULL;
/* Of a bundle that did not open: damage is EXIT_NO, a file that cannot be read EXIT_UNKNOWN. */
int verb_bundle_code(const char *path, const Err *err) NONNULL;
/* What `status` exits with: 0 done, 10 running, 11 waiting for a person, 12 failed. */
int verb_run_status(const RunView *v, bool alive) NONNULL;
