/* copy_subset.h: a copy of chosen tables and schemas. */
#pragma once

#include "dumps/toc.h"
#include "transfer/choose/content.h"
#include "transfer/transfer.h"

/* Cuts the archive, its table of contents and the content down to what `c` names and what that
 * needs (subset.h). What was left out is said. *ret_words: for the manifest, {"tables": [..],
 * "schemas": [..], "left_out": [..]}. */
bool copy_subset_apply(Transfer *t, const TransferCopy *c, Arena *a, Buf *archive, Toc *toc,
                       Content *content, json_t **ret_words, Err *err) MUST_CHECK;
