#include "transfer/read/passfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

static bool passfile_fill(int fd, const Secret *password, Err *err)
{
        const char *s = secret_expose(password);
        size_t n = 0, len = strlen(s);
        char *line = xmalloc(len * 2 + 16);
        memcpy(line, "*:*:*:*:", 8);
        n = 8;
        for (; *s; s++) {
                if (*s == ':' || *s == '\\')
                        line[n++] = '\\';
                line[n++] = *s;
        }
        line[n++] = '\n';
        bool ok = io_write_all(fd, line, n, err);
        explicit_bzero(line, n);
        free(line);
        return ok;
}

/* Another process of our user may open /proc/PID/fd only while we may be dumped, or as root. */
static bool memory_is_enough(PgClientWhere where)
{
        return where == PG_CLIENT_DIR && (geteuid() == 0 || prctl(PR_GET_DUMPABLE) == 1);
}

bool passfile_make(const Secret *password, PgClientWhere where, PassFile *ret, Err *err)
{
        *ret = (PassFile){ .fd = -1 };
        if (!password)
                return true;
        if (memory_is_enough(where)) {
                ret->fd = memfd_create("pgpass", MFD_CLOEXEC);
                if (ret->fd < 0 || fchmod(ret->fd, 0600) < 0)
                        return err_set_errno(err, errno, "making a file in memory");
                ret->path = xasprintf("/proc/%ld/fd/%d", (long)getpid(), ret->fd);
        } else {
                ret->dir = xstrdup("/dev/shm/pgsherpa-XXXXXX");
                if (!mkdtemp(ret->dir)) {
                        int why = errno;
                        free(ret->dir);
                        ret->dir = NULL;
                        return err_set_errno(err, why, "making a directory in /dev/shm");
                }
                ret->path = io_join(ret->dir, "pass");
                ret->fd = open(ret->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
                if (ret->fd < 0)
                        return err_set_errno(err, errno, "creating %s", ret->path);
        }
        return passfile_fill(ret->fd, password, err);
}

void passfile_done(PassFile *p)
{
        if (p->dir) {
                if (p->path)
                        unlink(p->path);
                rmdir(p->dir);
        }
        if (p->fd >= 0 && p->path)
                close(p->fd);
        free(p->path);
        free(p->dir);
        *p = (PassFile){ .fd = -1 };
}
