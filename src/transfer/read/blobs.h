/* blobs.h: the pages of large objects, on their way into a server; what they add up to. */
#pragma once

#include "transfer/read/part.h"

#define BLOB_STATEMENTS 500 /* that lock one object each, in one transaction */

/* Where pages go. A page holds a quarter of a block of the server that wrote it (LOBLKSIZE): its
 * number says where in the object it stands only together with that. */
typedef struct BlobPages {
        Pg *to;
        bool direct;  /* to where they live, as pg_upgrade puts them; else
                         through a temporary table */
        int64_t page; /* bytes of a whole one */
} BlobPages;

/* Of this server, in bytes. */
bool blobs_block_size(Pg *pg, int64_t *ret, Err *err) MUST_CHECK;
/* `block`: of the server the pages come from; 0: not known, it is taken for the target's own. */
bool blob_pages_way(Pg *to, int64_t block, BlobPages *ret, Err *err) MUST_CHECK;
bool blob_pages_begin(const BlobPages *p, Err *err) MUST_CHECK;
/* `want`: rows that were written since; the target must have taken as many. */
bool blob_pages_end(const BlobPages *p, int64_t want, Err *err) MUST_CHECK;

/* What all pages are, whatever their order: their number, and the sum of the hashes of their COPY
 * text. */
typedef struct BlobSums {
        int64_t pages;
        uint64_t hash;
} BlobSums;
/* `record`: what a manifest says of a database's large objects. */
bool blobs_as_recorded(const BlobSums *s, const json_t *record) MUST_CHECK;
/* Of all that are in this database; `seed` of row_hash(). *ret_why_not: they cannot be held against
 * the record, and nothing was read; static text. NULL: they can. */
bool blobs_sums(Pg *pg, uint64_t seed, const json_t *record, BlobSums *ret,
                const char **ret_why_not, Err *err) MUST_CHECK;

typedef struct Content Content;
bool blobs_copy(const PartSink *s, Pg *from, Content *c, json_t *ret_record, Err *err);
