/* wants: format (string )?(is )?not a string literal */
#include "base/err.h"

bool refuse(const char *notice, Err *err);
bool refuse(const char *notice, Err *err)
{
#ifdef WRONG
        return err_set(err, ERR_SERVER, notice);
#else
        return err_set(err, ERR_SERVER, "%s", notice);
#endif
}
