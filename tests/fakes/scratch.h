/* scratch.h: a directory of a test's own.
 *
 *      AUTO_FREE char *dir = scratch_dir();
 *
 * Its name holds the process: what killed tests leave, the next `./dev test` removes. It lies in
 * memory where that can be: a test kills processes, never the machine, so waiting for a disk proves
 * nothing. What programs in another root or container must see lies on the disk. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

static inline char *scratch_below(const char *where)
{
        char *dir = xasprintf("%s/pgsherpa-test-%d-XXXXXX", where, (int)getpid());
        if (!mkdtemp(dir))
                abort();
        return dir;
}

static inline char *scratch_dir(void)
{
        return scratch_below(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static inline char *scratch_on_disk(void)
{
        return scratch_below("/tmp");
}
