/* tablereader.h: every row of many tables, counted and hashed by several connections at once.
 *
 *      TableReadOptions o = { .method = "server", .seed = seed, .snapshot = id, .jobs = 2 };
 *      if (!table_reader_start(pg, tables, n, &o, &reader, err)) ...
 *      while (!table_reader_poll(reader, 50))
 *              ... show table_reader_state(), table_reader_stop() when somebody wants out ...
 *      ok = table_reader_finish(reader, err);
 *
 * Each worker has a connection of its own, opened like `pg`, in a transaction that imports
 * `snapshot` (which the caller's transaction must keep alive). Largest first. A large table is
 * cut into ranges of ctid where the server can scan a range (14); an older server gets its own
 * parallel workers for a table that would otherwise be the last one running. Sums do not depend
 * on the cuts. A table that cannot be read (no right, damaged) is noted with the server's words
 * and the others go on; a lost connection ends the whole reading. Memory does not grow with the
 * rows: one row is held at a time. */
#pragma once

#include "pg/tablelist.h"

typedef struct TableReader TableReader;

typedef struct TableReadOptions {
        const char *method; /* "server", "stream"; NULL: only count */
        uint64_t seed;      /* of the hashes */
        const char *snapshot;
        int jobs;           /* connections; 0: table_reader_jobs() */
        bool large_objects; /* read them as well */
} TableReadOptions;

typedef struct TableResult {
        int64_t rows, ms; /* ms of all its parts together */
        int parts;
        char *hash;     /* of what a copy carries; NULL: only counted, or no columns */
        char *computed; /* of all columns; NULL: none of them is generated */
        char *error;    /* why it could not be read; clean text, or NULL */
} TableResult;

typedef struct TableReadState {
        int64_t bytes, bytes_total, rows;
        int tables, tables_total;
        const char *table; /* one that is being read; "" for none */
} TableReadState;

/* As many as there are cores here, 2 to 8. */
int table_reader_jobs(void);
/* `tables` must outlive the reader. */
bool table_reader_start(Pg *pg, const TableRef *tables, int n, const TableReadOptions *o,
                        TableReader **ret, Err *err) MUST_CHECK;
/* Waits at most `ms`; true when nobody reads any more. */
bool table_reader_poll(TableReader *r, int ms);
void table_reader_state(TableReader *r, TableReadState *ret);
/* One that could not go on, or everybody was stopped. */
bool table_reader_failed(TableReader *r);
/* Everybody stops within a moment: running statements are cancelled. Returns at once. */
void table_reader_stop(TableReader *r);
/* Joins the workers. False when one could not go on, or when it was stopped. */
bool table_reader_finish(TableReader *r, Err *err) MUST_CHECK;
/* After finish: in the order of `tables`. */
const TableResult *table_reader_results(const TableReader *r);
const json_t *table_reader_large_objects(const TableReader *r);
TableReader *table_reader_free(TableReader *r); /* stops it when it still runs */

static inline void table_reader_freep(TableReader **r)
{
        *r = table_reader_free(*r);
}
#define AUTO_TABLEREADER CLEANUP(table_reader_freep) TableReader *
