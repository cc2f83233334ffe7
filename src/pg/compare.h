/* compare.h: is what arrived what left? The proof.
 *
 *      CompareOptions o = { .deep = true };
 *      json_t *report = NULL;
 *      if (!pg_compare(source, target, &o, &report, err))
 *              ...                     // could not look: no statement about equality
 *      jx_bool(report, "equal", false)
 *
 * Rows and content of every table, sequences, large objects, and every object of the catalog,
 * aspect by aspect, each side in one snapshot that several connections share (tablereader.h).
 * The report is described in report.h.
 *
 * Quick: each row is hashed by the servers' own functions, in the form the older of them has.
 * It sees whatever the text of two values tells apart (tablelist.h); what it cannot see is two
 * rows of one 64-bit hash, and a server whose functions lie. Deep: both sides send every row by
 * COPY and it is hashed here: as text, or in binary where that says all (table_binary_says_all()).
 *
 * Expressions (checks, defaults, views, policies, ..) are compared as the target prints them, both
 * sides', in a scratch database on its server: reprint.h. Only when texts differ, and only where
 * the caller gives a Reprinter (transfer/reprinter.h makes one).
 *
 * A difference is never a warning: what is expected between majors has a rule (rules.h). A table
 * that could not be read is a difference. What was not compared is said in "limits": contents of
 * materialized views among it (a restore refreshes them, and the source's may be stale; whether
 * they are populated is compared), and rows of foreign tables. */
#pragma once

#include "pg/inventory.h"
#include "pg/report.h"
#include "pg/reprint.h"

typedef struct CompareOptions {
        const json_t *ignore;           /* kinds or kind.aspect ("comment", "database.collate"),
                                           as ["..", ..]; or {"kind", "object", "what"} of one,
                                           the last two as the report calls them, absent: all.
                                           NULL: none. Listed in the report */
        const json_t *map_roles;        /* {"old name": "new name"}; NULL: none */
        const json_t *schemas, *tables; /* only these: ["app"], ["app.users"]; NULL: all */
        const char *method;             /* NULL: chosen by the majors and encodings */
        bool deep;
        const Reprinter *reprinter; /* asks the target about texts that differ; NULL: nobody does,
                                       and what is printed otherwise is a difference */
        int jobs;                   /* connections a side; 0: as many as cores here */
        const volatile bool *cancel;
        void (*progress)(void *arg, const char *table, int done, int total, int64_t bytes_done,
                         int64_t bytes_total);
        void *progress_arg; /* both sides together, from the calling thread */
} CompareOptions;

bool pg_compare(Pg *source, Pg *target, const CompareOptions *o, json_t **ret, Err *err) MUST_CHECK;
/* Only objects, of databases that may have no rows yet: not values of sequences, contents of
 * materialized views, nor what is set on the database itself. `o`: ignore, map_roles, reprinter. */
bool pg_compare_catalog(Pg *source, Pg *target, const CompareOptions *o, json_t **ret,
                        Err *err) MUST_CHECK;
/* Against an inventory made earlier; its method decides. */
bool pg_compare_with(const json_t *source_inventory, Pg *target, const CompareOptions *o,
                     json_t **ret, Err *err) MUST_CHECK;
/* The pure part. ERR_USER when the two were not made by the same method. */
bool inventory_compare(const json_t *source, const json_t *target, const CompareOptions *o,
                       json_t **ret, Err *err) MUST_CHECK;

/* One table on both sides, by table_data_record(); the entry of its difference, or NULL. */
json_t *compare_table_records(Report *r, const char *name, const json_t *s, const json_t *t);
/* One that only one side has (the other is NULL). An extension's tables are not among the objects:
 * rows in one are told here. */
void compare_lone_table(Report *r, const char *name, const json_t *s, const json_t *t);
/* Who was compared, from two inventories or summaries. */
void compare_sides(Report *r, const json_t *source, const json_t *target);
/* What it was narrowed to, said in the report. */
void report_scope(Report *r, const TableScope *scope);
