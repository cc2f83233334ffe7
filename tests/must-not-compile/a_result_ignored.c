/* wants: unused|ignoring return value */
#include "sql/sql.h"

bool render(const Sql *q, const SqlQuoter *quoter, char **ret, Err *err);
bool render(const Sql *q, const SqlQuoter *quoter, char **ret, Err *err)
{
#ifdef WRONG
        sql_for_server(q, quoter, ret, err);
        return true;
#else
        return sql_for_server(q, quoter, ret, err);
#endif
}
