/* directing.h: can it go there at all? Said before anything is made, object by object. */
#pragma once

#include "app/endpoint.h"
#include "app/work.h"

/* From the source's catalogs; prints what is rewritten on the way. False with *ret_refused: the
 * objects that cannot go were printed, the words are in *err. */
bool directing_look(Endpoint *from, Endpoint *to, bool *ret_refused, Err *err) MUST_CHECK;
/* The schema alone, made on the target and dropped; `c` as for transfer_copy(). */
bool directing_rehearse(Work *w, const TransferCopy *c, bool *ret_refused, Err *err) MUST_CHECK;
