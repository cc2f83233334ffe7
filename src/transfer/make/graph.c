#include "transfer/make/graph.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rowhash.h"
#include "transfer/choose/content.h"
#include "transfer/make/checkpoints.h"
#include "transfer/make/entries.h"
#include "transfer/make/graph_internal.h"
#include "transfer/make/index_progress.h"
#include "transfer/make/target_database.h"
#include "transfer/read/source.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

/* ---- workers ---- */

static void lane_leave(void *arg, size_t worker)
{
        Graph *w = arg;
        Lane *l = &w->lanes[worker];
        if (l->entries.a)
                entries_done(&l->entries);
        transfer_disconnect(w->t, &l->from);
        transfer_disconnect(w->t, &l->to);
}

static bool lane_enter(void *arg, size_t worker, Err *err)
{
        Graph *w = arg;
        const GraphPlan *p = w->plan;
        Lane *l = &w->lanes[worker];
        *l = (Lane){ .w = w, .slot = worker, .parallel = -1 };
        if (p->source) {
                PgParams mine = *p->source;
                mine.statement_timeout_ms = 0;
                if (!transfer_connect(w->t, &mine, p->database, &l->from, err) ||
                    !source_begin(l->from, p->snapshot, NULL, err)) {
                        lane_leave(w, worker);
                        return err_wrap(err, "one more connection to the source");
                }
        }
        if (p->target) {
                if (!target_open(w->t, p->target, p->into, str_eq(w->encoding, "SQL_ASCII"), &l->to,
                                 err)) {
                        lane_leave(w, worker);
                        return err_wrap(err, "one more connection to the target");
                }
                entries_begin(&l->entries, w->t, l->to);
        }
        return true;
}

static bool graph_stopped(void *arg, Err *err)
{
        return transfer_stopped(((Graph *)arg)->t, err);
}

static void graph_interrupt(void *arg)
{
        transfer_interrupt(((Graph *)arg)->t, true);
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

static int how_many(Graph *w, int64_t free_mb)
{
        int asked = transfer_jobs(w->t);
        if (asked > 0)
                return MIN(asked, POOL_WORKERS);
        return (int)MAX(1, MIN((int64_t)w->cores, free_mb ? free_mb / JOB_MEMORY_MB : 1));
}

static void measure(Graph *w, int *ret_jobs)
{
        int64_t free_mb = w->free_mb = memory_free();
        w->cores = (int)MAX(1, MIN(sysconf(_SC_NPROCESSORS_ONLN), POOL_WORKERS));
        *ret_jobs = how_many(w, free_mb);
        int64_t most = w->plan->target && same_machine(w->plan->target) ? 1024 : 256;
        w->build_memory_mb = (int)most;
}

/* Without a bundle nobody reads the hashes. */
static uint64_t seed_of(const GraphPlan *p)
{
        return p->bundle   ? bundle_row_seed(bundle_manifest_of(p->bundle))
               : p->writer ? bundle_row_seed(bundle_manifest(p->writer))
                           : ROW_HASH_OLDER;
}

bool graph_run(const GraphPlan *p, Err *err)
{
        Graph *w = xcalloc(1, sizeof *w);
        int jobs;
        *w = (Graph){ .plan = p,
                      .t = p->t,
                      .a = arena_new(),
                      .encoding = content_encoding(p->content),
                      .seed = seed_of(p) };
        pthread_mutex_init(&w->lock, NULL);
        w->pool = pool_new(&(PoolOwner){ .enter = lane_enter,
                                         .leave = lane_leave,
                                         .stopped = graph_stopped,
                                         .interrupt = graph_interrupt,
                                         .arg = w });
        measure(w, &jobs);
        w->jobs = jobs;
        graph_index_tables(w);
        graph_index_entries(w);
        if (p->target)
                graph_plan_indexes(w);
        graph_add_data(w);
        if (p->target) {
                graph_add_indexes(w);
                graph_add_post_data(w);
                w->watch = index_progress_start(w->t, p->target);
                w->flush = checkpoints_start(w->t, p->target);
        }
        progress_left(p->t, graph_seconds_left, w);
        progress_stage(p->t, "copying", "bytes",
                       p->content->total_size + (p->target ? p->content->index_size : 0),
                       w->things);
        transfer_pool(p->t, w->pool);
        bool ok = pool_run(w->pool, jobs, err);
        transfer_pool(p->t, NULL);
        progress_left(p->t, NULL, NULL);
        index_progress_stop(w->watch);
        checkpoints_stop(w->flush);
        pool_free(w->pool);
        pthread_mutex_destroy(&w->lock);
        arena_free(w->a);
        free(w);
        return ok;
}
