#include "pg/extension.h"
#include "pg/inventory.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/rowhash.h"
#include "pg/catalog.h"
#include "pg/facts.h"
#include "pg/roles.h"

/* "app"."users" -> app.users; a name that needs its quotes keeps them. */
char *inventory_name(const char *quoted)
{
        AUTO_BUF b = buf_init(strlen(quoted) + 1);
        for (const char *p = quoted; *p;) {
                if (*p != '"') {
                        buf_addc(&b, *p++);
                        continue;
                }
                const char *end = p + 1;
                bool plain = *end >= 'a' && *end <= 'z';
                while (*end && !(*end == '"' && end[1] != '"')) {
                        if (*end == '"')
                                end++;
                        plain = plain && ((*end >= 'a' && *end <= 'z') || *end == '_' ||
                                          (*end >= '0' && *end <= '9'));
                        end++;
                }
                if (plain)
                        buf_add(&b, p + 1, (size_t)(end - p - 1));
                else
                        buf_add(&b, p, (size_t)(end - p) + (*end ? 1 : 0));
                p = *end ? end + 1 : end;
        }
        char *text = buf_take(&b, NULL);
        return text ? text : xstrdup("");
}

static bool read_list(Pg *pg, json_t *inv, const char *key, const Sql *q, Err *err)
{
        json_t *list = NULL;
        if (!pg_json_rows(pg, q, &list, err))
                return err_wrap(err, "listing %s", key);
        jx_set(inv, key, list);
        return true;
}

static bool read_lists(Pg *pg, json_t *inv, Err *err)
{
        AUTO_SQL extensions = { 0 }, invalid = { 0 }, counts = { 0 };
        json_t *counted = NULL;
        sql_add(&extensions,
                "select json_build_object('name', e.extname, 'version', e.extversion, "
                "'schema', n.nspname) from pg_extension e join pg_namespace n on n.oid = "
                "e.extnamespace order by e.extname");
        sql_add(&invalid,
                "select to_json(n.nspname || '.' || c.relname) from pg_index i join "
                "pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace "
                "where not (i.indisvalid and i.indisready) and c.relkind = 'i' order by 1::text");
        /* "table" counts what a person means by it: ordinary and partitioned, partitions too. */
        sql_add(&counts,
                "select json_object_agg(k, n) from (select case c.relkind when 'r' then "
                "'table' when 'p' then 'table' when 'v' then 'view' when 'm' then "
                "'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' when "
                "'i' then 'index' when 'I' then 'index' end as k, count(*) as n from pg_class c "
                "join pg_namespace n on n.oid = c.relnamespace where " CAT_USER_SCHEMA(
                        "n") " and c.relpersistence <> 't' and " CAT_NOT_EXT("pg_class",
                                                                             "c.oid") " and "
                                                                                      "c.relkind "
                                                                                      "in ('r', "
                                                                                      "'p', 'v', "
                                                                                      "'m', 'S', "
                                                                                      "'f', 'i', "
                                                                                      "'I') group "
                                                                                      "by 1) s");
        if (!read_list(pg, inv, "extensions", &extensions, err) ||
            !read_list(pg, inv, "invalid_indexes", &invalid, err) ||
            !pg_json_value(pg, &counts, &counted, err))
                return false;
        if (!json_is_object(counted)) {
                json_decref(counted);
                counted = json_object();
        }
        jx_set(inv, "counts", counted);
        return true;
}

static void count_objects(json_t *inv)
{
        const char *kind;
        json_t *objects;
        json_t *counts = jx_get(inv, "counts");
        json_object_foreach(jx_get(inv, "objects"), kind, objects)
                if (!jx_get(counts, kind))
                        jx_set_int(counts, kind, (int64_t)json_object_size(objects));
}

static void sum_rows(json_t *inv)
{
        const char *name;
        json_t *d;
        int64_t rows = 0;
        json_object_foreach(jx_get(inv, "data"), name, d)
                rows += jx_int(d, "rows", 0);
        jx_set_int(inv, "rows", rows);
}

bool pg_inventory_summary(Pg *pg, const InventoryOptions *o, json_t *inv, Err *err)
{
        json_t *part = NULL;
        if (!pg_facts(pg, &part, err))
                return false;
        jx_set(inv, "facts", part);
        if (!read_lists(pg, inv, err))
                return false;
        if (!pg_roles_needed(pg, &part, err))
                return false;
        jx_set(inv, "roles", part);
        if (o->migrations) {
                if (!pg_migrations(pg, &part, err))
                        return false;
                jx_set(inv, "migrations", part);
        }
        return true;
}

static bool read_inside(Pg *pg, const InventoryOptions *o, json_t *inv, Err *err)
{
        json_t *part = NULL;
        if (!pg_inventory_summary(pg, o, inv, err))
                return false;
        if (!table_data_large_objects(pg, o->data.seed, &part, err))
                return false;
        jx_set(inv, "large_objects", part);
        if (!table_data_read(pg, &o->data, &part, err))
                return false;
        jx_set(inv, "data", part);
        sum_rows(inv);
        if (!pg_later_waits(pg, true, &part, err))
                return false;
        if (part)
                jx_set(inv, "waits", part);
        if (!o->objects)
                return true;
        if (!pg_catalog_read(pg, &part, err)) /* last: it changes how names are quoted */
                return false;
        jx_set(inv, "objects", part);
        count_objects(inv);
        return true;
}

/* Hexadecimal: JSON has no unsigned numbers of 64 bits. */
static void note_method(json_t *inv, const TableDataOptions *o)
{
        char seed[32];
        snprintf(seed, sizeof seed, "%016" PRIx64, o->seed);
        jx_set_str(inv, "method", o->exact ? o->method : NULL);
        jx_set_str(inv, "seed", seed);
}

uint64_t inventory_seed(const json_t *inventory)
{
        return strtoull(jx_str(inventory, "seed", "0"), NULL, 16);
}

bool pg_inventory(Pg *pg, const InventoryOptions *options, json_t **ret, Err *err)
{
        char iso[32];
        InventoryOptions seeded = *options, *o = &seeded;
        if (!o->data.seed)
                o->data.seed = row_hash_seed();
        AUTO_JSON inv = json_object();
        jx_set_str(inv, "format", INVENTORY_FORMAT);
        jx_set_str(inv, "made_at", clock_iso(clock_wall_ms(), iso));
        note_method(inv, &o->data);
        if (!pg_begin_reading(pg, o->snapshot, err) ||
            !pg_do(pg, "set local quote_all_identifiers = on", err) ||
            !read_inside(pg, o, inv, err)) {
                AUTO_ERR ignored = { 0 };
                (void)!pg_do(pg, "rollback", &ignored);
                return err_wrap(err, "taking stock of database %s", pg_database(pg));
        }
        if (!pg_do(pg, "commit", err))
                return false;
        *ret = inv;
        inv = NULL;
        return true;
}

bool inventory_load(const char *path, json_t **ret, Err *err)
{
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_read_file(path, LIMIT_SQL, &text, &n, err))
                return err_wrap(err, "reading the inventory");
        AUTO_JSON inv = jx_parse(text, n, err);
        if (!inv)
                return err_wrap(err, "reading the inventory in %s", path);
        if (!str_eq(jx_str(inv, "format", ""), INVENTORY_FORMAT)) {
                err_set(err, ERR_USER, "%s is not an inventory this version can read", path);
                return str_eq(jx_str(inv, "format", ""), INVENTORY_FORMAT_1)
                               ? err_hint(err,
                                          "it was made by an older pgsherpa, whose sums did not "
                                          "see values that change places between rows: take "
                                          "stock again")
                               : err_hint(err, "an inventory says \"format\": \"%s\"",
                                          INVENTORY_FORMAT);
        }
        *ret = inv;
        inv = NULL;
        return true;
}
