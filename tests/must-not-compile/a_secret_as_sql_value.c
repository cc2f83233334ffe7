/* wants: incompatible[ -]pointer type */
#include "sql/sql.h"

void password(Sql *q, const Secret *s);
void password(Sql *q, const Secret *s)
{
#ifdef WRONG
        sql_value(q, s);
#else
        sql_secret(q, s);
#endif
}
