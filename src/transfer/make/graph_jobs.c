/* graph_jobs.c: tasks of a transfer's graph, what each costs, and the tables and entries they are
 * of. */
#include "transfer/make/graph_internal.h"

#include "base/clock.h"
#include "transfer/choose/content.h"
#include "transfer/make/graph.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"

#define MIB (1024 * 1024)

/* ---- prices ---- */

/* Bytes a second on one core before anything is learned: of a table for rows, of the finished
 * index for indexes. Measured on small machines; what is learned soon outweighs it. */
static const double guess[JOB_KINDS] = {
        [JOB_DATA] = 90e6, [JOB_BTREE] = 60e6, [JOB_GIN] = 11e6,
        [JOB_GIST] = 6e6,  [JOB_BRIN] = 1e6,   [JOB_OTHER] = 5e6,
};
#define GUESS_SECONDS 1.0 /* a guess counts as much as one second of learning */

/* Of rows, on one of the workers. */
static double rows_speed(const Graph *w)
{
        return (guess[JOB_DATA] * GUESS_SECONDS + w->learned[JOB_DATA].bytes +
                w->running[JOB_DATA].bytes) /
               (GUESS_SECONDS + w->learned[JOB_DATA].seconds + w->running[JOB_DATA].seconds);
}

/* A machine that moves rows at half the speed will build its indexes at half the speed, too. */
static double price(const Graph *w, const Job *job)
{
        double slower = guess[JOB_DATA] / rows_speed(w);
        double first = guess[job->kind] / slower;
        double speed =
                (first * GUESS_SECONDS + w->learned[job->kind].bytes +
                 w->running[job->kind].bytes) /
                (GUESS_SECONDS + w->learned[job->kind].seconds + w->running[job->kind].seconds);
        return job->seconds * slower +
               (double)job->bytes / (job->kind == JOB_DATA ? rows_speed(w) : speed);
}

double graph_price(Graph *w, const Job *job)
{
        pthread_mutex_lock(&w->lock);
        double seconds = price(w, job);
        pthread_mutex_unlock(&w->lock);
        return seconds;
}

#define OWN_WORD 0.4 /* so far along, a job's own speed is all that counts */

/* What is left of a job that runs: what it says itself the more, the further it is. */
static double job_seconds_left(const Graph *w, const Job *job, int64_t now)
{
        double all = price(w, job), seconds = (double)(now - job->began_ms) / 1000.0,
               part = job->part;
        if (part <= 0)
                return MAX(all - seconds, seconds / 10);
        double trust = MIN(1, part / OWN_WORD);
        return trust * seconds * (1 - part) / part + (1 - trust) * all * (1 - part);
}

static double price_again(void *arg, double now, bool running)
{
        Job *job = arg;
        if (!job)
                return now;
        pthread_mutex_lock(&job->w->lock);
        double seconds = running && job->began_ms ? job_seconds_left(job->w, job, job->w->priced_ms)
                                                  : price(job->w, job);
        pthread_mutex_unlock(&job->w->lock);
        return seconds;
}

void graph_learn(Graph *w, JobKind kind, int64_t bytes, int64_t ms)
{
        if (bytes < MIB || ms < 50)
                return; /* too little to say anything about speed */
        pthread_mutex_lock(&w->lock);
        w->learned[kind].bytes += (double)bytes;
        w->learned[kind].seconds += (double)ms / 1000.0;
        w->priced_ms = clock_boot_ms();
        pthread_mutex_unlock(&w->lock);
        pool_reprice(w->pool, price_again);
}

/* What runs says something about speed, too: a table takes minutes, and the first seconds of it
 * are all that is known. */
static void learn_running(Graph *w, const Slot *slots, int64_t now)
{
        memset(w->running, 0, sizeof w->running);
        w->priced_ms = now;
        for (size_t i = 0; i < POOL_WORKERS; i++) {
                Job *job = slots[i].name ? slots[i].job : NULL;
                int64_t ms = now - slots[i].since_ms;
                if (!job)
                        continue;
                job->part = progress_fraction(&slots[i]);
                if (job->part <= 0.01 || ms < 200 || job->shared || job->bytes < MIB)
                        continue;
                w->running[job->kind].bytes += (double)job->bytes * job->part;
                w->running[job->kind].seconds += (double)ms / 1000.0;
        }
}

#define PRICED_EVERY_MS 400

double graph_seconds_left(void *arg, const Slot *slots)
{
        Graph *w = arg;
        int64_t now = clock_boot_ms();
        pthread_mutex_lock(&w->lock);
        bool old = now - w->priced_ms >= PRICED_EVERY_MS;
        if (old)
                learn_running(w, slots, now);
        pthread_mutex_unlock(&w->lock);
        if (old)
                pool_reprice(w->pool, price_again);
        int jobs = pool_jobs(w->pool);
        return MAX(pool_remaining(w->pool) / (jobs > 0 ? jobs : w->jobs), pool_longest(w->pool));
}

/* ---- the graph ---- */

static bool nothing(void *arg, size_t worker, Err *err)
{
        return true;
}

Task *graph_joint(Graph *w)
{
        return pool_add(w->pool, nothing, NULL, 0);
}

static bool run_job(void *arg, size_t worker, Err *err)
{
        Job *job = arg;
        pthread_mutex_lock(&job->w->lock);
        job->began_ms = clock_boot_ms();
        job->part = -1;
        pthread_mutex_unlock(&job->w->lock);
        return job->run(arg, worker, err);
}

Task *graph_task(Graph *w, TaskRun run, Job *job)
{
        job->w = w;
        job->run = run;
        return job->task = pool_add(w->pool, run_job, job, graph_price(w, job));
}

char *graph_name(const Table *t)
{
        return xasprintf("%s.%s", t->schema, t->name);
}

/* ---- tables and entries, as they are asked for ---- */

static int jobs_by_name(const void *a, const void *b)
{
        const Table *x = (*(TableJobs *const *)a)->table, *y = (*(TableJobs *const *)b)->table;
        int n = strcmp(x->schema, y->schema);
        return n ? n : strcmp(x->name, y->name);
}

void graph_index_tables(Graph *w)
{
        Content *c = w->plan->content;
        const json_t *records = jx_get(w->plan->record, "tables");
        w->tables = arena_new_array(w->a, TableJobs, c->n_tables + 1);
        w->sorted = arena_new_array(w->a, TableJobs *, c->n_tables + 1);
        for (size_t i = 0; i < c->n_tables; i++) {
                w->tables[i] =
                        (TableJobs){ .table = &c->tables[i], .record = json_array_get(records, i) };
                w->sorted[i] = &w->tables[i];
        }
        qsort(w->sorted, c->n_tables, sizeof *w->sorted, jobs_by_name);
        w->rows_left = c->n_tables;
        w->things = (int)c->n_tables;
}

TableJobs *graph_table(Graph *w, const char *schema, const char *name)
{
        Table key = { .schema = schema, .name = name };
        TableJobs work = { .table = &key }, *wanted = &work;
        TableJobs **found = bsearch(&wanted, w->sorted, w->plan->content->n_tables,
                                    sizeof *w->sorted, jobs_by_name);
        return found ? *found : NULL;
}

void graph_index_entries(Graph *w)
{
        const Toc *toc = w->plan->toc;
        for (size_t i = 0; i < toc->n; i++)
                w->n_ids = MAX(w->n_ids, toc->entries[i].id + 1);
        w->by_id = arena_new_array(w->a, const TocEntry *, (size_t)w->n_ids + 1);
        for (size_t i = 0; i < toc->n; i++)
                if (toc->entries[i].id >= 0)
                        w->by_id[toc->entries[i].id] = &toc->entries[i];
}

const TocEntry *graph_entry(Graph *w, int id)
{
        return id >= 0 && id < w->n_ids ? w->by_id[id] : NULL;
}

TableJobs *graph_table_of(Graph *w, const TocEntry *e)
{
        for (size_t i = 0; i < e->n_needs; i++) {
                const TocEntry *t = graph_entry(w, e->needs[i]);
                TableJobs *found = t && str_eq(t->class, "TABLE") && t->schema
                                           ? graph_table(w, t->schema, t->name)
                                           : NULL;
                if (found)
                        return found;
        }
        return NULL;
}

int graph_build_memory(int most_mb, int64_t free_mb, int jobs)
{
        return (int)MAX(64, MIN(most_mb, free_mb / (2 * MAX(jobs, 1))));
}
