/* progress_line.h: how far a transfer is, in one line of a terminal.
 *
 *      copying  412.0 MB of 1.2 GB  34 %  51.3 MB/s  0:16 left  public.orders
 *
 * Pure: the caller says how wide the terminal is, and writes it. */
#pragma once

#include "base/buf.h"
#include "transfer/transfer.h"

typedef struct ProgressPart {
        char name[160];
        double fraction; /* below 0: not known */
} ProgressPart;

/* What a line is made from: Progress without its borrowed pointers. */
typedef struct ProgressLine {
        char stage[48], unit[16];
        int64_t done, total, eta_ms, row_count;
        double rate;
        int things_done, things_total, workers;
        size_t n_parts;
        ProgressPart parts[TRANSFER_JOBS]; /* what is being done at this moment */
} ProgressLine;

void progress_line_of(const Progress *p, ProgressLine *ret) NONNULL;
/* At most `width` characters, cut at a character. */
void progress_line_text(const ProgressLine *l, size_t width, Buf *out) NONNULL;
