/* failpoint.h: dying on purpose, at a record chosen by a test. Inside the journal room.
 *
 *      PGSHERPA_FAIL=41:after-write:kill pgsherpa run ...
 *
 * kills the process (SIGKILL, nothing is flushed or cleaned up) right after record 41 was
 * written and before it is known to be on disk. Where: before-write, after-write, after-fsync.
 * What: kill; enospc (at before-write: the write fails, the disk is full); eio (at
 * after-write: the fdatasync fails). Always compiled in, so that what is tested is what is
 * shipped; harmless when unset, and it can only hurt the process of whoever sets it. */
#pragma once

#include "base/base.h"

typedef enum FailWhere { FAIL_BEFORE_WRITE, FAIL_AFTER_WRITE, FAIL_AFTER_FSYNC } FailWhere;

/* 0, or the errno that this operation shall fail with. Does not return from a kill. */
int failpoint(int64_t seq, FailWhere where);
