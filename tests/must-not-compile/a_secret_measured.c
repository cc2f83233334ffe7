/* wants: incompatible[ -]pointer type */
#include "base/secret.h"

size_t length(const Secret *s);
size_t length(const Secret *s)
{
#ifdef WRONG
        return strlen(s);
#else
        return strlen(secret_expose(s));
#endif
}
