/* gaps.c: what lies between the members: headers and padding.
 *
 * Nothing of a database is in them, but tar reads them. They are compared with what our writer
 * makes for this name, size and time, byte by byte; together with the hashes of the members and
 * of the manifest no byte of the file is left. Another libarchive may spell a header otherwise:
 * when one differs, the hash of the whole file has the last word. */
#include "bundle/internal.h"

#include <unistd.h>

#include "base/buf.h"

#define HEADER_MAX (64 * 1024) /* a pax header for the longest name, twice over */

static bool keep(void *arg, const void *bytes, size_t n, Err *err)
{
        return buf_add(arg, bytes, n) || err_set(err, ERR_SYSTEM, "a tar header is too long");
}

/* Seconds, from the manifest's own header, which its hash has proved. */
int64_t bundle_mtime(const Bundle *b)
{
        char field[13] = { 0 };
        if (pread(b->fd, field, 12, b->manifest_header + 136) != 12)
                return 0;
        return strtoll(field, NULL, 8);
}

bool bundle_gap(const Bundle *b, int64_t from, const BundleHeader *member, bool *ret_as_written,
                Err *err)
{
        AUTO_BUF want = buf_init(HEADER_MAX);
        AUTO_TAROUT tar = NULL;
        int64_t n = member->offset - from, pad = (TAR_BLOCK - from % TAR_BLOCK) % TAR_BLOCK;
        static const char zeros[TAR_BLOCK];
        *ret_as_written = false;
        if (n < 0 || n > HEADER_MAX)
                return true;
        buf_add(&want, zeros, (size_t)pad);
        if (!tar_out_open(keep, &want, &tar, err) ||
            !tar_out_begin(tar, member->name, member->size, member->mtime_s, NULL, err))
                return false;
        if ((int64_t)want.len != n)
                return true;
        AUTO_FREE char *is = xmalloc((size_t)n);
        if (!bundle_read_at(b, from, is, (size_t)n, err))
                return false;
        *ret_as_written = memcmp(is, want.data, (size_t)n) == 0;
        return true;
}

/* From the end of the last member to the manifest's header, and behind the manifest. */
bool bundle_only_zeros(const Bundle *b, int64_t from, int64_t to, bool *ret, Err *err)
{
        char piece[4096];
        *ret = true;
        while (from < to && *ret) {
                size_t n = (size_t)MIN((int64_t)sizeof piece, to - from);
                if (!bundle_read_at(b, from, piece, n, err))
                        return false;
                for (size_t i = 0; i < n; i++)
                        *ret = *ret && piece[i] == '\0';
                from += (int64_t)n;
        }
        return true;
}

bool bundle_whole_hash(const Bundle *b, const volatile bool *cancel, bool *ret_same, Err *err)
{
        enum { PIECE = 1024 * 1024 };
        AUTO_FREE char *piece = xmalloc(PIECE);
        AUTO_DIGEST before = digest_new();
        for (int64_t at = 0; at < b->manifest_header;) {
                size_t n = (size_t)MIN(PIECE, b->manifest_header - at);
                if (!bundle_read_at(b, at, piece, n, err))
                        return false;
                if (cancel && flag_up(cancel))
                        return err_set(err, ERR_CANCELLED, "stopped while reading the bundle");
                digest_add(before, piece, n);
                at += (int64_t)n;
        }
        char hex[65];
        digest_hex(before, hex);
        *ret_same = str_eq(hex, jx_str(jx_get(b->manifest, "tail"), "before", ""));
        return true;
}
