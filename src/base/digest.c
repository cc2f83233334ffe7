#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

struct Digest {
        EVP_MD_CTX *ctx;
};

Digest *digest_new(void)
{
        Digest *d = xcalloc(1, sizeof *d);
        d->ctx = EVP_MD_CTX_new();
        if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
                abort(); /* libcrypto without SHA-256 is a broken installation */
        return d;
}

void digest_add(Digest *d, const void *bytes, size_t n)
{
        if (EVP_DigestUpdate(d->ctx, bytes, n) != 1)
                abort();
}

static void to_hex(const unsigned char *bytes, size_t n, char *hex)
{
        static const char digits[] = "0123456789abcdef";
        for (size_t i = 0; i < n; i++) {
                hex[2 * i] = digits[bytes[i] >> 4];
                hex[2 * i + 1] = digits[bytes[i] & 15];
        }
        hex[2 * n] = '\0';
}

void digest_hex(Digest *d, char hex[static 65])
{
        unsigned char sum[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        if (EVP_DigestFinal_ex(d->ctx, sum, &len) != 1 || len != 32)
                abort();
        to_hex(sum, len, hex);
}

void digest_peek_hex(const Digest *d, char hex[static 65])
{
        AUTO_DIGEST copy = digest_new();
        if (EVP_MD_CTX_copy_ex(copy->ctx, d->ctx) != 1)
                abort();
        digest_hex(copy, hex);
}

Digest *digest_free(Digest *d)
{
        if (d) {
                EVP_MD_CTX_free(d->ctx);
                free(d);
        }
        return NULL;
}

void digest_hex_of(const void *bytes, size_t n, char hex[static 65])
{
        AUTO_DIGEST d = digest_new();
        digest_add(d, bytes, n);
        digest_hex(d, hex);
}

bool digest_hex_of_file(const char *path, char hex[static 65], int64_t *ret_size, Err *err)
{
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", path);
        AUTO_DIGEST d = digest_new();
        AUTO_FREE char *block = xmalloc(1 << 16);
        int64_t size = 0;
        for (;;) {
                ssize_t n = read(fd, block, 1 << 16);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set_errno(err, errno, "reading %s", path);
                if (n == 0)
                        break;
                digest_add(d, block, (size_t)n);
                size += n;
        }
        digest_hex(d, hex);
        if (ret_size)
                *ret_size = size;
        return true;
}

void random_bytes(void *bytes, size_t n)
{
        if (RAND_bytes(bytes, (int)n) != 1)
                abort();
}

void random_hex(size_t n, char *hex)
{
        AUTO_FREE unsigned char *bytes = xmalloc(n);
        random_bytes(bytes, n);
        to_hex(bytes, n, hex);
}

void random_password(size_t n, char *out)
{
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        for (size_t i = 0; i < n;) {
                unsigned char b;
                random_bytes(&b, 1);
                if (b < 62 * 4) /* 248: else the first letters come more often */
                        out[i++] = alphabet[b % 62];
        }
        out[n] = '\0';
}
