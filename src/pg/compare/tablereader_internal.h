/* tablereader_internal.h: the inside of a TableReader, for the two files that make it. */
#pragma once

#include <pthread.h>

#include "pg/tabledata.h"
#include "pg/tablereader.h"

#define MAX_JOBS   32
#define UNITS_HELD 20 /* tables and their indexes stay locked to the end of a transaction */
#define PART_BYTES (64LL * 1024 * 1024) /* of a large table; a second or less of reading */

__extension__ typedef __int128 Wide; /* sums of 64-bit hashes, as numeric of the server */

typedef struct Unit {
        int table;        /* -1: the large objects */
        int64_t from, to; /* pages; to -1: the end; both -1: all of it */
        int64_t weight;   /* bytes */
        bool alone;       /* more than its share: the server's own workers help */
} Unit;

/* What is carried, and all columns: the same where none is generated. */
typedef struct Hashes {
        Wide wide[2];
        uint64_t stream[2];
} Hashes;

typedef struct Sum {
        Hashes hashes;
        bool hashed;
        int left; /* parts still to come */
} Sum;

typedef struct Worker {
        TableReader *r;
        pthread_t thread;
        Pg *pg;              /* registered for cancelling */
        int64_t now, weight; /* bytes of the unit in hand */
        int table;           /* -1: none */
        bool started;
} Worker;

struct TableReader {
        const TableRef *tables;
        int n;
        TableReadOptions o;
        char *snapshot;
        Pg *like;
        Unit *units;
        size_t n_units, next;
        Sum *sums;
        TableResult *results;
        json_t *large_objects;
        Worker workers[MAX_JOBS];
        int jobs, running;
        pthread_mutex_t lock;
        pthread_cond_t over;
        bool stop, joined;
        int64_t bytes, bytes_total, rows;
        int done;
        Err err;
};

/* tablereader_part.c: in one transaction after the other, under the reader's snapshot. */
bool table_part_begin(Worker *w, Err *err) MUST_CHECK;
bool table_part_read(Worker *w, const Unit *u, Err *err) MUST_CHECK;
/* After `read` of them. */
bool table_part_let_go(Worker *w, int read, Err *err) MUST_CHECK;
/* malloc()ed digits. */
char *table_part_sum(Wide v) MUST_CHECK;
