/* followers.h: what a rehearsal did not get only because something before it was missing.
 *
 * A table that the target does not take takes with it its keys, indexes, grants, comments, and the
 * views over it: each of them fails with "relation .. does not exist", and says nothing new. They
 * are told once, with what they need: {"object": "TABLE public.t", .., "followers": ["INDEX
 * public.i", ..]}. */
#pragma once

#include "base/jsonx.h"

/* Of transfer_rehearse()'s list, in the order of trying; "sqlstate" is what the server said. */
void followers_fold(json_t *found) NONNULL;
