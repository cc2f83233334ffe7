/* subset.h: a part of a database: some schemas, some tables, and what they cannot do without.
 *
 *      TransferName only[] = { { "public", "orders" }, { "audit", NULL } };
 *      Subset s = { .only = only, .n = LEN(only) };
 *      subset_apply(&s, &toc, record, left_out, &a, err);
 *
 * What belongs is decided from the archive's own dependencies. To a table belong its rows,
 * defaults, own sequences, indexes, constraints, triggers, rules, policies, partitions, grants
 * and comments; types, functions, extensions and schemas they need come along. A table needed
 * by what was chosen (a parent, a view's source) is not made silently: without it the selection
 * is refused by name. A foreign key to a table that was not chosen is left out, and said.
 *
 * After it `toc` has only those entries, in their order, and `record` (a copy of a database's
 * record in the manifest) only those tables and sequences. */
#pragma once

#include "base/jsonx.h"
#include "dumps/toc.h"
#include "transfer/transfer.h"

typedef struct Subset {
        const TransferName *only; /* at least one */
        size_t n;
        /* For a database that exists already, where a table that was not chosen may be: nothing is
         * refused or left out for the lack of it, the server will say so. */
        bool lenient;
} Subset;

/* Texts about what was left out are added to `left_out`. */
bool subset_apply(const Subset *s, Toc *toc, json_t *record, json_t *left_out, Arena *a,
                  Err *err) MUST_CHECK;
