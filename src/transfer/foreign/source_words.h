/* source_words.h: statements that a server does not take, in words it knows (dumps/rewrite.h). */
#pragma once

#include "pg/conn.h"
#include "transfer/transfer.h"

/* ALTER DATABASE or ROLE .. SET in words that this server takes; "": it takes none. Said,
 * malloc()ed. NULL: as it is. */
char *transfer_setting_in_words(Transfer *t, Pg *pg, const char *sql) MUST_CHECK;
/* What a statement refused by an older server is in words it knows, run instead and said. False:
 * there are none, and *err has a hint what in it is newer; or the connection broke. */
bool source_in_older_words(Transfer *t, Pg *pg, const char *object, const char *sql,
                           Err *err) MUST_CHECK;
