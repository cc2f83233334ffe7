/* backup_create.c: `pgsherpa backup create`: a bundle without a run. */
#include <errno.h>
#include <stdio.h>

#include "app/verbs/backup.h"
#include "app/data/endpoint.h"
#include "app/cli/flags.h"
#include "app/cli/verb.h"
#include "app/show/work.h"
#include "base/fmt.h"
#include "base/text.h"

#define MOST 64 /* databases in one bundle by hand */

typedef struct Create {
        const char *from, *password_file, *root, *name, *jobs;
        int n_jobs; /* 0: by cores and memory */
        bool all, dump, portable, no_globals, keep_env, json, quiet;
        json_t *databases, *files;
        json_t *tables, *schemas; /* words: only these */
} Create;

static void create_done(Create *c)
{
        json_decref(c->databases);
        json_decref(c->files);
        json_decref(c->tables);
        json_decref(c->schemas);
}

static bool all_databases(Endpoint *e, json_t *into, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGRES PgRes *r = NULL;
        if (!endpoint_open(e, NULL, &pg, err) ||
            !pg_ask(pg,
                    "select datname from pg_database where datallowconn and not datistemplate "
                    "order by datname <> 'postgres', datname",
                    &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                jx_append_str(into, pg_cell(r, i, 0));
        if (pg_rows(r) > 0)
                return true;
        err_set(err, ERR_USER, "there is no database that accepts connections and is no template");
        return err_hint(err, "--db NAME takes a template, too; nothing was written");
}

static bool choose_databases(Create *c, Endpoint *e, Err *err)
{
        size_t i;
        json_t *db;
        if (c->all)
                return all_databases(e, c->databases, err);
        if (json_array_size(c->databases) == 0 && e->database)
                json_array_append_new(c->databases, json_string(e->database));
        json_array_foreach(c->databases, i, db)
                if (!endpoint_name_fits("--db", json_string_value(db), err))
                        return false;
        if (json_array_size(c->databases))
                return true;
        err_set(err, ERR_USER, "no database is named");
        return err_hint(err, "--from ..,db=NAME, or --db NAME as often as needed, or --all");
}

static void report(const Create *c, const BundleDone *done, const TransferResult *sum)
{
        char size[24];
        if (c->json) {
                AUTO_JSON j = json_object();
                jx_set_str(j, "path", done->path);
                jx_set_int(j, "size", done->size);
                jx_set_str(j, "sha256", done->sha256);
                jx_set_int(j, "members", done->members);
                jx_set_int(j, "tables", sum->tables);
                jx_set_int(j, "rows", sum->rows);
                jx_set_str(j, "client", sum->client);
                backup_print_json(j);
                return;
        }
        AUTO_FREE char *path = text_clean_str(done->path);
        printf("%s\n%s, %s, %s, %s\nschema by pg_dump of %s\nsha256 %s\n", path,
               fmt_bytes(done->size, size), THINGS(done->members, "member"),
               THINGS(sum->tables, "table"), THINGS(sum->rows, "row"),
               sum->client ? sum->client : "the server", done->sha256);
}

static int create_now(Create *c, Endpoint *e)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = NULL;
        const char *names[MOST + 1] = { NULL };
        size_t n = json_array_size(c->databases);
        if (n != 1 && json_array_size(c->tables) + json_array_size(c->schemas))
                return verb_usage("backup", "--schema and --table choose from one database");
        if (n > MOST)
                return verb_usage("backup", "at most %d databases go into one bundle", MOST);
        for (size_t i = 0; i < n; i++)
                names[i] = json_string_value(json_array_get(c->databases, i));
        AUTO_PG Pg *pg = NULL; /* the password is asked for before anything begins */
        if (!endpoint_open(e, names[0], &pg, &err))
                return verb_fail(&err, verb_work_code(&err, true));
        pg = pg_close(pg);
        if (!bundle_choose(c->root, c->name ? c->name : names[0], &path, &err))
                return verb_fail(&err, EXIT_UNKNOWN);
        TransferBackup b = { .source = endpoint_params(e, names[0]),
                             .path = path,
                             .databases = names,
                             .dump = c->dump,
                             .portable = c->portable,
                             .globals = !c->no_globals,
                             .only_tables = c->tables,
                             .only_schemas = c->schemas,
                             .files = json_array_size(c->files) ? c->files : NULL,
                             .redact_env = !c->keep_env };
        AUTO_WORK w = work_begin(work_show(c->quiet, c->json));
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w), .jobs = c->n_jobs });
        BundleDone done = { 0 };
        TransferResult sum = { 0 };
        work_cancels(w, t);
        bool ok = transfer_backup(t, &b, &done, &sum, &err);
        work_cancels(w, NULL);
        if (ok)
                report(c, &done, &sum);
        free(done.path);
        transfer_result_done(&sum);
        if (!ok && err.sys_errno == ENOSPC)
                err_hint(&err,
                         "the unfinished bundle was removed; make room in %s, or choose "
                         "another place with --root",
                         c->root);
        else if (!ok && !err.hint && err.kind != ERR_CANCELLED)
                err_hint(&err, "the unfinished bundle was removed, and the source was only read: "
                               "see to the cause and run it again");
        return ok ? EXIT_DONE : work_fail(w, &err, verb_work_code(&err, false));
}

int backup_create(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_ENDPOINT e = { 0 };
        Create CLEANUP(create_done) c = { .root = BACKUP_ROOT,
                                          .databases = json_array(),
                                          .files = json_array(),
                                          .tables = json_array(),
                                          .schemas = json_array() };
        size_t n;
        const Flag flags[] = {
                { "--from", .value = &c.from },
                { "--from-password-file", .value = &c.password_file },
                { "--db", .list = c.databases },
                { "--all", .set = &c.all },
                { "--schema", .list = c.schemas },
                { "--table", .list = c.tables },
                { "--root", .value = &c.root },
                { "--name", .value = &c.name },
                { "--dump", .set = &c.dump },
                { "--portable", .set = &c.portable },
                { "--no-globals", .set = &c.no_globals },
                { "--file", .list = c.files },
                { "--keep-env", .set = &c.keep_env },
                { "--jobs", .value = &c.jobs },
                { "--json", .set = &c.json },
                { "--quiet", .set = &c.quiet },
                { 0 },
        };
        if (!flags_read(flags, argc, argv, NULL, 0, &n, &err) ||
            !flags_jobs(c.jobs, &c.n_jobs, &err) ||
            !endpoint_read("--from", c.from, c.password_file, &e, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (c.dump && json_array_size(c.tables) + json_array_size(c.schemas))
                return verb_usage("backup",
                                  "--dump is the whole database: not with --schema or --table");
        if (!choose_databases(&c, &e, &err))
                return verb_fail(&err, !c.all                 ? EXIT_USAGE
                                       : err.kind == ERR_USER ? EXIT_REFUSED
                                                              : verb_work_code(&err, true));
        return create_now(&c, &e);
}
