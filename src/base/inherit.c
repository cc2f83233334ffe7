#include "base/inherit.h"

#include <stdatomic.h>

static atomic_int kept = -1;

void inherit_set(int fd)
{
        atomic_store(&kept, fd);
}

int inherit_get(void)
{
        return atomic_load(&kept);
}
