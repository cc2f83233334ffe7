/* checkpoints.h: CHECKPOINTs of the target beside the work, each when it is asked for. */
#pragma once

#include "pg/conn.h"
#include "transfer/transfer.h"

typedef struct Checkpoints Checkpoints;
Checkpoints *checkpoints_start(Transfer *t, const PgParams *p); /* NULL: it cannot; fine */
void checkpoints_ask(Checkpoints *f);          /* never waits; after one that runs. NULL is fine */
Checkpoints *checkpoints_stop(Checkpoints *f); /* waits for one that runs */
