/* tabledata.h: how many rows a table has, and one number that stands for all of them.
 *
 *      "\"app\".\"users\"": {"rows": 18, "hash": "-4611..", "bytes": 16384, "method": "record",
 *                           "ms": 3}
 *
 * The number is the sum over all rows of a 64-bit hash of the row, so the order of rows does
 * not matter and a duplicate does not cancel itself out (as xor would). Where columns are
 * generated, "hash" is of the others, which a copy carries, and "computed" of all (recomputed.h).
 * What goes into the row's hash: tablelist.h. Read by several connections at once: tablereader.h.
 *
 * Methods: "server" lets the servers hash (functions they have since 11), "stream" reads the rows
 * as COPY text here and works across server encodings. Two sides must use the same one, and the
 * same seed; values agree across majors, on machines of one byte order. Inventories made before 0.2
 * have "record" or "columns", whose sums did not see what moved from row to row: they are
 * refused. */
#pragma once

#include "pg/tablereader.h"

typedef struct TableDataOptions {
        const char *method;          /* "server", "stream"; NULL: no hash */
        uint64_t seed;               /* of the hashes */
        bool exact;                  /* false: rows from statistics, no table is read */
        int jobs;                    /* connections that read; 0: as many as cores here */
        const json_t *recorded;      /* what the other side told of its tables; or NULL */
        const volatile bool *cancel; /* looked at many times a second; NULL: never */
        /* Several times a second, from the calling thread; bytes are of the tables. */
        void (*progress)(void *arg, const char *table, int done, int total, int64_t bytes_done,
                         int64_t bytes_total);
        void *progress_arg;
} TableDataOptions;

/* Encodings differ: "stream". */
const char *table_data_method(bool same_encoding);
/* {name: {"rows", "hash", "bytes"}}, inside the transaction that is its snapshot. A table that
 * cannot be read is an error. */
bool table_data_read(Pg *pg, const TableDataOptions *o, json_t **ret, Err *err) MUST_CHECK;
/* {"count", "content", "owners"} of the large objects; content null without the right. */
bool table_data_large_objects(Pg *pg, uint64_t seed, json_t **ret, Err *err) MUST_CHECK;

/* For the comparison: exports the snapshot of the transaction `pg` is in; malloc()ed. */
bool table_data_snapshot(Pg *pg, char **ret, Err *err) MUST_CHECK;
/* One table's record; `r` NULL: by the statistics. New reference. */
json_t *table_data_record(const TableRef *t, const TableResult *r, const char *method);
