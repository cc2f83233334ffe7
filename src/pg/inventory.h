/* inventory.h: everything there is in one database, at one moment, as one JSON value.
 *
 *      InventoryOptions o = { .data = { .exact = true, .method = "server" }, .objects = true };
 *      json_t *inv = NULL;
 *      if (!pg_inventory(pg, &o, &inv, err)) ...
 *
 *      {"format": "pgsherpa/inventory/2", "made_at": "2026-..", "method": "server", "seed": "5f..",
 *       "facts": {..facts.h..}, "objects": {..catalog.h..}, "data": {..tabledata.h..},
 *       "large_objects": {..}, "migrations": [..], "roles": ["app", ..],
 *       "extensions": [{"name", "version", "schema"}], "invalid_indexes": [..],
 *       "counts": {"table": 38, "sequence": 20, ..}, "rows": 12345}
 *
 * Read in one REPEATABLE READ, READ ONLY transaction, so that all of it is one moment. The
 * comparison (compare.h) is between two of these; a file made before the move is as good as a
 * live server. Its seed (data.seed; 0: one is drawn) is that of its hashes of rows. */
#pragma once

#include "pg/conn.h"
#include "pg/tabledata.h"

typedef struct InventoryOptions {
        TableDataOptions data;
        bool objects; /* the whole catalog, not only counts and facts */
        bool migrations;
        const char *snapshot; /* exported by another connection, or NULL */
} InventoryOptions;

#define INVENTORY_FORMAT   "pgsherpa/inventory/2"
#define INVENTORY_FORMAT_1 "pgsherpa/inventory/1" /* before 0.2 */

bool pg_inventory(Pg *pg, const InventoryOptions *o, json_t **ret, Err *err) MUST_CHECK;
/* The cheap part, into `inv`: facts, lists, counts, roles, migrations. Inside a transaction. */
bool pg_inventory_summary(Pg *pg, const InventoryOptions *o, json_t *inv, Err *err) MUST_CHECK;
/* What its rows were hashed with: row_hash_seed(). */
uint64_t inventory_seed(const json_t *inventory);
/* From a file, with its format checked. */
bool inventory_load(const char *path, json_t **ret, Err *err) MUST_CHECK;
/* How a person writes a quoted name: "app"."users" -> app.users where no quotes are needed. */
char *inventory_name(const char *quoted) MUST_CHECK;
