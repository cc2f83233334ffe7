/* wake.c: the loop sleeps in poll(); whoever has news for it writes here. */
#include "engine/record/record.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool wake_open(Engine *e, Err *err)
{
        e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return e->wake_fd >= 0 || err_set_errno(err, errno, "preparing the engine's loop");
}

void wake_close(Engine *e)
{
        base_closep_(&e->wake_fd);
        e->wake_fd = -1;
}

void wake_up(Engine *e)
{
        uint64_t one = 1;
        ssize_t n = write(e->wake_fd, &one, sizeof one);
        (void)n; /* full means: awake already */
}

void wake_drain(Engine *e)
{
        uint64_t n;
        while (read(e->wake_fd, &n, sizeof n) == (ssize_t)sizeof n)
                ;
}
