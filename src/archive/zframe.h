/* zframe.h: one member, one zstd frame, with a checksum.
 *
 * libarchive 3.6.2 and pg_dump write frames without one, and of 200 flipped bits some 180
 * came out as wrong SQL without a word. Ours carry XXH64 and a window of at most 27 bits, so
 * that a plain `zstd -d` opens them; frames laid end to end are one stream for it too.
 *
 *      Zstd *z = zstd_new(3);
 *      zstd_add(z, row, n);  ...  zstd_finish(z, &bytes, &len);   // borrowed until zstd_reset()
 */
#pragma once

#include "base/err.h"

typedef struct Zstd Zstd; /* compresses into memory */

Zstd *zstd_new(int level) MUST_CHECK;
bool zstd_add(Zstd *z, const void *bytes, size_t n, Err *err) MUST_CHECK;
/* Ends the frame. The bytes are borrowed until zstd_reset(). */
bool zstd_finish(Zstd *z, const void **ret, size_t *ret_len, Err *err) MUST_CHECK;
/* Compressed bytes so far: what is still inside the compressor is not counted. */
size_t zstd_size(const Zstd *z);
void zstd_reset(Zstd *z); /* ready for the next frame, memory kept */
Zstd *zstd_free(Zstd *z);

typedef struct Unzstd Unzstd; /* decompresses a stream of frames */
/* `max_plain`: more than this is refused (a bomb). */
Unzstd *unzstd_new(int64_t max_plain) MUST_CHECK;
/* Feeds bytes; `sink` gets what comes out, piece by piece. */
bool unzstd_add(Unzstd *u, const void *bytes, size_t n,
                bool (*sink)(void *arg, const void *bytes, size_t n, Err *err), void *arg,
                Err *err) MUST_CHECK;
/* True when the last frame was complete: a stream cut in the middle is an error. */
bool unzstd_finish(Unzstd *u, Err *err) MUST_CHECK;
Unzstd *unzstd_free(Unzstd *u);

static inline void zstd_freep(Zstd **z)
{
        *z = zstd_free(*z);
}
static inline void unzstd_freep(Unzstd **u)
{
        *u = unzstd_free(*u);
}
#define AUTO_ZSTD   CLEANUP(zstd_freep) Zstd *
#define AUTO_UNZSTD CLEANUP(unzstd_freep) Unzstd *
