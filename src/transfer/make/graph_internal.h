/* graph_internal.h: the graph of one transfer, between the files graph*.c only.
 *
 *      rows of extensions' own tables, in their keys' order; then everything else:
 *      parts of a table ─> its indexes, side by side ─> keys taken over, statistics, ANALYZE ─┐
 *      tables of little size, many in one task ───────────────────────────────────────────────┤
 *      sequences (nothing waits for them); large objects ─> grants                             │
 *      ┌───────────────────────────────────────────────────────────────────────────────────────┘
 *      └> indexes of partitioned tables ─> foreign keys, not valid ─┬> VALIDATE, side by side ─┐
 *                                                                   └> ANALYZE of parents ─────┤
 *      ┌───────────────────────────────────────────────────────────────────────────────────────┘
 *      └> the rest (triggers, rules, policies) ─> grants ─> views ─> event triggers
 *
 * Locks decide it. CREATE INDEX takes SHARE on its table, ANALYZE and VALIDATE take SHARE UPDATE
 * EXCLUSIVE, ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE on two tables: side by side on one table
 * only the indexes can be, and a worker that waits for a lock is a core that does nothing. */
#pragma once

#include "pool/pool.h"
#include "transfer/choose/content.h"
#include "transfer/make/checkpoints.h"
#include "transfer/make/entries.h"
#include "transfer/make/index_progress.h"
#include "transfer/read/part.h"
#include "transfer/state/progress_slots.h"
#include "transfer/transfer.h"

/* What is learned about speed is learned for each of these. */
typedef enum JobKind {
        JOB_DATA,
        JOB_BTREE,
        JOB_GIN,
        JOB_GIST,
        JOB_BRIN,
        JOB_OTHER,
        JOB_KINDS,
} JobKind;

typedef struct Graph Graph;
typedef struct GraphPlan GraphPlan;

/* What begins every task's argument, so that its price can be asked again. */
typedef struct Job {
        Graph *w;
        Task *task;
        JobKind kind;
        int64_t bytes;  /* of that kind */
        double seconds; /* besides, on a machine as it is thought to be */
        TaskRun run;
        /* Under Graph's lock, while it runs: */
        int64_t began_ms;
        double part; /* how much of it is done; below 0: not known */
        bool shared; /* several cores for itself: says nothing about one */
} Job;

typedef struct TableJobs TableJobs;

typedef struct Build {
        Job job;
        TableJobs *table;
        const TocEntry *entry;
        const char *sql, *take_over, *rest; /* the index; then; then. NULL: nothing */
        bool exclusive;                     /* nobody else may be at the table */
        bool made;
} Build;

struct TableJobs {
        Job job; /* of finishing it */
        Table *table;
        const json_t *record; /* of the bundle it comes from */
        Part *parts;
        size_t n_parts, parts_left;
        Task *loaded;             /* all its rows are in */
        const TocEntry **entries; /* indexes, constraints, statistics, as in the dump */
        size_t n_entries;
        Build *builds;
        size_t n_builds;
        int64_t index_bytes;
        bool small, joined, first;
};

/* A worker's own. */
typedef struct Lane {
        Graph *w;
        size_t slot;
        Pg *from, *to;
        Entries entries;
        int memory_mb, parallel; /* what its session has now */
} Lane;

struct Graph {
        const GraphPlan *plan;
        Transfer *t;
        Arena *a;
        Pool *pool;
        IndexProgress *watch;
        Checkpoints *flush;
        Lane lanes[POOL_WORKERS];
        const char *encoding;
        uint64_t seed;               /* of the rows' hashes: the bundle's */
        int cores, build_memory_mb;  /* what one build has at most */
        int64_t free_mb;             /* at the beginning */
        int jobs;                    /* at the beginning */
        TableJobs *tables, **sorted; /* as in the content; by name */
        const TocEntry **by_id;
        int n_ids;
        Task *first;                    /* rows of extensions' tables; NULL: there are none */
        Task *tables_done, *blobs_done; /* NULL: there are none */
        int things;                     /* for the progress: tables and indexes */
        pthread_mutex_t lock;           /* of what follows, and of every Table's sums */
        size_t rows_left;               /* tables whose rows are not all in */
        struct {
                double bytes, seconds;
        } learned[JOB_KINDS], running[JOB_KINDS]; /* of what is done; of what is not yet */
        int64_t priced_ms;
};

/* ---- graph_jobs.c ---- */
Task *graph_task(Graph *w, TaskRun run, Job *job);
/* A task of nothing, to wait for many. */
Task *graph_joint(Graph *w);
void graph_learn(Graph *w, JobKind kind, int64_t bytes, int64_t ms);
/* Seconds that all of it still takes, learned from what runs: for progress_left(). */
double graph_seconds_left(void *graph, const Slot *slots);
void graph_index_tables(Graph *w);
void graph_index_entries(Graph *w);
/* MiB for one build of an index, so that `jobs` of them leave half of what was free. */
int graph_build_memory(int most_mb, int64_t free_mb, int jobs);
double graph_price(Graph *w, const Job *job);
TableJobs *graph_table(Graph *w, const char *schema, const char *name);
const TocEntry *graph_entry(Graph *w, int id);          /* NULL: not in the dump */
TableJobs *graph_table_of(Graph *w, const TocEntry *e); /* the first it depends on; or NULL */
char *graph_name(const Table *t);                       /* "public.orders", malloc()ed */

/* ---- graph_data.c ---- */
void graph_add_data(Graph *w);

/* ---- graph_index.c ---- */
/* Sorts the entries of indexes and constraints to their tables. */
void graph_plan_indexes(Graph *w);
void graph_add_indexes(Graph *w);
/* Statistics for the planner. What cannot be analyzed is said, and is no reason to fail. */
bool graph_analyze(Lane *l, TableJobs *const *tables, size_t n, Err *err);

/* ---- graph_post_data.c ---- */
void graph_add_post_data(Graph *w);
