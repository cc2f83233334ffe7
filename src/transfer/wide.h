/* wide.h: rows that are too wide for pg_dump.
 *
 * COPY makes one message of a row's text, and a server's message ends at 1 GB. bytea has two digits
 * a byte in text: from 512 MB on such a row cannot be read by pg_dump (nor by any other COPY in
 * text), while COPY in binary carries it. Looked for without reading the values: their lengths
 * stand in front. */
#pragma once

#include "pg/conn.h"

/* The first table with such a row, as words, malloc()ed; *ret NULL: none. What escapes add is not
 * known. */
bool wide_row(Pg *pg, char **ret, Err *err) MUST_CHECK;
