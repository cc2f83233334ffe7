/* argv.h: a command as a vector, never as text.
 *
 *      AUTO_ARGV a = {0};
 *      argv_add(&a, "docker");
 *      argv_add(&a, "pull");
 *      argv_add(&a, "--");
 *      argv_add(&a, image);
 *
 * There is no function that takes a shell string. argv_for_humans() quotes for reading (and
 * pasting into a shell), with secrets hidden; nothing is ever run from that text. */
#pragma once

#include "base/base.h"

typedef struct Argv {
        char **v; /* NULL-terminated once anything was added */
        size_t n, capacity;
} Argv;

void argv_add(Argv *a, const char *word) NONNULL;
void argv_addf(Argv *a, const char *fmt, ...) PRINTF(2, 3);
void argv_add_all(Argv *a, const char *const *words); /* NULL-terminated */
void argv_done(Argv *a) NONNULL;
char *argv_for_humans(const Argv *a) MUST_CHECK NONNULL;

#define AUTO_ARGV CLEANUP(argv_done) Argv
