/* inherit.h: the one descriptor that children keep.
 *
 * While a step runs, the engine holds a locked file (state/<step>.<attempt>.alive). proc lets
 * every child inherit it, so that after a crash the lock tells whether some descendant of that
 * step still lives: no process ids, no guessing. -1: there is none. */
#pragma once

#include "base/base.h"

void inherit_set(int fd);
int inherit_get(void);
