/* opclasses.h: the operator classes of a source's indexes, where a dump does not say them.
 *
 *      opclasses_read(pg, &known, err)  ->  {"public.i": ["\"public\".\"gist_inet_ops\"", null],
 * ..} opclasses_say(&toc, known, arena)       the entries of those indexes name them
 *
 * By the schema and the name that an archive has for an index ("i"), or for a constraint ("t c").
 * Of B-trees and hashes a type has one class in every major; all others are told. Part of
 * props_read(), and so of a bundle's record. */
#pragma once

#include "base/jsonx.h"
#include "dumps/toc.h"
#include "pg/conn.h"

bool opclasses_read(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* `known` NULL: a bundle of before has none. */
void opclasses_say(Toc *toc, const json_t *known, Arena *a);
