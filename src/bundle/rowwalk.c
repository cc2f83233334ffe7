#include "bundle/rowwalk.h"

#include "base/rowhash.h"

#define PIECE ((size_t)64 << 10)

RowWalk rowwalk_init(bool binary, uint64_t seed)
{
        return (RowWalk){ .cut.binary = binary,
                          .begun = !binary,
                          .seed = seed,
                          .row = buf_init(ROWWALK_KEEP + PIECE + COPY_HEADER_LEN) };
}

void rowwalk_done(RowWalk *w)
{
        buf_done(&w->row);
}

bool rowwalk_whole(const RowWalk *w)
{
        return w->row.len == 0 && !w->skipping;
}

/* No row begins like the header: it would have 20 551 fields. */
static bool dress(RowWalk *w, const char **p, size_t *n)
{
        while (!w->begun && *n > 0) {
                if (!buf_add(&w->row, (*p)++, 1))
                        return false;
                --*n;
                if (w->row.len < 2)
                        continue;
                w->header = memcmp(w->row.data, COPY_HEADER, 2) == 0;
                int64_t skip = w->header ? copy_header(w->row.data, w->row.len) : 0;
                if (skip < 0)
                        return false;
                w->begun = !w->header || skip > 0;
                if (w->header && w->begun)
                        w->row.len = 0;
        }
        return true;
}

static void hashed(RowWalk *w, const char *row, size_t n)
{
        w->hash += row_hash(w->seed, row, n);
        w->rows++;
}

/* ---- rows too long to be kept ---- */

static void skip_begin(RowWalk *w)
{
        size_t at = w->cut.at, n = w->row.len;
        w->skipping = true;
        w->have = 0;
        w->ahead = 0;
        if (w->cut.binary && at > n) {
                w->ahead = (int64_t)(at - n);
        } else if (w->cut.binary) {
                w->have = n - at;
                memcpy(w->length, w->row.data + at, w->have);
        }
        w->row.len = 0;
}

static void skip_end(RowWalk *w)
{
        w->rows++;
        w->unhashed++;
        w->skipping = false;
        w->cut.at = 0;
}

static bool next_length(RowWalk *w, const char **p, size_t *n)
{
        const unsigned char *u = (const unsigned char *)w->length;
        size_t wanted = MIN(sizeof w->length - w->have, *n);
        memcpy(w->length + w->have, *p, wanted);
        w->have += wanted;
        *p += wanted;
        *n -= wanted;
        if (w->have < sizeof w->length)
                return true;
        uint32_t len = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
        w->have = 0;
        w->cut.fields--;
        w->ahead = len == UINT32_MAX ? 0 : (int64_t)len;
        return len == UINT32_MAX || len <= INT32_MAX;
}

static bool skip_binary(RowWalk *w, const char **p, size_t *n)
{
        while (w->ahead > 0 || w->cut.fields > 0) {
                if (*n == 0)
                        return true;
                size_t drop = (size_t)MIN((int64_t)*n, w->ahead);
                *p += drop;
                *n -= drop;
                w->ahead -= (int64_t)drop;
                if (w->ahead == 0 && w->cut.fields > 0 && !next_length(w, p, n))
                        return false;
        }
        skip_end(w);
        return true;
}

static bool skip(RowWalk *w, const char **p, size_t *n)
{
        if (w->cut.binary)
                return skip_binary(w, p, n);
        const char *nl = memchr(*p, '\n', *n), *to = nl ? nl + 1 : *p + *n;
        *n -= (size_t)(to - *p);
        *p = to;
        if (nl)
                skip_end(w);
        return true;
}

/* ---- all others ---- */

static bool ends(RowWalk *w, size_t more)
{
        w->over = true;
        w->row.len = 0;
        return more == 0;
}

/* Rows that lie whole in the piece are hashed where they are. */
static bool direct(RowWalk *w, const char **p, size_t *n)
{
        size_t len;
        RowState state = ROW_MORE;
        while (*n > 0 && (state = rowcut_next(&w->cut, *p, *n, &len)) == ROW_WHOLE) {
                hashed(w, *p, len);
                *p += len;
                *n -= len;
        }
        if (*n == 0)
                return true;
        if (state == ROW_TRAILER)
                return ends(w, *n - COPY_TRAILER_LEN) && (*n = 0, true);
        size_t keep = MIN(*n, ROWWALK_KEEP);
        if (state == ROW_BAD || !buf_add(&w->row, *p, keep))
                return false;
        *p += keep;
        *n -= keep;
        return true;
}

/* One that was begun in an earlier piece. */
static bool kept(RowWalk *w, const char **p, size_t *n)
{
        size_t before = w->row.len, piece = MIN(*n, PIECE), len;
        if (!buf_add(&w->row, *p, piece))
                return false;
        RowState state = rowcut_next(&w->cut, w->row.data, w->row.len, &len);
        if (state == ROW_TRAILER)
                return ends(w, w->row.len - COPY_TRAILER_LEN + *n - piece) && (*n = 0, true);
        if (state == ROW_BAD)
                return false;
        if (state == ROW_WHOLE) {
                hashed(w, w->row.data, len);
                piece = len - MIN(len, before);
                w->row.len = 0;
        }
        *p += piece;
        *n -= piece;
        if (w->row.len > ROWWALK_KEEP)
                skip_begin(w);
        return true;
}

bool rowwalk_add(RowWalk *w, const void *bytes, size_t n)
{
        const char *p = bytes;
        if (n > 0 && w->over)
                return false;
        bool begun = w->begun;
        if (!dress(w, &p, &n))
                return false;
        if (!begun && w->row.len > 0 && w->begun && !kept(w, &p, &n))
                return false;
        while (n > 0)
                if (!(w->skipping      ? skip(w, &p, &n)
                      : w->row.len > 0 ? kept(w, &p, &n)
                                       : direct(w, &p, &n)))
                        return false;
        return true;
}
