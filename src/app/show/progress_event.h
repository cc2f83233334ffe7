/* progress_event.h: how far a transfer is, as one line of JSON.
 *
 *      {"event":"progress","seconds":12.3,"stage":"copying","unit":"bytes","done":412000000,
 *       "total":1200000000,"rows":3120000,"rate":51300000,"seconds_left":16.2,"things_done":3,
 *       "things_total":9,"workers":2,"parts":[{"name":"public.orders","fraction":0.41}]}
 *
 * pgsherpa(1) describes the fields; they are only ever added to. What is not known is null.
 * Pure. */
#pragma once

#include "app/show/progress_line.h"

/* `ms` since the work began. */
json_t *progress_event_of(const ProgressLine *l, int64_t ms) MUST_CHECK NONNULL;
json_t *progress_event_note(const char *text, int64_t ms) MUST_CHECK NONNULL;
/* It ended well. */
json_t *progress_event_done(int64_t ms) MUST_CHECK;
/* One line without its end; malloc()ed. */
char *progress_event_line(const json_t *event) MUST_CHECK NONNULL;
json_t *progress_event_failed(const Err *err, int exit_code, int64_t ms) MUST_CHECK NONNULL;
