/* lock.c: <bundle>.locked: while it is there, nobody of ours removes the bundle. */
#include "bundle/internal.h"

#include <errno.h>
#include <libgen.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

#define LOCK_MAX 4096

static char *lock_file(const char *path)
{
        return xasprintf("%s.locked", path);
}

bool bundle_lock(const char *path, const char *run, Err *err)
{
        AUTO_FREE char *file = lock_file(path);
        AUTO_JSON j = json_object();
        char iso[32];
        jx_set_str(j, "run", run);
        jx_set_str(j, "since", clock_iso(clock_wall_ms(), iso));
        AUTO_FREE char *text = jx_dump(j);
        return io_replace_file(file, text, strlen(text), 0600, err) ||
               err_wrap(err, "locking %s", path);
}

char *bundle_locked_by(const char *path)
{
        AUTO_FREE char *file = lock_file(path);
        AUTO_FREE char *text = NULL;
        AUTO_ERR ignored = { 0 };
        size_t n = 0;
        if (access(file, F_OK) < 0 && errno == ENOENT)
                return NULL;
        AUTO_JSON j = io_read_file(file, LOCK_MAX, &text, &n, &ignored)
                              ? jx_parse(text, n, &ignored)
                              : NULL;
        const char *run = jx_str(j, "run", "");
        return xstrdup(*run ? run : "(unknown)");
}

bool bundle_unlock(const char *path, const char *run, char **ret_was, Err *err)
{
        AUTO_FREE char *file = lock_file(path);
        AUTO_FREE char *copy = xstrdup(path);
        char *was = bundle_locked_by(path);
        bool ours = was && (!run || str_eq(was, run));
        bool ok = !ours || unlink(file) == 0 || errno == ENOENT;
        if (!ok)
                err_set_errno(err, errno, "removing %s", file);
        if (ret_was)
                *ret_was = was;
        else
                free(was);
        return ok && (!ours || io_fsync_dir(dirname(copy), err));
}
