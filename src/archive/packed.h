/* packed.h: the one file in an xz, bzip2, lz4, zip or tar. Inside the archive room; by libarchive.
 *
 * A container of several files is refused with their names: which of them was meant, only its owner
 * knows. xz and bzip2 carry sums of what is in them and zip carries a CRC-32; libarchive checks
 * them. lz4 carries one only when its writer wanted. A tar carries none: what is around it must
 * (gzip). */
#pragma once

#include "base/err.h"

typedef struct Packed Packed;
/* `more` gives up to n bytes of the container; *ret_n 0: its end. */
typedef bool (*PackedMore)(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err);
/* `tar`: it is one, and nothing else. Nothing is read yet. */
Packed *packed_new(PackedMore more, void *arg, bool tar) MUST_CHECK;
bool packed_read(Packed *p, void *bytes, size_t n, size_t *ret_n, Err *err) MUST_CHECK;
Packed *packed_free(Packed *p);
