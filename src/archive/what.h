/* what.h: what a file is, by its first bytes; never by its name.
 *
 * For errors that say what somebody really has in hand, instead of "damaged". Magic numbers: RFC
 * 1952 (gzip), RFC 8878 (zstd), the xz and LZ4 frame formats, bzip2, PKWARE's APPNOTE (zip),
 * 7zFormat.txt. */
#pragma once

#include "base/base.h"

typedef enum Packing {
        PACKED_NOT,
        PACKED_GZIP,
        PACKED_ZSTD,
        PACKED_XZ,
        PACKED_BZIP2,
        PACKED_LZ4,
        PACKED_ZIP,
        PACKED_7ZIP,
} Packing;

/* Four bytes are enough. pzstd begins with a frame of its own sizes, which is zstd, too. */
Packing packing_of(const void *first, size_t n);
/* "gzip"; how to take it off: "gunzip". Static. */
const char *packing_name(Packing p);
const char *packing_tool(Packing p);
/* Does a tar begin here? */
bool is_tar(const void *first, size_t n);
/* The name of its first file, directories and headers of names passed over, malloc()ed; NULL: not
 * in these bytes. *ret_at (may be NULL): where its content begins. */
char *tar_first_file(const void *first, size_t n, size_t *ret_at);
/* A tar whose first file is a dump of PostgreSQL's. Not one of pg_dump -Ft, nor a bundle, whose
 * files lie in directories and which nobody packs (`packed`: this one was). */
bool tar_of_a_dump(const void *first, size_t n, bool packed);
