/* race.c: two threads at one number on purpose; threads.sh wants to see it reported. */
#include <pthread.h>

static long number;

static void *add(void *arg)
{
        for (int i = 0; i < 1000; i++)
                number++;
        return arg;
}

int main(void)
{
        pthread_t other;
        pthread_create(&other, NULL, add, NULL);
        add(NULL);
        pthread_join(other, NULL);
        return 0;
}
