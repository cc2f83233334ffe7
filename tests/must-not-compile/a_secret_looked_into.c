/* wants: incomplete */
#include "base/secret.h"

size_t peek(const Secret *s);
size_t peek(const Secret *s)
{
#ifdef WRONG
        return sizeof *s;
#else
        return sizeof s;
#endif
}
