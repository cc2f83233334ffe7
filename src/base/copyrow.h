/* copyrow.h: where one row of COPY ends and the next begins.
 *
 * Text: a row ends with a newline, and no newline is ever inside one (COPY writes it as \n).
 * Binary: a 16-bit number of fields, then for each its 32-bit length (-1: null) and so many
 * bytes, all big-endian; before the first row a header, after the last one a field count of -1
 * (manual, COPY, "File Formats"). Header and trailer are dress: rows are counted, hashed and
 * kept without it, so that rows of several streams can be laid end to end.
 *
 *      RowCut cut = { .binary = true };
 *      while (rowcut_next(&cut, p, left, &n) == ROW_WHOLE)
 *              p += n, left -= n;              // ROW_MORE: come again with more of the same row */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define COPY_HEADER      "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0" /* no flags, no extension */
#define COPY_HEADER_LEN  19
#define COPY_TRAILER     "\377\377"
#define COPY_TRAILER_LEN 2

typedef enum RowState {
        ROW_MORE, /* the row goes on behind these bytes */
        ROW_WHOLE,
        ROW_TRAILER, /* binary: two bytes, and nothing may follow */
        ROW_BAD,     /* not COPY data */
} RowState;

typedef struct RowCut {
        bool binary;
        size_t at;  /* how far the row that is not whole was looked at */
        int fields; /* of it, to come */
} RowCut;

/* Looks at the row that begins at p. After ROW_MORE call again with the same row from its
 * beginning and more bytes: what was seen is not looked at twice. */
RowState rowcut_next(RowCut *c, const char *p, size_t n, size_t *ret_len) MUST_CHECK;

/* Pieces of any length in, batches of whole rows out, without the dress. A row is at most 1 GB,
 * and text may double it; so much is kept at most. */
typedef struct RowFeed {
        RowCut cut;
        Buf bytes; /* not whole yet */
        uint32_t *ends;
        size_t capacity;
        bool begun, header, over; /* bytes came; they began with a header; the trailer came */
} RowFeed;

/* `ends`: of each row, as an offset into bytes. */
typedef bool (*RowSink)(void *arg, const char *bytes, const uint32_t *ends, size_t rows, Err *err);

RowFeed rowfeed_init(bool binary);
bool rowfeed_add(RowFeed *f, const void *bytes, size_t n, RowSink sink, void *arg,
                 Err *err) MUST_CHECK;
/* Nothing may be left over. */
bool rowfeed_end(const RowFeed *f, Err *err) MUST_CHECK;
void rowfeed_done(RowFeed *f);
#define AUTO_ROWFEED CLEANUP(rowfeed_done) RowFeed

/* Bytes of the header at p, 0: not enough of it yet; -1: there is none. */
int64_t copy_header(const char *p, size_t n);
