/* buf.h: bytes that grow, but never past a maximum their maker had to name.
 *
 *      AUTO_BUF b = buf_init(LIMIT_LINE);
 *      buf_printf(&b, "%s: ", who);
 *      buf_adds(&b, text);
 *      if (b.overflow) ...            // more was offered than the maximum allows
 *
 * The data is always NUL-terminated once anything was added; buf_str() is never NULL.
 * What does not fit is dropped whole (an add is all or nothing) and b.overflow is set. */
#pragma once

#include "base/base.h"

typedef struct Buf {
        char *data;
        size_t len, capacity, max;
        bool overflow;
        bool secret; /* what it lets go of is wiped: growing, cutting, resetting, done */
} Buf;

static inline Buf buf_init(size_t max)
{
        return (Buf){ .max = max };
}
/* For what may hold a password. */
static inline Buf buf_secret(size_t max)
{
        return (Buf){ .max = max, .secret = true };
}
void buf_done(Buf *b) NONNULL;
/* Takes `n` bytes off its front. */
void buf_cut(Buf *b, size_t n) NONNULL;
void buf_reset(Buf *b) NONNULL; /* empty again, memory kept */
bool buf_add(Buf *b, const void *bytes, size_t n);
bool buf_adds(Buf *b, const char *s) NONNULL;
bool buf_addc(Buf *b, char c) NONNULL;
bool buf_printf(Buf *b, const char *fmt, ...) PRINTF(2, 3);
const char *buf_str(const Buf *b) NONNULL;
char *buf_take(Buf *b, size_t *ret_len) MUST_CHECK; /* caller frees; b is empty again */

#define AUTO_BUF CLEANUP(buf_done) Buf
