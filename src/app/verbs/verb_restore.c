/* verb_restore.c: `pgsherpa restore BUNDLE --to ..`: databases out of a bundle, whole or in part.
 *
 * A whole database is loaded under a temporary name and gets its own when it is whole. Chosen
 * tables and schemas go the same way when the named database does not exist yet; into one that
 * does they go in one transaction. What another tool wrote is restore_file.c's. */
#include <stdio.h>

#include "app/cli/flags.h"
#include "app/data/load.h"
#include "app/data/restore_file.h"
#include "app/cli/verb.h"
#include "app/show/work.h"
#include "base/fmt.h"
#include "base/text.h"
#include "pg/database.h"
#include "transfer/source_file.h"

#define MOST 64 /* databases in one bundle */

typedef struct Restore {
        const char *path, *to, *password_file, *database, *jobs;
        int n_jobs; /* 0: by cores and memory */
        bool quiet, all, json;
        json_t *tables, *schemas; /* words */
        TransferName *only;
        size_t n_only;
        Arena *a;
        const Bundle *b;
        Endpoint endpoint;
} Restore;

static void restore_done(Restore *o)
{
        json_decref(o->tables);
        json_decref(o->schemas);
        endpoint_done(&o->endpoint);
        arena_free(o->a);
}

static void hint_for_roles(Err *err)
{
        if (str_eq(err->sqlstate, "42704"))
                err_hint(err,
                         "the bundle keeps the roles: pgsherpa backup extract BUNDLE --member "
                         "globals.sql.zst --plain, make those that are missing, and try again");
}

/* `database`: its name in the bundle. `l` NULL: into a database that was there. */
static void report(const Restore *o, const char *database, const char *name, const Load *l,
                   const TransferResult *r)
{
        const char *more = l ? load_words(l) : ", in one transaction";
        if (o->json) {
                AUTO_JSON j = load_json(name, l, r, "objects");
                AUTO_FREE char *text = jx_dump(j);
                puts(text);
                return;
        }
        AUTO_FREE char *clean = text_clean_str(name);
        AUTO_ERR ignored = { 0 };
        bool dump = jx_str(bundle_database(o->b, database, &ignored), "dump", NULL);
        printf("%s %s: %s, %s, the SHA-256 of %s checked%s%s\n",
               o->n_only ? "restored into database" : "database", clean, THINGS(r->tables, "table"),
               THINGS(r->rows, "row"), o->n_only ? "all that was taken" : "each of its members",
               dump ? " (its pg_dump was not used)" : "", more);
}

/* ---- into a database of its own ---- */

static int load(const Restore *o, const char *database, Load *l)
{
        AUTO_ERR err = { 0 };
        PgParams target = endpoint_params(l->to, NULL);
        TransferRestore r = { .bundle = o->b,
                              .database = database,
                              .target = &target,
                              .into = l->landing.temporary,
                              .name = l->name,
                              .marker = l->landing.marker,
                              .prepared = l->prepared,
                              .created = work_created,
                              .only = o->only,
                              .n_only = o->n_only };
        TransferResult result = { 0 };
        AUTO_WORK w = work_begin(work_show(o->quiet, o->json));
        if (l->leftovers)
                work_say(w, l->leftovers);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w), .jobs = o->n_jobs });
        work_cancels(w, t);
        bool ok = transfer_restore(t, &r, &result, &err);
        work_cancels(w, NULL);
        if (ok && *work_flag(w))
                ok = err_set(&err, ERR_CANCELLED, "stopped on request");
        if (!ok)
                hint_for_roles(&err);
        ok = ok && load_finish(l, w, &err);
        if (ok)
                report(o, database, l->name, l, &result);
        transfer_result_done(&result);
        return ok ? EXIT_DONE
                  : load_failed(l, w, &err,
                                l->refused ? EXIT_REFUSED : verb_work_code(&err, false));
}

/* ---- chosen tables, into one that lives ---- */

static int load_into(const Restore *o, const char *database, const char *name)
{
        AUTO_ERR err = { 0 };
        PgParams target = endpoint_params(&o->endpoint, name);
        TransferRestore r = { .bundle = o->b,
                              .database = database,
                              .target = &target,
                              .into = name,
                              .only = o->only,
                              .n_only = o->n_only };
        TransferResult result = { 0 };
        AUTO_WORK w = work_begin(work_show(o->quiet, o->json));
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_cancels(w, t);
        bool ok = transfer_restore_into(t, &r, &result, &err);
        work_cancels(w, NULL);
        if (ok)
                report(o, database, name, NULL, &result);
        else
                hint_for_roles(&err);
        transfer_result_done(&result);
        bool there = err.kind == ERR_USER && str_eq(err.sqlstate, "42P07");
        return ok ? EXIT_DONE
                  : work_fail(w, &err, there ? EXIT_REFUSED : verb_work_code(&err, false));
}

/* Is there a database of that name with anything in it? */
static bool lives(Restore *o, const char *name, bool *ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_JSON there = NULL;
        AUTO_FREE char *what = NULL;
        bool empty = true;
        if (!endpoint_open(&o->endpoint, NULL, &pg, err) ||
            !pg_database_describe(pg, name, &there, err) ||
            (there && !pg_database_is_empty(pg, name, &empty, &what, err)))
                return false;
        *ret = there && !empty;
        return true;
}

/* ---- what is wanted ---- */

static bool choose(Restore *o, const json_t *db, Err *err)
{
        size_t i;
        json_t *j;
        o->only = arena_new_array(o->a, TransferName,
                                  json_array_size(o->tables) + json_array_size(o->schemas) + 1);
        json_array_foreach(o->schemas, i, j)
                o->only[o->n_only++] = (TransferName){ json_string_value(j), NULL };
        json_array_foreach(o->tables, i, j)
                if (!transfer_table_named(db, json_string_value(j), o->a, &o->only[o->n_only++],
                                          err))
                        return false;
        return true;
}

static int one(Restore *o, const json_t *db, const char *name)
{
        AUTO_ERR err = { 0 };
        bool there = false;
        const char *database = jx_str(db, "name", "");
        if (o->n_only && !lives(o, name, &there, &err))
                return verb_fail(&err, verb_work_code(&err, true));
        if (there)
                return load_into(o, database, name);
        AUTO_LOAD l = { .to = &o->endpoint, .name = name };
        if (!load_begin(&l, "restore", &err))
                return verb_fail(&err, l.refused ? EXIT_REFUSED : verb_work_code(&err, true));
        return load(o, database, &l);
}

/* Every name is looked at before the first is loaded. */
static int all(Restore *o)
{
        const json_t *dbs = jx_get(bundle_manifest_of(o->b), "databases");
        size_t n = json_array_size(dbs);
        if (o->endpoint.database || o->database || json_array_size(o->tables) ||
            json_array_size(o->schemas))
                return verb_usage("restore", "--all is every database under its own name: no db=, "
                                             "--database, --table or --schema");
        if (n == 0 || n > MOST)
                return verb_usage("restore", "there are %zu databases in it", n);
        for (size_t i = 0; i < n; i++) {
                AUTO_ERR err = { 0 };
                AUTO_LOAD l = { .to = &o->endpoint,
                                .name = jx_str(json_array_get(dbs, i), "name", "") };
                if (!endpoint_name_fits("--all", l.name, &err))
                        return verb_fail(&err, EXIT_USAGE);
                if (!load_begin(&l, "restore", &err))
                        return verb_fail(&err,
                                         l.refused ? EXIT_REFUSED : verb_work_code(&err, true));
        }
        for (size_t i = 0; i < n; i++) {
                const json_t *db = json_array_get(dbs, i);
                int code = one(o, db, jx_str(db, "name", ""));
                if (code != EXIT_DONE) {
                        fprintf(stderr, "pgsherpa: %zu of %zu databases are restored and stay\n", i,
                                n);
                        return code;
                }
        }
        return EXIT_DONE;
}

static int of_another_tool(Restore *o, SourceKind kind)
{
        RestoreFile f = { .path = o->path,
                          .database = o->database,
                          .to = &o->endpoint,
                          .quiet = o->quiet,
                          .json = o->json };
        if (json_array_size(o->tables) || json_array_size(o->schemas))
                return verb_usage(
                        "restore",
                        "--schema and --table choose from a bundle; %s is a dump: one whole "
                        "database of it, which --database chooses, or --all",
                        o->path);
        if (o->all && (o->database || o->endpoint.database))
                return verb_usage(
                        "restore",
                        "--all is every database under its own name: no db=, no --database");
        if (o->all && kind != SOURCE_SQL)
                return verb_usage(
                        "restore",
                        "--all is for bundles and for what pg_dumpall wrote; %s is an archive of "
                        "one database",
                        o->path);
        if (o->jobs)
                return verb_usage("restore", "--jobs is for bundles; %s is a dump: one stream",
                                  o->path);
        return o->all ? restore_file_all(&f) : restore_file(&f);
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_BUNDLE b = NULL;
        Restore CLEANUP(restore_done)
                o = { .tables = json_array(), .schemas = json_array(), .a = arena_new() };
        SourceKind kind;
        size_t n;
        const Flag flags[] = {
                { "--to", .value = &o.to },
                { "--to-password-file", .value = &o.password_file },
                { "--database", .value = &o.database },
                { "--all", .set = &o.all },
                { "--schema", .list = o.schemas },
                { "--table", .list = o.tables },
                { "--jobs", .value = &o.jobs },
                { "--json", .set = &o.json },
                { "--quiet", .set = &o.quiet },
                { 0 },
        };
        if (!flags_read(flags, argc, argv, &o.path, 1, &n, &err) ||
            !flags_jobs(o.jobs, &o.n_jobs, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1)
                return verb_usage("restore", "wants a bundle or a dump");
        if (!endpoint_read("--to", o.to, o.password_file, &o.endpoint, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!source_kind(o.path, &kind, &err))
                return verb_fail(&err,
                                 str_eq(o.path, "-") ? EXIT_USAGE : verb_bundle_code(o.path, &err));
        if (kind != SOURCE_BUNDLE)
                return of_another_tool(&o, kind);
        if (!bundle_open(o.path, &b, &err))
                return verb_fail(&err, verb_bundle_code(o.path, &err));
        o.b = b;
        if (o.all)
                return all(&o);
        const json_t *db = bundle_database(b, o.database, &err);
        if (!db || !choose(&o, db, &err))
                return verb_fail(&err, EXIT_USAGE);
        const char *name = o.endpoint.database ? o.endpoint.database : jx_str(db, "name", "");
        if (!endpoint_name_fits("--to", name, &err))
                return verb_fail(&err, EXIT_USAGE);
        return one(&o, db, name);
}

const Verb verb_restore = {
        .name = "restore",
        .args = "BUNDLE|DUMP --to host=..,port=..,user=..[,db=NAME] [--to-password-file PATH] "
                "[--database NAME | --all] [--schema NAME].. [--table SCHEMA.NAME].. [--jobs N] "
                "[--json] [--quiet]",
        .summary = "a database out of a bundle, or a part of one, or out of a dump (SQL, pg_dump "
                   "-Fc, -Ft, -Fd); it has its name only when it is whole",
        .run = run,
};
