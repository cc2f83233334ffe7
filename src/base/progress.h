/* progress.h: how far something long is, on its way from who does it to who shows it: transfers say
 * it, steps journal it, the wizard and the command line draw it. One shape for all of them.
 *
 *      Progress p = { .label = "copying", .unit = "bytes", .done = done, .total = total,
 *                     .rate = progress_rate(done, ms) };
 *      p.eta_ms = progress_eta(total - done, p.rate); */
#pragma once

#include "base/base.h"

/* One thing of many that moves (a table, an index, an image layer). */
typedef struct ProgressRow {
        const char *name;
        int64_t done, total; /* total 0: unknown */
        double rate;         /* per second */
        int64_t eta_ms;      /* -1: unknown */
} ProgressRow;

typedef struct Progress {
        const char *label;       /* "schema", "copying", "building indexes" */
        const char *unit;        /* "bytes", "objects", "tables", "rows" */
        int64_t done, total;     /* total 0: unknown */
        double rate;             /* per second, windowed */
        int64_t eta_ms;          /* -1: not known yet */
        int64_t row_count;       /* rows of tables that arrived; of a transfer */
        const ProgressRow *rows; /* what is being done at this moment */
        size_t n_rows;
        int things_done, things_total; /* "37 of 61 tables"; 0,0: not counted */
        int workers;                   /* that share the work and can be changed; 0: none */
} Progress;

/* Per second, of what was done in that time; 0: no time went by. */
static inline double progress_rate(int64_t done, int64_t ms)
{
        return ms > 0 ? (double)done * 1000.0 / (double)ms : 0;
}

/* ms that what is left takes at that rate; -1: nobody knows. */
static inline int64_t progress_eta(int64_t left, double rate)
{
        return rate > 0 && left >= 0 ? (int64_t)((double)left * 1000.0 / rate) : -1;
}
