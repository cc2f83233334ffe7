/* diff.h: two versions of a small text file, as `diff -u` would show them.
 *
 * For the screen and the log: lines are cleaned. Also counts, so that an editor can prove that
 * it changed one line and not two. */
#pragma once

#include "base/base.h"

typedef struct DiffCount {
        int removed, added;
} DiffCount;

/* Unified diff with 3 lines of context; "" when both are equal. malloc()ed. `count` may be
 * NULL. */
char *diff_unified(const char *name, const char *before, size_t before_len, const char *after,
                   size_t after_len, DiffCount *count) MUST_CHECK;
