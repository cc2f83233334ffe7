/* canary.c: what sanitizers are there to find, planted; the suite `sanitizer` wants each reported.
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include <criterion/criterion.h>

Test(canary, leak)
{
        void *volatile block = malloc(77);
        block = NULL;
        cr_assert(block == NULL);
}

Test(canary, overflow)
{
        volatile int n = INT_MAX;
        n = n + 1;
        cr_assert(n != 0);
}

static long number;

static void *add(void *arg)
{
        for (int i = 0; i < 1000; i++)
                number++;
        return arg;
}

Test(canary, race)
{
        pthread_t other;
        cr_assert(pthread_create(&other, NULL, add, NULL) == 0);
        add(NULL);
        cr_assert(pthread_join(other, NULL) == 0);
}

/* For plain_criterion.c: it must not have lost its voice either. */
Test(canary, assertion)
{
        cr_assert(number != 0);
}
