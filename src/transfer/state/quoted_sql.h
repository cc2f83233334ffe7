/* quoted_sql.h: SQL as text without a connection that would quote it. */
#pragma once

#include "sql/sql.h"

/* Simple text: standard_conforming_strings is on wherever it goes. malloc()ed. */
char *plain_sql(const Sql *q);
