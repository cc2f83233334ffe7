/* export_log.h: a run directory as a document. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* format: md, json or txt. */
bool export_log(const char *run_dir, const char *format, Buf *out, Err *err) MUST_CHECK;
