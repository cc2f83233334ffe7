#include "engine/world/world_impl.h"

void world_new(Engine *e)
{
        e->world = xcalloc(1, sizeof *e->world);
}

void world_free(Engine *e)
{
        locks_drop(e);
        secrets_drop(e);
        free(e->world);
        e->world = NULL;
}
