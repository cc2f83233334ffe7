/* image_next.h: which image has the next major of PostgreSQL, as far as a name can say it.
 *
 *      postgres:13.5-bookworm          18   postgres:18-bookworm       the flavour stays, and with
 * it the libc pgvector/pgvector:pg16          18   pgvector/pgvector:pg18
 *      timescale/timescaledb:latest-pg16    timescale/timescaledb:latest-pg18
 *      postgres:13.5@sha256:..         18   postgres:18                and it is said that the
 * digest went postgis/postgis:16-3.4          18   nobody knows: 3.4 is another version, which must
 * fit
 *
 * A tag is words between hyphens and underscores. One of them is the major the server has; when no
 * other has a digit in it, that one is replaced. What is left is asked for, never made up. */
#pragma once

#include "base/base.h"

typedef struct ImageNext {
        char *image; /* NULL: a person has to say */
        char *words; /* what was left out, or why nobody knows; NULL: nothing to say */
} ImageNext;

/* `from`: the major it has now; 0: not known, any of the table's is taken for it. */
void image_next(const char *image, int from, int to, ImageNext *ret) NONNULL;
void image_next_done(ImageNext *n) NONNULL;
