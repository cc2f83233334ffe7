/* temporary.h: a name for the database a transfer makes, as pgsherpa itself gives it.
 * malloc()ed. */
#pragma once

#include <stdio.h>
#include <unistd.h>

#include "../pg/lab.h"
#include "transfer/transfer.h"

static inline char *temporary(int major)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        char *name = NULL, run[32];
        snprintf(run, sizeof run, "test_%d", (int)getpid());
        cr_assert(lab_params(major, NULL, &p));
        cr_assert(transfer_temporary_name(&p, run, &name, &err), "%s", err.message);
        return name;
}
