/* index_progress.h: asks the target how far its CREATE INDEX statements are
 * (pg_stat_progress_create_index), for all workers on one connection. */
#pragma once

#include "pg/conn.h"
#include "transfer/transfer.h"

typedef struct IndexProgress IndexProgress;
IndexProgress *index_progress_start(Transfer *t, const PgParams *p); /* NULL: it cannot; fine */
/* `reading`: how much of the way reading the table is, 0 .. 1. Backend 0: nothing any more. */
void index_progress_follow(IndexProgress *w, size_t slot, int backend, double reading);
IndexProgress *index_progress_stop(IndexProgress *w);
