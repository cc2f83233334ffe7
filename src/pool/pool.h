/* pool.h: worker threads over one graph of work.
 *
 *      AUTO_POOL p = pool_new(&(PoolOwner){ .arg = w, .enter = open, .leave = close, .. });
 *      Task *data = pool_add(p, copy_part, part, seconds);
 *      Task *index = pool_add(p, build_index, entry, seconds);
 *      pool_after(index, data);
 *      if (!pool_run(p, jobs, err)) ...
 *
 * A task is ready when everything it comes after is done. Of the ready ones the pool takes the
 * one with the longest way still behind it: its own cost and that of the longest chain of tasks
 * waiting for it. So the cores are busy to the end, and the end comes early.
 *
 * The first error stops everybody and is what pool_run() returns; what the others say afterwards
 * is a consequence and is dropped. Knows nothing of databases: the owner's hooks do. */
#pragma once

#include "base/err.h"

typedef struct Pool Pool;
typedef struct Task Task;

/* `worker`: which thread this is, 0 .. POOL_WORKERS - 1; one task at a time on each. */
typedef bool (*TaskRun)(void *arg, size_t worker, Err *err);

#define POOL_WORKERS 64 /* more connections than a server gives by default are no use */

typedef struct PoolOwner {
        /* In the worker's thread, before its first task. A worker that cannot begin leaves its
         * work to the others; it is an error only for the last one. */
        bool (*enter)(void *arg, size_t worker, Err *err);
        void (*leave)(void *arg, size_t worker); /* after its last; only if it entered */
        bool (*stopped)(void *arg, Err *err);    /* somebody wants an end: the error */
        /* Stops what the others are in the middle of. Again and again until all stand still: a
         * statement may begin just after it was to be cancelled. */
        void (*interrupt)(void *arg);
        void *arg;
} PoolOwner;

Pool *pool_new(const PoolOwner *o) MUST_CHECK NONNULL;
Pool *pool_free(Pool *p);
/* Cost in seconds, roughly. All tasks are added before pool_run(). */
Task *pool_add(Pool *p, TaskRun run, void *arg, double cost);
/* NULL for either is fine: nothing to wait for. */
void pool_after(Task *later, Task *first);
/* In the thread of the caller nothing runs but the waiting. Tasks left undone: see err. */
bool pool_run(Pool *p, int jobs, Err *err) MUST_CHECK;

/* ---- while it runs, from any thread ---- */
/* Fewer: workers that are too many end their task and rest. 1 .. POOL_WORKERS. */
void pool_set_jobs(Pool *p, int jobs) NONNULL;
int pool_jobs(Pool *p) NONNULL;
/* Asks `cost` again for every task that is not done, because something was learned: of one that
 * is running, for what is left of it. */
void pool_reprice(Pool *p, double (*cost)(void *task_arg, double now, bool running)) NONNULL;
/* Seconds of work that is not done: of running tasks, what the last repricing left of them. */
double pool_remaining(Pool *p) NONNULL;
/* Seconds of the longest chain that is not done: no number of workers is faster. */
double pool_longest(Pool *p) NONNULL;
/* How many of `cores` a running task may use for itself: more than one only when it is so much
 * of what remains that others would be idle before it ends. */
int pool_share(Pool *p, const Task *t, int cores) NONNULL;

static inline void pool_freep(Pool **p)
{
        *p = pool_free(*p);
}
#define AUTO_POOL CLEANUP(pool_freep) Pool *
