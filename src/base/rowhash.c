#include "base/rowhash.h"

#include <string.h>

#include "base/digest.h"

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

/* The finalizer of MurmurHash3's 128-bit form (public domain, Austin Appleby). */
uint64_t row_hash_mix(uint64_t h)
{
        h = (h ^ h >> 33) * 0xff51afd7ed558ccdULL;
        h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ULL;
        return h ^ h >> 33;
}

uint64_t row_hash_seed(void)
{
        uint64_t seed = ROW_HASH_OLDER;
        while (seed == ROW_HASH_OLDER)
                random_bytes(&seed, sizeof seed);
        return seed;
}

uint64_t row_hash(uint64_t seed, const void *bytes, size_t n)
{
        const uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL;
        const unsigned char *p = bytes;
        uint64_t h = fold((uint64_t)n ^ k0, k1 ^ seed);
        for (; n > 16; p += 16, n -= 16)
                h = fold(load(p, 8) ^ k0, load(p + 8, 8) ^ h);
        uint64_t a = load(p, n < 8 ? n : 8), b = n > 8 ? load(p + 8, n - 8) : 0;
        h = fold(fold(a ^ k1, b ^ h), k0 ^ h);
        return seed == ROW_HASH_OLDER ? h : row_hash_mix(h ^ seed);
}
