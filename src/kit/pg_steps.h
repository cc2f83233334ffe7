/* pg_steps.h: what the kinds that work on PostgreSQL share. */
#pragma once

#include "engine/step_ctx.h"
#include "pg/inventory.h"
#include "pg/roles.h"

/* Connects for this step: application_name, statement_timeout from the step, NOTICEs to its
 * log, and registered for cancel. */
bool kit_pg_open(StepCtx *ctx, const Target *t, const char *database, Pg **ret,
                 Err *err) MUST_CHECK;
/* Connects to the step's `on:`; to its parameter `database` when the kind has one and it is set. */
bool kit_pg(StepCtx *ctx, Pg **ret, Err *err) MUST_CHECK;
/* The same in a database that is neither `a` nor `b`, which are to be renamed or dropped. */
bool kit_pg_beside(StepCtx *ctx, const char *a, const char *b, Pg **ret, Err *err) MUST_CHECK;
/* One line of plan from a statement; secrets covered. */
void kit_plan_sql(StepCtx *ctx, const Sql *q);
void kit_plan_undo_sql(StepCtx *ctx, const Sql *q);
/* Copies these keys of `from` into the step's results. */
void kit_results_from(StepCtx *ctx, const json_t *from, const char *const *keys);
/* A list parameter as an array of texts: items may be texts, maps with a `name`, or lists of
 * those (a fact of a foreach). New reference, each name once. */
json_t *kit_name_list(StepCtx *ctx, const char *param);

/* pg_roles_copy(), and before it makes roles it remembers their names under `key`. They are made in
 * one transaction: after a crash either all of them exist or none. Those that an earlier try made,
 * and are there, stay remembered, and are "created" in the report; after an error that rolled back
 * for sure only those are. */
bool kit_roles_copy(StepCtx *ctx, Pg *source, Pg *target, RolesCopyOptions o, const char *key,
                    json_t **ret_report, Err *err) MUST_CHECK;
/* Drops roles this run made, the last one first, so that members go before their groups; those that
 * are gone are fine. */
bool kit_roles_drop(Pg *pg, const json_t *names, Err *err) MUST_CHECK;

/* Progress of reading tables, for TableDataOptions and CompareOptions: bytes a second and what
 * is left, from when it began. */
typedef struct TableMeter {
        StepCtx *ctx;
        const char *label;
        int64_t began_ms;
} TableMeter;
TableMeter kit_table_meter(StepCtx *ctx, const char *label);
void kit_table_meter_progress(void *meter, const char *table, int done, int total,
                              int64_t bytes_done, int64_t bytes_total);

/* Revisions of the application's migrations as one text, or NULL; malloc()ed. */
char *kit_inventory_revision(const json_t *inventory) MUST_CHECK;
