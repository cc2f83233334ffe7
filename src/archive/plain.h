/* plain.h: the bytes of a file, whatever it is packed in.
 *
 *      PlainIn *in = plain_in_new(fd);
 *      while (plain_in_read(in, piece, sizeof piece, &n, err) && n > 0)
 *              ...                     // n is 0 at the end
 *
 * What it is packed in is read off its first bytes, never off its name: gzip, zstd, xz, bzip2,
 * lz4, a zip of one file, a tar of one dump (packed.h), or nothing. Several members laid end to end
 * are one stream, as gzip and zstd themselves have it. The end is a claim that was checked: a
 * member that stops in the middle, a sum that is wrong and bytes behind the last member are errors
 * (libarchive's gzip filter checks no sum: "TODO: Verify the length and CRC",
 * archive_read_support_filter_gzip.c; so this is zlib). A zstd frame has a sum only when its writer
 * wanted one: `zstd` does, pg_dump -Z zstd does not. */
#pragma once

#include "base/err.h"

typedef enum PlainPacking { PLAIN_AS_IT_IS, PLAIN_GZIP, PLAIN_ZSTD, PLAIN_OTHER } PlainPacking;

typedef struct PlainIn PlainIn;
/* Reads from the descriptor's position; the descriptor stays the caller's. */
PlainIn *plain_in_new(int fd) MUST_CHECK;
bool plain_in_read(PlainIn *in, void *bytes, size_t n, size_t *ret_n, Err *err) MUST_CHECK;
/* Bytes of the file (not of what is in it) that were used up. */
int64_t plain_in_position(const PlainIn *in);
/* Known after the first read. */
PlainPacking plain_in_packing(const PlainIn *in);
PlainIn *plain_in_free(PlainIn *in);

static inline void plain_in_freep(PlainIn **in)
{
        *in = plain_in_free(*in);
}
#define AUTO_PLAININ CLEANUP(plain_in_freep) PlainIn *
