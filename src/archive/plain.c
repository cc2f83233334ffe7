/* plain.c: what is around a stream of bytes: nothing, gzip and zstd here, the rest by packed.c. */
#include "archive/plain.h"

#include <errno.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "archive/packed.h"
#include "archive/what.h"

#define PIECE          ((size_t)128 << 10)
#define HEAD           ((size_t)64 << 10)
#define GZIP_WINDOW    (15 + 16) /* 15 bits, with a gzip header */
#define WINDOW_LOG_MAX 27        /* what `zstd -d` opens without --long */

struct PlainIn {
        int fd;
        PlainPacking packing;
        bool begun, inside; /* inside: a member has begun and not ended */
        bool file_ended;
        unsigned char *piece;
        size_t at, len; /* of the piece */
        int64_t before; /* bytes of the file before the piece */
        z_stream gzip;
        ZSTD_DCtx *zstd;
        Packed *packed, *untar;
        char *head; /* the first bytes that came out, to see whether it is a tar */
        size_t head_at, head_len;
        bool looked;
};

PlainIn *plain_in_new(int fd)
{
        PlainIn *in = xcalloc(1, sizeof *in);
        in->fd = fd;
        in->piece = xmalloc(PIECE);
        return in;
}

/* More of the file into an empty piece, or behind what is left of it. */
static bool fill(PlainIn *in, Err *err)
{
        if (in->at > 0) {
                memmove(in->piece, in->piece + in->at, in->len - in->at);
                in->before += (int64_t)in->at;
                in->len -= in->at;
                in->at = 0;
        }
        while (in->len < PIECE && !in->file_ended) {
                ssize_t n = read(in->fd, in->piece + in->len, PIECE - in->len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set_errno(err, errno, "reading the file");
                in->file_ended = n == 0;
                in->len += (size_t)n;
        }
        return true;
}

static bool starts(const PlainIn *in, const char *magic, size_t n)
{
        return in->len - in->at >= n && memcmp(in->piece + in->at, magic, n) == 0;
}

/* The file as it is, for libarchive. */
static bool raw(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        PlainIn *in = arg;
        if (in->at == in->len && !fill(in, err))
                return false;
        *ret_n = MIN(n, in->len - in->at);
        memcpy(bytes, in->piece + in->at, *ret_n);
        in->at += *ret_n;
        return true;
}

static bool begin(PlainIn *in, Err *err)
{
        if (!fill(in, err))
                return false;
        Packing p = packing_of(in->piece + in->at, in->len - in->at);
        switch (p) {
        case PACKED_NOT:
                break;
        case PACKED_GZIP:
                in->packing = PLAIN_GZIP;
                if (inflateInit2(&in->gzip, GZIP_WINDOW) != Z_OK)
                        abort();
                break;
        case PACKED_ZSTD:
                in->packing = PLAIN_ZSTD;
                in->zstd = ZSTD_createDCtx();
                if (!in->zstd)
                        abort();
                ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
                break;
        case PACKED_7ZIP:
                err_set(err, ERR_USER, "it is packed with %s", packing_name(p));
                return err_hint(err,
                                "unpack it first (%s); gzip, zstd, xz, bzip2, lz4, and a zip "
                                "or tar of one file are read as they are",
                                packing_tool(p));
        default:
                in->packing = PLAIN_OTHER;
                in->packed = packed_new(raw, in, false);
        }
        in->begun = true;
        return true;
}

static bool damaged(const PlainIn *in, const char *how, Err *err)
{
        return err_set(err, ERR_USER, "the %s data is damaged after byte %lld: %s",
                       in->packing == PLAIN_GZIP ? "gzip" : "zstd",
                       (long long)plain_in_position(in), how);
}

static bool from_gzip(PlainIn *in, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        z_stream *z = &in->gzip;
        if (!in->inside && !starts(in, "\x1f\x8b", 2))
                return damaged(in, "something that is not gzip follows", err);
        in->inside = true;
        z->next_in = in->piece + in->at;
        z->avail_in = (uInt)(in->len - in->at);
        z->next_out = bytes;
        z->avail_out = (uInt)MIN(n, (size_t)1 << 30);
        uInt room = z->avail_out;
        int rc = inflate(z, Z_NO_FLUSH);
        in->at = in->len - z->avail_in;
        *ret_n = room - z->avail_out;
        if (rc == Z_STREAM_END) {
                in->inside = false;
                inflateReset(z);
                return true;
        }
        if (rc != Z_OK && rc != Z_BUF_ERROR)
                return damaged(in, z->msg ? z->msg : "it cannot be unpacked", err);
        return true;
}

static bool from_zstd(PlainIn *in, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        ZSTD_inBuffer from = { .src = in->piece + in->at, .size = in->len - in->at };
        ZSTD_outBuffer to = { .dst = bytes, .size = n };
        size_t left = ZSTD_decompressStream(in->zstd, &to, &from);
        if (ZSTD_isError(left))
                return damaged(in, ZSTD_getErrorName(left), err);
        in->at += from.pos;
        *ret_n = to.pos;
        if (from.pos > 0 || to.pos > 0)
                in->inside = left != 0;
        return true;
}

static bool as_it_is(PlainIn *in, void *bytes, size_t n, size_t *ret_n)
{
        *ret_n = MIN(n, in->len - in->at);
        memcpy(bytes, in->piece + in->at, *ret_n);
        in->at += *ret_n;
        return true;
}

static bool unpack(PlainIn *in, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        switch (in->packing) {
        case PLAIN_GZIP:
                return from_gzip(in, bytes, n, ret_n, err);
        case PLAIN_ZSTD:
                return from_zstd(in, bytes, n, ret_n, err);
        case PLAIN_OTHER:
        case PLAIN_AS_IT_IS:
                break;
        }
        return as_it_is(in, bytes, n, ret_n);
}

static bool unpacked(PlainIn *in, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        *ret_n = 0;
        if (!in->begun && !begin(in, err))
                return false;
        if (in->packed)
                return packed_read(in->packed, bytes, n, ret_n, err);
        for (;;) {
                /* A member's magic must be whole; what a decompressor still holds needs no
                 * input. */
                if (in->len - in->at < 4 && !fill(in, err))
                        return false;
                bool none = in->at == in->len;
                size_t had = in->at;
                if (none && !in->inside)
                        return true;
                if (!unpack(in, bytes, n, ret_n, err))
                        return false;
                if (*ret_n > 0)
                        return true;
                if (none)
                        return err_set(err, ERR_USER,
                                       "the file was cut off: it ends at byte %lld, "
                                       "in the "
                                       "middle "
                                       "of its "
                                       "%s data",
                                       (long long)plain_in_position(in),
                                       in->packing == PLAIN_GZIP ? "gzip" : "zstd");
                if (in->at == had)
                        return damaged(in, "it cannot be unpacked", err);
        }
}

/* ---- a tar of one file ---- */

static bool from_head(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        PlainIn *in = arg;
        *ret_n = MIN(n, in->head_len - in->head_at);
        if (*ret_n == 0)
                return unpacked(in, bytes, n, ret_n, err);
        memcpy(bytes, in->head + in->head_at, *ret_n);
        in->head_at += *ret_n;
        return true;
}

static bool look(PlainIn *in, Err *err)
{
        in->looked = true;
        in->head = xmalloc(HEAD);
        for (size_t n = 1; n > 0 && in->head_len < HEAD; in->head_len += n)
                if (!unpacked(in, in->head + in->head_len, HEAD - in->head_len, &n, err))
                        return false;
        if (tar_of_a_dump(in->head, in->head_len, in->packing != PLAIN_AS_IT_IS))
                in->untar = packed_new(from_head, in, true);
        return true;
}

bool plain_in_read(PlainIn *in, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        *ret_n = 0;
        if (!in->looked && !look(in, err))
                return false;
        return in->untar ? packed_read(in->untar, bytes, n, ret_n, err)
                         : from_head(in, bytes, n, ret_n, err);
}

int64_t plain_in_position(const PlainIn *in)
{
        return in->before + (int64_t)in->at;
}

PlainPacking plain_in_packing(const PlainIn *in)
{
        return in->packing;
}

PlainIn *plain_in_free(PlainIn *in)
{
        if (in) {
                if (in->begun && in->packing == PLAIN_GZIP)
                        inflateEnd(&in->gzip);
                ZSTD_freeDCtx(in->zstd);
                packed_free(in->untar);
                packed_free(in->packed);
                free(in->head);
                free(in->piece);
                free(in);
        }
        return NULL;
}
