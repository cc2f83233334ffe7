/* entry_owner.h: whose the object of a dump's entry becomes. */
#pragma once

#include "dumps/toc.h"
#include "sql/sql.h"

/* As a statement. False: it has no owner to be told of. */
bool entry_owner_sql(const TocEntry *e, Sql *q);
