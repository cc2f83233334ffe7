/* part.h: the rows of a table, or of a piece of one, on their way.
 *
 *      Part *parts;
 *      size_t n = parts_plan(table, work, jobs, arena, &parts);
 *      for each, in any order and in any thread:  part_copy(&sink, reader, &parts[i], err)
 *      when all are in, under one lock:            part_add(&parts[i]) ..
 *
 * One part is one COPY out of the source, and of the same rows one COPY into the target, a
 * stream of members in the bundle, or both. Two parts never share anything but the table's
 * description, which nobody changes, and the bundle's writer, which has a lock; so workers need
 * nothing but their own two connections. A part is all or nothing: its COPY is one transaction.
 *
 * A whole table that this run made is truncated and loaded frozen: no WAL where the server
 * allows that, and no rewrite by the first vacuum. A table in parts cannot be: its parts are
 * separate transactions. Nor are tables of little size, many of which share one (`inside`).
 *
 * The three numbers that must agree for every part: rows read, rows sent, rows the target says
 * it has taken. */
#pragma once

#include "base/arena.h"
#include "base/jsonx.h"
#include "bundle/bundle.h"
#include "pg/conn.h"
#include "transfer/read/parts_plan.h"

typedef struct Transfer Transfer;

typedef struct PartSink {
        Transfer *t;
        Pg *to;                 /* NULL: no target */
        BundleWriter *bundle;   /* NULL: no bundle */
        const char *encoding;   /* of the rows: the source database's */
        const char *bundle_dir; /* the database's directory in the bundle */
        uint64_t seed;          /* of the rows' hashes: the bundle's */
        bool inside;            /* the caller's transaction is open and stays so */
        /* News since the last call, from the thread that moves the rows, at most once every
         * 64 KiB. NULL: nobody listens. */
        void (*moved)(void *arg, int64_t bytes, int64_t rows);
        void *moved_arg;
} PartSink;

/* Both leave their connections usable for the next part, whatever happened. */
bool part_copy(const PartSink *s, Pg *from, Part *p, Err *err) MUST_CHECK;
bool part_restore(const PartSink *s, const Bundle *b, const json_t *record, Part *p,
                  Err *err) MUST_CHECK;

/* Adds a finished part to its table. The caller's lock. */
void part_add(const Part *p);
/* The directory of its members in the bundle, malloc()ed. */
char *table_member_dir(const PartSink *s, const Table *t) MUST_CHECK;
/* The table for the manifest, when all its parts were added. */
json_t *table_record(const PartSink *s, const Table *t) MUST_CHECK;
/* The way back: what a source would have said. Texts live in `a`. */
void table_from_record(Arena *a, const json_t *record, Table *ret);
/* Is what came out of the bundle what its manifest describes? Of the table, when all parts were
 * added. */
bool rows_as_recorded(int64_t rows, uint64_t hash, const json_t *record, Err *err) MUST_CHECK;
bool table_as_recorded(const Table *t, const json_t *record, Err *err) MUST_CHECK;
