/* canary.c: a leak and an overflow on purpose; sanitize.sh wants to see both reported. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

Test(canary, leaks)
{
        void *volatile block = malloc(77);
        block = NULL;
        cr_assert(block == NULL);
}

Test(canary, overflows)
{
        volatile int n = INT_MAX;
        n = n + 1;
        cr_assert(n != 0);
}
