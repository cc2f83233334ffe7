/* container.h: the address of a server in a container, for places that are made of containers. */
#pragma once

#include "base/arena.h"
#include "pg/conn.h"

/* `container`: its name or id. Sets host, port and system; strings in the arena. */
bool place_in_container(Arena *a, const char *container, PgParams *ret, Err *err) MUST_CHECK;
