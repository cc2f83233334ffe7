/* zframe.c: frames with a checksum, in memory. */
#include "archive/zframe.h"

#include <zstd.h>

#define WINDOW_LOG_MAX 27 /* what `zstd -d` opens without --long */

struct Zstd {
        ZSTD_CCtx *ctx;
        char *out;
        size_t len, capacity;
};

Zstd *zstd_new(int level)
{
        Zstd *z = xcalloc(1, sizeof *z);
        z->ctx = ZSTD_createCCtx();
        if (!z->ctx)
                abort();
        ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, level);
        ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_checksumFlag, 1);
        if (level >= 20)
                ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_windowLog, WINDOW_LOG_MAX);
        return z;
}

static bool step(Zstd *z, const void *bytes, size_t n, ZSTD_EndDirective how, Err *err)
{
        ZSTD_inBuffer in = { .src = bytes, .size = n };
        for (;;) {
                if (z->capacity - z->len < ZSTD_CStreamOutSize()) {
                        z->capacity = MAX(z->capacity * 2, z->len + ZSTD_CStreamOutSize());
                        z->out = xrealloc(z->out, z->capacity);
                }
                ZSTD_outBuffer out = { .dst = z->out + z->len, .size = z->capacity - z->len };
                size_t left = ZSTD_compressStream2(z->ctx, &out, &in, how);
                if (ZSTD_isError(left))
                        return err_set(err, ERR_SYSTEM, "compressing: %s", ZSTD_getErrorName(left));
                z->len += out.pos;
                if (how == ZSTD_e_end ? left == 0 : in.pos == in.size)
                        return true;
        }
}

bool zstd_add(Zstd *z, const void *bytes, size_t n, Err *err)
{
        return step(z, bytes, n, ZSTD_e_continue, err);
}

bool zstd_finish(Zstd *z, const void **ret, size_t *ret_len, Err *err)
{
        if (!step(z, NULL, 0, ZSTD_e_end, err))
                return false;
        *ret = z->out;
        *ret_len = z->len;
        return true;
}

size_t zstd_size(const Zstd *z)
{
        return z->len;
}

void zstd_reset(Zstd *z)
{
        ZSTD_CCtx_reset(z->ctx, ZSTD_reset_session_only);
        z->len = 0;
}

Zstd *zstd_free(Zstd *z)
{
        if (z) {
                ZSTD_freeCCtx(z->ctx);
                free(z->out);
                free(z);
        }
        return NULL;
}

struct Unzstd {
        ZSTD_DCtx *ctx;
        char *out;
        int64_t plain, max;
        bool inside; /* a frame has begun and not ended */
};

Unzstd *unzstd_new(int64_t max_plain)
{
        Unzstd *u = xcalloc(1, sizeof *u);
        u->ctx = ZSTD_createDCtx();
        if (!u->ctx)
                abort();
        ZSTD_DCtx_setParameter(u->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
        u->out = xmalloc(ZSTD_DStreamOutSize());
        u->max = max_plain;
        return u;
}

bool unzstd_add(Unzstd *u, const void *bytes, size_t n,
                bool (*sink)(void *arg, const void *bytes, size_t n, Err *err), void *arg, Err *err)
{
        ZSTD_inBuffer in = { .src = bytes, .size = n };
        for (;;) {
                ZSTD_outBuffer out = { .dst = u->out, .size = ZSTD_DStreamOutSize() };
                size_t had = in.pos;
                size_t left = ZSTD_decompressStream(u->ctx, &out, &in);
                if (ZSTD_isError(left))
                        return err_set(err, ERR_USER, "decompressing: %s", ZSTD_getErrorName(left));
                if (in.pos > had || out.pos > 0)
                        u->inside = left != 0;
                u->plain += (int64_t)out.pos;
                if (u->plain > u->max)
                        return err_set(err, ERR_USER,
                                       "decompressing: it holds more than the %lld bytes it claims",
                                       (long long)u->max);
                if (out.pos > 0 && !sink(arg, out.dst, out.pos, err))
                        return false;
                if (in.pos == in.size && out.pos < out.size)
                        return true;
        }
}

bool unzstd_finish(Unzstd *u, Err *err)
{
        if (u->inside)
                return err_set(err, ERR_USER, "decompressing: it ends in the middle of a frame");
        return true;
}

Unzstd *unzstd_free(Unzstd *u)
{
        if (u) {
                ZSTD_freeDCtx(u->ctx);
                free(u->out);
                free(u);
        }
        return NULL;
}
