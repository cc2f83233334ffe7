/* stream.c: a long stream, cut into members of bounded size.
 *
 * What one write brings (a row) stays in one member, so every member of a table is whole rows
 * and can be loaded alone; only a row larger than BUNDLE_HUGE is cut, because memory is not. */
#include "bundle/internal.h"

#include <stdio.h>

#include "archive/zframe.h"
#include "base/buf.h"

struct BundleStream {
        BundleWriter *w;
        char *kind, *stem, *suffix;
        bool lone_name; /* a single member is called just <stem> */
        Zstd *z;        /* NULL: stored as it comes */
        char *raw;      /* of a stream that is stored as it comes */
        size_t chunk;   /* plain bytes a member is to have */
        size_t n;       /* plain bytes in this member so far */
        Digest *plain;
        int before, room; /* numbers that are others', numbers that are ours */
        int members;
};

static BundleStream *stream_new(BundleWriter *w, const char *kind, char *stem, const char *suffix,
                                bool lone)
{
        BundleStream *s = xcalloc(1, sizeof *s);
        s->w = w;
        s->kind = xstrdup(kind);
        s->stem = stem;
        s->suffix = xstrdup(suffix);
        s->lone_name = lone;
        s->room = BUNDLE_NUMBERS;
        s->chunk = w->chunk;
        s->plain = digest_new();
        if (str_ends(suffix, ".zst"))
                s->z = zstd_new(w->level);
        else
                s->raw = xmalloc(s->chunk);
        return s;
}

BundleStream *bundle_stream_new(BundleWriter *w, const char *kind, const char *dir,
                                const char *suffix)
{
        return stream_new(w, kind, xasprintf("%s/", dir), suffix, false);
}

BundleStream *bundle_stream_new_part(BundleWriter *w, const char *kind, const char *dir,
                                     const char *suffix, int before, int room)
{
        BundleStream *s = bundle_stream_new(w, kind, dir, suffix);
        s->before = before;
        s->room = room;
        return s;
}

BundleStream *bundle_stream_new_file(BundleWriter *w, const char *kind, const char *prefix)
{
        return stream_new(w, kind, xasprintf("%s.", prefix), "", true);
}

static bool flush(BundleStream *s, bool last, Err *err)
{
        AUTO_FREE char *name = NULL;
        if (s->members >= s->room)
                return err_set(err, ERR_USER, "%s: more than %d pieces", s->stem, s->room);
        if (last && s->lone_name && s->members == 0)
                name = xstrndup(s->stem, strlen(s->stem) - 1);
        else
                name = xasprintf("%s%06d%s", s->stem, s->before + s->members + 1, s->suffix);
        if (s->z) {
                BundlePlain plain = { .size = (int64_t)s->n };
                digest_hex(s->plain, plain.sha256);
                s->plain = digest_free(s->plain);
                s->plain = digest_new();
                const void *packed;
                size_t len;
                if (!zstd_finish(s->z, &packed, &len, err) ||
                    !bundle_append(s->w, s->kind, name, packed, len, &plain, err))
                        return false;
                zstd_reset(s->z);
        } else if (!bundle_append(s->w, s->kind, name, s->raw, s->n, NULL, err)) {
                return false;
        }
        s->members++;
        s->n = 0;
        s->chunk = bundle_chunk(s->w, s->members, s->room);
        if (s->raw)
                s->raw = xrealloc(s->raw, s->chunk);
        return true;
}

static bool add_raw(BundleStream *s, const char *p, size_t n, Err *err)
{
        while (n > 0) {
                if (s->n == s->chunk && !flush(s, false, err))
                        return false;
                size_t fits = MIN(n, s->chunk - s->n);
                memcpy(s->raw + s->n, p, fits);
                s->n += fits;
                p += fits;
                n -= fits;
        }
        return true;
}

bool bundle_stream_write(BundleStream *s, const void *bytes, size_t n, Err *err)
{
        if (!s->z)
                return add_raw(s, bytes, n, err);
        for (const char *p = bytes; n > 0;) {
                if (s->n >= s->chunk && !flush(s, false, err))
                        return false;
                size_t piece = MIN(n, (size_t)BUNDLE_HUGE);
                digest_add(s->plain, p, piece);
                if (!zstd_add(s->z, p, piece, err))
                        return false;
                s->n += piece;
                p += piece;
                n -= piece;
        }
        return true;
}

bool bundle_stream_end(BundleStream *s, int *ret_members, Err *err)
{
        if (s->n > 0 && !flush(s, true, err))
                return false;
        if (ret_members)
                *ret_members = s->members;
        return true;
}

BundleStream *bundle_stream_free(BundleStream *s)
{
        if (s) {
                zstd_free(s->z);
                digest_free(s->plain);
                free(s->raw);
                free(s->kind);
                free(s->stem);
                free(s->suffix);
                free(s);
        }
        return NULL;
}
