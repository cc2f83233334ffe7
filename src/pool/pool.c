#include "pool/pool.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"

#define LOOK_EVERY_MS 100 /* how soon a request to stop is seen, at the latest */

typedef enum TaskState { TASK_WAITING, TASK_READY, TASK_RUNNING, TASK_DONE } TaskState;

struct Task {
        TaskRun run;
        void *arg;
        double cost, rank;  /* rank: cost and the longest chain behind it */
        size_t number;      /* order of adding: decides between equals */
        size_t open, waits; /* prerequisites: not done; all */
        Task **later;
        size_t n_later, capacity;
        TaskState state;
};

typedef struct Thread {
        Pool *pool;
        size_t index;
        pthread_t thread;
        bool entered, left;
} Thread;

struct Pool {
        PoolOwner owner;
        pthread_mutex_t lock;
        pthread_cond_t news;   /* for workers and for the thread that waits */
        Task **tasks, **order; /* as added; prerequisites first */
        size_t n_tasks, capacity;
        Task **heap; /* the ready ones, highest rank first */
        size_t n_heap, n_done;
        Thread threads[POOL_WORKERS];
        size_t n_threads, alive, busy;
        int jobs;
        bool running, stop;
        Err why;
};

Pool *pool_new(const PoolOwner *o)
{
        Pool *p = xcalloc(1, sizeof *p);
        p->owner = *o;
        pthread_mutex_init(&p->lock, NULL);
        clock_cond_init(&p->news);
        return p;
}

Pool *pool_free(Pool *p)
{
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n_tasks; i++) {
                free(p->tasks[i]->later);
                free(p->tasks[i]);
        }
        free(p->tasks);
        free(p->order);
        free(p->heap);
        err_clear(&p->why);
        pthread_mutex_destroy(&p->lock);
        pthread_cond_destroy(&p->news);
        free(p);
        return NULL;
}

Task *pool_add(Pool *p, TaskRun run, void *arg, double cost)
{
        assert(!p->running);
        if (p->n_tasks == p->capacity) {
                p->capacity = MAX(p->capacity * 2, (size_t)64);
                p->tasks = xrealloc(p->tasks, p->capacity * sizeof *p->tasks);
        }
        Task *t = xcalloc(1, sizeof *t);
        *t = (Task){ .run = run, .arg = arg, .cost = cost, .number = p->n_tasks };
        return p->tasks[p->n_tasks++] = t;
}

void pool_after(Task *later, Task *first)
{
        if (!later || !first)
                return;
        if (first->n_later == first->capacity) {
                first->capacity = MAX(first->capacity * 2, (size_t)4);
                first->later = xrealloc(first->later, first->capacity * sizeof *first->later);
        }
        first->later[first->n_later++] = later;
        later->open++;
        later->waits++;
}

/* ---- the order ---- */

/* Prerequisites before what waits for them. */
static bool sort_tasks(Pool *p, Err *err)
{
        size_t n = 0;
        size_t *open = xcalloc(p->n_tasks + 1, sizeof *open);
        p->order = xrealloc(p->order, (p->n_tasks + 1) * sizeof(Task *));
        for (size_t i = 0; i < p->n_tasks; i++)
                if ((open[i] = p->tasks[i]->waits) == 0)
                        p->order[n++] = p->tasks[i];
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < p->order[i]->n_later; k++) {
                        Task *later = p->order[i]->later[k];
                        if (--open[later->number] == 0)
                                p->order[n++] = later;
                }
        free(open);
        return n == p->n_tasks || err_set(err, ERR_USER, "the work waits for itself");
}

static void rank_tasks(Pool *p)
{
        for (size_t i = p->n_tasks; i-- > 0;) {
                Task *t = p->order[i];
                double behind = 0;
                for (size_t k = 0; k < t->n_later; k++)
                        behind = MAX(behind, t->later[k]->rank);
                t->rank = behind + (t->state == TASK_DONE ? 0 : t->cost);
        }
}

static bool before(const Task *a, const Task *b)
{
        return a->rank > b->rank || (a->rank == b->rank && a->number < b->number);
}

static void sink(Pool *p, size_t i)
{
        for (size_t child; (child = 2 * i + 1) < p->n_heap; i = child) {
                if (child + 1 < p->n_heap && before(p->heap[child + 1], p->heap[child]))
                        child++;
                if (!before(p->heap[child], p->heap[i]))
                        return;
                Task *t = p->heap[i];
                p->heap[i] = p->heap[child];
                p->heap[child] = t;
        }
}

static void make_ready(Pool *p, Task *t)
{
        size_t i = p->n_heap++;
        t->state = TASK_READY;
        p->heap[i] = t;
        for (; i > 0 && before(p->heap[i], p->heap[(i - 1) / 2]); i = (i - 1) / 2) {
                Task *up = p->heap[(i - 1) / 2];
                p->heap[(i - 1) / 2] = p->heap[i];
                p->heap[i] = up;
        }
}

static Task *take_ready(Pool *p)
{
        if (p->n_heap == 0)
                return NULL;
        Task *t = p->heap[0];
        p->heap[0] = p->heap[--p->n_heap];
        sink(p, 0);
        t->state = TASK_RUNNING;
        p->busy++;
        return t;
}

static void finished(Pool *p, Task *t)
{
        t->state = TASK_DONE;
        p->n_done++;
        for (size_t i = 0; i < t->n_later; i++)
                if (--t->later[i]->open == 0)
                        make_ready(p, t->later[i]);
}

/* ---- the workers ---- */

/* With the lock held; the first one counts. */
static void pool_fail(Pool *p, Err *why)
{
        if (!p->stop)
                err_move(&p->why, why);
        p->stop = true;
        pthread_cond_broadcast(&p->news);
}

/* With the lock held, given up meanwhile. False: this worker is of no use. */
static bool enter(Thread *w, Task *t)
{
        Pool *p = w->pool;
        AUTO_ERR err = { 0 };
        if (w->entered)
                return true;
        pthread_mutex_unlock(&p->lock);
        w->entered = !p->owner.enter || p->owner.enter(p->owner.arg, w->index, &err);
        pthread_mutex_lock(&p->lock);
        if (w->entered)
                return true;
        make_ready(p, t);
        p->busy--;
        w->left = true;
        if (--p->alive > 0 && err.kind != ERR_CANCELLED)
                pthread_cond_broadcast(&p->news);
        else
                pool_fail(p, &err);
        return false;
}

static void pool_run_one(Pool *p, Task *t, size_t worker)
{
        AUTO_ERR err = { 0 };
        pthread_mutex_unlock(&p->lock);
        bool ok = t->run(t->arg, worker, &err);
        pthread_mutex_lock(&p->lock);
        p->busy--;
        if (ok)
                finished(p, t);
        else
                pool_fail(p, &err);
        pthread_cond_broadcast(&p->news);
}

static void *pool_work(void *arg)
{
        Thread *w = arg;
        Pool *p = w->pool;
        pthread_mutex_lock(&p->lock);
        while (!p->stop && p->n_done < p->n_tasks) {
                Task *t = p->busy < (size_t)p->jobs ? take_ready(p) : NULL;
                if (!t)
                        pthread_cond_wait(&p->news, &p->lock);
                else if (!enter(w, t))
                        break;
                else
                        pool_run_one(p, t, w->index);
        }
        pthread_mutex_unlock(&p->lock);
        if (w->entered && p->owner.leave)
                p->owner.leave(p->owner.arg, w->index);
        pthread_mutex_lock(&p->lock);
        p->alive -= !w->left;
        pthread_cond_broadcast(&p->news);
        pthread_mutex_unlock(&p->lock);
        return NULL;
}

/* With the lock held: as many threads as jobs, no more than there is work. */
static void start_threads(Pool *p)
{
        size_t wanted = MIN((size_t)p->jobs, MAX(p->n_tasks, (size_t)1));
        while (p->n_threads < wanted && !p->stop && p->n_done < p->n_tasks) {
                Thread *w = &p->threads[p->n_threads];
                *w = (Thread){ .pool = p, .index = p->n_threads };
                int rc = pthread_create(&w->thread, NULL, pool_work, w);
                if (rc) {
                        AUTO_ERR err = { 0 };
                        if (p->n_threads)
                                return;
                        err_set_errno(&err, rc, "starting a thread");
                        pool_fail(p, &err);
                        return;
                }
                p->n_threads++;
                p->alive++;
        }
}

static void wait_a_moment(Pool *p)
{
        struct timespec until = clock_cond_after(LOOK_EVERY_MS);
        pthread_cond_timedwait(&p->news, &p->lock, &until);
}

/* With the lock held, given up while a hook is asked. */
static void look_after(Pool *p)
{
        AUTO_ERR err = { 0 };
        bool stop = p->stop;
        pthread_mutex_unlock(&p->lock);
        bool wanted = !stop && p->owner.stopped && p->owner.stopped(p->owner.arg, &err);
        if ((stop || wanted) && p->owner.interrupt)
                p->owner.interrupt(p->owner.arg);
        pthread_mutex_lock(&p->lock);
        if (wanted)
                pool_fail(p, &err);
}

bool pool_run(Pool *p, int jobs, Err *err)
{
        if (!sort_tasks(p, err))
                return false;
        pthread_mutex_lock(&p->lock);
        p->running = true;
        p->jobs = MAX(1, MIN(jobs, POOL_WORKERS));
        p->heap = xcalloc(p->n_tasks + 1, sizeof(Task *));
        rank_tasks(p);
        for (size_t i = 0; i < p->n_tasks; i++)
                if (p->tasks[i]->open == 0)
                        make_ready(p, p->tasks[i]);
        start_threads(p);
        while (p->alive > 0) {
                wait_a_moment(p);
                look_after(p);
                start_threads(p);
        }
        pthread_mutex_unlock(&p->lock);
        for (size_t i = 0; i < p->n_threads; i++)
                pthread_join(p->threads[i].thread, NULL);
        if (!p->stop)
                return true;
        err_move(err, &p->why);
        return false;
}

/* ---- while it runs ---- */

void pool_set_jobs(Pool *p, int jobs)
{
        pthread_mutex_lock(&p->lock);
        p->jobs = MAX(1, MIN(jobs, POOL_WORKERS));
        pthread_cond_broadcast(&p->news);
        pthread_mutex_unlock(&p->lock);
}

int pool_jobs(Pool *p)
{
        pthread_mutex_lock(&p->lock);
        int jobs = p->jobs;
        pthread_mutex_unlock(&p->lock);
        return jobs;
}

void pool_reprice(Pool *p, double (*cost)(void *task_arg, double now, bool running))
{
        pthread_mutex_lock(&p->lock);
        for (size_t i = 0; i < p->n_tasks; i++)
                if (p->tasks[i]->state != TASK_DONE)
                        p->tasks[i]->cost = cost(p->tasks[i]->arg, p->tasks[i]->cost,
                                                 p->tasks[i]->state == TASK_RUNNING);
        if (p->running)
                rank_tasks(p);
        for (size_t i = p->n_heap / 2; i-- > 0;)
                sink(p, i);
        pthread_mutex_unlock(&p->lock);
}

static double remaining(const Pool *p)
{
        double sum = 0;
        for (size_t i = 0; i < p->n_tasks; i++)
                if (p->tasks[i]->state != TASK_DONE)
                        sum += p->tasks[i]->cost;
        return sum;
}

double pool_remaining(Pool *p)
{
        pthread_mutex_lock(&p->lock);
        double sum = remaining(p);
        pthread_mutex_unlock(&p->lock);
        return sum;
}

double pool_longest(Pool *p)
{
        double longest = 0;
        pthread_mutex_lock(&p->lock);
        for (size_t i = 0; i < p->n_tasks; i++)
                if (p->tasks[i]->state != TASK_DONE)
                        longest = MAX(longest, p->tasks[i]->rank);
        pthread_mutex_unlock(&p->lock);
        return longest;
}

int pool_share(Pool *p, const Task *t, int cores)
{
        pthread_mutex_lock(&p->lock);
        double all = remaining(p), share = all > 0 ? (double)cores * t->cost / all : 1;
        pthread_mutex_unlock(&p->lock);
        return MAX(1, MIN(cores, (int)(share + 0.5)));
}
