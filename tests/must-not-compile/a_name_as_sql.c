/* wants: expected */
#include "sql/sql.h"

void drop(Sql *q, const char *name);
void drop(Sql *q, const char *name)
{
        sql_add(q, "drop table ");
#ifdef WRONG
        sql_add(q, name);
#else
        sql_ident(q, name);
#endif
}
