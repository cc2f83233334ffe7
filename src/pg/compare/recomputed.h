/* recomputed.h: generated columns, whose values no copy carries: each server computes its own.
 *
 *      recomputed_judge(&(Recomputed){ .source = old, .target = new, .s = s, .t = t, .seed = seed
 * }, report, &fine, err)
 *
 * to_tsvector('german', 'Bildhauerin') is another value on 18 than on 17: where what was carried is
 * equal and what was computed is not, the target is asked to compute every row again. When each has
 * the very value that its expression gives there, nothing was lost; the report names the rule and
 * counts the rows that mean something else now. An expression that calls a function of somebody who
 * may do less than we is not run with our rights: then it stays a difference. */
#pragma once

#include "pg/report.h"
#include "pg/tablelist.h"

typedef struct Recomputed {
        Pg *source;            /* inside its snapshot; NULL: not there any more */
        Pg *target;            /* inside its snapshot */
        const TableRef *s, *t; /* s NULL without a source */
        uint64_t seed;
        bool countable; /* rows hash alike on both sides: one encoding */
} Recomputed;

/* Same rows and same carried content, but something else computed? By table_data_record(). */
bool recomputed_differs(const json_t *s, const json_t *t);
/* *ret_fine: nothing was lost, and the report says what is new. Otherwise the report has a
 * difference. */
bool recomputed_judge(const Recomputed *c, Report *report, bool *ret_fine, Err *err) MUST_CHECK;
