/* clock.h: what time it is, twice.
 *
 * Wall clock (milliseconds since 1970, UTC) is for showing; boot clock (CLOCK_BOOTTIME, it
 * counts suspend too) is for durations. PGSHERPA_CLOCK=<wall ms> freezes both for tests
 * that compare pictures. */
#pragma once

#include <pthread.h>

#include "base/base.h"

int64_t clock_wall_ms(void);
int64_t clock_boot_ms(void);

/* "2026-11-20T22:41:07.123Z"; buf of at least 32 bytes. Returns buf. */
char *clock_iso(int64_t wall_ms, char buf[static 32]);
/* Local time of day, "22:41:07" and "22:41" ; and "20 Nov 22:41". */
char *clock_hms(int64_t wall_ms, char buf[static 16]);
char *clock_hm(int64_t wall_ms, char buf[static 16]);
char *clock_day_hm(int64_t wall_ms, char buf[static 24]);
/* Back from clock_iso(); false when the text is not one. */
bool clock_parse_iso(const char *text, int64_t *ret_wall_ms) MUST_CHECK;
/* That, or "22:00": the next time it is that late here. */
bool clock_parse_start(const char *text, int64_t *ret_wall_ms) MUST_CHECK;
/* This boot, from /proc: two durations of different boots must not be subtracted. */
const char *clock_boot_id(void);

/* For pthread_cond_timedwait(): a condition in a clock that nobody sets, and a moment in it. */
void clock_cond_init(pthread_cond_t *c) NONNULL;
struct timespec clock_cond_after(int64_t ms);
