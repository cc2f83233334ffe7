/* damage.c: breaks a bundle at random places, and asks bundle_verify() about each.
 *
 *      damage BUNDLE SEED FLIPS CUTS ZEROES
 *
 * BUNDLE is a copy that may be written to, and whole: each damage is taken back before the next.
 * All must be found, and the member whose bytes were changed must be the one that is named.
 * Prints what was not, and exits with 1. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle/bundle.h"

#define BLOCK 4096

static const char *path;
static int fd, missed;
static off_t size;
static json_t *members;
static uint64_t dice;

/* xorshift64*: the same places for the same seed, on every machine. */
static off_t roll(off_t below)
{
        dice ^= dice >> 12;
        dice ^= dice << 25;
        dice ^= dice >> 27;
        return (off_t)((dice * 2685821657736338717u >> 11) % (uint64_t)below);
}

static void must(bool ok, const char *what)
{
        if (ok)
                return;
        perror(what);
        exit(2);
}

/* The member that has this byte: its content, or the gap before it; manifest.json behind them. */
static const char *member_at(off_t at)
{
        const char *name;
        json_t *m;
        json_object_foreach(members, name, m)
                if (at < jx_int(m, "offset", 0) + jx_int(m, "size", 0))
                        return name;
        return "manifest.json";
}

static bool names(const json_t *bad, const char *member)
{
        size_t i;
        json_t *j;
        json_array_foreach(bad, i, j)
                if (str_eq(jx_str(j, "member", ""), member))
                        return true;
        return false;
}

/* Between two bytes: any member that lies there will do, or the manifest. */
static void ask(const char *what, off_t from, off_t to)
{
        AUTO_ERR err = { 0 };
        BundleReport r;
        if (!bundle_verify(path, NULL, &r, &err)) {
                printf("%s at %lld: could not look: %s\n", what, (long long)from, err.message);
                missed++;
        } else if (json_array_size(r.bad) == 0) {
                printf("%s at %lld was not found\n", what, (long long)from);
                missed++;
        } else {
                bool named = names(r.bad, member_at(from)) || names(r.bad, member_at(to));
                if (!named) {
                        AUTO_FREE char *text = jx_dump(r.bad);
                        printf("%s at %lld: %s was not named: %s\n", what, (long long)from,
                               member_at(from), text);
                        missed++;
                }
        }
        bundle_report_done(&r);
}

static void flip(void)
{
        off_t at = roll(size);
        unsigned char was, now;
        must(pread(fd, &was, 1, at) == 1, "reading");
        now = was ^ (unsigned char)(1u << roll(8));
        must(pwrite(fd, &now, 1, at) == 1, "writing");
        ask("bit flip", at, at);
        must(pwrite(fd, &was, 1, at) == 1, "writing back");
}

static void zero(void)
{
        static const char nothing[BLOCK];
        char was[BLOCK];
        off_t at = roll(size - BLOCK);
        must(pread(fd, was, BLOCK, at) == BLOCK, "reading");
        if (memcmp(was, nothing, BLOCK) == 0) {
                zero(); /* that would change nothing */
                return;
        }
        off_t first = 0, last = BLOCK - 1;
        while (!was[first])
                first++;
        while (!was[last])
                last--;
        must(pwrite(fd, nothing, BLOCK, at) == BLOCK, "writing");
        ask("zeroed block", at + first, at + last);
        must(pwrite(fd, was, BLOCK, at) == BLOCK, "writing back");
}

static void cut(void)
{
        off_t at = roll(size);
        size_t n = (size_t)(size - at);
        char *rest = malloc(n);
        must(rest && pread(fd, rest, n, at) == (ssize_t)n, "reading");
        must(ftruncate(fd, at) == 0, "cutting");
        ask("cut", size - 1, at); /* without its end: always also the manifest */
        must(pwrite(fd, rest, n, at) == (ssize_t)n, "writing back");
        free(rest);
}

int main(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_BUNDLE b = NULL;
        BundleReport whole;
        struct stat st;
        if (argc != 6)
                return 2;
        path = argv[1];
        dice = strtoull(argv[2], NULL, 10) | 1;
        fd = open(path, O_RDWR | O_CLOEXEC);
        must(fd >= 0 && fstat(fd, &st) == 0, path);
        size = st.st_size;
        if (!bundle_open(path, &b, &err) || !bundle_verify(path, NULL, &whole, &err) ||
            json_array_size(whole.bad)) {
                printf("the bundle is damaged before we begin: %s\n",
                       err.message ? err.message : "");
                return 2;
        }
        bundle_report_done(&whole);
        members = jx_get(bundle_manifest_of(b), "members");
        for (long i = strtol(argv[3], NULL, 10); i > 0; i--)
                flip();
        for (long i = strtol(argv[4], NULL, 10); i > 0; i--)
                cut();
        for (long i = strtol(argv[5], NULL, 10); i > 0; i--)
                zero();
        printf("%s bit flips, %s cuts, %s zeroed blocks in %lld bytes: %d not found\n", argv[3],
               argv[4], argv[5], (long long)size, missed);
        return missed ? 1 : 0;
}
