/* textsearch.h: words for text search that another major makes otherwise.
 *
 * to_tsvector('german', 'Bildhauerin') is 'bildhauerin' up to 17 and 'bildhau' since 18: PostgreSQL takes
 * a new Snowball into a major now and then. What is computed on the target (generated columns, indexes,
 * materialized views) has its words then; a tsvector kept as data has those of before, and a search for
 * the same word misses the row without an error. docs/text-search.md has the figures. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"

/* A language of Snowball, the major that changed it, and a word that shows it. */
typedef struct StemmerChange {
        const char *language, *word;
        int         since;
} StemmerChange;
extern const StemmerChange textsearch_changes[];        /* ends with {0} */

/* Appends to `found`, as direction.h says: columns, indexes and views that the change of major touches, each
 * with what to do after the move. Inside a transaction of the source. */
bool textsearch_check(Pg *source, int target_major, json_t *found, Err *err) MUST_CHECK;
