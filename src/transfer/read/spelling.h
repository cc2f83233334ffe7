/* spelling.h: rows read back as the major printed them that wrote a bundle.
 *
 * A bundle's hash is of COPY's text where rows went as text, and 19 prints every pg_lsn with eight
 * digits behind the slash (0/016B3748), where 18 printed as few as there are (0/16B3748). So
 * whoever holds a restored table against the manifest asks the server for the other spelling: of
 * columns that are pg_lsn, or hold one in an array, a range or a composite. */
#pragma once

#include "base/arena.h"
#include "pg/conn.h"
#include "transfer/choose/content.h"

/* Sets .before and .after of the tables' columns where `written_by` prints otherwise than this
 * server. */
bool spelling_of(Pg *pg, int written_by, Content *c, Arena *a, Err *err) MUST_CHECK;
/* "17.6" of the manifest's server -> 17; 0: not known. */
int spelling_major(const json_t *manifest);
