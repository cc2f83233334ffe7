/* compare.h: is what arrived what left? The proof.
 *
 *      CompareOptions o = { .migrations = true };
 *      json_t *report = NULL;
 *      if (!pg_compare(source, target, &o, &report, err))
 *              ...                     // could not look: no statement about equality
 *      jx_bool(report, "equal", false)
 *
 * Both sides are taken stock of (inventory.h) with the same hash, side by side in two threads,
 * and the two inventories are compared: rows and content of every table, sequences, large
 * objects, and every object of the catalog, aspect by aspect. The report:
 *
 *      {"equal": false, "method": "record", "tables_compared": 38, "sequences_compared": 20,
 *       "objects_compared": 612, "rows": 29911, "tables": 38, "revision": "3f9c1a7be204",
 *       "differences": [{"kind": "table", "object": "app.users", "what": "rows",
 *                        "source": "18", "target": "17"}, ..], "differences_total": 1,
 *       "normalised": [{"rule", "reason", "kind", "object", "what", "source", "target"}, ..],
 *       "limits": ["large objects: only counted (needs a superuser)"],
 *       "source": {"database", "version", "made_at"}, "target": {..}}
 *
 * A difference is never a warning: what is expected between majors has a rule (rules.h). What
 * could not be compared is said in "limits". Contents of materialized views are not compared:
 * a restore refreshes them, and the source's may be stale; whether they are populated is. */
#pragma once

#include "pg/inventory.h"

typedef struct CompareOptions {
        const json_t *ignore;           /* kinds or kind.aspect ("comment", "database.collate"),
                                           as ["..", ..]; NULL: none. Listed in the report    */
        const json_t *map_roles;        /* {"old name": "new name"}; NULL: none               */
        const char   *method;           /* NULL: chosen by the majors and encodings           */
        const volatile bool *cancel;
        void        (*progress)(void *arg, const char *table, int done, int total,
                                int64_t bytes_done, int64_t bytes_total);
        void         *progress_arg;     /* called for the target's tables, from its thread    */
} CompareOptions;

bool pg_compare(Pg *source, Pg *target, const CompareOptions *o, json_t **ret, Err *err) MUST_CHECK;
/* Against an inventory made earlier; its method decides. */
bool pg_compare_with(const json_t *source_inventory, Pg *target, const CompareOptions *o,
                     json_t **ret, Err *err) MUST_CHECK;
/* The pure part. ERR_USER when the two were not made by the same method. */
bool inventory_compare(const json_t *source, const json_t *target, const CompareOptions *o,
                       json_t **ret, Err *err) MUST_CHECK;
