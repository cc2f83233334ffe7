/* wants: incompatible[ -]pointer type */
#include "base/jsonx.h"
#include "base/secret.h"

void put(json_t *object, const Secret *s);
void put(json_t *object, const Secret *s)
{
#ifdef WRONG
        jx_set_str(object, "password", s);
#else
        jx_set_str(object, "password", secret_name(s));
#endif
}
