/* rowwalk.h: counts and hashes the rows of a COPY stream, in bounded memory.
 *
 *      RowWalk w = rowwalk_init(binary, seed);
 *      for each piece:  if (!rowwalk_add(&w, bytes, n)) ...    // not COPY data
 *      if (rowwalk_whole(&w))  w.rows, w.hash
 *
 * A row longer than ROWWALK_KEEP is counted and not hashed (row_hash() wants it whole): `unhashed`
 * says how many there were. One walk may go over several members, laid end to end. */
#pragma once

#include "base/copyrow.h"

#define ROWWALK_KEEP ((size_t)16 << 20)

typedef struct RowWalk {
        RowCut cut;
        Buf row; /* begun, not whole yet */
        int64_t rows, unhashed;
        uint64_t seed, hash; /* sum of row_hash() */
        /* binary: the first bytes came; they were a header; the trailer came */
        bool begun, header, over;
        bool skipping; /* in a row that is too long to be kept */
        int64_t ahead; /* binary: bytes of it before its next length */
        char length[4];
        size_t have; /* of the length */
} RowWalk;

RowWalk rowwalk_init(bool binary, uint64_t seed);
bool rowwalk_add(RowWalk *w, const void *bytes, size_t n) MUST_CHECK;
/* No row is begun and not ended. */
bool rowwalk_whole(const RowWalk *w);
void rowwalk_done(RowWalk *w);
