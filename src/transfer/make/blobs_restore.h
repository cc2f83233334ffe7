/* blobs_restore.h: large objects out of a bundle into a server. */
#pragma once

#include "pg/conn.h"
#include "transfer/transfer.h"

/* `database`: its record in the manifest; what arrives is held against it. */
bool blobs_restore(Transfer *t, const Bundle *b, const json_t *database, Pg *to, int64_t *ret_n,
                   Err *err);
