/* verb_restore.c: `pgsherpa restore BUNDLE --to ..`: a database out of a bundle, whole or not. */
#include <stdio.h>

#include "app/flags.h"
#include "app/load.h"
#include "app/verb.h"
#include "app/work.h"
#include "base/fmt.h"
#include "base/text.h"

typedef struct Restore {
        const char *path, *to, *password_file, *database;
        bool        quiet;
} Restore;

static int dropped(Load *l, const Work *w, Err *err, int code)
{
        AUTO_ERR why = { 0 };
        if (!load_drop(l, work_oid(w), &why)) {
                fprintf(stderr, "pgsherpa: the unfinished database %s is still there\n", l->temporary);
                verb_fail(&why, code);
        }
        return verb_fail(err, code);
}

static int load(const Restore *o, const Bundle *b, Load *l)
{
        AUTO_ERR err = { 0 };
        PgParams target = endpoint_params(l->to, NULL);
        TransferRestore r = { .bundle = b, .database = o->database, .target = &target,
                              .into = l->temporary, .marker = l->marker, .created = work_created };
        TransferResult result = { 0 };
        AUTO_WORK w = work_begin(o->quiet);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_stops(w, t);
        bool ok = transfer_restore(t, &r, &result, &err);
        work_stops(w, NULL);
        int64_t rows = result.rows, tables = result.tables;
        transfer_result_done(&result);
        if (ok && *work_flag(w))
                ok = err_set(&err, ERR_CANCELLED, "stopped on request");
        if (!ok && str_eq(err.sqlstate, "42704"))
                err_hint(&err, "the bundle keeps the roles: tar -xOf BUNDLE globals.sql.zst | zstd -d "
                         "| less, make those that are missing, and try again");
        if (!ok || !load_finish(l, &err))
                return dropped(l, w, &err, l->refused ? EXIT_REFUSED : verb_work_code(&err, false));
        char count[32];
        AUTO_FREE char *name = text_clean_str(l->name);
        printf("database %s is there: %lld tables, %s rows, every member's SHA-256 checked%s\n", name,
               (long long)tables, fmt_count(rows, count),
               l->replaces ? " (an empty database was in its place)" : "");
        return EXIT_DONE;
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_ENDPOINT to = { 0 };
        AUTO_BUNDLE b = NULL;
        Restore o = { 0 };
        size_t n;
        const Flag flags[] = {
                { "--to", .value = &o.to },
                { "--to-password-file", .value = &o.password_file },
                { "--database", .value = &o.database },
                { "--quiet", .set = &o.quiet },
                { 0 },
        };
        if (!flags_read(flags, argc, argv, &o.path, 1, &n, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1)
                return verb_usage("restore", "wants a bundle");
        if (!endpoint_read("--to", o.to, o.password_file, &to, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!bundle_open(o.path, &b, &err))
                return verb_fail(&err, verb_bundle_code(o.path, &err));
        const json_t *db = bundle_database(b, o.database, &err);
        if (!db)
                return verb_fail(&err, EXIT_USAGE);
        AUTO_LOAD l = { .to = &to, .name = to.database ? to.database : jx_str(db, "name", "") };
        if (!endpoint_name_fits("--to", l.name, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!load_begin(&l, "restore", &err))
                return verb_fail(&err, l.refused ? EXIT_REFUSED : verb_work_code(&err, true));
        return load(&o, b, &l);
}

const Verb verb_restore = {
        .name = "restore",
        .args = "BUNDLE --to host=..,port=..,user=..[,db=NAME] [--to-password-file PATH] "
                "[--database NAME] [--quiet]",
        .summary = "a database out of a bundle; it has its name only when it is whole",
        .run = run,
};
