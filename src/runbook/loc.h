/* loc.h: where something is written. */
#pragma once

typedef struct Loc {
        const char *file;
        int line, col; /* from 1 */
} Loc;

/* A part of a runbook (parts.h) is text of another file, once for each `use:` of it: `file` is the
 * very pointer that Locs of this one use hold, `at` where the `use:` stands. */
typedef struct LocUse {
        const char *file;
        Loc at;
        int order; /* from 1, as the file was read */
        const struct LocUse *next;
} LocUse;
