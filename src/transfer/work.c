#include "transfer/work.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rowhash.h"

#define MIB (1024 * 1024)

/* ---- prices ---- */

/* Bytes a second on one core before anything is learned: of a table for rows, of the finished
 * index for indexes. Measured on small machines; what is learned soon outweighs it. */
static const double guess[WORK_KINDS] = {
        [WORK_DATA] = 90e6, [WORK_BTREE] = 60e6, [WORK_GIN] = 11e6,
        [WORK_GIST] = 6e6,  [WORK_BRIN] = 1e6,   [WORK_OTHER] = 5e6,
};
#define GUESS_SECONDS 1.0 /* a guess counts as much as one second of learning */

/* Of rows, on one of the workers. */
static double rows_speed(const Work *w)
{
        return (guess[WORK_DATA] * GUESS_SECONDS + w->learned[WORK_DATA].bytes +
                w->running[WORK_DATA].bytes) /
               (GUESS_SECONDS + w->learned[WORK_DATA].seconds + w->running[WORK_DATA].seconds);
}

/* A machine that moves rows at half the speed will build its indexes at half the speed, too. */
static double price(const Work *w, const Job *job)
{
        double slower = guess[WORK_DATA] / rows_speed(w);
        double first = guess[job->kind] / slower;
        double speed =
                (first * GUESS_SECONDS + w->learned[job->kind].bytes +
                 w->running[job->kind].bytes) /
                (GUESS_SECONDS + w->learned[job->kind].seconds + w->running[job->kind].seconds);
        return job->seconds * slower +
               (double)job->bytes / (job->kind == WORK_DATA ? rows_speed(w) : speed);
}

double work_price(Work *w, const Job *job)
{
        pthread_mutex_lock(&w->lock);
        double seconds = price(w, job);
        pthread_mutex_unlock(&w->lock);
        return seconds;
}

#define OWN_WORD 0.4 /* so far along, a job's own speed is all that counts */

/* What is left of a job that runs: what it says itself the more, the further it is. */
static double rest(const Work *w, const Job *job, int64_t now)
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
        double seconds = running && job->began_ms ? rest(job->w, job, job->w->priced_ms)
                                                  : price(job->w, job);
        pthread_mutex_unlock(&job->w->lock);
        return seconds;
}

void work_learn(Work *w, WorkKind kind, int64_t bytes, int64_t ms)
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
static void look(Work *w, const Slot *slots, int64_t now)
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

static double left(void *arg, const Slot *slots)
{
        Work *w = arg;
        int64_t now = clock_boot_ms();
        pthread_mutex_lock(&w->lock);
        bool old = now - w->priced_ms >= PRICED_EVERY_MS;
        if (old)
                look(w, slots, now);
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

Task *work_joint(Work *w)
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

Task *work_task(Work *w, TaskRun run, Job *job)
{
        job->w = w;
        job->run = run;
        return job->task = pool_add(w->pool, run_job, job, work_price(w, job));
}

char *work_name(const Table *t)
{
        return xasprintf("%s.%s", t->schema, t->name);
}

static int by_name(const void *a, const void *b)
{
        const Table *x = (*(TableWork *const *)a)->table, *y = (*(TableWork *const *)b)->table;
        int n = strcmp(x->schema, y->schema);
        return n ? n : strcmp(x->name, y->name);
}

static void index_tables(Work *w)
{
        Content *c = w->plan->content;
        const json_t *records = jx_get(w->plan->record, "tables");
        w->tables = arena_new_array(w->a, TableWork, c->n_tables + 1);
        w->sorted = arena_new_array(w->a, TableWork *, c->n_tables + 1);
        for (size_t i = 0; i < c->n_tables; i++) {
                w->tables[i] =
                        (TableWork){ .table = &c->tables[i], .record = json_array_get(records, i) };
                w->sorted[i] = &w->tables[i];
        }
        qsort(w->sorted, c->n_tables, sizeof *w->sorted, by_name);
        w->rows_left = c->n_tables;
        w->things = (int)c->n_tables;
}

TableWork *work_table(Work *w, const char *schema, const char *name)
{
        Table key = { .schema = schema, .name = name };
        TableWork work = { .table = &key }, *wanted = &work;
        TableWork **found =
                bsearch(&wanted, w->sorted, w->plan->content->n_tables, sizeof *w->sorted, by_name);
        return found ? *found : NULL;
}

static void index_entries(Work *w)
{
        const Toc *toc = w->plan->toc;
        for (size_t i = 0; i < toc->n; i++)
                w->n_ids = MAX(w->n_ids, toc->entries[i].id + 1);
        w->by_id = arena_new_array(w->a, const TocEntry *, (size_t)w->n_ids + 1);
        for (size_t i = 0; i < toc->n; i++)
                if (toc->entries[i].id >= 0)
                        w->by_id[toc->entries[i].id] = &toc->entries[i];
}

const TocEntry *work_entry(Work *w, int id)
{
        return id >= 0 && id < w->n_ids ? w->by_id[id] : NULL;
}

TableWork *work_table_of(Work *w, const TocEntry *e)
{
        for (size_t i = 0; i < e->n_needs; i++) {
                const TocEntry *t = work_entry(w, e->needs[i]);
                TableWork *found = t && str_eq(t->class, "TABLE") && t->schema
                                           ? work_table(w, t->schema, t->name)
                                           : NULL;
                if (found)
                        return found;
        }
        return NULL;
}

/* ---- workers ---- */

static void leave(void *arg, size_t worker)
{
        Work *w = arg;
        Lane *l = &w->lanes[worker];
        if (l->entries.a)
                entries_done(&l->entries);
        transfer_disconnect(w->t, &l->from);
        transfer_disconnect(w->t, &l->to);
}

static bool enter(void *arg, size_t worker, Err *err)
{
        Work *w = arg;
        const WorkPlan *p = w->plan;
        Lane *l = &w->lanes[worker];
        *l = (Lane){ .w = w, .slot = worker, .parallel = -1 };
        if (p->source) {
                PgParams mine = *p->source;
                mine.statement_timeout_ms = 0;
                if (!transfer_connect(w->t, &mine, p->database, &l->from, err) ||
                    !source_begin(l->from, p->snapshot, NULL, err)) {
                        leave(w, worker);
                        return err_wrap(err, "one more connection to the source");
                }
        }
        if (p->target) {
                if (!target_open(w->t, p->target, p->into, str_eq(w->encoding, "SQL_ASCII"), &l->to,
                                 err)) {
                        leave(w, worker);
                        return err_wrap(err, "one more connection to the target");
                }
                entries_begin(&l->entries, w->t, l->to);
        }
        return true;
}

static bool stopped(void *arg, Err *err)
{
        return transfer_stopped(((Work *)arg)->t, err);
}

static void interrupt(void *arg)
{
        transfer_interrupt(((Work *)arg)->t, true);
}

/* MiB that can be had without anybody being sent to the swap; 0: not known. */
static int64_t memory_free(void)
{
        FILE *f = fopen("/proc/meminfo", "re");
        char line[128];
        long long kib = 0;
        if (!f)
                return 0;
        while (fgets(line, sizeof line, f) && sscanf(line, "MemAvailable: %lld kB", &kib) != 1)
                ;
        fclose(f);
        return kib / 1024;
}

/* Is the target's memory this machine's? */
static bool same_machine(const PgParams *p)
{
        return !p->host || *p->host == '/' || str_eq(p->host, "localhost") ||
               str_starts(p->host, "127.") || str_eq(p->host, "::1");
}

#define JOB_MEMORY_MB 256 /* what a worker's two servers need, roughly */

static int how_many(Work *w, int64_t free_mb)
{
        int asked = transfer_jobs(w->t);
        if (asked > 0)
                return MIN(asked, POOL_WORKERS);
        return (int)MAX(1, MIN((int64_t)w->cores, free_mb ? free_mb / JOB_MEMORY_MB : 1));
}

static void measure(Work *w, int *ret_jobs)
{
        int64_t free_mb = w->free_mb = memory_free();
        w->cores = (int)MAX(1, MIN(sysconf(_SC_NPROCESSORS_ONLN), POOL_WORKERS));
        *ret_jobs = how_many(w, free_mb);
        int64_t most = w->plan->target && same_machine(w->plan->target) ? 1024 : 256;
        w->build_memory_mb = (int)most;
}

int work_build_memory(int most_mb, int64_t free_mb, int jobs)
{
        return (int)MAX(64, MIN(most_mb, free_mb / (2 * MAX(jobs, 1))));
}

/* Without a bundle nobody reads the hashes. */
static uint64_t seed_of(const WorkPlan *p)
{
        return p->bundle   ? bundle_row_seed(bundle_manifest_of(p->bundle))
               : p->writer ? bundle_row_seed(bundle_manifest(p->writer))
                           : ROW_HASH_OLDER;
}

bool work_run(const WorkPlan *p, Err *err)
{
        Work *w = xcalloc(1, sizeof *w);
        int jobs;
        *w = (Work){ .plan = p,
                     .t = p->t,
                     .a = arena_new(),
                     .encoding = content_encoding(p->content),
                     .seed = seed_of(p) };
        pthread_mutex_init(&w->lock, NULL);
        w->pool = pool_new(&(PoolOwner){ .enter = enter,
                                         .leave = leave,
                                         .stopped = stopped,
                                         .interrupt = interrupt,
                                         .arg = w });
        measure(w, &jobs);
        w->jobs = jobs;
        index_tables(w);
        index_entries(w);
        if (p->target)
                work_plan_indexes(w);
        work_add_data(w);
        if (p->target) {
                work_add_indexes(w);
                work_add_late(w);
                w->watch = watch_start(w->t, p->target);
                w->flush = flush_start(w->t, p->target);
        }
        progress_left(p->t, left, w);
        progress_stage(p->t, "copying", "bytes",
                       p->content->total_size + (p->target ? p->content->index_size : 0),
                       w->things);
        transfer_pool(p->t, w->pool);
        bool ok = pool_run(w->pool, jobs, err);
        transfer_pool(p->t, NULL);
        progress_left(p->t, NULL, NULL);
        watch_stop(w->watch);
        flush_stop(w->flush);
        pool_free(w->pool);
        pthread_mutex_destroy(&w->lock);
        arena_free(w->a);
        free(w);
        return ok;
}
