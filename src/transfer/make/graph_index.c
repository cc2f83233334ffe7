/* graph_index.c: a table's indexes side by side, then its keys, statistics and ANALYZE. */
#include "transfer/make/graph_internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "dumps/constraint.h"
#include "dumps/sqltext.h"
#include "transfer/choose/content.h"
#include "transfer/make/entries.h"
#include "transfer/make/graph.h"
#include "transfer/make/index_progress.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"

#define ANALYZE_BYTES (240LL * 1024 * 1024) /* 30,000 pages are all it reads */

/* ---- planning ---- */

static bool of_a_table(const TocEntry *e)
{
        return e->section == TOC_POST_DATA && e->pass == TOC_PASS_MAIN &&
               (str_eq(e->class, "INDEX") || str_eq(e->class, "CONSTRAINT") ||
                str_eq(e->class, "STATISTICS"));
}

static int64_t index_bytes(Graph *w, const TocEntry *e)
{
        AUTO_FREE char *key = xasprintf("%s.%s", e->schema ? e->schema : "", e->name);
        return str_eq(e->class, "STATISTICS") ? 0 : jx_int(w->plan->content->indexes, key, 0);
}

void graph_plan_indexes(Graph *w)
{
        const Toc *toc = w->plan->toc;
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < toc->n; i++) {
                        const TocEntry *e = &toc->entries[i];
                        TableJobs *t =
                                of_a_table(e) && toc_is_schema(e) ? graph_table_of(w, e) : NULL;
                        if (!t)
                                continue;
                        if (pass == 0) {
                                t->n_entries++;
                                t->index_bytes += index_bytes(w, e);
                                continue;
                        }
                        if (!t->entries) {
                                t->entries = arena_new_array(w->a, const TocEntry *, t->n_entries);
                                t->n_entries = 0;
                        }
                        t->entries[t->n_entries++] = e;
                }
}

static JobKind kind_of(const char *method)
{
        static const struct {
                const char *name;
                JobKind kind;
        } known[] = { { "btree", JOB_BTREE }, { "hash", JOB_BTREE },  { "gin", JOB_GIN },
                      { "gist", JOB_GIST },   { "spgist", JOB_GIST }, { "brin", JOB_BRIN } };
        for (size_t i = 0; i < LEN(known); i++)
                if (str_eq(method, known[i].name))
                        return known[i].kind;
        return JOB_OTHER;
}

/* The entry's first statement makes the index. What follows it (CLUSTER ON, REPLICA IDENTITY)
 * needs stronger locks, and so waits until nobody else is at the table. */
static void plan_build(Graph *w, TableJobs *t, const TocEntry *e, Build *b)
{
        AUTO_BUF index = buf_init(LIMIT_SQL);
        AUTO_BUF take_over = buf_init(LIMIT_SQL);
        AUTO_FREE char *method = index_method(e->sql);
        const char *start;
        size_t n = sqltext_next(e->sql, &start);
        const char *end = e->sql + n, *first = arena_strndup(w->a, start, (size_t)(end - start));
        *b = (Build){ .job = { .kind = kind_of(method),
                               .bytes = index_bytes(w, e),
                               .seconds = 0.005 + (double)t->table->size / 4e9 },
                      .table = t,
                      .entry = e,
                      .sql = first,
                      .rest = sqltext_next(end, NULL) > 0 ? end : NULL };
        if (!str_eq(e->class, "CONSTRAINT"))
                return;
        b->exclusive = !constraint_as_index(first, &index, &take_over);
        if (b->exclusive)
                return;
        b->sql = arena_strdup(w->a, buf_str(&index));
        b->take_over = arena_strdup(w->a, buf_str(&take_over));
}

/* ---- running ---- */

/* GIN collects in a tree and writes it out when the memory is full: a tree that outgrows the
 * processor's caches is slower than writing more often. Measured: trigrams 29.5 s with 64 MB,
 * 37.6 s with 256 MB; jsonb 7.2 and 16.9 s. */
#define GIN_MEMORY_MB 64

/* Memory and processes for one build, told only when they change. */
static bool tune(Lane *l, JobKind kind, int parallel, Err *err)
{
        AUTO_SQL q = { 0 };
        int memory_mb = kind == JOB_GIN ? GIN_MEMORY_MB
                                        : graph_build_memory(l->w->build_memory_mb, l->w->free_mb,
                                                             pool_jobs(l->w->pool));
        if (l->memory_mb == memory_mb && l->parallel == parallel)
                return true;
        sql_add(&q, "set maintenance_work_mem = ");
        sql_int(&q, (int64_t)memory_mb * 1024);
        sql_add(&q, "; set max_parallel_maintenance_workers = ");
        sql_int(&q, parallel);
        if (!pg_exec(l->to, &q, err))
                return false;
        l->memory_mb = memory_mb;
        l->parallel = parallel;
        return true;
}

static bool run_build(void *arg, size_t worker, Err *err)
{
        Build *b = arg;
        Graph *w = b->job.w;
        Lane *l = &w->lanes[worker];
        AUTO_FREE char *name = xasprintf("%s %s", b->entry->class, b->entry->name);
        int64_t began = clock_boot_ms();
        if (!tune(l, b->job.kind, pool_share(w->pool, b->job.task, w->cores) - 1, err))
                return false;
        pthread_mutex_lock(&w->lock);
        b->job.shared = l->parallel > 0;
        pthread_mutex_unlock(&w->lock);
        progress_begin(w->t, worker, name, &(Slot){ .weight = b->job.bytes, .job = &b->job });
        index_progress_follow(w->watch, worker, pg_backend_pid(l->to),
                              b->job.kind == JOB_BTREE ? 0.7 : 0.97);
        bool ok = entries_statement(&l->entries, b->entry, b->sql, &b->made, err);
        index_progress_follow(w->watch, worker, 0, 0);
        progress_end(w->t, worker, 1);
        if (ok && b->made && l->parallel == 0)
                graph_learn(w, b->job.kind, b->job.bytes, clock_boot_ms() - began);
        return ok;
}

static bool rest_of(Lane *l, const Build *b, Err *err)
{
        bool made;
        const char *start;
        for (const char *p = b->rest; p;) {
                size_t n = sqltext_next(p, &start);
                if (n == 0)
                        return true;
                AUTO_FREE char *one = xstrndup(start, (size_t)(p + n - start));
                if (!entries_statement(&l->entries, b->entry, one, &made, err))
                        return false;
                p += n;
        }
        return true;
}

static bool keys(Lane *l, TableJobs *t, Err *err)
{
        for (size_t i = 0; i < t->n_builds; i++) {
                Build *b = &t->builds[i];
                if (b->made && b->take_over &&
                    !entries_statement(&l->entries, b->entry, b->take_over, &b->made, err))
                        return false;
                if (b->made && !rest_of(l, b, err))
                        return false;
        }
        return true;
}

static bool statistics(Lane *l, TableJobs *t, Err *err)
{
        for (size_t i = 0; i < t->n_entries; i++)
                if (str_eq(t->entries[i]->class, "STATISTICS") &&
                    !entries_run(&l->entries, &t->entries[i], 1, NULL, NULL, err))
                        return false;
        return true;
}

static bool analyze_one(Lane *l, const Table *t, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "ANALYZE ");
        sql_qname(&q, t->schema, t->name);
        if (pg_exec(l->to, &q, err))
                return true;
        if (err->kind != ERR_SERVER)
                return false;
        transfer_say(l->w->t, "%s.%s could not be analyzed: %s", t->schema, t->name, err->message);
        err_clear(err);
        return true;
}

bool graph_analyze(Lane *l, TableJobs *const *tables, size_t n, Err *err)
{
        AUTO_SQL q = { 0 };
        size_t with_rows = 0;
        sql_add(&q, "ANALYZE ");
        for (size_t i = 0; i < n; i++) {
                if (tables[i]->table->rows == 0)
                        continue; /* there is nothing to know about no rows */
                if (with_rows++)
                        sql_add(&q, ", ");
                sql_qname(&q, tables[i]->table->schema, tables[i]->table->name);
        }
        if (with_rows == 0 || pg_exec(l->to, &q, err))
                return true;
        if (err->kind != ERR_SERVER)
                return false;
        err_clear(err);
        for (size_t i = 0; i < n; i++)
                if (tables[i]->table->rows > 0 && !analyze_one(l, tables[i]->table, err))
                        return false;
        return true;
}

static bool run_finish(void *arg, size_t worker, Err *err)
{
        TableJobs *t = arg;
        Graph *w = t->job.w;
        Lane *l = &w->lanes[worker];
        AUTO_FREE char *name = graph_name(t->table);
        AUTO_FREE char *words = xasprintf("ANALYZE %s", name);
        if (!keys(l, t, err) || !statistics(l, t, err))
                return false;
        progress_begin(w->t, worker, words, &(Slot){ .job = &t->job });
        bool ok = graph_analyze(l, &t, 1, err);
        progress_end(w->t, worker, 0);
        return ok;
}

/* ---- the tasks ---- */

static void add_builds(Graph *w, TableJobs *t, Task *finish)
{
        t->builds = arena_new_array(w->a, Build, t->n_entries + 1);
        for (size_t i = 0; i < t->n_entries; i++) {
                if (str_eq(t->entries[i]->class, "STATISTICS"))
                        continue;
                Build *b = &t->builds[t->n_builds++];
                plan_build(w, t, t->entries[i], b);
                Task *task = graph_task(w, run_build, &b->job);
                pool_after(task, t->loaded);
                pool_after(finish, task);
                w->things++;
        }
        /* Alone at the table: after those that share it, one by one. */
        Task *before = NULL;
        for (size_t i = 0; i < t->n_builds; i++) {
                if (!t->builds[i].exclusive)
                        continue;
                for (size_t k = 0; k < t->n_builds && !before; k++)
                        if (!t->builds[k].exclusive)
                                pool_after(t->builds[i].job.task, t->builds[k].job.task);
                pool_after(t->builds[i].job.task, before);
                before = t->builds[i].job.task;
        }
}

void graph_add_indexes(Graph *w)
{
        for (size_t i = 0; i < w->plan->content->n_tables; i++) {
                TableJobs *t = &w->tables[i];
                if (t->small)
                        continue;
                t->job =
                        (Job){ .seconds = 0.02 + (double)MIN(t->table->size, ANALYZE_BYTES) / 1e9 };
                Task *finish = graph_task(w, run_finish, &t->job);
                pool_after(finish, t->loaded);
                add_builds(w, t, finish);
                pool_after(w->tables_done, finish);
        }
}
