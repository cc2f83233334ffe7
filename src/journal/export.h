/* export.h: the execution log for afterwards: `pgsherpa log RUN --format md|json|txt`.
 *
 * Markdown has the header (runbook, versions, host, who, start, end, downtime planned and
 * actual, verdict, head hash), the table Step | Time | Status | Notes, then decisions, manual
 * ticks, obligations, artifacts with SHA-256, errors. Names cannot break the table.
 *
 * `head_hash` may be NULL: then it is the hash of the view's last event. `out` decides how large
 * a log may get; verbs.h has all of it in one call. */
#pragma once

#include "base/buf.h"
#include "journal/run_view.h"

bool export_markdown(const RunView *v, const char *head_hash, Buf *out, Err *err) MUST_CHECK;
bool export_text(const RunView *v, const char *head_hash, Buf *out, Err *err) MUST_CHECK;
/* The log line by line, as the review shows it: time, step, level, who, text. */
bool export_lines(const RunView *v, Buf *out, Err *err) MUST_CHECK;
json_t *export_json(const RunView *v, const char *head_hash) MUST_CHECK;
