#include "base/copyrow.h"

static uint32_t big32(const char *p)
{
        const unsigned char *u = (const unsigned char *)p;
        return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int16_t big16(const char *p)
{
        const unsigned char *u = (const unsigned char *)p;
        return (int16_t)(u[0] << 8 | u[1]);
}

static RowState whole(RowCut *c, size_t len, size_t *ret_len)
{
        c->at = 0;
        *ret_len = len;
        return ROW_WHOLE;
}

static RowState text(RowCut *c, const char *p, size_t n, size_t *ret_len)
{
        const char *nl = n > c->at ? memchr(p + c->at, '\n', n - c->at) : NULL;
        if (nl)
                return whole(c, (size_t)(nl - p) + 1, ret_len);
        c->at = n;
        return ROW_MORE;
}

RowState rowcut_next(RowCut *c, const char *p, size_t n, size_t *ret_len)
{
        if (!c->binary)
                return text(c, p, n, ret_len);
        if (c->at == 0) {
                if (n < 2)
                        return ROW_MORE;
                c->fields = big16(p);
                if (c->fields < 0)
                        return c->fields == -1 ? ROW_TRAILER : ROW_BAD;
                c->at = 2;
        }
        /* `at` may lie behind n: inside of a field that has not come yet. */
        while (c->fields > 0) {
                if (c->at + 4 > n)
                        return ROW_MORE;
                uint32_t len = big32(p + c->at);
                if (len != UINT32_MAX && len > INT32_MAX)
                        return ROW_BAD;
                c->at += 4 + (len == UINT32_MAX ? 0 : len);
                c->fields--;
        }
        return c->at <= n ? whole(c, c->at, ret_len) : ROW_MORE;
}

int64_t copy_header(const char *p, size_t n)
{
        if (memcmp(p, COPY_HEADER, MIN(n, 11)) != 0)
                return -1;
        if (n < COPY_HEADER_LEN)
                return 0;
        /* Critical flags are the upper half: none is defined but "with OIDs", gone since 12. */
        uint32_t extension = big32(p + 15);
        if (big32(p + 11) >> 16 || extension > 4096)
                return -1;
        return n < COPY_HEADER_LEN + extension ? 0 : COPY_HEADER_LEN + (int64_t)extension;
}

/* ---- pieces to rows ---- */

#define LONGEST_ROW ((size_t)3 << 30)

RowFeed rowfeed_init(bool binary)
{
        return (RowFeed){ .cut.binary = binary, .bytes = buf_init(LONGEST_ROW) };
}

void rowfeed_done(RowFeed *f)
{
        buf_done(&f->bytes);
        free(f->ends);
}

static bool not_copy(Err *err)
{
        return err_set(err, ERR_USER, "these bytes are not COPY data");
}

/* No row begins like the header: it would have 20 551 fields. */
static bool header(RowFeed *f, size_t *ret_skip, bool *ret_wait)
{
        *ret_skip = 0;
        *ret_wait = false;
        if (f->begun || !f->cut.binary)
                return true;
        *ret_wait = f->bytes.len < 2;
        if (*ret_wait)
                return true;
        f->header = memcmp(f->bytes.data, COPY_HEADER, 2) == 0;
        int64_t n = f->header ? copy_header(f->bytes.data, f->bytes.len) : 0;
        *ret_wait = f->header && n == 0;
        f->begun = !*ret_wait;
        *ret_skip = (size_t)MAX(n, 0);
        return n >= 0;
}

static void add_end(RowFeed *f, size_t i, size_t at)
{
        if (i == f->capacity) {
                f->capacity = MAX(2 * f->capacity, 4096);
                f->ends = xrealloc(f->ends, f->capacity * sizeof *f->ends);
        }
        f->ends[i] = (uint32_t)at;
}

bool rowfeed_add(RowFeed *f, const void *bytes, size_t n, RowSink sink, void *arg, Err *err)
{
        size_t skip, at = 0, len, rows = 0;
        bool wait;
        if (n == 0)
                return true;
        if (f->over || !buf_add(&f->bytes, bytes, n) || !header(f, &skip, &wait))
                return not_copy(err);
        if (wait)
                return true;
        const char *p = f->bytes.data + skip;
        size_t left = f->bytes.len - skip;
        RowState state;
        while ((state = rowcut_next(&f->cut, p + at, left - at, &len)) == ROW_WHOLE) {
                at += len;
                add_end(f, rows++, at);
        }
        f->over = state == ROW_TRAILER;
        if (state == ROW_BAD || (f->over && left - at != COPY_TRAILER_LEN))
                return not_copy(err);
        if (rows > 0 && !sink(arg, p, f->ends, rows, err))
                return false;
        left = f->over ? 0 : left - at;
        memmove(f->bytes.data, p + at, left);
        f->bytes.len = left;
        return true;
}

bool rowfeed_end(const RowFeed *f, Err *err)
{
        return f->bytes.len == 0 || err_set(err, ERR_USER, "the rows end in the middle of one");
}
