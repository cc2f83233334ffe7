/* pattern.h: POSIX extended regular expressions from a runbook, within limits.
 *
 * glibc expands (x{99}){99} before it matches and is exponential in back-references, so a
 * runbook could hang or exhaust whoever opens it. At most 256 bytes, no back-references, and
 * the product of all {n,m} at most 1000. */
#pragma once

#include "base/err.h"

bool pattern_check(const char *pattern, Err *err) MUST_CHECK;
/* Anywhere in the text, as grep -E; anchor it with ^ and $. At most 64 kB are searched. */
bool pattern_matches(const char *pattern, const char *text, bool *ret, Err *err) MUST_CHECK;
