#include "engine/desk/desk_impl.h"

void desk_new(Engine *e)
{
        e->desk = xcalloc(1, sizeof *e->desk);
        e->desk->listen_fd = e->desk->signal_fd = -1;
        for (size_t i = 0; i < DESK_CLIENTS; i++)
                e->desk->clients[i].fd = -1;
}

void desk_free(Engine *e)
{
        loop_close(e);
        free(e->desk);
        e->desk = NULL;
}
