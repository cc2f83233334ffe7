/* loc.h: where something is written. */
#pragma once

typedef struct Loc {
        const char *file;
        int line, col; /* from 1 */
} Loc;
