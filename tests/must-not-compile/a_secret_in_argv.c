/* wants: incompatible[ -]pointer type */
#include "base/secret.h"
#include "proc/argv.h"

void command(Argv *a, const Secret *s);
void command(Argv *a, const Secret *s)
{
#ifdef WRONG
        argv_add(a, s);
#else
        argv_add(a, secret_name(s));
#endif
}
