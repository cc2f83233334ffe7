/* report.h: what a comparison found, as the JSON value that every reader of it shows.
 *
 *      {"format": "pgsherpa/compare/1", "equal": false, "mode": "quick", "method": "columns",
 *       "source": {"database", "version", "made_at"}, "target": {..}, "scope": ["app"],
 *       "tables_compared": 38, "sequences_compared": 20, "objects_compared": 612, "rows": 29911,
 *       "tables": 38, "revision": "3f9c1a7be204", "ms": 5120,
 *       "methods": {"columns": 36, "count": 2},
 *       "data": [{"table": "app.users", "rows": 18, "method": "columns", "ms": 3}, ..],
 *       "differences": [{"kind": "table", "object": "app.users", "what": "content",
 *                        "source": "9182..", "target": "-77..",
 *                        "rows": [{"key": "(7)", "what": "differs", "columns": ["mail"]}, ..]},
 *                       {"kind": "function", .., "diff": "- old line\n+ new line"}, ..],
 *       "differences_total": 1,
 *       "normalised": [{"rule", "reason", "kind", "object", "what", "source", "target"}, ..],
 *       "normalised_total": 12, "rules": {"tablespace": {"n": 12, "reason": ".."}},
 *       "recomputed": [{"table": "app.page", "columns": ["words"], "rows": 12}, ..],
 *       "limits": ["large objects: only counted (needs a superuser)"]}
 *
 * "differences", "normalised" and "data" list at most a thousand entries each; the totals count
 * them all. "recomputed": generated columns with other values than on the source, and in how many
 * rows (null: not known). "rows" of a difference is there for a table with a key: the first rows
 * that differ, by key. Values are cut at 600 characters. Text in it is as the server sent it:
 * whoever shows it cleans it. */
#pragma once

#include "base/jsonx.h"

#define REPORT_FORMAT "pgsherpa/compare/1"
#define REPORT_LISTED 1000 /* a thousand differences say as much as a million */

typedef struct Report {
        const json_t *ignore; /* kinds or kind.aspect; NULL: none */
        json_t *waits;        /* what is not missed yet (pg_later_waits()); or NULL; borrowed */
        json_t *json, *differences, *normalised, *limits, *data, *methods, *rules, *recomputed,
                *counted; /* names of tables of which only rows were counted, a few */
        int64_t total, excused, only_counted, objects, sequences, tables, rows;
} Report;

Report report_new(const json_t *ignore);
void report_done(Report *r);
#define AUTO_REPORT CLEANUP(report_done) Report

/* Object is a quoted name; source and target NULL: it is not there. The entry is borrowed, for
 * more to be set in it; NULL when it was ignored or there are a thousand already. */
json_t *report_differ(Report *r, const char *kind, const char *object, const char *what,
                      const json_t *source, const json_t *target);
/* Excused by a rule of rules.h, or by what the runbook says. */
typedef struct Excuse {
        const char *rule, *reason;
} Excuse;
void report_excuse(Report *r, const char *kind, const char *object, const char *what,
                   const json_t *source, const json_t *target, Excuse why);
/* Generated columns that the target computed to something else, as it must; `rows`: -1 not
 * known. */
void report_recomputed(Report *r, const char *table, const json_t *columns, int64_t rows);
void report_limit(Report *r, const char *text);
/* One table that was compared, however it came out; `record` is table_data_record()'s. */
void report_table(Report *r, const char *table, const json_t *record);
/* Bytes of `text` up to `max`, not in the middle of a character. */
size_t report_cut(const char *text, size_t max);
/* Totals and the verdict; the caller adds what else there is. New reference. */
json_t *report_take(Report *r, const char *mode, const char *method);
