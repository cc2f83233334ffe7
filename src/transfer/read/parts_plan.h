/* parts_plan.h: where a big table can be cut, and whether it is worth it.
 *
 * Before 14 a server reads the whole table for every range of ctid; there, ranges of a unique
 * integer key are read through its index, which is no slower as long as the rows lie in the
 * order of the key. TOAST counts in the size, not in the blocks: a table of a thousand long
 * documents has few blocks and is cut all the same. */
#pragma once

#include "base/arena.h"
#include "bundle/bundle.h"
#include "pg/conn.h"
#include "transfer/choose/content.h"

/* A table, or a piece of one. */
typedef struct Part {
        Table *table;
        int64_t first, end;  /* of the source: see parts_plan(); 0 and -1: all */
        int index, of;       /* this is part `index` (from 0) of `of` */
        int64_t rows, bytes; /* as read; bytes of COPY data */
        uint64_t hash;       /* of the rows, see rowhash.h */
        int members;         /* written to the bundle */
} Part;

/* Learns of the big tables what parts_plan() needs. */
bool parts_read_bounds(Pg *from, Arena *a, Content *c, Err *err) MUST_CHECK;

/* Into how many parts a table of `size` bytes is cut; 1: not at all. Pure. */
int parts_count(int64_t size, int64_t work, int jobs);

/* How a table is cut for `jobs` workers, when `work` bytes are to be moved and indexed in all.
 * Parts live in the arena, in the order of the rows. At least one. */
size_t parts_plan(Table *t, int64_t work, int jobs, Arena *a, Part **ret);
/* The same for the members of a bundle; `record` is the table's in the manifest. */
size_t parts_plan_stored(Table *t, const Bundle *b, const json_t *record, int64_t work, int jobs,
                         Arena *a, Part **ret);
