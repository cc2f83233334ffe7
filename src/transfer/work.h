/* work.h: the graph of one transfer, between the files work*.c only.
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

#include "transfer/internal.h"

/* What is learned about speed is learned for each of these. */
typedef enum WorkKind {
        WORK_DATA,
        WORK_BTREE,
        WORK_GIN,
        WORK_GIST,
        WORK_BRIN,
        WORK_OTHER,
        WORK_KINDS,
} WorkKind;

typedef struct Work Work;

/* What begins every task's argument, so that its price can be asked again. */
typedef struct Job {
        Work *w;
        Task *task;
        WorkKind kind;
        int64_t bytes;  /* of that kind */
        double seconds; /* besides, on a machine as it is thought to be */
        TaskRun run;
        /* Under Work's lock, while it runs: */
        int64_t began_ms;
        double part; /* how much of it is done; below 0: not known */
        bool shared; /* several cores for itself: says nothing about one */
} Job;

typedef struct TableWork TableWork;

typedef struct Build {
        Job job;
        TableWork *table;
        const TocEntry *entry;
        const char *sql, *take_over, *rest; /* the index; then; then. NULL: nothing */
        bool exclusive;                     /* nobody else may be at the table */
        bool made;
} Build;

struct TableWork {
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
        Work *w;
        size_t slot;
        Pg *from, *to;
        Entries entries;
        int memory_mb, parallel; /* what its session has now */
} Lane;

struct Work {
        const WorkPlan *plan;
        Transfer *t;
        Arena *a;
        Pool *pool;
        Watch *watch;
        Flush *flush;
        Lane lanes[POOL_WORKERS];
        const char *encoding;
        uint64_t seed;               /* of the rows' hashes: the bundle's */
        int cores, build_memory_mb;  /* what one build has at most */
        int64_t free_mb;             /* at the beginning */
        int jobs;                    /* at the beginning */
        TableWork *tables, **sorted; /* as in the content; by name */
        const TocEntry **by_id;
        int n_ids;
        Task *first;                    /* rows of extensions' tables; NULL: there are none */
        Task *tables_done, *blobs_done; /* NULL: there are none */
        int things;                     /* for the progress: tables and indexes */
        pthread_mutex_t lock;           /* of what follows, and of every Table's sums */
        size_t rows_left;               /* tables whose rows are not all in */
        struct {
                double bytes, seconds;
        } learned[WORK_KINDS], running[WORK_KINDS]; /* of what is done; of what is not yet */
        int64_t priced_ms;
};

/* ---- work.c ---- */
Task *work_task(Work *w, TaskRun run, Job *job);
/* A task of nothing, to wait for many. */
Task *work_joint(Work *w);
void work_learn(Work *w, WorkKind kind, int64_t bytes, int64_t ms);
/* MiB for one build of an index, so that `jobs` of them leave half of what was free. */
int work_build_memory(int most_mb, int64_t free_mb, int jobs);
double work_price(Work *w, const Job *job);
TableWork *work_table(Work *w, const char *schema, const char *name);
const TocEntry *work_entry(Work *w, int id);          /* NULL: not in the dump */
TableWork *work_table_of(Work *w, const TocEntry *e); /* the first it depends on; or NULL */
char *work_name(const Table *t);                      /* "public.orders", malloc()ed */

/* ---- work_data.c ---- */
void work_add_data(Work *w);

/* ---- work_index.c ---- */
/* Sorts the entries of indexes and constraints to their tables. */
void work_plan_indexes(Work *w);
void work_add_indexes(Work *w);
/* Statistics for the planner. What cannot be analyzed is said, and is no reason to fail. */
bool work_analyze(Lane *l, TableWork *const *tables, size_t n, Err *err);

/* ---- work_late.c ---- */
void work_add_late(Work *w);
