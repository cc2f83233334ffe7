/* precheck.h: can it go there at all? Said before anything is made, object by object. */
#pragma once

#include "app/data/endpoint.h"
#include "app/show/work.h"

/* From the source's catalogs; what is rewritten on the way is printed, or with `into` (an array)
 * added there. False with *ret_refused: the objects that cannot go were printed, the words are in
 * *err. */
bool precheck_catalogs(Endpoint *from, Endpoint *to, json_t *into, bool *ret_refused,
                       Err *err) MUST_CHECK;
/* The schema alone, made on the target and dropped; `c` as for transfer_copy(). */
bool precheck_rehearse(Work *w, const TransferCopy *c, json_t *into, bool *ret_refused,
                       Err *err) MUST_CHECK;
