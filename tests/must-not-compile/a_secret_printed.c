/* wants: format .*(expects|specifies type) */
#include "base/secret.h"
#include <stdio.h>

void show(const Secret *s);
void show(const Secret *s)
{
#ifdef WRONG
        printf("password %s\n", s);
#else
        printf("password %s\n", secret_name(s));
#endif
}
