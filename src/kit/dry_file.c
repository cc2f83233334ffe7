/* dry_file.c: directories, files, commands and secrets of this machine. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/io.h"
#include "base/text.h"
#include "host/disk.h"
#include "kit/command.h"
#include "kit/dry.h"

/* The deepest directory of a path that is there; malloc()ed. */
static char *dry_file_nearest(const char *path)
{
        AUTO_FREE char *at = xstrdup(*path ? path : ".");
        while (!io_exists(at)) {
                char *slash = strrchr(at, '/');
                if (!slash)
                        return xstrdup(".");
                slash[slash == at ? 1 : 0] = '\0';
        }
        char *out = at;
        at = NULL;
        return out;
}

void dry_directory(StepCtx *ctx, const char *what, const char *dir)
{
        AUTO_FREE char *at = dry_file_nearest(dir);
        AUTO_FREE char *clean = text_clean_str(at);
        struct stat st;
        if (stat(at, &st) < 0 || !S_ISDIR(st.st_mode)) {
                step_problem(ctx, "%s: %s is not a directory", what, clean);
                return;
        }
        /* access() knows nothing of read-only mounts below root, of quotas and of NFS: it is
         * tried. */
        AUTO_FREE char *name = xasprintf("%s/.pgsherpa-dry-XXXXXX", at);
        AUTO_FD int fd = mkostemp(name, O_CLOEXEC);
        if (fd < 0)
                step_problem(ctx, "%s: no file can be made in %s: %s", what, clean,
                             strerror(errno));
        else
                (void)unlink(name);
}

void dry_replaceable(StepCtx *ctx, const char *path)
{
        AUTO_FREE char *real = realpath(path, NULL);
        AUTO_FREE char *dir = xstrdup(real ? real : path);
        AUTO_FREE char *clean = text_clean_str(path);
        char *slash = strrchr(dir, '/');
        struct stat st;
        if (!slash) {
                step_problem(ctx, "%s is no whole path", clean);
                return;
        }
        slash[slash == dir ? 1 : 0] = '\0';
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
                step_problem(ctx, "%s is not a file", clean);
        else if (real && access(real, W_OK) != 0)
                step_problem(ctx, "%s cannot be written by this user", clean);
        else if (!io_exists(dir))
                step_problem(ctx, "%s: there is no directory for it", clean);
        else
                dry_directory(ctx, path, dir);
}

void dry_room(StepCtx *ctx, const char *dir, int64_t bytes, const char *what)
{
        HostCall look = { .cancel = step_cancel_flag(ctx) };
        AUTO_ROOM room = { 0 };
        AUTO_ERR ignored = { 0 };
        char have[24], want[24];
        if (disk_room(&look, dir, &room, &ignored) && room.free_bytes < bytes)
                step_problem(ctx, "%s: %s free at %s, and at least %s are needed", what,
                             fmt_bytes(room.free_bytes, have), room.measured,
                             fmt_bytes(bytes, want));
}

void dry_secret(StepCtx *ctx, const char *param)
{
        AUTO_ERR why = { 0 };
        if (!json_is_object(step_get(ctx, param)) || step_secret(ctx, param, &why))
                return;
        if (strstr(why.message, "has not been given"))
                step_unseen(ctx, "%s", why.message);
        else
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
}

void dry_command(StepCtx *ctx)
{
        const char *cwd = step_str(ctx, "cwd");
        AUTO_FREE char *clean = text_clean_str(cwd);
        struct stat st;
        kit_command_check_env(ctx);
        dry_secret(ctx, "password_stdin");
        if (*cwd && step_known(ctx, "cwd") &&
            step_will_be(ctx, "anything", "anywhere") != WILL_COME &&
            (stat(cwd, &st) < 0 || !S_ISDIR(st.st_mode)))
                step_problem(ctx, "cwd: there is no directory %s", clean);
        step_unseen(ctx, "what a command of your own does cannot be tried");
        step_will(ctx, "anything", "anywhere", WILL_COME);
}
