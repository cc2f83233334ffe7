#include "app/data/restore_file.h"

#include <stdio.h>

#include "app/data/load.h"
#include "app/cli/verb.h"
#include "app/show/work.h"
#include "base/fmt.h"
#include "base/text.h"
#include "transfer/source_file.h"

/* Plain SQL is read from end to end here, before the server is asked for anything. */
static bool open_file(const RestoreFile *o, Work *w, bool all, SourceFile **ret, Err *err)
{
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_cancels(w, t);
        bool ok = source_file_open(
                t, &(SourceOpen){ .path = o->path, .database = o->database, .all = all }, ret, err);
        work_cancels(w, NULL);
        return ok;
}

static void report(const RestoreFile *o, const Load *l, const TransferResult *r)
{
        if (o->json) {
                AUTO_JSON j = load_json(l->name, l, r, "statements");
                AUTO_FREE char *text = jx_dump(j);
                puts(text);
                return;
        }
        AUTO_FREE char *name = text_clean_str(l->name);
        printf("database %s: %s, %s, every one counted; %s without an error%s\n", name,
               THINGS(r->tables, "table"), THINGS(r->rows, "row"), THINGS(r->objects, "statement"),
               load_words(l));
}

static int load(const RestoreFile *o, Work *w, SourceFile *f, Load *l)
{
        AUTO_ERR err = { 0 };
        PgParams target = endpoint_params(l->to, NULL);
        TransferRestore r = { .target = &target,
                              .into = l->landing.temporary,
                              .name = l->name,
                              .marker = l->landing.marker,
                              .prepared = l->prepared,
                              .created = work_created };
        TransferResult result = { 0 };
        if (l->leftovers)
                work_say(w, l->leftovers);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_cancels(w, t);
        bool ok = source_file_restore(t, f, &r, &result, &err);
        work_cancels(w, NULL);
        if (ok && *work_flag(w))
                ok = err_set(&err, ERR_CANCELLED, "stopped on request");
        ok = ok && load_finish(l, w, &err);
        if (ok)
                report(o, l, &result);
        transfer_result_done(&result);
        return ok ? EXIT_DONE
                  : load_failed(l, w, &err,
                                l->refused ? EXIT_REFUSED : verb_work_code(&err, false));
}

int restore_file(const RestoreFile *o)
{
        AUTO_ERR err = { 0 };
        AUTO_SOURCEFILE f = NULL;
        AUTO_WORK w = work_begin(work_show(o->quiet, o->json));
        if (!open_file(o, w, false, &f, &err))
                return work_fail(w, &err, verb_bundle_code(o->path, &err));
        const char *name = o->to->database ? o->to->database : source_file_database(f);
        if (!name) {
                err_set(&err, ERR_USER, "%s does not say what its database is called", o->path);
                err_hint(&err, "give it a name: --to ..,db=NAME");
                return work_fail(w, &err, EXIT_USAGE);
        }
        AUTO_LOAD l = { .to = o->to, .name = name };
        if (!endpoint_name_fits("--to", name, &err))
                return work_fail(w, &err, EXIT_USAGE);
        if (!load_begin(&l, "restore", &err))
                return work_fail(w, &err, l.refused ? EXIT_REFUSED : verb_work_code(&err, true));
        return load(o, w, f, &l);
}

/* ---- the whole of a pg_dumpall ---- */

/* Every name is looked at before the first role is made. */
static int look_at_all(const RestoreFile *o, Work *w, const json_t *names)
{
        AUTO_ERR err = { 0 };
        size_t i;
        json_t *j;
        if (json_array_size(names) == 0) {
                err_set(&err, ERR_USER, "%s makes no database", o->path);
                return work_fail(w, &err, EXIT_NO);
        }
        json_array_foreach(names, i, j) {
                AUTO_LOAD l = { .to = o->to, .name = json_string_value(j) };
                if (!*l.name) {
                        err_set(&err, ERR_USER,
                                "%s does not say what its database is called: it is no pg_dumpall",
                                o->path);
                        err_hint(&err, "restore it without --all: --to ..,db=NAME");
                        return work_fail(w, &err, EXIT_USAGE);
                }
                if (!endpoint_name_fits("--all", l.name, &err))
                        return work_fail(w, &err, EXIT_USAGE);
                if (load_begin(&l, "restore", &err))
                        continue;
                if (l.refused)
                        err_hint(&err, "nothing was touched. Restore the file's databases one by "
                                       "one: --database NAME --to ..,db=NEW NAME");
                return work_fail(w, &err, l.refused ? EXIT_REFUSED : verb_work_code(&err, true));
        }
        return EXIT_DONE;
}

static int make_roles(const RestoreFile *o, Work *w, SourceFile *f)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON report = NULL;
        PgParams target = endpoint_params(o->to, NULL);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_cancels(w, t);
        bool ok = source_file_roles(t, f, &target, &report, &err);
        work_cancels(w, NULL);
        size_t made = json_array_size(jx_get(report, "made"));
        AUTO_FREE char *names = jx_words(jx_get(report, "made"));
        if (!ok) {
                if (made)
                        err_hint(&err,
                                 "these roles were made and stay: %s. No database was touched",
                                 names);
                return work_fail(w, &err, verb_work_code(&err, false));
        }
        if (o->json) {
                AUTO_JSON j = json_object();
                jx_set(j, "roles", json_incref(report));
                AUTO_FREE char *text = jx_dump(j);
                puts(text);
        } else {
                AUTO_FREE char *clean = text_clean_str(names);
                printf("roles: %zu made%s%s, %zu were there\n", made, made ? ": " : "",
                       made ? clean : "", json_array_size(jx_get(report, "present")));
        }
        return EXIT_DONE;
}

static int one_of_all(const RestoreFile *o, Work *w, SourceFile *f, const char *name)
{
        AUTO_ERR err = { 0 };
        AUTO_LOAD l = { .to = o->to, .name = name };
        if (!source_file_pick(f, name, &err))
                return work_fail(w, &err, EXIT_NO);
        if (!load_begin(&l, "restore", &err))
                return work_fail(w, &err, l.refused ? EXIT_REFUSED : verb_work_code(&err, true));
        return load(o, w, f, &l);
}

int restore_file_all(const RestoreFile *o)
{
        AUTO_ERR err = { 0 };
        AUTO_SOURCEFILE f = NULL;
        AUTO_WORK w = work_begin(work_show(o->quiet, o->json));
        if (!open_file(o, w, true, &f, &err))
                return work_fail(w, &err, verb_bundle_code(o->path, &err));
        AUTO_JSON names = source_file_names(f);
        size_t i;
        json_t *j;
        int code = look_at_all(o, w, names);
        if (code == EXIT_DONE)
                code = make_roles(o, w, f);
        if (code != EXIT_DONE)
                return code;
        json_array_foreach(names, i, j)
                if ((code = one_of_all(o, w, f, json_string_value(j))) != EXIT_DONE) {
                        AUTO_FREE char *note = xasprintf("pgsherpa: %zu of %zu databases are "
                                                         "restored "
                                                         "and stay, "
                                                         "and so do "
                                                         "the roles",
                                                         i, json_array_size(names));
                        work_complain(w, note);
                        return code;
                }
        return EXIT_DONE;
}
