/* manifest.c: the last member, which vouches for all the others and for itself.
 *
 * Its "tail" holds three hashes: of every byte before its own tar header, of that header, and
 * of its own text with the last hash zeroed. So there is no byte in the file that may change
 * without being found, padding between members included. */
#include "bundle/internal.h"

#include "base/buf.h"
#include "base/limits.h"

static bool keep(void *arg, const void *bytes, size_t n, Err *err)
{
        return buf_add(arg, bytes, n) || err_set(err, ERR_SYSTEM, "a tar header is too long");
}

/* What the tar header of a manifest of n bytes will look like: write one, keep the first block. */
static bool header_hash(size_t n, int64_t mtime_s, char hex[static 65], Err *err)
{
        AUTO_BUF b = buf_init(64 * 1024);
        AUTO_TAROUT tar = NULL;
        if (!tar_out_open(keep, &b, &tar, err) ||
            !tar_out_begin(tar, MANIFEST_NAME, (int64_t)n, mtime_s, NULL, err))
                return false;
        assert(b.len == TAR_BLOCK);
        digest_hex_of(b.data, b.len, hex);
        return true;
}

bool bundle_manifest_text(BundleWriter *w, char **ret, size_t *ret_len, Err *err)
{
        char before[65], header[65], self[65];
        digest_peek_hex(w->whole, before);
        json_object_set(w->manifest, "members", w->members);
        json_t *tail = json_object();
        json_object_del(w->manifest, "tail");
        json_object_set_new(w->manifest, "tail", tail);
        jx_set_str(tail, "before", before);
        jx_set_str(tail, "header", HEX_ZERO);
        jx_set_str(tail, "self", HEX_ZERO);
        AUTO_FREE char *first = jx_dump(w->manifest);
        size_t n = strlen(first);
        if (n > LIMIT_MANIFEST)
                return err_set(err, ERR_SYSTEM, "the manifest is larger than %d bytes",
                               LIMIT_MANIFEST);
        if (!header_hash(n, w->mtime_s, header, err))
                return false;
        jx_set_str(tail, "header", header);
        AUTO_FREE char *second = jx_dump(w->manifest);
        digest_hex_of(second, n, self);
        jx_set_str(tail, "self", self);
        *ret = jx_dump(w->manifest);
        *ret_len = strlen(*ret);
        assert(*ret_len == n);
        return true;
}

bool bundle_manifest_check(const char *text, size_t n, Err *err)
{
        static const char end[] = "\"}}";
        const size_t after = sizeof end - 1, hash = 64;
        if (n < 200 || memcmp(text + n - after, end, after) != 0)
                return err_set(err, ERR_USER, "its manifest is damaged");
        AUTO_FREE char *copy = xmalloc(n);
        memcpy(copy, text, n);
        memset(copy + n - after - hash, '0', hash);
        char hex[65];
        digest_hex_of(copy, n, hex);
        if (memcmp(hex, text + n - after - hash, hash) != 0)
                return err_set(err, ERR_USER, "its manifest is damaged");
        return true;
}
