/* tabledata.h: how many rows a table has, and one number that stands for all of them.
 *
 *      "\"app\".\"users\"": {"rows": 18, "hash": "-4611..", "bytes": 16384, "method": "record"}
 *
 * The number is the sum over all rows of a 64-bit hash of the row, so the order of rows does
 * not matter and a duplicate does not cancel itself out (as xor would). What goes into the
 * row's hash keeps values apart that `=` calls equal: numeric, float, interval, timetz, money
 * and char(n) by their binary form (1.0 and 1.00, 0 and -0, 1 day and 24 hours differ);
 * enums, arrays, ranges, json and every type that has no stable hash as text; the rest by the
 * type's own hash. Text is hashed under COLLATE "C".
 *
 * Methods: "record" is hash_record_extended() (14 and later), "columns" builds the same from
 * hash_array_extended() (11 and later), "stream" reads the rows as text here and works across
 * server encodings. Two sides must use the same one; values agree across majors (measured on
 * 12 to 18: anchors, moving data 5). */
#pragma once

#include "pg/conn.h"

typedef struct TableDataOptions {
        const char *method;             /* "record", "columns", "stream"; NULL: no hash       */
        bool        exact;              /* false: rows from statistics, no table is read      */
        const volatile bool *cancel;    /* looked at between tables; NULL: never              */
        /* After each table; bytes are of the tables. May be called from another thread. */
        void      (*progress)(void *arg, const char *table, int done, int total,
                              int64_t bytes_done, int64_t bytes_total);
        void       *progress_arg;
} TableDataOptions;

/* The method two majors share; encodings differ: "stream". */
const char *table_data_method(int major_a, int major_b, bool same_encoding);
/* {name: {"rows", "hash", "bytes"}}, inside the transaction that is its snapshot. */
bool table_data_read(Pg *pg, const TableDataOptions *o, json_t **ret, Err *err) MUST_CHECK;
/* {"count", "content", "owners"} of the large objects; content null without the right. */
bool table_data_large_objects(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
