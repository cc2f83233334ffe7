/* dump_file.c: a pg_dump -Fc as a file, written so that half of one is never taken for a whole.
 *
 * pg_dump itself writes to the final name, and a killed one passes `pg_restore -l`. So: .part,
 * then a full read by pg_restore, then fsync, and only then its name. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "transfer/read/dump.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

typedef struct File {
        int fd;
        Digest *digest;
        int64_t size;
} File;

static bool to_file(void *arg, const void *bytes, size_t n, Err *err)
{
        File *f = arg;
        digest_add(f->digest, bytes, n);
        f->size += (int64_t)n;
        return io_write_all(f->fd, bytes, n, err);
}

static bool from_file(void *arg, int to, Err *err)
{
        const File *f = arg;
        AUTO_FREE char *piece = xmalloc(1 << 18);
        for (off_t at = 0;;) {
                ssize_t n = pread(f->fd, piece, 1 << 18, at);
                if (n < 0)
                        return err_set_errno(err, errno, "reading the dump back");
                if (n == 0)
                        return true;
                if (!io_write_all(to, piece, (size_t)n, err))
                        return false;
                at += n;
        }
}

static bool write_it(Transfer *t, const TransferDump *d, const PgClient *client, File *f, Err *err)
{
        DumpRun run = { .client = client, .server = &d->source, .cancel = transfer_cancel_flag(t) };
        progress_stage(t, "pg_dump -Fc", "bytes", 0, 0);
        if (!dump_custom(&run, d->database, NULL, to_file, f, err))
                return false;
        progress_stage(t, "reading it back", "bytes", f->size, 0);
        run.server = NULL;
        if (!dump_read_through(&run, from_file, f, err))
                return false;
        return fsync(f->fd) == 0 || err_set_errno(err, errno, "making the dump durable");
}

static bool dump_file_named(const char *part, const char *path, Err *err)
{
        AUTO_FREE char *copy = xstrdup(path);
        if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) < 0)
                return err_set_errno(err, errno, "naming the finished dump %s", path);
        return io_fsync_dir(dirname(copy), err);
}

static bool source_major(Transfer *t, const TransferDump *d, int *ret, Err *err)
{
        Pg *pg = NULL;
        if (!transfer_connect(t, &d->source, d->database, &pg, err))
                return false;
        *ret = pg_major(pg);
        transfer_disconnect(t, &pg);
        return true;
}

bool transfer_dump(Transfer *t, const TransferDump *d, TransferDumpDone *ret, Err *err)
{
        AUTO_PGCLIENT client = { 0 };
        AUTO_DIGEST digest = digest_new();
        AUTO_FREE char *part = xasprintf("%s.part", d->path);
        int major = 0;
        if (!source_major(t, d, &major, err) || !pg_clients_from(major, d->image, &client, err))
                return err_wrap(err, "dumping %s", d->database);
        AUTO_FD int fd = open(part, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "creating %s", part);
        File f = { .fd = fd, .digest = digest };
        if (!write_it(t, d, &client, &f, err) || !dump_file_named(part, d->path, err)) {
                unlink(part);
                return err_wrap(err, "dumping %s into %s", d->database, d->path);
        }
        *ret = (TransferDumpDone){ .size = f.size };
        digest_hex(digest, ret->sha256);
        snprintf(ret->client, sizeof ret->client, "%s", client.version);
        return true;
}
