/* world_impl.h: what the files of this folder share, and nobody else sees. */
#pragma once

#include "engine/world/world.h"

typedef struct NamedSecret {
        char *key; /* name, and the item of a foreach */
        Secret *secret;
        bool typed; /* by a person, who may have mistyped it */
} NamedSecret;

typedef struct TargetLock {
        char *name;
        int fd;
} TargetLock;

struct World { /* under e->lazy_lock */
        NamedSecret *secrets;
        size_t n_secrets;
        TargetLock *locks;
        size_t n_locks;
};

void secrets_drop(Engine *e);
void locks_drop(Engine *e);
