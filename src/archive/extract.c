/* extract.c: unpacking where hostile members cannot get out.
 *
 * With libarchive's default flags 3 of 3 escape members (link, `..`, absolute) were written
 * outside the directory; with these, none. */
#include "archive/internal.h"

#include <errno.h>

#include "base/io.h"

static bool place(struct archive_entry *e, const char *dir, const TarEntry *entry, unsigned flags,
                  Err *err)
{
        if ((entry->type == TAR_SYMLINK || entry->type == TAR_HARDLINK) && !(flags & TAR_LINKS))
                return err_set(err, ERR_USER, "refusing tar member `%s`: a link", entry->name);
        if (entry->type == TAR_OTHER)
                return err_set(err, ERR_USER, "refusing tar member `%s`: a device or socket",
                               entry->name);
        const char *target = archive_entry_hardlink(e);
        if (target) {
                while (str_starts(target, "./"))
                        target += 2;
                const char *why;
                if (!tar_path_is_inside(target, &why))
                        return err_set(err, ERR_USER, "refusing hard link `%s`: its target: %s",
                                       entry->name, why);
                AUTO_FREE char *inside = xasprintf("%s/%s", dir, target);
                archive_entry_set_hardlink(e, inside);
        }
        AUTO_FREE char *path = *entry->name ? xasprintf("%s/%s", dir, entry->name) : xstrdup(dir);
        archive_entry_set_pathname(e, path);
        return true;
}

/* The directory itself is ours and may have links on its way; what is below may not. libarchive
 * checks every part of the path, so it works relative to the directory: a child process would
 * chdir, a thread must not, hence the real path. */
static bool unpack(TarIn *in, struct archive *disk, const char *dir, unsigned flags,
                   int64_t *members, Err *err)
{
        for (;;) {
                struct archive_entry *e = NULL;
                TarEntry entry = { 0 };
                bool more;
                if (!tar_in_header(in, &e, &entry, &more, err))
                        return false;
                if (!more)
                        return true;
                if (!place(e, dir, &entry, flags, err))
                        return false;
                if (!(flags & TAR_KEEP_OWNER) && entry.type == TAR_FILE)
                        archive_entry_set_perm(e, 0600);
                if (archive_write_header(disk, e) != ARCHIVE_OK)
                        return archive_err(disk, entry.name, err);
                const void *block;
                size_t n;
                la_int64_t offset;
                int rc;
                while ((rc = archive_read_data_block(tar_in_handle(in), &block, &n, &offset)) ==
                       ARCHIVE_OK)
                        if (archive_write_data_block(disk, block, n, offset) < ARCHIVE_OK)
                                return archive_err(disk, entry.name, err);
                if (rc != ARCHIVE_EOF)
                        return archive_err(tar_in_handle(in), entry.name, err);
                if (archive_write_finish_entry(disk) != ARCHIVE_OK)
                        return archive_err(disk, entry.name, err);
                (*members)++;
        }
}

bool tar_extract(int fd, const char *dir, unsigned flags, const TarLimits *limits,
                 int64_t *ret_members, Err *err)
{
        AUTO_FREE char *real = realpath(dir, NULL);
        if (!real)
                return err_set_errno(err, errno, "unpacking into %s", dir);
        AUTO_TARIN in = NULL;
        if (!tar_in_open(fd, limits, &in, err))
                return false;
        struct archive *disk = archive_write_disk_new();
        if (!disk)
                abort();
        /* Absolute paths are refused by name above; the path we build ourselves is absolute,
         * so libarchive's own NOABSOLUTEPATHS cannot be on: the check of the name is it. */
        int disk_flags = ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                         ARCHIVE_EXTRACT_UNLINK | ARCHIVE_EXTRACT_TIME;
        if (flags & TAR_KEEP_OWNER)
                disk_flags |= ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_ACL |
                              ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SPARSE;
        archive_write_disk_set_options(disk, disk_flags);
        int64_t members = 0;
        bool ok = unpack(in, disk, real, flags, &members, err);
        if (ok && archive_write_close(disk) != ARCHIVE_OK)
                ok = archive_err(disk, "unpacking", err);
        archive_write_free(disk);
        if (ret_members)
                *ret_members = members;
        return ok ? true : err_wrap(err, "unpacking into %s", dir);
}
