/* verb_backup.c: `pgsherpa backup create|list|show|verify`: bundles without a run. */
#include <errno.h>
#include <stdio.h>

#include "app/endpoint.h"
#include "app/flags.h"
#include "app/verb.h"
#include "app/work.h"
#include "base/buf.h"
#include "base/fmt.h"
#include "base/text.h"

#define ROOT "/var/backups/pgsherpa"
#define MOST 64                         /* databases in one bundle by hand */

static void print_json(const json_t *j)
{
        AUTO_FREE char *text = jx_dump(j);
        puts(text);
}

/* ---- create ---- */

typedef struct Create {
        const char *from, *password_file, *root, *name;
        bool        all, dump, no_globals, keep_env, json, quiet;
        json_t     *databases, *files;
} Create;

static void create_done(Create *c)
{
        json_decref(c->databases);
        json_decref(c->files);
}

static bool all_databases(Endpoint *e, json_t *into, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_PGRES PgRes *r = NULL;
        if (!endpoint_open(e, NULL, &pg, err) ||
            !pg_ask(pg, "select datname from pg_database where datallowconn and not datistemplate "
                    "order by datname <> 'postgres', datname", &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                jx_append_str(into, pg_cell(r, i, 0));
        return true;
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
        char size[24], rows[32];
        if (c->json) {
                AUTO_JSON j = json_object();
                jx_set_str(j, "path", done->path);
                jx_set_int(j, "size", done->size);
                jx_set_str(j, "sha256", done->sha256);
                jx_set_int(j, "members", done->members);
                jx_set_int(j, "tables", sum->tables);
                jx_set_int(j, "rows", sum->rows);
                jx_set_str(j, "client", sum->client);
                print_json(j);
                return;
        }
        AUTO_FREE char *path = text_clean_str(done->path);
        printf("%s\n%s, %lld members, %lld tables, %s rows\nschema by pg_dump of %s\nsha256 %s\n", path,
               fmt_bytes(done->size, size), (long long)done->members, (long long)sum->tables,
               fmt_count(sum->rows, rows), sum->client ? sum->client : "the server", done->sha256);
}

static int create_now(Create *c, Endpoint *e)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = NULL;
        const char *names[MOST + 1] = { NULL };
        size_t n = json_array_size(c->databases);
        if (n > MOST)
                return verb_usage("backup", "at most %d databases go into one bundle", MOST);
        for (size_t i = 0; i < n; i++)
                names[i] = json_string_value(json_array_get(c->databases, i));
        AUTO_PG Pg *pg = NULL;          /* the password is asked for before anything begins */
        if (!endpoint_open(e, names[0], &pg, &err))
                return verb_fail(&err, verb_work_code(&err, true));
        pg = pg_close(pg);
        if (!bundle_choose(c->root, c->name ? c->name : names[0], &path, &err))
                return verb_fail(&err, EXIT_BLIND);
        TransferBackup b = { .source = endpoint_params(e, names[0]), .path = path,
                             .databases = names, .dump = c->dump, .globals = !c->no_globals,
                             .files = json_array_size(c->files) ? c->files : NULL,
                             .redact_env = !c->keep_env };
        AUTO_WORK w = work_begin(c->quiet);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        BundleDone done = { 0 };
        TransferResult sum = { 0 };
        work_stops(w, t);
        bool ok = transfer_backup(t, &b, &done, &sum, &err);
        work_stops(w, NULL);
        if (ok)
                report(c, &done, &sum);
        free(done.path);
        transfer_result_done(&sum);
        if (!ok && err.sys_errno == ENOSPC)
                err_hint(&err, "the unfinished bundle was removed; make room in %s, or choose "
                         "another place with --root", c->root);
        else if (!ok && !err.hint && err.kind != ERR_CANCELLED)
                err_hint(&err, "the unfinished bundle was removed, and the source was only read: see to "
                         "the cause and run it again");
        return ok ? EXIT_DONE : verb_fail(&err, verb_work_code(&err, false));
}

static int create(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_ENDPOINT e = { 0 };
        Create CLEANUP(create_done) c = { .root = ROOT, .databases = json_array(),
                                          .files = json_array() };
        size_t n;
        const Flag flags[] = {
                { "--from", .value = &c.from },
                { "--from-password-file", .value = &c.password_file },
                { "--db", .list = c.databases },
                { "--all", .set = &c.all },
                { "--root", .value = &c.root },
                { "--name", .value = &c.name },
                { "--dump", .set = &c.dump },
                { "--no-globals", .set = &c.no_globals },
                { "--file", .list = c.files },
                { "--keep-env", .set = &c.keep_env },
                { "--json", .set = &c.json },
                { "--quiet", .set = &c.quiet },
                { 0 },
        };
        if (!flags_read(flags, argc, argv, NULL, 0, &n, &err) ||
            !endpoint_read("--from", c.from, c.password_file, &e, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!choose_databases(&c, &e, &err))
                return verb_fail(&err, c.all ? verb_work_code(&err, true) : EXIT_USAGE);
        return create_now(&c, &e);
}

/* ---- list ---- */

static char *names_of(const json_t *databases)
{
        AUTO_BUF b = buf_init(1 << 16);
        size_t i;
        json_t *name;
        json_array_foreach(databases, i, name)
        {
                AUTO_FREE char *clean = text_clean_str(json_string_value(name));
                buf_printf(&b, "%s%s", i ? ", " : "", clean);
        }
        return xstrdup(buf_str(&b));
}

static void print_row(const json_t *j)
{
        char size[24];
        AUTO_FREE char *path = text_clean_str(jx_str(j, "path", ""));
        if (jx_get(j, "problem") && !json_is_null(jx_get(j, "problem"))) {
                AUTO_FREE char *why = text_clean_str(jx_str(j, "problem", ""));
                printf("%s\n    NOT READABLE: %s\n", path, why);
                return;
        }
        AUTO_FREE char *names = names_of(jx_get(j, "databases"));
        const char *verified = jx_str(j, "verified", NULL);
        printf("%s\n    %s  %s  PostgreSQL %s  %s\n    %s%s%s\n", path, jx_str(j, "created", ""),
               fmt_bytes(jx_int(j, "size", 0), size), jx_str(j, "server", "?"), names,
               !verified                     ? "never verified"
               : jx_bool(j, "good", false) ? "verified "
                                             : "DAMAGED, verified ",
               verified ? verified : "", jx_bool(j, "locked", false) ? "; locked: a run's way back" : "");
}

static int list(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON found = NULL;
        const char *words[1] = { ROOT };
        bool json = false;
        size_t n, i;
        json_t *j;
        const Flag flags[] = { { "--json", .set = &json }, { 0 } };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!bundle_list(words[0], &found, &err))
                return verb_fail(&err, EXIT_BLIND);
        if (json) {
                print_json(found);
                return EXIT_DONE;
        }
        json_array_foreach(found, i, j) print_row(j);
        if (!json_array_size(found))
                puts("no bundles here");
        return EXIT_DONE;
}

/* ---- show ---- */

static void show_database(const json_t *db)
{
        size_t i;
        json_t *t;
        char rows[32], bytes[24];
        AUTO_FREE char *name = text_clean_str(jx_str(db, "name", ""));
        printf("\ndatabase %s: %lld objects, read at %s by %s\n", name,
               (long long)jx_int(db, "objects", 0), jx_str(db, "snapshot_time", "?"),
               jx_str(db, "client", "?"));
        json_array_foreach(jx_get(db, "tables"), i, t)
        {
                AUTO_FREE char *full = xasprintf("%s.%s", jx_str(t, "schema", ""), jx_str(t, "name", ""));
                AUTO_FREE char *clean = text_clean_str(full);
                printf("  %14s rows  %10s  %s\n", fmt_count(jx_int(t, "rows", 0), rows),
                       fmt_bytes(jx_int(t, "bytes", 0), bytes), clean);
        }
}

static int show(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_BUNDLE b = NULL;
        const char *words[1];
        bool json = false;
        size_t n, i;
        json_t *db;
        const Flag flags[] = { { "--json", .set = &json }, { 0 } };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1)
                return verb_usage("backup", "show wants a bundle");
        if (!bundle_open(words[0], &b, &err))
                return verb_fail(&err, verb_bundle_code(words[0], &err));
        const json_t *m = bundle_manifest_of(b);
        if (json) {
                print_json(m);
                return EXIT_DONE;
        }
        AUTO_FREE char *path = text_clean_str(words[0]);
        printf("%s\nmade %s from PostgreSQL %s by pgsherpa %s\n", path, jx_str(m, "created", "?"),
               jx_str(jx_get(m, "server"), "version", "?"), jx_str(m, "tool", "?"));
        json_array_foreach(jx_get(m, "databases"), i, db) show_database(db);
        return EXIT_DONE;
}

/* ---- verify ---- */

static int verdict(const char *path, const BundleReport *r, bool json)
{
        char bytes[24], rows[32];
        size_t bad = json_array_size(r->bad), i;
        json_t *j;
        if (json) {
                AUTO_JSON out = json_object();
                jx_set_str(out, "path", path);
                jx_set_bool(out, "good", bad == 0);
                jx_set(out, "bad", json_incref(r->bad));
                jx_set(out, "notes", json_incref(r->notes));
                jx_set_int(out, "members", r->members);
                jx_set_int(out, "bytes", r->bytes);
                jx_set_int(out, "rows", r->rows);
                print_json(out);
                return bad ? EXIT_NO : EXIT_DONE;
        }
        json_array_foreach(r->notes, i, j)
        {
                AUTO_FREE char *note = text_clean_str(json_string_value(j));
                puts(note);
        }
        json_array_foreach(r->bad, i, j)
        {
                AUTO_FREE char *member = text_clean_str(jx_str(j, "member", ""));
                AUTO_FREE char *why = text_clean_str(jx_str(j, "why", ""));
                printf("DAMAGED %s: %s\n", member, why);
        }
        if (bad)
                printf("%zu of %lld members are damaged: do not rely on this bundle\n", bad,
                       (long long)r->members);
        else
                printf("%lld members, %s, %s rows: every byte is as it was written\n",
                       (long long)r->members, fmt_bytes(r->bytes, bytes), fmt_count(r->rows, rows));
        return bad ? EXIT_NO : EXIT_DONE;
}

static int verify(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        const char *words[1];
        bool json = false, quiet = false;
        size_t n;
        const Flag flags[] = { { "--json", .set = &json }, { "--quiet", .set = &quiet }, { 0 } };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1)
                return verb_usage("backup", "verify wants a bundle");
        AUTO_WORK w = work_begin(quiet);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        BundleReport r = { 0 };
        work_stops(w, t);
        bool ok = transfer_verify(t, words[0], &r, &err);
        work_stops(w, NULL);
        int code = ok ? verdict(words[0], &r, json) : verb_fail(&err, verb_bundle_code(words[0], &err));
        bundle_report_done(&r);
        return code;
}

static int run(int argc, char **argv)
{
        static const struct {
                const char *name;
                int (*run)(int argc, char **argv);
        } words[] = { { "create", create }, { "list", list }, { "show", show }, { "verify", verify } };
        for (size_t i = 0; argc > 1 && i < LEN(words); i++)
                if (str_eq(argv[1], words[i].name))
                        return words[i].run(argc - 1, argv + 1);
        return verb_usage("backup", "wants one of create, list, show, verify");
}

const Verb verb_backup = {
        .name = "backup",
        .args = "create --from host=..,port=..,user=..,db=.. [--from-password-file PATH] [--db NAME].. "
                "[--all] [--root DIR] [--name NAME] [--dump] [--no-globals] [--file PATH].. "
                "[--keep-env] [--json] [--quiet] | list [DIR] [--json] | show BUNDLE [--json] | "
                "verify BUNDLE [--json] [--quiet]",
        .summary = "keep databases in a bundle that can prove itself; list, show, verify",
        .run = run,
};
