/* run_lock.c: one engine per run, by flock: it ends with its holder, kill -9 included.
 *
 * fcntl(F_SETLK) would not do: it is lost when any descriptor on the file is closed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "journal/run_dir.h"

static long long start_time(void)
{
        AUTO_FREE char *text = NULL;
        AUTO_ERR err = { 0 };
        if (!io_read_file("/proc/self/stat", 8192, &text, NULL, &err))
                return 0;
        const char *p = strrchr(text, ')'); /* field 2 may hold blanks and brackets */
        for (int field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        return p ? strtoll(p, NULL, 10) : 0;
}

static bool write_who(int fd, const char *path, Err *err)
{
        char host[256] = "", iso[32];
        gethostname(host, sizeof host - 1);
        const char *user = getenv("SUDO_USER");
        if (!user || !*user)
                user = getenv("USER");
        AUTO_JSON j = json_object();
        jx_set_str(j, "who", user && *user ? user : "root");
        jx_set_int(j, "pid", getpid());
        jx_set_int(j, "starttime", start_time());
        jx_set_str(j, "boot_id", clock_boot_id());
        jx_set_str(j, "host", host);
        jx_set_str(j, "since", clock_iso(clock_wall_ms(), iso));
        AUTO_FREE char *text = jx_dump(j);
        AUTO_FREE char *line = xasprintf("%s\n", text);
        if (ftruncate(fd, 0) < 0)
                return err_set_errno(err, errno, "writing %s", path);
        return io_write_all(fd, line, strlen(line), err) || err_wrap(err, "writing %s", path);
}

bool run_lock_try(const char *run_dir, int *ret_fd, Err *err)
{
        *ret_fd = -1;
        AUTO_FREE char *path = io_join(run_dir, "lock");
        AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", path);
        /* run_lock_held() of a viewer holds it shared for a moment: do not take that for an
         * engine. */
        for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return err_set_errno(err, errno, "locking %s", path);
                if (tries >= 20)
                        return true;
                nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
        }
        if (!write_who(fd, path, err))
                return false;
        *ret_fd = fd;
        fd = -1;
        return true;
}

bool run_lock_held(const char *run_dir)
{
        AUTO_FREE char *path = io_join(run_dir, "lock");
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

char *run_lock_words(const char *run_dir)
{
        AUTO_FREE char *path = io_join(run_dir, "lock");
        AUTO_FREE char *text = NULL;
        AUTO_ERR err = { 0 };
        size_t n = 0;
        AUTO_JSON j = io_read_file(path, 4096, &text, &n, &err) ? jx_parse(text, n, &err) : NULL;
        if (!j)
                return xstrdup("another process");
        char hm[24] = "?";
        int64_t since;
        if (clock_parse_iso(jx_str(j, "since", ""), &since))
                clock_day_hm(since, hm);
        AUTO_FREE char *words =
                xasprintf("%s, pid %lld on %s, since %s", jx_str(j, "who", "?"),
                          (long long)jx_int(j, "pid", 0), jx_str(j, "host", "?"), hm);
        return text_clean_str(words);
}
