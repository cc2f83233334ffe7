/* fake_kinds.h: a small world for the engine's tests: a directory, and kinds that fill it. */
#pragma once

#include "runbook/param.h"

KindTable fake_kind_table(void);
