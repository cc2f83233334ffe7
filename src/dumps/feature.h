/* feature.h: what of a statement an older server has no words for, by the words themselves.
 *
 * A server says "syntax error at or near" and one word, often the one behind. The text knows
 * better: what stands in it that came with a major after the server's is most likely why. */
#pragma once

#include "base/base.h"

/* "NULLS NOT DISTINCT" and 15; NULL: nothing known. Never a reason by itself: only for a statement
 * that a server of that major has refused. */
const char *feature_of(const char *sql, int server_major, int *ret_since) NONNULL;
