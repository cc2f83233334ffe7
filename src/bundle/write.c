/* write.c: a bundle while it grows. */
#include "bundle/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

#include "archive/zframe.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/rowhash.h"

#define DEFAULT_LEVEL 1 /* 3 was no smaller on rows, and took twice the time */
#define DEFAULT_CHUNK ((size_t)8 << 20)
#define WRITE_BACK    (8 << 20) /* the disk begins that early, not when all of it is due */

static bool to_file(void *arg, const void *bytes, size_t n, Err *err)
{
        BundleWriter *w = arg;
        if (!io_write_all(w->fd, bytes, n, err)) {
                if (err->sys_errno == ENOSPC)
                        err_hint(err,
                                 "the disk under %s is full: make room, or choose another "
                                 "directory for backups",
                                 w->part);
                return err_wrap(err, "writing %s", w->part);
        }
        digest_add(w->whole, bytes, n);
        w->written += (int64_t)n;
        if (w->written - w->on_its_way >= WRITE_BACK) {
                /* Where the file system cannot do that, the fsync at the end does all of it. */
                (void)sync_file_range(w->fd, w->on_its_way, w->written - w->on_its_way,
                                      SYNC_FILE_RANGE_WRITE);
                w->on_its_way = w->written;
        }
        return true;
}

bool bundle_create(const char *path, const BundleOptions *o, BundleWriter **ret, Err *err)
{
        AUTO_BUNDLEWRITER w = xcalloc(1, sizeof *w);
        pthread_mutex_init(&w->lock, NULL);
        w->fd = -1;
        w->path = xstrdup(path);
        w->part = xasprintf("%s.part", path);
        w->level = o->level ? o->level : DEFAULT_LEVEL;
        w->chunk = o->chunk ? o->chunk : DEFAULT_CHUNK;
        w->whole = digest_new();
        w->mtime_s = clock_wall_ms() / 1000;
        w->fd = open(w->part, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
        if (w->fd < 0) {
                int why = errno;
                w->finished = true; /* not ours to remove */
                return err_set_errno(err, why, "creating %s", w->part);
        }
        if (!tar_out_open(to_file, w, &w->tar, err))
                return false;
        char iso[32];
        w->manifest = json_object();
        jx_set_str(w->manifest, "format", BUNDLE_FORMAT);
        jx_set_str(w->manifest, "created", clock_iso(clock_wall_ms(), iso));
        char seed[32];
        snprintf(seed, sizeof seed, "%016" PRIx64, row_hash_seed());
        jx_set_str(w->manifest, "row_hash_seed", seed);
        if (o->run)
                jx_set_str(w->manifest, "run", o->run);
        w->members = json_object();
        *ret = w;
        w = NULL;
        return true;
}

/* Many write at once, and who comes second may be heard first: the reason is the first one's. */
static bool failed_before(const BundleWriter *w, Err *err)
{
        err_set(err, w->why.kind, "%s", w->why.message);
        err->sys_errno = w->why.sys_errno;
        return w->why.hint ? err_hint(err, "%s", w->why.hint) : false;
}

static bool fails(BundleWriter *w, const Err *err)
{
        if (!w->failed) {
                w->failed = true;
                err_set(&w->why, err->kind, "%s", err->message);
                w->why.sys_errno = err->sys_errno;
                if (err->hint)
                        err_hint(&w->why, "%s", err->hint);
        }
        return false;
}

#define DESCRIBED 260 /* bytes of manifest a member takes, besides its name */
#define STEPS     8   /* in so many steps members grow */
#define GROWN     4   /* doubled at most so often: 128 MiB; all of a bundle is 17 TB */

size_t bundle_chunk(BundleWriter *w, int members, int room)
{
        pthread_mutex_lock(&w->lock);
        int64_t by_manifest = w->described / (LIMIT_MANIFEST / STEPS);
        pthread_mutex_unlock(&w->lock);
        int64_t by_numbers = members / MAX(room / STEPS, 1);
        return w->chunk << MIN(MAX(by_manifest, by_numbers), GROWN);
}

bool bundle_append(BundleWriter *w, const char *kind, const char *name, const void *bytes, size_t n,
                   const BundlePlain *plain, Err *err)
{
        char hex[65];
        digest_hex_of(bytes, n, hex);
        pthread_mutex_lock(&w->lock);
        int64_t offset = 0;
        bool ok = true;
        if (w->failed)
                ok = failed_before(w, err);
        else if (json_object_get(w->members, name))
                ok = err_set(err, ERR_USER, "the bundle already has a member `%s`", name);
        else if (w->described + DESCRIBED + (int64_t)strlen(name) > LIMIT_MANIFEST)
                ok = err_set(err, ERR_USER,
                             "this is more than fits into one bundle: its manifest "
                             "would be larger than %d bytes",
                             LIMIT_MANIFEST);
        ok = ok && tar_out_member(w->tar, name, bytes, n, w->mtime_s, &offset, err);
        if (ok) {
                json_t *m = json_object();
                jx_set_str(m, "kind", kind);
                jx_set_int(m, "offset", offset);
                jx_set_int(m, "size", (int64_t)n);
                jx_set_str(m, "sha256", hex);
                if (plain) {
                        jx_set_int(m, "plain_size", plain->size);
                        jx_set_str(m, "plain_sha256", plain->sha256);
                }
                json_object_set_new(w->members, name, m);
                w->described += DESCRIBED + (int64_t)strlen(name);
        } else {
                fails(w, err);
        }
        pthread_mutex_unlock(&w->lock);
        return ok;
}

bool bundle_add(BundleWriter *w, const char *kind, const char *name, const void *bytes, size_t n,
                Err *err)
{
        if (!str_ends(name, ".zst"))
                return bundle_append(w, kind, name, bytes, n, NULL, err);
        BundlePlain plain = { .size = (int64_t)n };
        digest_hex_of(bytes, n, plain.sha256);
        AUTO_ZSTD z = zstd_new(w->level);
        const void *packed;
        size_t len;
        return zstd_add(z, bytes, n, err) && zstd_finish(z, &packed, &len, err) &&
               bundle_append(w, kind, name, packed, len, &plain, err);
}

json_t *bundle_manifest(BundleWriter *w)
{
        return w->manifest;
}

int64_t bundle_written(const BundleWriter *w)
{
        return w->written;
}

static bool make_durable(BundleWriter *w, Err *err)
{
        if (fsync(w->fd) < 0)
                return err_set_errno(err, errno, "making %s durable", w->part);
        int fd = w->fd;
        w->fd = -1;
        if (close(fd) < 0)
                return err_set_errno(err, errno, "closing %s", w->part);
        if (renameat2(AT_FDCWD, w->part, AT_FDCWD, w->path, RENAME_NOREPLACE) < 0)
                return err_set_errno(err, errno, "naming the finished bundle %s", w->path);
        w->finished = true;
        AUTO_FREE char *copy = xstrdup(w->path);
        return io_fsync_dir(dirname(copy), err);
}

bool bundle_finish(BundleWriter *w, BundleDone *ret, Err *err)
{
        if (w->failed)
                return failed_before(w, err) || err_wrap(err, "the bundle cannot be finished");
        AUTO_FREE char *text = NULL;
        size_t n;
        int64_t members = (int64_t)json_object_size(w->members) + 1;
        if (!bundle_manifest_text(w, &text, &n, err) ||
            !tar_out_member(w->tar, MANIFEST_NAME, text, n, w->mtime_s, NULL, err) ||
            !tar_out_close(w->tar, err) || !make_durable(w, err))
                return fails(w, err);
        *ret = (BundleDone){ .path = xstrdup(w->path), .size = w->written, .members = members };
        digest_hex(w->whole, ret->sha256);
        return true;
}

BundleWriter *bundle_writer_free(BundleWriter *w)
{
        if (!w)
                return NULL;
        tar_out_free(w->tar);
        if (w->fd >= 0)
                close(w->fd);
        if (!w->finished)
                unlink(w->part);
        digest_free(w->whole);
        err_clear(&w->why);
        json_decref(w->manifest);
        json_decref(w->members);
        pthread_mutex_destroy(&w->lock);
        free(w->path);
        free(w->part);
        free(w);
        return NULL;
}
