/* read.c: a finished bundle, opened by its manifest. */
#include "bundle/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/what.h"
#include "archive/zframe.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#define READ_PIECE (256 * 1024)

bool bundle_read_at(const Bundle *b, int64_t offset, void *to, size_t n, Err *err)
{
        for (char *p = to; n > 0;) {
                ssize_t got = pread(b->fd, p, n, offset);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return err_set_errno(err, errno, "reading %s", b->path);
                if (got == 0)
                        return err_set(err, ERR_USER, "%s is shorter than its manifest says",
                                       b->path);
                p += got;
                n -= (size_t)got;
                offset += got;
        }
        return true;
}

static bool octal(const char *field, size_t n, int64_t *ret)
{
        int64_t value = 0;
        size_t i = 0;
        for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
                value = value * 8 + (field[i] - '0');
        *ret = value;
        return i > 0;
}

/* The manifest is the last member, so it is looked for from the end: its header is the block
 * that says "manifest.json" and whose size fits exactly to the end of the file. */
static bool is_header(const char *block, int64_t at, int64_t file_size, int64_t *ret_size)
{
        int64_t size;
        if (memcmp(block, MANIFEST_NAME, sizeof MANIFEST_NAME) != 0 ||
            memcmp(block + 257, "ustar", 5) != 0 || !octal(block + 124, 12, &size))
                return false;
        int64_t padded = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        *ret_size = size;
        return at + TAR_BLOCK + padded + TAR_END == file_size;
}

static bool find_manifest(Bundle *b, Err *err)
{
        enum { WINDOW = 1024 * 1024 };
        if (b->size % TAR_BLOCK != 0 || b->size < 2 * TAR_BLOCK + TAR_END)
                return err_set(err, ERR_USER, "%s is cut short: it does not end as a bundle does",
                               b->path);
        AUTO_FREE char *window = xmalloc(WINDOW);
        int64_t lowest = MAX(0, b->size - TAR_END - LIMIT_MANIFEST - 2 * TAR_BLOCK);
        for (int64_t end = b->size - TAR_END; end > lowest;) {
                int64_t start = MAX(lowest, end - WINDOW);
                start -= start % TAR_BLOCK;
                if (!bundle_read_at(b, start, window, (size_t)(end - start), err))
                        return false;
                for (int64_t at = end - TAR_BLOCK; at >= start; at -= TAR_BLOCK) {
                        int64_t size;
                        if (!is_header(window + (at - start), at, b->size, &size))
                                continue;
                        b->manifest_header = at;
                        b->manifest_size = (size_t)size;
                        digest_hex_of(window + (at - start), TAR_BLOCK, b->header_sha256);
                        return true;
                }
                end = start;
        }
        return err_set(err, ERR_USER,
                       "%s has no manifest: it is damaged, cut short, or not a bundle", b->path);
}

/* What its first bytes say: "damaged" is only for what was a bundle once. */
static bool is_no_other(const Bundle *b, Err *err)
{
        char head[4 * TAR_BLOCK];
        size_t n = (size_t)MIN(b->size, (int64_t)sizeof head);
        if (n == 0)
                return err_set(err, ERR_USER, "%s is empty", b->path);
        if (!bundle_read_at(b, 0, head, n, err))
                return false;
        Packing p = packing_of(head, n);
        if (p != PACKED_NOT) {
                err_set(err, ERR_USER,
                        "%s is packed with %s: a bundle is a plain tar, packed inside", b->path,
                        packing_name(p));
                return err_hint(err,
                                "unpack it first (%s); if it is a dump, `pgsherpa restore` takes "
                                "it as it is",
                                packing_tool(p));
        }
        if ((n >= 5 && memcmp(head, "PGDMP", 5) == 0) ||
            memmem(head, n, "-- PostgreSQL database ", 23)) {
                err_set(err, ERR_USER, "%s is a dump of PostgreSQL's own tools, not a bundle",
                        b->path);
                return err_hint(err, "`pgsherpa restore` takes it as it is");
        }
        AUTO_FREE char *name = is_tar(head, n) ? tar_first_file(head, n, NULL) : NULL;
        if (name && (str_ends(name, BUNDLE_SUFFIX) || str_eq(name, "toc.dat"))) {
                bool dump = str_eq(name, "toc.dat");
                err_set(err, ERR_USER, "%s is a tar %s, not a bundle", b->path,
                        dump ? "of pg_dump -Ft" : "with bundles in it");
                return err_hint(err, dump ? "`pgsherpa restore` takes it as it is"
                                          : "take them out first: tar -xf");
        }
        return true;
}

static bool begins_as_one(const Bundle *b)
{
        char head[TAR_BLOCK];
        AUTO_ERR ignored = { 0 };
        return !bundle_read_at(b, 0, head, sizeof head, &ignored) || is_tar(head, sizeof head);
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Asked once for each table: a look at all members every time would be tables times members. */
static void sort_names(Bundle *b)
{
        const json_t *members = jx_get(b->manifest, "members");
        const char *name;
        json_t *m;
        b->names = xcalloc(json_object_size(members) + 1, sizeof *b->names);
        json_object_foreach((json_t *)members, name, m)
                b->names[b->n_names++] = name;
        qsort(b->names, b->n_names, sizeof *b->names, by_name);
}

bool bundle_open(const char *path, Bundle **ret, Err *err)
{
        bool other;
        return bundle_open_or_other(path, ret, &other, err);
}

bool bundle_open_or_other(const char *path, Bundle **ret, bool *ret_other, Err *err)
{
        *ret_other = true;
        AUTO_BUNDLE b = xcalloc(1, sizeof *b);
        b->path = xstrdup(path);
        b->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        struct stat st;
        if (b->fd < 0 || fstat(b->fd, &st) < 0)
                return err_set_errno(err, errno, "opening the bundle %s", path);
        if (S_ISDIR(st.st_mode)) {
                err_set(err, ERR_USER, "%s is a directory, not a bundle", path);
                return err_hint(err, "pgsherpa backup list %s shows the bundles in it", path);
        }
        if (!S_ISREG(st.st_mode))
                return err_set(err, ERR_USER, "%s is not a file", path);
        b->size = st.st_size;
        if (!is_no_other(b, err))
                return false;
        if (!find_manifest(b, err)) {
                *ret_other = !begins_as_one(b);
                if (*ret_other) {
                        err_clear(err);
                        err_set(err, ERR_USER,
                                "%s is not a bundle: it does not begin as a tar does", path);
                }
                return false;
        }
        *ret_other = false;
        AUTO_FREE char *text = xmalloc(b->manifest_size + 1);
        text[b->manifest_size] = '\0';
        if (!bundle_read_at(b, b->manifest_header + TAR_BLOCK, text, b->manifest_size, err) ||
            !bundle_manifest_check(text, b->manifest_size, err))
                return err_wrap(err, "%s", path);
        b->manifest = jx_parse(text, b->manifest_size, err);
        if (!b->manifest)
                return err_wrap(err, "the manifest of %s", path);
        if (!str_eq(jx_str(b->manifest, "format", ""), BUNDLE_FORMAT))
                return err_set(err, ERR_USER,
                               "%s was written in a format this pgsherpa does not know", path);
        if (!bundle_manifest_sane(b, err))
                return err_wrap(err, "%s", path);
        sort_names(b);
        *ret = b;
        b = NULL;
        return true;
}

const json_t *bundle_manifest_of(const Bundle *b)
{
        return b->manifest;
}

uint64_t bundle_row_seed(const json_t *manifest)
{
        return strtoull(jx_str(manifest, "row_hash_seed", "0"), NULL, 16);
}

const char *bundle_path(const Bundle *b)
{
        return b->path;
}

const json_t *bundle_database(const Bundle *b, const char *name, Err *err)
{
        const json_t *all = jx_get(b->manifest, "databases");
        size_t i;
        json_t *db;
        if ((!name || !*name) && json_array_size(all) == 1)
                return json_array_get(all, 0);
        json_array_foreach(all, i, db)
                if (name && str_eq(jx_str(db, "name", ""), name))
                        return db;
        if (!name || !*name)
                err_set(err, ERR_USER, "%s holds %zu databases: say which one", b->path,
                        json_array_size(all));
        else
                err_set(err, ERR_USER, "%s does not hold a database `%s`", b->path, name);
        return NULL;
}

bool bundle_has(const Bundle *b, const char *member)
{
        return json_object_get(jx_get(b->manifest, "members"), member) != NULL;
}

int64_t bundle_plain_size(const Bundle *b, const char *member)
{
        return jx_int(json_object_get(jx_get(b->manifest, "members"), member), "plain_size", -1);
}

/* Where the plain bytes go: hashed, then on to whoever wants them. */
typedef struct Plain {
        Digest *digest;
        BundleSink sink;
        void *arg;
        int64_t n;
} Plain;

static bool plain_bytes(void *arg, const void *bytes, size_t n, Err *err)
{
        Plain *p = arg;
        digest_add(p->digest, bytes, n);
        p->n += (int64_t)n;
        return !p->sink || p->sink(p->arg, bytes, n, err);
}

static bool damaged(Err *err, const char *what)
{
        return err_set(err, ERR_USER, "damaged: %s", what);
}

static bool read_stored(const Bundle *b, const json_t *m, Unzstd *u, Plain *p, Digest *stored,
                        Err *err)
{
        int64_t offset = jx_int(m, "offset", -1), left = jx_int(m, "size", -1);
        if (offset < 0 || left < 0 || offset > b->size - left)
                return damaged(err, "it lies outside the file");
        AUTO_FREE char *piece = xmalloc(READ_PIECE);
        while (left > 0) {
                size_t n = (size_t)MIN(left, READ_PIECE);
                if (!bundle_read_at(b, offset, piece, n, err))
                        return false;
                digest_add(stored, piece, n);
                if (u ? !unzstd_add(u, piece, n, plain_bytes, p, err)
                      : !plain_bytes(p, piece, n, err))
                        return false;
                offset += (int64_t)n;
                left -= (int64_t)n;
        }
        return !u || unzstd_finish(u, err);
}

static bool read_member(const Bundle *b, const json_t *m, BundleSink sink, void *arg, Err *err)
{
        const char *want_plain = jx_str(m, "plain_sha256", NULL);
        AUTO_DIGEST stored = digest_new();
        AUTO_DIGEST plain = digest_new();
        AUTO_UNZSTD u = want_plain ? unzstd_new(jx_int(m, "plain_size", 0)) : NULL;
        Plain p = { .digest = plain, .sink = sink, .arg = arg };
        if (!read_stored(b, m, u, &p, stored, err))
                return false;
        char hex[65];
        digest_hex(stored, hex);
        if (!str_eq(hex, jx_str(m, "sha256", "")))
                return damaged(err, "its SHA-256 is not the one in the manifest");
        if (!want_plain)
                return true;
        if (p.n != jx_int(m, "plain_size", -1))
                return damaged(err, "it is not as long as the manifest says");
        digest_hex(plain, hex);
        return str_eq(hex, want_plain) ||
               damaged(err, "the SHA-256 of its content is not the one in the manifest");
}

bool bundle_read(const Bundle *b, const char *member, BundleSink sink, void *arg, Err *err)
{
        const json_t *m = json_object_get(jx_get(b->manifest, "members"), member);
        if (!m)
                return err_set(err, ERR_USER, "%s has no member `%s`", b->path, member);
        return read_member(b, m, sink, arg, err) || err_wrap(err, "%s in %s", member, b->path);
}

bool bundle_read_stored(const Bundle *b, const char *member, BundleSink sink, void *arg, Err *err)
{
        const json_t *m = json_object_get(jx_get(b->manifest, "members"), member);
        if (!m)
                return err_set(err, ERR_USER, "%s has no member `%s`", b->path, member);
        AUTO_DIGEST stored = digest_new();
        AUTO_DIGEST unused = digest_new();
        Plain p = { .digest = unused, .sink = sink, .arg = arg };
        char hex[65];
        if (!read_stored(b, m, NULL, &p, stored, err))
                return err_wrap(err, "%s in %s", member, b->path);
        digest_hex(stored, hex);
        return str_eq(hex, jx_str(m, "sha256", "")) ||
               damaged(err, "its SHA-256 is not the one in the manifest") ||
               err_wrap(err, "%s in %s", member, b->path);
}

static bool into_buf(void *arg, const void *bytes, size_t n, Err *err)
{
        return buf_add(arg, bytes, n) || err_set(err, ERR_USER, "it is larger than allowed");
}

bool bundle_read_all(const Bundle *b, const char *member, size_t max, char **ret, size_t *ret_len,
                     Err *err)
{
        AUTO_BUF buf = buf_init(max);
        if (!bundle_read(b, member, into_buf, &buf, err))
                return false;
        *ret = buf_take(&buf, ret_len);
        if (!*ret)
                *ret = xstrdup("");
        return true;
}

/* Several writers may have taken turns; all numbers have as many digits, so names are in order. */
json_t *bundle_parts(const Bundle *b, const char *stem)
{
        json_t *parts = json_array();
        size_t n = strlen(stem), low = 0, high = b->n_names;
        bool dir = n > 0 && stem[n - 1] == '/';
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (strcmp(b->names[middle], stem) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; low < b->n_names && str_starts(b->names[low], stem); low++)
                if (dir || !b->names[low][n] || b->names[low][n] == '.')
                        json_array_append_new(parts, json_string(b->names[low]));
        return parts;
}

bool bundle_read_parts(const Bundle *b, const json_t *parts, BundleSink sink, void *arg, Err *err)
{
        size_t i;
        json_t *name;
        json_array_foreach(parts, i, name)
                if (!bundle_read(b, json_string_value(name), sink, arg, err))
                        return false;
        return true;
}

Bundle *bundle_free(Bundle *b)
{
        if (b) {
                if (b->fd >= 0)
                        close(b->fd);
                json_decref(b->manifest);
                free(b->names);
                free(b->path);
                free(b);
        }
        return NULL;
}
