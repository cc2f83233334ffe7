/* pg_copy.c: one database from another server into a temporary one here, and into a bundle. */
#include "kit/data_steps.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/roles.h"
#include "transfer/direction.h"

static const ParamSpec bundle_fields[] = {
        { .name = "root", .type = PARAM_PATH, .help = "directory for the bundle" },
        { .name = "name", .type = PARAM_STRING, .help = "its name; date and time are added" },
        { 0 },
};

static const ParamSpec params[] = {
        { .name = "from", .type = PARAM_TARGET, .help = "server the database is on" },
        { .name = "database", .type = PARAM_NAME, .help = "database to copy" },
        { .name = "into",
          .type = PARAM_STRING,
          .fallback = "temporary",
          .help = "temporary: a name of its own, to be compared and then renamed" },
        { .name = "bundle",
          .type = PARAM_MAP,
          .fallback = "{}",
          .fields = bundle_fields,
          .help = "also write a bundle, in the same pass over the source" },
        JOBS_PARAM,
        { 0 },
};

static bool pg_copy_check(StepCtx *ctx, void *state, Err *err);
static bool pg_copy_plan(StepCtx *ctx, void *state, Err *err);
static bool pg_copy_dry(StepCtx *ctx, void *state, Err *err);
static bool pg_copy_run(StepCtx *ctx, void *state, Err *err);
static bool pg_copy_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err);
static bool pg_copy_undo(StepCtx *ctx, void *state, Err *err);

const StepKind step_pg_copy = {
        .name = "pg.copy",
        .summary = "Copy a database, and back it up in the same pass",
        .traits = STEP_IDEMPOTENT | STEP_ON_SERVER,
        .params = params,
        .results = kit_transfer_fields,
        .check = pg_copy_check,
        .plan = pg_copy_plan,
        .dry = pg_copy_dry,
        .run = pg_copy_run,
        .probe = pg_copy_probe,
        .undo = pg_copy_undo,
};

static bool has_bundle(StepCtx *ctx)
{
        return json_object_size(step_get(ctx, "bundle")) > 0;
}

static bool pg_copy_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *from = NULL;
        AUTO_PG Pg *to = NULL;
        const Target *source = step_param_target(ctx, "from", err);
        if (!source || !kit_pg_open(ctx, source, step_str(ctx, "database"), &from, err) ||
            !kit_pg_open(ctx, step_target(ctx), NULL, &to, err))
                return false;
        kit_jobs_check(ctx);
        if (!str_eq(step_str(ctx, "into"), "temporary"))
                step_problem(ctx,
                             "into: only `temporary` is known; pg.database.rename gives the name");
        AUTO_PGCLIENT client = { 0 };
        AUTO_ERR why = { 0 };
        int major = MAX(pg_major(from), pg_major(to));
        const char *image =
                kit_target_image(ctx, major == pg_major(to) ? step_target(ctx) : source);
        if (!pg_clients_from(major, image, &client, &why))
                step_problem(ctx, "%s", why.message);
        AUTO_JSON found = NULL;
        size_t i;
        json_t *j;
        if (!direction_check(from, pg_major(to), &found, err))
                return false;
        json_array_foreach(found, i, j) {
                AUTO_FREE char *words = direction_words(j);
                if (str_eq(jx_str(j, "verdict", ""), "refused"))
                        step_problem(ctx, "cannot go: %s", words);
        }
        return true;
}

static bool pg_copy_plan(StepCtx *ctx, void *state, Err *err)
{
        const Target *from = step_param_target(ctx, "from", err);
        const char *db = step_words(ctx, "database");
        if (!from)
                return false;
        step_plan(ctx, "# from server %s: all of %s, as it was at one moment",
                  from->name ? from->name : "the source", db);
        step_plan(ctx,
                  "$ pg_dump -Fc --section=pre-data --section=post-data --no-blobs "
                  "--snapshot=.. -d \"dbname='%s'\"",
                  db);
        step_plan(ctx,
                  "CREATE DATABASE \"pgsherpa_%s_1\" TEMPLATE template0 ENCODING .. LOCALE .. "
                  "OWNER ..   -- as the source's",
                  step_run_id(ctx));
        step_plan(ctx, "COPY each table TO STDOUT -> BEGIN; TRUNCATE; COPY .. FROM STDIN (FREEZE); "
                       "COMMIT");
        if (has_bundle(ctx))
                step_plan(ctx, "# the same rows into a backup bundle: %s",
                          step_words(ctx, "bundle"));
        step_plan_undo(ctx,
                       "# drops database pgsherpa_%s_1, which this run made, with every row in it",
                       step_run_id(ctx));
        step_plan_undo(ctx,
                       "DROP DATABASE \"pgsherpa_%s_1\" WITH (FORCE)   -- the one this run "
                       "made, with every row written to it since",
                       step_run_id(ctx));
        return true;
}

/* An attempt that was killed between its bundle's name and its own end: the rows are copied once
 * more, and the bundle is written once more. */
static bool discard_earlier(StepCtx *ctx, Err *err)
{
        const char *path = jx_str(step_remembered(ctx), "bundle", NULL);
        AUTO_BUNDLE b = NULL;
        AUTO_ERR ignored = { 0 };
        if (!path || !bundle_open(path, &b, &ignored) ||
            !str_eq(jx_str(bundle_manifest_of(b), "run", ""), step_run_id(ctx)))
                return true;
        step_say(ctx, "removing the bundle of the attempt before: %s", path);
        return bundle_unlock(path, step_run_id(ctx), NULL, err) && bundle_remove(path, err);
}

static bool choose_bundle(StepCtx *ctx, const char **ret, Err *err)
{
        const json_t *b = step_get(ctx, "bundle");
        return discard_earlier(ctx, err) &&
               kit_bundle_begin(ctx, jx_str(b, "root", ""),
                                jx_str(b, "name", step_str(ctx, "database")), ret, err);
}

static bool pg_copy_seal(StepCtx *ctx, Transfer *t, BundleWriter *w, Err *err)
{
        BundleDone done = { 0 };
        if (!transfer_bundle_end(t, w, &done, err))
                return false;
        step_result_str(ctx, "bundle", done.path);
        step_result_str(ctx, "bundle_sha256", done.sha256);
        step_result_int(ctx, "bundle_size", done.size);
        step_artifact(ctx, "bundle", done.path, done.size, done.sha256);
        free(done.path);
        return true;
}

static bool pg_copy_run(StepCtx *ctx, void *state, Err *err)
{
        const Target *from = step_param_target(ctx, "from", err);
        PgParams target;
        TransferCopy c = { .database = step_str(ctx, "database"),
                           .name = step_str(ctx, "database"),
                           .target = &target,
                           .created = kit_temporary_created };
        if (!from || !kit_transfer_params(ctx, from, NULL, &c.source, err) ||
            !kit_transfer_params(ctx, step_target(ctx), NULL, &target, err) ||
            !kit_temporary_begin(ctx, &c.into, &c.marker, err))
                return false;
        c.source_image = kit_target_image(ctx, from);
        c.target_image = kit_target_image(ctx, step_target(ctx));
        AUTO_STEPTRANSFER st = { 0 };
        Transfer *t = kit_transfer(ctx, &st);
        AUTO_BUNDLEWRITER w = NULL;
        const char *path = NULL;
        TransferBackup b = { .source = c.source,
                             .run = step_run_id(ctx),
                             .globals = true,
                             .image = c.source_image };
        if (has_bundle(ctx) &&
            (!choose_bundle(ctx, &path, err) ||
             !bundle_create(path, &(BundleOptions){ .run = step_run_id(ctx) }, &w, err) ||
             !transfer_bundle_begin(t, w, &b, err)))
                return false;
        c.bundle = w;
        TransferResult r = { 0 };
        step_result_str(ctx, "database", c.into);
        step_result_str(ctx, "bundle", "");
        bool ok = transfer_copy(t, &c, &r, err) && (!w || pg_copy_seal(ctx, t, w, err));
        if (ok)
                kit_transfer_results(ctx, &r);
        transfer_result_done(&r);
        return ok && kit_temporary_finish(ctx, err);
}

static bool pg_copy_probe(StepCtx *ctx, void *state, Found *ret_found, Err *err)
{
        return kit_temporary_probe(ctx, ret_found, err);
}

static bool pg_copy_undo(StepCtx *ctx, void *state, Err *err)
{
        return kit_temporary_undo(ctx, err);
}

static void dry_bundle(StepCtx *ctx, int64_t bytes)
{
        const char *root = jx_str(step_get(ctx, "bundle"), "root", "");
        if (!has_bundle(ctx) || !step_known(ctx, "bundle"))
                return;
        dry_directory(ctx, "bundle", root);
        dry_room(ctx, root, bytes / 16, "bundle");
}

/* The target makes the database as the source's is, with the locale that its machine knows. */
static bool dry_alike(StepCtx *ctx, Pg *from, Pg *to, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(from,
                    "select datcollate, datctype, pg_encoding_to_char(encoding) from "
                    "pg_database where datname = current_database()",
                    &r, err))
                return false;
        const char *collate = pg_cell(r, 0, 0), *ctype = pg_cell(r, 0, 1),
                   *encoding = pg_cell(r, 0, 2);
        return dry_locale(ctx, to, 'c', collate, encoding, err) &&
               (str_eq(collate, ctype) || dry_locale(ctx, to, 'c', ctype, encoding, err));
}

/* Roles that objects of the source belong to (owner: true), or that were granted something on
 * them. */
static bool pg_copy_mentioned(Pg *from, PgRes **ret, Err *err)
{
        return pg_ask(from,
                      "select r.rolname, bool_or(x.owner) from (select d.refobjid as role, "
                      "d.deptype = 'o' as owner from pg_shdepend d join pg_database b on "
                      "b.datname = current_database() where d.refclassid = "
                      "'pg_authid'::regclass and d.deptype in ('o', 'a', 'r') and ((d.dbid = "
                      "b.oid and d.objid >= 16384) or (d.classid = 'pg_database'::regclass "
                      "and d.objid = b.oid)) and not exists (select from pg_depend e where "
                      "e.classid = d.classid and e.objid = d.objid and e.deptype = 'e') "
                      "union all select relowner, true from pg_class where oid >= 16384 and "
                      "relkind in ('r', 'v', 'm', 'S', 'p', 'f') and relpersistence <> 't' "
                      "union all select datdba, true from pg_database where datname = "
                      "current_database()) x join pg_roles r on r.oid = x.role group by 1 "
                      "order by 1",
                      ret, err);
}

/* As the load would meet it: what the runbook tolerates is no problem. */
static bool stops_at(StepCtx *ctx, const char *role, bool owner)
{
        AUTO_ERR e = { 0 };
        err_set(&e, ERR_SERVER, "%s \"%s\";: role \"%s\" does not exist",
                owner ? "ALTER TABLE .. OWNER TO" : "GRANT .. TO", role, role);
        memcpy(e.sqlstate, "42704", 6);
        return !step_tolerates(ctx, role, &e);
}

static bool dry_roles(StepCtx *ctx, Pg *from, Pg *to, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_copy_mentioned(from, &r, err))
                return err_wrap(err, "asking which roles the database needs");
        for (int i = 0; i < pg_rows(r); i++) {
                const char *role = pg_cell(r, i, 0);
                bool there = false, owner = pg_cell_bool(r, i, 1);
                if (!pg_role_exists(to, role, &there, err))
                        return false;
                if (there || dry_will_be_on(ctx, step_target(ctx), "role", role) == WILL_COME)
                        continue;
                if (stops_at(ctx, role, owner))
                        step_problem(ctx,
                                     "there is no role %s on the target, and no earlier step makes "
                                     "it: objects of the "
                                     "source %s it (pg.roles.copy)",
                                     role, owner ? "belong to" : "are granted to");
                else
                        step_warn(ctx,
                                  "there is no role %s on the target: what it may do there is not "
                                  "kept",
                                  role);
        }
        return true;
}

static bool dry_direction(StepCtx *ctx, Pg *from, int major, Err *err)
{
        AUTO_JSON found = NULL;
        size_t i;
        json_t *j;
        if (!direction_check(from, major, &found, err))
                return false;
        json_array_foreach(found, i, j) {
                AUTO_FREE char *words = direction_words(j);
                if (str_eq(jx_str(j, "verdict", ""), "refused"))
                        step_problem(ctx, "cannot go: %s", words);
        }
        return true;
}

static bool dry_source(StepCtx *ctx, Pg *from, Err *err)
{
        int64_t bytes = 0;
        if (!dry_readable(ctx, from, err) || !dry_connections(ctx, from, 3, err) ||
            !dry_table_bytes(from, &bytes, err))
                return false;
        dry_bundle(ctx, bytes);
        return true;
}

static bool pg_copy_dry(StepCtx *ctx, void *state, Err *err)
{
        AUTO_PG Pg *from = NULL;
        AUTO_PG Pg *to = NULL;
        kit_jobs_check(ctx);
        if (step_known(ctx, "into") && !str_eq(step_str(ctx, "into"), "temporary"))
                step_problem(ctx,
                             "into: only `temporary` is known; pg.database.rename gives the name");
        bool there = dry_pg_param(ctx, "from", step_str(ctx, "database"), &from) == SEEN_HERE;
        bool here = dry_pg(ctx, step_target(ctx), NULL, &to) == SEEN_HERE;
        if ((there && !dry_source(ctx, from, err)) ||
            (here && (!dry_may_create_database(ctx, to, "to load the copy into", err) ||
                      !dry_connections(ctx, to, 2, err))))
                return false;
        if (!there || !here)
                return true;
        const Target *source = step_param_target(ctx, "from", err);
        int major = MAX(pg_major(from), pg_major(to));
        return source &&
               dry_client(ctx, major, major == pg_major(to) ? step_target(ctx) : source, err) &&
               dry_roles(ctx, from, to, err) && dry_alike(ctx, from, to, err) &&
               dry_direction(ctx, from, pg_major(to), err);
}
