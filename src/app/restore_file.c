#include "app/restore_file.h"

#include <stdio.h>

#include "app/load.h"
#include "app/verb.h"
#include "app/work.h"
#include "base/fmt.h"
#include "base/text.h"
#include "transfer/source_file.h"

/* Plain SQL is read from end to end here, before the server is asked for anything. */
static bool open_file(const RestoreFile *o, Work *w, SourceFile **ret, Err *err)
{
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_stops(w, t);
        bool ok = source_file_open(t, &(SourceOpen){ .path = o->path, .database = o->database }, ret, err);
        work_stops(w, NULL);
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
        printf("database %s: %s, %s, every one counted; %s without an error%s\n",
               name, THINGS(r->tables, "table"), THINGS(r->rows, "row"), THINGS(r->objects, "statement"),
               load_words(l));
}

static int load(const RestoreFile *o, Work *w, SourceFile *f, Load *l)
{
        AUTO_ERR err = { 0 };
        PgParams target = endpoint_params(l->to, NULL);
        TransferRestore r = { .target = &target, .into = l->temporary, .marker = l->marker, .prepared = l->prepared,
                              .created = work_created };
        TransferResult result = { 0 };
        if (l->leftovers)
                work_say(w, l->leftovers);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
        work_stops(w, t);
        bool ok = source_file_restore(t, f, &r, &result, &err);
        work_stops(w, NULL);
        if (ok && *work_flag(w))
                ok = err_set(&err, ERR_CANCELLED, "stopped on request");
        ok = ok && load_finish(l, w, &err);
        if (ok)
                report(o, l, &result);
        transfer_result_done(&result);
        return ok ? EXIT_DONE
                  : load_failed(l, w, &err, l->refused ? EXIT_REFUSED : verb_work_code(&err, false));
}

int restore_file(const RestoreFile *o)
{
        AUTO_ERR err = { 0 };
        AUTO_SOURCEFILE f = NULL;
        AUTO_WORK w = work_begin(work_show(o->quiet, o->json));
        if (!open_file(o, w, &f, &err))
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
