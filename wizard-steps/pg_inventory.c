/* pg_inventory.c: take stock of a database, for later comparison and for expectations. */
#include "base/fmt.h"
#include "kit/data_steps.h"
#include "kit/pg_steps.h"
#include "pg/analyze.h"
#include "transfer/reprinter.h"

static const ParamSpec params[] = {
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database, if not the target's own" },
        { .name = "rows",
          .type = PARAM_STRING,
          .fallback = "exact",
          .help = "exact: count them; estimate: from statistics, reads no table" },
        { .name = "digest",
          .type = PARAM_STRING,
          .fallback = "none",
          .help = "all: a content hash of every table; none" },
        { .name = "method",
          .type = PARAM_STRING,
          .fallback = "auto",
          .help = "of the hash: auto, server (the server computes it), stream (rows are read)" },
        { .name = "alembic",
          .type = PARAM_STRING,
          .fallback = "auto",
          .help = "auto: look for a migration tool's revision; none" },
        { .name = "per",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "kinds of objects to show counts of" },
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "version", .type = PARAM_VERSION, .help = "version of the server" },
        { .name = "version_num", .type = PARAM_INT, .help = "the same as a number" },
        { .name = "system_identifier", .type = PARAM_STRING, .help = "which cluster this is" },
        { .name = "data_directory", .type = PARAM_PATH, .help = "where its files are" },
        { .name = "database", .type = PARAM_NAME, .help = "database that was looked at" },
        { .name = "owner", .type = PARAM_NAME, .help = "its owner" },
        { .name = "size", .type = PARAM_SIZE, .help = "its size in bytes" },
        { .name = "encoding", .type = PARAM_STRING, .help = "its encoding" },
        { .name = "collate", .type = PARAM_STRING, .help = "its collation" },
        { .name = "ctype", .type = PARAM_STRING, .help = "its character classification" },
        { .name = "provider", .type = PARAM_STRING, .help = "libc, icu or builtin" },
        { .name = "collversion", .type = PARAM_STRING, .help = "version of its collation" },
        { .name = "tables", .type = PARAM_INT, .help = "number of tables, partitions included" },
        { .name = "rows", .type = PARAM_INT, .help = "rows of all tables" },
        { .name = "counts", .type = PARAM_MAP, .help = "number of objects of each kind" },
        { .name = "largest", .type = PARAM_LIST, .item = PARAM_MAP, .help = "the biggest tables" },
        { .name = "extensions",
          .type = PARAM_LIST,
          .item = PARAM_MAP,
          .help = "extensions with versions" },
        { .name = "roles", .type = PARAM_LIST, .help = "roles this database needs" },
        { .name = "md5_roles", .type = PARAM_LIST, .help = "roles with md5 passwords" },
        { .name = "alembic", .type = PARAM_STRING, .help = "revision of the migrations" },
        { .name = "migrations",
          .type = PARAM_LIST,
          .item = PARAM_MAP,
          .help = "migration tables that were found" },
        { .name = "prepared_xacts",
          .type = PARAM_INT,
          .help = "prepared transactions of this database" },
        { .name = "invalid_indexes", .type = PARAM_LIST, .help = "indexes that are not valid" },
        { .name = "max_connections", .type = PARAM_INT, .help = "setting of the server" },
        { .name = "max_used_connections", .type = PARAM_INT, .help = "connections right now" },
        { .name = "ref", .type = PARAM_PATH, .help = "file with the whole inventory" },
        { 0 },
};

static bool pg_inventory_check(StepCtx *ctx, void *state, Err *err);
static bool pg_inventory_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_inventory_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_inventory = {
        .name = "pg.inventory",
        .summary = "Take stock of a database: objects, rows, content",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = results,
        .check = pg_inventory_check,
        .plan = pg_inventory_plan,
        .run = pg_inventory_run,
};

static bool wrong_word(StepCtx *ctx, const char *param, const char *const *words)
{
        for (; *words; words++)
                if (str_eq(step_str(ctx, param), *words))
                        return false;
        step_problem(ctx, "%s: `%s` is not one of its words", param, step_str(ctx, param));
        return true;
}

static bool pg_inventory_check(StepCtx *ctx, void *state, Err *err)
{
        static const char *const rows[] = { "exact", "estimate", NULL };
        static const char *const digest[] = { "all", "none", NULL };
        static const char *const method[] = { "auto", "server", "stream", NULL };
        static const char *const alembic[] = { "auto", "none", NULL };
        wrong_word(ctx, "rows", rows);
        wrong_word(ctx, "digest", digest);
        wrong_word(ctx, "method", method);
        wrong_word(ctx, "alembic", alembic);
        return true;
}

static bool pg_inventory_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "begin isolation level repeatable read read only");
        if (str_eq(step_str(ctx, "digest"), "all"))
                step_plan(ctx, "pg_dump --schema-only   -- kept with the inventory");
        step_plan(ctx, "# lists what the database holds%s%s",
                  str_eq(step_str(ctx, "rows"), "exact") ? ", counts the rows of every table" : "",
                  str_eq(step_str(ctx, "digest"), "all") ? ", takes a checksum of their content"
                                                         : "");
        return true;
}

static void pg_inventory_tell(StepCtx *ctx, const json_t *inv)
{
        static const char *const facts[] = { "version",
                                             "version_num",
                                             "system_identifier",
                                             "data_directory",
                                             "database",
                                             "owner",
                                             "size",
                                             "encoding",
                                             "collate",
                                             "ctype",
                                             "provider",
                                             "collversion",
                                             "prepared_xacts",
                                             "max_connections",
                                             "max_used_connections",
                                             NULL };
        static const char *const lists[] = { "counts",          "extensions", "roles",
                                             "invalid_indexes", "rows",       NULL };
        const json_t *md5 = jx_get(jx_get(inv, "facts"), "md5_roles");
        const json_t *migrations = jx_get(inv, "migrations");
        AUTO_FREE char *revision = kit_inventory_revision(inv);
        kit_results_from(ctx, jx_get(inv, "facts"), facts);
        kit_results_from(ctx, inv, lists);
        step_result_int(ctx, "tables", jx_int(jx_get(inv, "counts"), "table", 0));
        step_result_set(ctx, "migrations",
                        migrations ? json_incref((json_t *)migrations) : json_array());
        step_result_str(ctx, "alembic", revision ? revision : "");
        if (!md5 || json_is_null(md5))
                step_log(ctx, SAY_WARN, "pgsherpa",
                         "only a superuser sees which passwords are md5");
        step_result_set(ctx, "md5_roles",
                        json_is_array(md5) ? json_incref((json_t *)md5) : json_array());
        char size[24];
        step_report(ctx, "PostgreSQL %s, %s, %s, %s%s%s",
                    jx_str(jx_get(inv, "facts"), "version", "?"),
                    fmt_bytes(jx_int(jx_get(inv, "facts"), "size", 0), size),
                    THINGS(jx_int(jx_get(inv, "counts"), "table", 0), "table"),
                    THINGS(jx_int(inv, "rows", 0), "row"), revision ? ", revision " : "",
                    revision ? revision : "");
}

static void say_counts(StepCtx *ctx, const json_t *inv)
{
        size_t i;
        json_t *v;
        json_array_foreach(step_get(ctx, "per"), i, v) {
                const char *kind = json_string_value(v);
                if (kind)
                        step_say(ctx, "%s: %d", kind, (int)jx_int(jx_get(inv, "counts"), kind, 0));
        }
}

static const char *method_of(StepCtx *ctx)
{
        if (!str_eq(step_str(ctx, "digest"), "all"))
                return NULL;
        const char *method = step_str(ctx, "method");
        return str_eq(method, "auto") ? table_data_method(true) : method;
}

/* An inventory with contents is there to be compared with, when this server may be gone: texts that
 * another one prints otherwise are then asked about with the schema they came from. */
static bool keep_schema(StepCtx *ctx, json_t *inv, Err *err)
{
        PgParams p;
        AUTO_ERR why = { 0 };
        json_t *schema = NULL;
        const char *database = step_str(ctx, "database");
        if (!str_eq(step_str(ctx, "digest"), "all"))
                return true;
        if (!kit_transfer_params(ctx, step_target(ctx), *database ? database : NULL, &p, err))
                return false;
        if (reprinting_schema(&p, kit_target_image(ctx, step_target(ctx)), step_cancel_flag(ctx),
                              &schema, &why)) {
                jx_set(inv, "schema", schema);
                return true;
        }
        if (why.kind == ERR_CANCELLED) {
                err_move(err, &why);
                return false;
        }
        step_log(ctx, SAY_WARN, "pgsherpa",
                 "no schema is kept with the inventory, so a comparison with it will take "
                 "an expression that is only printed otherwise for another one: %s",
                 why.message);
        return true;
}

static bool pg_inventory_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON inv = NULL;
        json_t *largest = NULL;
        const char *path = NULL;
        TableMeter meter = kit_table_meter(ctx, "reading tables");
        if (!kit_pg(ctx, &pg, err))
                return false;
        InventoryOptions o = {
                .objects = true,
                .migrations = str_eq(step_str(ctx, "alembic"), "auto"),
                .data = { .method = method_of(ctx),
                          .exact = str_eq(step_str(ctx, "rows"), "exact"),
                          .cancel = step_cancel_flag(ctx),
                          .progress = kit_table_meter_progress,
                          .progress_arg = &meter },
        };
        if (!pg_inventory(pg, &o, &inv, err) || !keep_schema(ctx, inv, err) ||
            !pg_largest_tables(pg, 10, &largest, err))
                return false;
        pg_inventory_tell(ctx, inv);
        say_counts(ctx, inv);
        step_result_set(ctx, "largest", largest);
        return step_result_file(ctx, "ref", inv, &path, err);
}
