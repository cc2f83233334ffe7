/* later.h: extensions that want more than CREATE EXTENSION while a database is loaded
 * (pg/extension.h); of this room only. */
#pragma once

#include "dumps/toc.h"
#include "pg/extension.h"
#include "transfer/choose/content.h"
#include "transfer/transfer.h"

/* The extension was just made in a database that is about to be loaded: what it wants before. */
bool later_made(Transfer *t, Pg *pg, const char *extension, Err *err) MUST_CHECK;
/* False: the schema of a source is called as the place where things wait, which only we may fill.
 * NULL: true. */
bool later_is_ours(const char *schema, Err *err) MUST_CHECK;
/* Puts aside, in the database `to`, what can only be made when it has its name: an extension of one
 * home, what needs it (entries are marked), its rows and sequences (of `c`; NULL: there are none
 * yet).
 * *ret_any: there was something. */
bool later_put(Transfer *t, Pg *to, Toc *toc, Content *c, Arena *a, bool *ret_any,
               Err *err) MUST_CHECK;
/* Will the database be the one in which the server `to` can have the extension `x`? Says that it
 * waits. */
bool later_home_fits(Transfer *t, Pg *to, const PgExtension *x, Err *err) MUST_CHECK;
/* `extensions`: [{"name", "version"}] of the source; made on the target already. Those whose rows
 * only fit the version that wrote them have it there, or *err says what to do. */
bool later_versions_fit(Pg *to, const json_t *extensions, Err *err) MUST_CHECK;
