/* analyze.h: statistics for everything, before anybody is let in.
 *
 * A restored database has none, and an application on guesses is ten times slower and blamed
 * on the new version. Partitioned parents are analysed too (vacuumdb leaves them out until 19).
 * In stages: first a target of 1 and 10, so that plans are usable within seconds. */
#pragma once

#include "pg/conn.h"

typedef struct AnalyzeOptions {
        bool stages;
        int jobs; /* connections; at least 1 */
        const volatile bool *cancel;
        void (*progress)(void *arg, const char *stage, const char *table, int done, int total);
        void *progress_arg; /* called from the workers, one at a time */
} AnalyzeOptions;

/* `largest` of the report: the ten biggest tables, [{"name", "bytes", "rows"}]. */
bool pg_analyze(Pg *pg, const AnalyzeOptions *o, json_t **ret_report, Err *err) MUST_CHECK;
bool pg_largest_tables(Pg *pg, int n, json_t **ret, Err *err) MUST_CHECK;

/* What the new server's collations mean for the indexes: {"database": {"recorded", "actual",
 * "drifted"}, "collations": [..], "indexes": n, "advice": [lines]}. */
bool pg_collation_advice(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
/* Indexes whose order comes from the operating system or ICU: [{"schema", "name"}]. */
bool pg_collation_indexes(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
bool pg_reindex(Pg *pg, const char *schema, const char *index, bool concurrently,
                Err *err) MUST_CHECK;
/* ALTER DATABASE and ALTER COLLATION .. REFRESH VERSION for what drifted. Only after REINDEX:
 * it takes away the warning, not the damage. *ret: the statements, as a person reads them. */
bool pg_collation_refresh(Pg *pg, json_t **ret, Err *err) MUST_CHECK;
