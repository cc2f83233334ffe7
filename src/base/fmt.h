/* fmt.h: numbers the way PostgreSQL and people write them.
 *
 * Sizes as postgresql.conf does: every unit is a power of 1024 (kB, MB, GB, TB). All
 * functions write into the caller's buffer and return it, so they nest in printf. */
#pragma once

#include "base/base.h"

char *fmt_bytes(int64_t bytes, char buf[static 24]);     /* "41.2 GB", "38 kB", "512 bytes" */
char *fmt_rate(double bytes_per_s, char buf[static 32]); /* "51.3 MB/s" */
char *fmt_count(int64_t n, char buf[static 32]);         /* "41,208,733" */
/* "1 table", "41,208,733 rows": for things whose plural takes an s. */
char *fmt_things(int64_t n, const char *thing, char buf[static 64]);
#define THINGS(n, thing) fmt_things((int64_t)(n), thing, (char[64]){ 0 }) /* for the block */
char *fmt_clock(int64_t ms, char buf[static 24]);    /* "0:52", "12:41", "1:02:03" */
char *fmt_duration(int64_t ms, char buf[static 24]); /* "4 s", "6 min", "2 h 5 min", "7 days" */

/* "500MB", "2GiB", "64kB", "123" -> bytes; "30s", "5m", "24h", "7d", "250ms" -> milliseconds. */
bool fmt_parse_size(const char *text, int64_t *ret_bytes) MUST_CHECK;
bool fmt_parse_duration(const char *text, int64_t *ret_ms) MUST_CHECK;
