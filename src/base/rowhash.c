#include "base/rowhash.h"

#include <string.h>

/* Two 64-bit multiplications folded over each 16 bytes, as wyhash and its kin do. */
static uint64_t fold(uint64_t a, uint64_t b)
{
        __extension__ typedef unsigned __int128 Wide;
        Wide r = (Wide)a * b;
        return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static uint64_t load(const unsigned char *p, size_t n)
{
        uint64_t v = 0;
        memcpy(&v, p, n);
        return v;
}

uint64_t row_hash(const void *bytes, size_t n)
{
        const uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL;
        const unsigned char *p = bytes;
        uint64_t h = fold((uint64_t)n ^ k0, k1);
        for (; n > 16; p += 16, n -= 16)
                h = fold(load(p, 8) ^ k0, load(p + 8, 8) ^ h);
        uint64_t a = load(p, n < 8 ? n : 8), b = n > 8 ? load(p + 8, n - 8) : 0;
        return fold(fold(a ^ k1, b ^ h), k0 ^ h);
}
