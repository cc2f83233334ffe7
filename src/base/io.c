#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"

bool io_write_all(int fd, const void *bytes, size_t n, Err *err)
{
        const char *p = bytes;
        while (n > 0) {
                ssize_t k = write(fd, p, n);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k <= 0)
                        return err_set_errno(err, k < 0 ? errno : ENOSPC, "write");
                p += k;
                n -= (size_t)k;
        }
        return true;
}

bool io_read_file(const char *path, size_t max, char **ret, size_t *ret_len, Err *err)
{
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", path);
        size_t len = 0, capacity = 4096;
        char *data = xmalloc(capacity + 1);
        for (;;) {
                if (len == capacity)
                        data = xrealloc(data, (capacity *= 2) + 1);
                ssize_t k = read(fd, data + len, capacity - len);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0) {
                        free(data);
                        return err_set_errno(err, errno, "reading %s", path);
                }
                if (k == 0)
                        break;
                len += (size_t)k;
                if (len > max) {
                        free(data);
                        return err_set(err, ERR_USER, "%s is larger than %zu bytes", path, max);
                }
        }
        data[len] = '\0';
        *ret = data;
        if (ret_len)
                *ret_len = len;
        return true;
}

static char *dir_of(const char *path)
{
        const char *slash = strrchr(path, '/');
        if (!slash)
                return xstrdup(".");
        return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

bool io_fsync_dir(const char *dir, Err *err)
{
        AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", dir);
        if (fsync(fd) < 0 && errno != EINVAL) /* file systems that have no such thing */
                return err_set_errno(err, errno, "fsync of %s", dir);
        return true;
}

static bool fill_file(int fd, const char *tmp, const struct stat *old, const void *bytes, size_t n,
                      unsigned mode, Err *err)
{
        if (!io_write_all(fd, bytes, n, err))
                return err_wrap(err, "%s", tmp);
        if (old && (old->st_uid != geteuid() || old->st_gid != getegid()) &&
            fchown(fd, old->st_uid, old->st_gid) < 0)
                return err_set_errno(err, errno, "keeping the owner of %s", tmp);
        if (fchmod(fd, old ? old->st_mode & 07777 : mode) < 0)
                return err_set_errno(err, errno, "chmod of %s", tmp);
        if (fsync(fd) < 0)
                return err_set_errno(err, errno, "fsync of %s", tmp);
        return true;
}

bool io_replace_file(const char *name, const void *bytes, size_t n, unsigned mode, Err *err)
{
        /* Of a link, the file it leads to is replaced: an editor would not cut it either. */
        AUTO_FREE char *real = realpath(name, NULL);
        const char *path = real ? real : name;
        char tag[9];
        random_hex(4, tag);
        AUTO_FREE char *tmp = xasprintf("%s.pgsherpa-%s", path, tag);
        AUTO_FREE char *dir = dir_of(path);
        struct stat st;
        bool exists = stat(path, &st) == 0;
        AUTO_FD int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "creating %s", tmp);
        if (!fill_file(fd, tmp, exists ? &st : NULL, bytes, n, mode, err)) {
                unlink(tmp);
                return false;
        }
        if (rename(tmp, path) < 0) {
                err_set_errno(err, errno, "renaming %s to %s", tmp, path);
                unlink(tmp);
                return false;
        }
        return io_fsync_dir(dir, err);
}

bool io_mkdir_p(const char *path, unsigned mode, Err *err)
{
        AUTO_FREE char *p = xstrdup(path);
        struct stat st;
        if (!*p)
                return err_set(err, ERR_USER, "a directory without a name cannot be created");
        for (char *s = p + 1;; s++) {
                if (*s != '/' && *s)
                        continue;
                char saved = *s;
                *s = '\0';
                if (mkdir(p, mode) < 0 && errno != EEXIST)
                        return err_set_errno(err, errno, "creating directory %s", p);
                *s = saved;
                if (saved)
                        continue;
                if (stat(p, &st) < 0 || !S_ISDIR(st.st_mode))
                        return err_set_errno(err, ENOTDIR, "creating directory %s", p);
                return true;
        }
}

bool io_exists(const char *path)
{
        struct stat st;
        return lstat(path, &st) == 0;
}

bool io_remove_tree(const char *path, Err *err)
{
        struct stat st;
        if (lstat(path, &st) < 0)
                return errno == ENOENT || err_set_errno(err, errno, "looking at %s", path);
        if (!S_ISDIR(st.st_mode)) {
                if (unlink(path) < 0)
                        return err_set_errno(err, errno, "removing %s", path);
                return true;
        }
        DIR *d = opendir(path);
        if (!d)
                return err_set_errno(err, errno, "opening %s", path);
        bool ok = true;
        for (struct dirent *e; ok && (e = readdir(d));) {
                if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
                        continue;
                AUTO_FREE char *child = io_join(path, e->d_name);
                ok = io_remove_tree(child, err);
        }
        closedir(d);
        if (ok && rmdir(path) < 0)
                return err_set_errno(err, errno, "removing %s", path);
        return ok;
}

char *io_join(const char *dir, const char *name)
{
        return xasprintf("%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}
