/* parse.h: would the server understand a statement? */
#pragma once

#include "pg/conn.h"

/* The server reads the text to its end, and where it is one statement also looks up its names and
 * types; nothing is planned or run, no right of a table is asked for. *ret_one: false for several
 * statements, of which only the grammar was read. False with *err: the server's words, with their
 * SQLSTATE. */
bool pg_parses(Pg *pg, const Sql *q, bool *ret_one, Err *err) MUST_CHECK;
