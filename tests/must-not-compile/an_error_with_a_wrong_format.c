/* wants: format .*(expects|specifies type) */
#include "base/err.h"

bool refuse(long rows, Err *err);
bool refuse(long rows, Err *err)
{
#ifdef WRONG
        return err_set(err, ERR_USER, "%s rows are missing", rows);
#else
        return err_set(err, ERR_USER, "%ld rows are missing", rows);
#endif
}
