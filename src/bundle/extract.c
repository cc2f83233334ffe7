/* extract.c: members as files. Their names were written by whoever wrote the file. */
#include "bundle/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

/* Below `dir` and nowhere else, whatever lies there. glibc 2.36 has no wrapper. */
static int open_below(int dir, const char *name, uint64_t flags, uint64_t mode)
{
        struct open_how how = { .flags = flags | O_CLOEXEC,
                                .mode = mode,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
        return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

static bool is_empty(const char *path, Err *err)
{
        DIR *d = opendir(path);
        bool empty = true;
        if (!d)
                return err_set_errno(err, errno, "opening %s", path);
        for (struct dirent *e; (e = readdir(d));)
                empty = empty && (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."));
        closedir(d);
        return empty || err_set(err, ERR_USER, "%s is not empty: nothing was written", path);
}

/* "a/b/c": a and a/b, each made or found to be a directory of its own. */
static bool make_dirs(int dir, const char *name, Err *err)
{
        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
                AUTO_FREE char *above = xstrndup(name, (size_t)(slash - name));
                const char *base = strrchr(above, '/');
                AUTO_FREE char *parent =
                        base ? xstrndup(above, (size_t)(base - above)) : xstrdup(".");
                AUTO_FD int fd = open_below(dir, parent, O_PATH | O_DIRECTORY, 0);
                if (fd < 0 || (mkdirat(fd, base ? base + 1 : above, 0700) < 0 && errno != EEXIST))
                        return err_set_errno(err, errno, "making the directory of %s", name);
        }
        return true;
}

static bool into_file(void *arg, const void *bytes, size_t n, Err *err)
{
        return io_write_all(*(int *)arg, bytes, n, err);
}

static bool one(const Bundle *b, const BundleExtract *o, int dir, const char *name, Err *err)
{
        const char *why = "";
        bool unpack = o->plain && str_ends(name, ".zst");
        AUTO_FREE char *file = xstrdup(name);
        if (unpack)
                file[strlen(file) - 4] = '\0';
        if (!tar_name_is_safe(file, &why))
                return err_set(err, ERR_USER, "a member has a name that cannot be a file's: %s",
                               why);
        if (!make_dirs(dir, file, err))
                return false;
        AUTO_FD int fd = open_below(dir, file, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "creating %s/%s", o->dir, file);
        if (o->plain ? bundle_read(b, name, into_file, &fd, err)
                     : bundle_read_stored(b, name, into_file, &fd, err))
                return true;
        AUTO_FREE char *path = io_join(o->dir, file);
        (void)!ftruncate(fd, 0); /* nobody is to take half a member for one */
        unlink(path);
        return false;
}

static bool all(const Bundle *b, const BundleExtract *o, int dir, int64_t *ret_members, Err *err)
{
        const json_t *members = jx_get(b->manifest, "members"), *m;
        AUTO_JSON names = o->members ? json_incref((json_t *)o->members) : json_array();
        const char *name;
        int64_t done = 0;
        size_t i;
        json_t *j;
        if (!o->members)
                json_object_foreach((json_t *)members, name, j)
                        json_array_append_new(names, json_string(name));
        json_array_foreach(names, i, j) {
                name = json_string_value(j);
                if (o->cancel && flag_up(o->cancel))
                        return err_set(err, ERR_CANCELLED, "stopped on request");
                if (o->progress)
                        o->progress(o->arg, done, b->size, name);
                if (!one(b, o, dir, name, err))
                        return false;
                m = json_object_get(members, name);
                done += jx_int(m, "size", 0);
                ++*ret_members;
        }
        return true;
}

bool bundle_extract(const Bundle *b, const BundleExtract *o, int64_t *ret_members, Err *err)
{
        *ret_members = 0;
        if (!io_mkdir_p(o->dir, 0700, err) || !is_empty(o->dir, err))
                return false;
        AUTO_FD int dir = open(o->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return err_set_errno(err, errno, "opening %s", o->dir);
        return all(b, o, dir, ret_members, err) || err_wrap(err, "extracting from %s", b->path);
}
