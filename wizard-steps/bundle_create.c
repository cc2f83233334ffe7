/* bundle_create.c: a backup that can prove itself, before anything is touched. */
#include <errno.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fmt.h"
#include "base/io.h"
#include "base/text.h"
#include "kit/data_steps.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "transfer/wide.h"

static const ParamSpec params[] = {
        { .name = "root", .type = PARAM_PATH, .help = "directory for bundles; made when missing" },
        { .name = "name", .type = PARAM_STRING, .help = "name; date and time are added" },
        { .name = "databases",
          .type = PARAM_LIST,
          .item = PARAM_NAME,
          .help = "databases to keep" },
        { .name = "dump",
          .type = PARAM_STRING,
          .fallback = "none",
          .help = "custom: also the server's own pg_dump -Fc; none" },
        { .name = "globals", .type = PARAM_BOOL, .fallback = "true", .help = "also the roles" },
        { .name = "files",
          .type = PARAM_LIST,
          .fallback = "[]",
          .help = "paths of files to keep, such as the compose file; a .env beside them too" },
        { .name = "env",
          .type = PARAM_STRING,
          .fallback = "redact",
          .help = "redact: of .env files only the names; keep: also the values" },
        JOBS_PARAM,
        { 0 },
};

static const ParamSpec results[] = {
        { .name = "path", .type = PARAM_PATH, .help = "the bundle" },
        { .name = "size", .type = PARAM_SIZE, .help = "its size" },
        { .name = "sha256", .type = PARAM_STRING, .help = "SHA-256 of the whole file" },
        { .name = "members", .type = PARAM_INT, .help = "number of members" },
        { .name = "objects", .type = PARAM_INT, .help = "objects of the schemas" },
        { .name = "tables", .type = PARAM_INT, .help = "number of tables, partitions included" },
        { .name = "rows", .type = PARAM_INT, .help = "rows of all tables" },
        { .name = "bytes", .type = PARAM_SIZE, .help = "bytes of all rows as COPY text" },
        { .name = "client", .type = PARAM_STRING, .help = "the pg_dump that wrote the schema" },
        { 0 },
};

static bool bundle_create_check(StepCtx *ctx, void *state, Err *err);
static bool bundle_create_plan(StepCtx *ctx, void *state, Err *err);
static bool bundle_create_dry(StepCtx *ctx, void *state, Err *err);
static bool bundle_create_run(StepCtx *ctx, void *state, Err *err);
static bool bundle_create_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err);
static bool bundle_create_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_bundle_create = {
        .name = "bundle.create",
        .summary = "Write a backup bundle: data, schema, roles, files",
        .traits = STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .check = bundle_create_check,
        .plan = bundle_create_plan,
        .dry = bundle_create_dry,
        .run = bundle_create_run,
        .probe = bundle_create_probe,
        .undo = bundle_create_undo,
};

static bool bundle_create_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGCLIENT client = { 0 };
        AUTO_ERR why = { 0 };
        if (!str_eq(step_str(ctx, "dump"), "none") && !str_eq(step_str(ctx, "dump"), "custom"))
                step_problem(ctx, "dump: `%s` is neither custom nor none", step_str(ctx, "dump"));
        if (!str_eq(step_str(ctx, "env"), "redact") && !str_eq(step_str(ctx, "env"), "keep"))
                step_problem(ctx, "env: `%s` is neither redact nor keep", step_str(ctx, "env"));
        kit_jobs_check(ctx);
        if (json_array_size(step_get(ctx, "databases")) == 0)
                step_problem(ctx, "databases: none are named");
        if (!kit_pg_open(ctx, step_target(ctx), NULL, &pg, err))
                return false;
        if (!pg_clients_from(pg_major(pg), kit_target_image(ctx, step_target(ctx)), &client, &why))
                step_problem(ctx, "%s", why.message);
        return true;
}

static bool bundle_create_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "# writes %s/%s_<date>_<time>.pgs.tar, readable by its owner only",
                  step_words(ctx, "root"), step_words(ctx, "name"));
        if (step_bool(ctx, "globals"))
                step_plan(ctx, "$ pg_dumpall --globals-only");
        step_plan(ctx, "# all of %s, each database as it was at one moment",
                  step_words(ctx, "databases"));
        if (str_eq(step_str(ctx, "dump"), "custom"))
                step_plan(ctx,
                          "$ pg_dump -Fc   -- the server's own major, under the same snapshot");
        step_plan_undo(ctx, "# an unfinished bundle is removed, a finished one is kept");
        return true;
}

/* Text, or an array of texts; .env files that lie beside them come along. */
static json_t *bundle_create_files(StepCtx *ctx)
{
        json_t *out = json_array();
        const json_t *given = step_get(ctx, "files");
        AUTO_JSON seen = json_object();
        AUTO_JSON list = json_is_array(given) ? json_incref((json_t *)given) : json_array();
        size_t i;
        json_t *file;
        if (json_is_string(given) && *json_string_value(given))
                json_array_append(list, (json_t *)given);
        json_array_foreach(list, i, file) {
                const char *path = json_string_value(file);
                const char *slash = path ? strrchr(path, '/') : NULL;
                if (!path || json_object_get(seen, path))
                        continue;
                json_object_set_new(seen, path, json_true());
                json_array_append(out, file);
                AUTO_FREE char *env =
                        slash ? xasprintf("%.*s/.env", (int)(slash - path), path) : NULL;
                if (env && io_exists(env) && !json_object_get(seen, env)) {
                        json_object_set_new(seen, env, json_true());
                        json_array_append_new(out, json_string(env));
                }
        }
        return out;
}

static const char **bundle_create_names(StepCtx *ctx)
{
        const json_t *list = step_get(ctx, "databases");
        size_t n = json_array_size(list);
        const char **out = arena_new_array(step_arena(ctx), const char *, n + 1);
        for (size_t i = 0; i < n; i++)
                out[i] = json_string_value(json_array_get(list, i));
        return out;
}

static void bundle_create_report(StepCtx *ctx, const BundleDone *done, const TransferResult *sum)
{
        char size[24];
        step_result_str(ctx, "path", done->path);
        step_result_int(ctx, "size", done->size);
        step_result_str(ctx, "sha256", done->sha256);
        step_result_int(ctx, "members", done->members);
        step_result_int(ctx, "objects", sum->objects);
        step_result_int(ctx, "tables", sum->tables);
        step_result_int(ctx, "rows", sum->rows);
        step_result_int(ctx, "bytes", sum->bytes);
        step_result_str(ctx, "client", sum->client ? sum->client : "");
        step_artifact(ctx, "bundle", done->path, done->size, done->sha256);
        step_report(ctx, "%s, %s: %s, %s, %s", done->path, fmt_bytes(done->size, size),
                    THINGS(sum->tables, "table"), THINGS(sum->rows, "row"),
                    THINGS(sum->objects, "object"));
}

static bool remember_done(StepCtx *ctx, Err *err)
{
        json_t *m = json_object();
        jx_set(m, "results", json_deep_copy(step_results(ctx)));
        return step_remember(ctx, m, err);
}

static bool bundle_create_run(StepCtx *ctx, void *state, Err *err)
{
        AUTO_JSON keep = bundle_create_files(ctx);
        TransferBackup b = { .run = step_run_id(ctx),
                             .databases = bundle_create_names(ctx),
                             .dump = str_eq(step_str(ctx, "dump"), "custom"),
                             .globals = step_bool(ctx, "globals"),
                             .files = keep,
                             .redact_env = !str_eq(step_str(ctx, "env"), "keep"),
                             .image = kit_target_image(ctx, step_target(ctx)) };
        if (!kit_part_remove(ctx, err) ||
            !kit_transfer_params(ctx, step_target(ctx), NULL, &b.source, err) ||
            !kit_bundle_begin(ctx, step_str(ctx, "root"), step_str(ctx, "name"), &b.path, err))
                return false;
        AUTO_STEPTRANSFER st = { 0 };
        Transfer *t = kit_transfer(ctx, &st);
        BundleDone done = { 0 };
        TransferResult sum = { 0 };
        bool ok = transfer_backup(t, &b, &done, &sum, err);
        if (ok)
                bundle_create_report(ctx, &done, &sum);
        free(done.path);
        transfer_result_done(&sum);
        return ok && remember_done(ctx, err);
}

/* It has its name only when it is whole: a run that was killed just then knows nothing of it but
 * its path. What the step would have said stands in the manifest. */
static bool bundle_create_adopt(StepCtx *ctx, const char *path, Err *err)
{
        AUTO_BUNDLE b = NULL;
        BundleDone done = { .path = (char *)path };
        TransferResult sum = { 0 };
        size_t i, k;
        json_t *db, *t;
        if (!bundle_open(path, &b, err) || !digest_hex_of_file(path, done.sha256, &done.size, err))
                return err_wrap(err, "looking at the bundle that was finished before");
        const json_t *m = bundle_manifest_of(b);
        if (!str_eq(jx_str(m, "run", ""), step_run_id(ctx)))
                return err_set(err, ERR_USER, "%s is not a bundle of this run", path);
        done.members = (int64_t)json_object_size(jx_get(m, "members")) + 1;
        json_array_foreach(jx_get(m, "databases"), i, db) {
                sum.tables += jx_int(db, "tables_counted", 0);
                sum.objects += jx_int(db, "objects", 0);
                if (!sum.client)
                        sum.client = xstrdup(jx_str(db, "client", ""));
                json_array_foreach(jx_get(db, "tables"), k, t) {
                        sum.rows += jx_int(t, "rows", 0);
                        sum.bytes += jx_int(t, "bytes", 0);
                }
        }
        bundle_create_report(ctx, &done, &sum);
        transfer_result_done(&sum);
        return true;
}

static bool bundle_create_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err)
{
        const json_t *m = step_remembered(ctx), *done = jx_get(m, "results");
        const char *path = jx_str(m, "bundle", NULL);
        *ret_found = FOUND_NOTHING;
        if (!path)
                return true;
        AUTO_FREE char *part = xasprintf("%s.part", path);
        if (io_exists(part)) {
                *ret_found = FOUND_PART;
        } else if (io_exists(path)) {
                if (json_object_size(done) > 0)
                        json_object_update(step_results(ctx), (json_t *)done);
                else if (!bundle_create_adopt(ctx, path, err))
                        return false;
                *ret_found = FOUND_ALL;
        }
        return true;
}

static bool bundle_create_undo(StepCtx *ctx, void *state, Err *err)
{
        return kit_bundle_undo(ctx, err);
}

/* pg_dump cannot carry such a row, the bundle's own rows can: run() then goes without the dump. */
static bool dry_wide(StepCtx *ctx, Pg *pg, Err *err)
{
        AUTO_FREE char *wide = NULL;
        if (!str_eq(step_str(ctx, "dump"), "custom") || step_has_problems(ctx))
                return true;
        if (!wide_row(pg, &wide, err))
                return false;
        if (wide)
                step_warn(ctx,
                          "database %s: %s. The bundle's own rows carry it; it goes without that "
                          "dump",
                          pg_database(pg), wide);
        return true;
}

static bool dry_database(StepCtx *ctx, const char *name, int64_t *bytes, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        int64_t mine = 0;
        if (dry_pg(ctx, step_target(ctx), name, &pg) != SEEN_HERE)
                return true;
        if (!dry_readable(ctx, pg, err) || !dry_table_bytes(pg, &mine, err) ||
            !dry_wide(ctx, pg, err))
                return false;
        *bytes += mine;
        return true;
}

static void dry_files(StepCtx *ctx)
{
        AUTO_JSON list = bundle_create_files(ctx);
        size_t i;
        json_t *file;
        json_array_foreach(list, i, file) {
                const char *path = json_string_value(file);
                AUTO_FREE char *clean = text_clean_str(path);
                if (access(path, R_OK) != 0 && step_will_be(ctx, "file", path) != WILL_COME)
                        step_problem(ctx, "files: %s cannot be read: %s", clean, strerror(errno));
        }
}

static bool dry_globals(StepCtx *ctx, Pg *pg, Err *err)
{
        bool super = false;
        if (!step_bool(ctx, "globals"))
                return true;
        if (!dry_superuser(pg, &super, err))
                return false;
        if (!super)
                step_warn(ctx,
                          "this role sees no passwords: the roles go into the bundle without them");
        return true;
}

static bool bundle_create_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        int64_t bytes = 0;
        const char *root = step_str(ctx, "root"), *name = step_str(ctx, "name");
        if (!str_eq(step_str(ctx, "dump"), "none") && !str_eq(step_str(ctx, "dump"), "custom"))
                step_problem(ctx, "dump: `%s` is neither custom nor none", step_str(ctx, "dump"));
        if (!str_eq(step_str(ctx, "env"), "redact") && !str_eq(step_str(ctx, "env"), "keep"))
                step_problem(ctx, "env: `%s` is neither redact nor keep", step_str(ctx, "env"));
        kit_jobs_check(ctx);
        if (step_known(ctx, "root"))
                dry_directory(ctx, "root", root);
        AUTO_FREE char *encoded = bundle_encode(name);
        if (strlen(encoded) > 200)
                step_problem(ctx, "name: it is too long for the name of a file");
        if (step_known(ctx, "files"))
                dry_files(ctx);
        if (step_known(ctx, "databases") && json_array_size(step_get(ctx, "databases")) == 0)
                step_problem(ctx, "databases: none are named");
        if (dry_pg(ctx, step_target(ctx), NULL, &pg) != SEEN_HERE)
                return true;
        if (!dry_client(ctx, pg_major(pg), step_target(ctx), err) || !dry_globals(ctx, pg, err) ||
            !dry_connections(ctx, pg, 2, err))
                return false;
        const char **all = bundle_create_names(ctx);
        for (size_t i = 0; step_known(ctx, "databases") && all[i]; i++)
                if (!dry_database(ctx, all[i], &bytes, err))
                        return false;
        if (step_known(ctx, "root"))
                dry_room(ctx, root, bytes / 16, "root");
        return true;
}
