#include "archive/what.h"

#include "base/base.h"

#define BLOCK ((size_t)512)

static const struct {
        const char *magic;
        size_t n;
        const char *name, *tool;
} packings[] = {
        [PACKED_NOT] = { "", 0, "nothing", "" },
        [PACKED_GZIP] = { "\x1f\x8b", 2, "gzip", "gunzip" },
        [PACKED_ZSTD] = { "\x28\xb5\x2f\xfd", 4, "zstd", "zstd -d" },
        [PACKED_XZ] = { "\xfd"
                        "7zXZ",
                        5, "xz", "unxz" },
        [PACKED_BZIP2] = { "BZh", 3, "bzip2", "bunzip2" },
        [PACKED_LZ4] = { "\x04\x22\x4d\x18", 4, "lz4", "lz4 -d" },
        [PACKED_ZIP] = { "PK\x03\x04", 4, "zip", "unzip" },
        [PACKED_7ZIP] = { "7z\xbc\xaf\x27\x1c", 6, "7-Zip", "7z x" },
};

/* A skippable frame (RFC 8878, 3.1.2). */
static bool skippable(const unsigned char *p, size_t n)
{
        return n >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
}

Packing packing_of(const void *first, size_t n)
{
        for (size_t i = PACKED_GZIP; i < LEN(packings); i++)
                if (n >= packings[i].n && memcmp(first, packings[i].magic, packings[i].n) == 0)
                        return (Packing)i;
        return skippable(first, n) ? PACKED_ZSTD : PACKED_NOT;
}

const char *packing_name(Packing p)
{
        return packings[p].name;
}

const char *packing_tool(Packing p)
{
        return packings[p].tool;
}

bool is_tar(const void *first, size_t n)
{
        return n >= BLOCK && memcmp((const char *)first + 257, "ustar", 5) == 0;
}

static size_t octal(const char *field, size_t n)
{
        size_t value = 0;
        for (size_t i = 0; i < n && field[i] >= '0' && field[i] <= '7'; i++)
                value = value * 8 + (size_t)(field[i] - '0');
        return value;
}

char *tar_first_file(const void *first, size_t n, size_t *ret_at)
{
        const char *p = first;
        for (size_t at = 0; at + BLOCK <= n && is_tar(p + at, n - at);) {
                const char *name = p + at;
                size_t size = octal(name + 124, 12);
                if (name[156] == '0' || name[156] == '\0') {
                        if (ret_at)
                                *ret_at = at + BLOCK;
                        if (str_starts(name, "./"))
                                name += 2;
                        return xstrndup(name, strnlen(name, 100));
                }
                if (size > n) /* no directory, and no name, is that long */
                        return NULL;
                at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
        }
        return NULL;
}

bool tar_of_a_dump(const void *first, size_t n, bool packed)
{
        static const char mark[] = "-- PostgreSQL database ";
        size_t at = 0;
        AUTO_FREE char *name = is_tar(first, n) ? tar_first_file(first, n, &at) : NULL;
        if (!name || str_eq(name, "toc.dat") || (strchr(name, '/') && !packed))
                return false;
        const char *p = (const char *)first + at;
        return (n - at >= 5 && memcmp(p, "PGDMP", 5) == 0 && !str_ends(name, "/toc.dat")) ||
               memmem(p, n - at, mark, sizeof mark - 1);
}
