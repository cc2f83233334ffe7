/* bundle_locks.h: a run's bundles are its way back until it is closed. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"

/* When the run in this directory is closed as done or undone: its locks are taken off the
 * bundles it wrote. Any other run keeps them, because somebody may still want to go back. */
bool bundle_locks_release(const char *run_dir, Err *err) MUST_CHECK;
/* A row of bundle_list(), as somebody meets it: a lock whose run is closed and says that it made
 * this bundle is let go ("locked" null, "let_go": the run). Of any other one "lock_words" says
 * whose it is. An engine that dies between its last record and this would otherwise leave it for
 * ever. */
void bundle_locks_settle(json_t *row);
