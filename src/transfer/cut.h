/* cut.h: where a big table can be cut, and whether it is worth it.
 *
 * Before 14 a server reads the whole table for every range of ctid; there, ranges of a unique
 * integer key are read through its index, which is no slower as long as the rows lie in the
 * order of the key. TOAST counts in the size, not in the blocks: a table of a thousand long
 * documents has few blocks and is cut all the same. */
#pragma once

#include "transfer/part.h"

typedef struct Content Content;

/* Learns of the big tables what parts_plan() needs. */
bool cuts_read(Pg *from, Arena *a, Content *c, Err *err) MUST_CHECK;

/* Into how many parts a table of `size` bytes is cut; 1: not at all. Pure. */
int cut_count(int64_t size, int64_t work, int jobs);
