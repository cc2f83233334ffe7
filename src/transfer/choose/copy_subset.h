/* copy_subset.h: a copy of chosen tables and schemas. */
#pragma once

#include "dumps/toc.h"
#include "transfer/choose/content.h"
#include "transfer/transfer.h"

/* What is cut down: all three say the same database. */
typedef struct CopySubset {
        Buf *archive; /* its schema, as pg_dump -Fc wrote it */
        Toc *toc;     /* of the archive */
        Content *content;
} CopySubset;

/* Cuts it down to what `c` names and what that needs (subset.h). What was left out is said.
 * *ret_words: for the manifest, {"tables": [..], "schemas": [..], "left_out": [..]}. */
bool copy_subset_apply(Transfer *t, const TransferCopy *c, Arena *a, const CopySubset *s,
                       json_t **ret_words, Err *err) MUST_CHECK;
