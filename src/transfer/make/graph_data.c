/* graph_data.c: rows and large objects as tasks. */
#include "transfer/make/graph_internal.h"

#include "base/clock.h"
#include "transfer/choose/content.h"
#include "transfer/make/blobs_restore.h"
#include "transfer/make/checkpoints.h"
#include "transfer/make/entries.h"
#include "transfer/make/graph.h"
#include "transfer/make/sequences.h"
#include "transfer/read/blobs.h"
#include "transfer/read/part.h"
#include "transfer/read/parts_plan.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"

#define SMALL       (256 * 1024) /* bytes of a table whose round trips cost more than its rows */
#define SMALL_GROUP 40

typedef struct PartJob {
        Job job;
        TableJobs *table;
        Part *part;
} PartJob;

typedef struct SmallJob {
        Job job;
        TableJobs **tables;
        size_t n;
} SmallJob;

static void data_moved(void *arg, int64_t bytes, int64_t rows)
{
        Lane *l = arg;
        progress_moved(l->w->t, l->slot, bytes, rows);
}

static PartSink sink(Lane *l, bool inside)
{
        const GraphPlan *p = l->w->plan;
        return (PartSink){ .t = l->w->t,
                           .to = l->to,
                           .bundle = p->writer,
                           .encoding = l->w->encoding,
                           .bundle_dir = p->dir,
                           .inside = inside,
                           .seed = l->w->seed,
                           .moved = data_moved,
                           .moved_arg = l };
}

/* One part is in; *ret_last: and with it the table. */
static bool arrived(Graph *w, TableJobs *t, const Part *part, bool *ret_last, Err *err)
{
        pthread_mutex_lock(&w->lock);
        part_add(part);
        *ret_last = --t->parts_left == 0;
        bool all = *ret_last && --w->rows_left == 0;
        pthread_mutex_unlock(&w->lock);
        if (all && w->plan->target) {
                progress_words(w->t, "building indexes");
                checkpoints_ask(w->flush);
        }
        return !*ret_last || !t->record || table_as_recorded(t->table, t->record, err);
}

static bool move_part(Lane *l, TableJobs *t, Part *part, bool inside, Job *job, Err *err)
{
        Graph *w = l->w;
        const GraphPlan *p = w->plan;
        PartSink s = sink(l, inside);
        AUTO_FREE char *name = graph_name(t->table);
        int64_t share = t->table->size / (int64_t)t->n_parts;
        bool last = false;
        progress_begin(w->t, l->slot, name,
                       &(Slot){ .total = share,
                                .weight = share,
                                .job = job,
                                .expected = t->table->expected / (int64_t)t->n_parts });
        bool ok = p->source ? part_copy(&s, l->from, part, err)
                            : part_restore(&s, p->bundle, t->record, part, err);
        ok = ok && arrived(w, t, part, &last, err);
        progress_end(w->t, l->slot, last);
        return ok ? true : err_wrap(err, "table %s", name);
}

static bool run_part(void *arg, size_t worker, Err *err)
{
        PartJob *j = arg;
        Graph *w = j->job.w;
        int64_t began = clock_boot_ms();
        if (!move_part(&w->lanes[worker], j->table, j->part, false, &j->job, err))
                return false;
        graph_learn(w, JOB_DATA, j->job.bytes, clock_boot_ms() - began);
        return true;
}

/* ---- tables of little size: all of each, one after the other ---- */

static size_t gather(const SmallJob *j, const TocEntry **list)
{
        size_t n = 0;
        for (size_t i = 0; i < j->n; i++)
                for (size_t k = 0; k < j->tables[i]->n_entries; k++) {
                        if (list)
                                list[n] = j->tables[i]->entries[k];
                        n++;
                }
        return n;
}

static bool small_rows(Lane *l, const SmallJob *j, Err *err)
{
        for (size_t i = 0; i < j->n; i++)
                for (size_t k = 0; k < j->tables[i]->n_parts; k++)
                        if (transfer_stopped(l->w->t, err) ||
                            !move_part(l, j->tables[i], &j->tables[i]->parts[k], true, NULL, err))
                                return false;
        return true;
}

/* One transaction for all of them. They are not frozen: what that saves for so few rows is less
 * than the new files that TRUNCATE makes, and the WAL that its commit waits for. */
static bool load_small(Lane *l, const SmallJob *j, Err *err)
{
        AUTO_ERR ignored = { 0 };
        if (!l->to)
                return small_rows(l, j, err);
        if (!pg_do(l->to, "begin; set constraints all deferred", err))
                return false;
        if (small_rows(l, j, err))
                return pg_do(l->to, "commit", err);
        (void)!pg_do(l->to, "rollback", &ignored);
        return false;
}

static bool run_small(void *arg, size_t worker, Err *err)
{
        SmallJob *j = arg;
        Graph *w = j->job.w;
        Lane *l = &w->lanes[worker];
        if (!load_small(l, j, err))
                return false;
        if (!l->to)
                return true;
        size_t n = gather(j, NULL);
        const TocEntry **list = xcalloc(n + 1, sizeof *list);
        (void)gather(j, list);
        bool ok = entries_run(&l->entries, list, n, NULL, NULL, err) &&
                  graph_analyze(l, j->tables, j->n, err);
        free(list);
        return ok;
}

/* ---- large objects, sequences ---- */

static bool run_blobs(void *arg, size_t worker, Err *err)
{
        Graph *w = ((Job *)arg)->w;
        const GraphPlan *p = w->plan;
        Lane *l = &w->lanes[worker];
        PartSink s = sink(l, false);
        progress_begin(w->t, worker, "large objects",
                       &(Slot){ .total = p->content->large_objects,
                                .expected = p->content->large_objects,
                                .job = arg });
        bool ok = p->source ? blobs_copy(&s, l->from, p->content, p->blobs, err)
                            : blobs_restore(w->t, p->bundle, p->record, l->to, p->n_blobs, err);
        progress_end(w->t, worker, 0);
        return ok;
}

static bool run_sequences(void *arg, size_t worker, Err *err)
{
        Graph *w = ((Job *)arg)->w;
        return sequences_set(w->lanes[worker].to, w->plan->content, err);
}

/* ---- the tasks ---- */

static void add_parts(Graph *w, TableJobs *t)
{
        t->loaded = t->n_parts > 1 ? graph_joint(w) : NULL;
        for (size_t i = 0; i < t->n_parts; i++) {
                PartJob *j = arena_new_type(w->a, PartJob);
                *j = (PartJob){ .job = { .kind = JOB_DATA,
                                         .seconds = 0.005,
                                         .bytes = t->table->size / (int64_t)t->n_parts },
                                .table = t,
                                .part = &t->parts[i] };
                Task *task = graph_task(w, run_part, &j->job);
                pool_after(task, w->first);
                pool_after(t->loaded, task);
                if (!t->loaded)
                        t->loaded = task;
        }
}

/* Rows that go through a partitioned root may land in any of its partitions. */
static void join_roots(Graph *w)
{
        for (size_t i = 0; i < w->plan->content->n_tables; i++) {
                TableJobs *t = &w->tables[i];
                if (!t->table->root_name || t->joined)
                        continue;
                Task *all = graph_joint(w);
                for (size_t k = i; k < w->plan->content->n_tables; k++) {
                        TableJobs *other = &w->tables[k];
                        if (!str_eq(other->table->root_name, t->table->root_name) ||
                            !str_eq(other->table->root_schema, t->table->root_schema))
                                continue;
                        pool_after(all, other->loaded);
                        other->loaded = all;
                        other->joined = true;
                }
        }
}

static Task *add_small(Graph *w, TableJobs **list, size_t n)
{
        SmallJob *j = arena_new_type(w->a, SmallJob);
        *j = (SmallJob){ .job = { .kind = JOB_DATA }, .tables = list, .n = n };
        for (size_t i = 0; i < n; i++) {
                j->job.bytes += list[i]->table->size;
                j->job.seconds += 0.003 + 0.002 * (double)list[i]->n_entries;
        }
        Task *task = graph_task(w, run_small, &j->job);
        pool_after(task, w->first);
        pool_after(w->tables_done, task);
        return task;
}

static void plan_parts(Graph *w, TableJobs *t, int64_t all)
{
        t->n_parts = w->plan->source ? parts_plan(t->table, all, w->jobs, w->a, &t->parts)
                                     : parts_plan_stored(t->table, w->plan->bundle, t->record, all,
                                                         w->jobs, w->a, &t->parts);
        t->parts_left = t->n_parts;
}

/* What extensions keep, before everything else: see extension_tables.c. */
static void add_first(Graph *w, int64_t all)
{
        const GraphPlan *p = w->plan;
        TableJobs **list = arena_new_array(w->a, TableJobs *, p->n_first + 1);
        for (size_t i = 0; i < p->n_first; i++) {
                list[i] = &w->tables[p->first[i] - p->content->tables];
                list[i]->first = list[i]->small = true;
                plan_parts(w, list[i], all);
        }
        if (p->n_first)
                w->first = add_small(w, list, p->n_first);
}

void graph_add_data(Graph *w)
{
        Content *c = w->plan->content;
        int64_t all = c->total_size + (w->plan->target ? c->index_size : 0);
        TableJobs **small = arena_new_array(w->a, TableJobs *, c->n_tables + 1);
        size_t n_small = 0;
        w->tables_done = graph_joint(w);
        add_first(w, all);
        for (size_t i = 0; i < c->n_tables; i++) {
                TableJobs *t = &w->tables[i];
                if (t->first)
                        continue;
                plan_parts(w, t, all);
                t->small = !t->table->root_name && t->n_parts == 1 && t->table->size <= SMALL &&
                           t->index_bytes <= SMALL;
                if (t->small)
                        small[n_small++] = t;
                else
                        add_parts(w, t);
        }
        join_roots(w);
        size_t group = MAX((size_t)1, MIN((size_t)SMALL_GROUP, n_small / ((size_t)w->jobs * 4)));
        for (size_t i = 0; i < n_small; i += group)
                add_small(w, small + i, MIN(group, n_small - i));
        if (c->large_objects > 0 || w->plan->n_blobs) {
                Job *j = arena_new_type(w->a, Job);
                *j = (Job){ .seconds = 0.01 + (double)c->large_objects / 50000.0 };
                w->blobs_done = graph_task(w, run_blobs, j);
        }
        if (c->n_sequences > 0 && w->plan->target) {
                Job *j = arena_new_type(w->a, Job);
                *j = (Job){ .seconds = 0.01 + (double)c->n_sequences / 10000.0 };
                graph_task(w, run_sequences, j);
        }
}
