#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "pool/pool.h"

typedef struct Act {
        struct Story *s;
        const char *name;
        int ms;
        bool fails, until_interrupted;
} Act;

/* What happened, in order, from all threads. */
typedef struct Story {
        pthread_mutex_t lock;
        char text[4096];
        atomic_int inside, most, interrupts, entered, left;
        atomic_bool stop;
        Pool *pool;
        int refuse_from; /* workers from this one on cannot begin; 0: all can */
        Act acts[32];
        size_t n_acts;
} Story;

static void nap(int ms)
{
        nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static bool act(void *arg, size_t worker, Err *err)
{
        Act *a = arg;
        Story *s = a->s;
        int inside = ++s->inside;
        for (int most = s->most;
             inside > most && !atomic_compare_exchange_weak(&s->most, &most, inside);)
                ;
        if (a->until_interrupted)
                for (int i = 0; i < 5000 && s->interrupts == 0; i++)
                        nap(1);
        nap(a->ms);
        pthread_mutex_lock(&s->lock);
        size_t used = strlen(s->text);
        snprintf(s->text + used, sizeof s->text - used, "%s", a->name);
        pthread_mutex_unlock(&s->lock);
        s->inside--;
        return !a->fails || err_set(err, ERR_USER, "%s failed", a->name);
}

static bool enter(void *arg, size_t worker, Err *err)
{
        Story *s = arg;
        if (s->refuse_from && (int)worker >= s->refuse_from)
                return err_set(err, ERR_SERVER, "too many connections");
        s->entered++;
        return true;
}

static void leave(void *arg, size_t worker)
{
        ((Story *)arg)->left++;
}

static bool stopped(void *arg, Err *err)
{
        Story *s = arg;
        return s->stop && !err_set(err, ERR_CANCELLED, "stopped on request");
}

static void interrupt(void *arg)
{
        ((Story *)arg)->interrupts++;
}

static Pool *with(Story *s)
{
        pthread_mutex_init(&s->lock, NULL);
        return s->pool = pool_new(&(PoolOwner){ .arg = s,
                                                .enter = enter,
                                                .leave = leave,
                                                .stopped = stopped,
                                                .interrupt = interrupt });
}

static Task *add(Pool *p, double cost, Act a)
{
        Act *kept = &a.s->acts[a.s->n_acts++];
        *kept = a;
        return pool_add(p, act, kept, cost);
}

#define TASK(p, cost, ...) add((p), (cost), (Act){ __VA_ARGS__ })

Test(pool, takes_the_longest_way_first)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        Task *small = TASK(p, 1, &s, "a"); /* short itself, but 10 wait for it */
        TASK(p, 5, &s, "b");
        TASK(p, 8, &s, "c");
        pool_after(TASK(p, 10, &s, "d"), small);
        cr_assert(pool_run(p, 1, &err));
        cr_assert_str_eq(s.text, "adcb");
        cr_assert_eq(s.entered, 1);
        cr_assert_eq(s.left, 1);
}

Test(pool, waits_for_every_prerequisite)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        Task *last = TASK(p, 100, &s, "z");
        pool_after(last, TASK(p, 1, &s, "a", .ms = 30));
        pool_after(last, TASK(p, 1, &s, "a", .ms = 5));
        pool_after(last, TASK(p, 1, &s, "a", .ms = 15));
        pool_after(last, NULL);
        cr_assert(pool_run(p, 3, &err));
        cr_assert_str_eq(s.text, "aaaz");
}

Test(pool, runs_as_many_at_once_as_it_was_told)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        for (int i = 0; i < 12; i++)
                TASK(p, 1, &s, "x", .ms = 20);
        cr_assert(pool_run(p, 3, &err));
        cr_assert_eq(s.most, 3);
        cr_assert_eq(strlen(s.text), 12);
        cr_assert_eq(s.entered, s.left);
}

Test(pool, returns_the_first_error_and_interrupts_the_others)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        Task *bad = TASK(p, 9, &s, "bad", .ms = 5, .fails = true);
        TASK(p, 10, &s, "long", .until_interrupted = true, .fails = true);
        pool_after(TASK(p, 1, &s, "never"), bad);
        cr_assert_not(pool_run(p, 2, &err));
        cr_assert_str_eq(err.message, "bad failed");
        cr_assert_gt(s.interrupts, 0);
        cr_assert_null(strstr(s.text, "never"));
}

Test(pool, stops_when_somebody_wants_it)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        s.stop = true;
        TASK(p, 1, &s, "a", .until_interrupted = true);
        TASK(p, 1, &s, "b", .until_interrupted = true);
        cr_assert_not(pool_run(p, 1, &err));
        cr_assert_eq(err.kind, ERR_CANCELLED);
        cr_assert(strlen(s.text) <= 1);
}

Test(pool, goes_on_without_workers_that_cannot_begin)
{
        Story s = { .refuse_from = 1 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        for (int i = 0; i < 6; i++)
                TASK(p, 1, &s, "x", .ms = 5);
        cr_assert(pool_run(p, 4, &err));
        cr_assert_eq(strlen(s.text), 6);
        cr_assert_eq(s.entered, 1);
}

static bool refuse(void *arg, size_t worker, Err *err)
{
        return err_set(err, ERR_SERVER, "too many connections");
}

Test(pool, fails_when_no_worker_can_begin)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = pool_new(&(PoolOwner){ .arg = &s, .enter = refuse });
        for (int i = 0; i < 6; i++)
                TASK(p, 1, &s, "x");
        cr_assert_not(pool_run(p, 3, &err));
        cr_assert_str_eq(err.message, "too many connections");
        cr_assert_str_eq(s.text, "");
}

static bool more(void *arg, size_t worker, Err *err)
{
        Story *s = arg;
        pool_set_jobs(s->pool, 3);
        return act(&(Act){ s, "m", .ms = 20 }, worker, err);
}

Test(pool, gets_more_workers_while_it_runs)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        pool_add(p, more, &s, 100);
        for (int i = 0; i < 8; i++)
                TASK(p, 1, &s, "x", .ms = 40);
        cr_assert(pool_run(p, 1, &err));
        cr_assert_eq(s.most, 3);
        cr_assert_eq(pool_jobs(p), 3);
}

static bool fewer(void *arg, size_t worker, Err *err)
{
        Story *s = arg;
        nap(20); /* the others are in the middle of theirs */
        pool_set_jobs(s->pool, 1);
        nap(60);
        s->most = 0;
        return true;
}

Test(pool, lets_workers_rest_that_are_too_many)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        pool_add(p, fewer, &s, 100);
        for (int i = 0; i < 8; i++)
                TASK(p, 1, &s, "x", .ms = 40);
        cr_assert(pool_run(p, 3, &err));
        cr_assert_eq(s.most, 1);
        cr_assert_eq(strlen(s.text), 8);
}

static double dear(void *arg, double now, bool running)
{
        return running ? 3 : str_eq(((Act *)arg)->name, "c") ? 50 : now;
}

static bool learn(void *arg, size_t worker, Err *err)
{
        Pool *p = ((Act *)arg)->s->pool;
        pool_reprice(p, dear);
        cr_assert_eq(pool_remaining(p), 3 + 10 + 11 + 12 + 13 + 14 + 50,
                     "of what runs, what is left");
        return act(arg, worker, err);
}

Test(pool, orders_again_when_it_learned_a_cost)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        pool_add(p, learn, &(Act){ &s, "l" }, 100);
        for (int i = 0; i < 5; i++)
                TASK(p, 10 + i, &s, "x");
        TASK(p, 1, &s, "c");
        cr_assert(pool_run(p, 1, &err));
        cr_assert_str_eq(s.text, "lcxxxxx");
}

Test(pool, knows_what_remains_and_who_may_take_more_cores)
{
        Story s = { 0 };
        AUTO_POOL p = with(&s);
        Task *big = TASK(p, 9, &s, "a");
        Task *small = TASK(p, 3, &s, "b");
        cr_assert_eq(pool_remaining(p), 12);
        cr_assert_eq(pool_share(p, big, 2), 2);
        cr_assert_eq(pool_share(p, small, 2), 1);
}

Test(pool, refuses_work_that_waits_for_itself)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        Task *a = TASK(p, 1, &s, "a"), *b = TASK(p, 1, &s, "b");
        pool_after(a, b);
        pool_after(b, a);
        cr_assert_not(pool_run(p, 2, &err));
        cr_assert_str_eq(err.message, "the work waits for itself");
}

Test(pool, with_nothing_to_do_is_done)
{
        Story s = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_POOL p = with(&s);
        cr_assert(pool_run(p, 2, &err));
        cr_assert_eq(s.entered, 0);
}
