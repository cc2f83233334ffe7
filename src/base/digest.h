/* digest.h: SHA-256 and random bytes, by libcrypto. */
#pragma once

#include "base/err.h"

typedef struct Digest Digest; /* a running SHA-256 */

Digest *digest_new(void) MUST_CHECK;
void digest_add(Digest *d, const void *bytes, size_t n) NONNULL;
void digest_hex(Digest *d, char hex[static 65]) NONNULL; /* finishes; then only free */
/* What digest_hex() would say now; the digest goes on. */
void digest_peek_hex(const Digest *d, char hex[static 65]) NONNULL;
Digest *digest_free(Digest *d);
static inline void digest_freep(Digest **d)
{
        *d = digest_free(*d);
}
#define AUTO_DIGEST CLEANUP(digest_freep) Digest *

void digest_hex_of(const void *bytes, size_t n, char hex[static 65]);
bool digest_hex_of_file(const char *path, char hex[static 65], int64_t *ret_size,
                        Err *err) MUST_CHECK;

void random_bytes(void *bytes, size_t n);
/* n random bytes as 2n hex digits plus NUL. */
void random_hex(size_t n, char *hex);
/* n characters of [A-Za-z0-9] without modulo bias, plus NUL. */
void random_password(size_t n, char *out);
