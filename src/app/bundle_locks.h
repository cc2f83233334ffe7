/* bundle_locks.h: a run's bundles are its way back until it is closed. */
#pragma once

#include "base/err.h"

/* When the run in this directory is closed as done or undone: its locks are taken off the
 * bundles it wrote. Any other run keeps them, because somebody may still want to go back. */
bool bundle_locks_release(const char *run_dir, Err *err) MUST_CHECK;
