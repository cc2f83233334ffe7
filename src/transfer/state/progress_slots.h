/* progress_slots.h: how far a transfer is: what its stages and workers say, as one Progress.
 *
 * One thing after the other:   progress_stage(), then progress_set() for each.
 * Many at once:                progress_begin(), .._moved() or .._at(), .._end(), each in the slot
 *                              of its worker. */
#pragma once

#include "transfer/state/transfer_state.h"

void progress_stage(Transfer *t, const char *stage, const char *unit, int64_t total, int things);
void progress_set(Transfer *t, int64_t done, int things_done, const ProgressRow *row);
/* Only the words: bytes, rate and things go on. */
void progress_words(Transfer *t, const char *stage);
/* Who says how many seconds the rest takes, from the POOL_WORKERS slots; NULL: the rate does. */
void progress_left(Transfer *t, double (*left)(void *arg, const Slot *slots), void *arg);
/* How much of a slot's thing is done, 0 .. 1, never quite all of it; below 0: not known. */
double progress_fraction(const Slot *s);
/* Many at once, each in the slot of its worker; of `plan` total, expected, weight and job are
 * taken. */
void progress_begin(Transfer *t, size_t slot, const char *name, const Slot *plan);
void progress_moved(Transfer *t, size_t slot, int64_t bytes, int64_t rows);
void progress_at(Transfer *t, size_t slot, double part);
void progress_end(Transfer *t, size_t slot, int things);
