/* backup_verify.c: `pgsherpa backup verify`: every byte, and with --restore also the real thing:
 * into a database of a temporary name, on a server that was named or one that lives for this
 * alone, read back, compared with the manifest, and dropped. */
#include <stdio.h>
#include <unistd.h>

#include "app/verbs/backup.h"
#include "app/cli/flags.h"
#include "app/data/load.h"
#include "app/cli/verb.h"
#include "app/show/work.h"
#include "base/digest.h"
#include "base/fmt.h"
#include "base/majors.h"
#include "base/text.h"
#include "transfer/scratch.h"

typedef struct Verify {
        const char *path, *into, *password_file;
        bool restore, json, quiet;
        Endpoint endpoint;
        Scratch *scratch;
        Work *work;
        Transfer *t;
        BundleReport r;
        int64_t tables;
        bool server; /* there is one to restore on */
} Verify;

static void verify_done(Verify *v)
{
        v->t = transfer_free(v->t);
        v->work = work_end(v->work);
        v->scratch = scratch_stop(v->scratch);
        endpoint_done(&v->endpoint);
        bundle_report_done(&v->r);
}

static int verdict(const Verify *v)
{
        const BundleReport *r = &v->r;
        char bytes[24];
        size_t bad = json_array_size(r->bad), i;
        json_t *j;
        if (v->json) {
                AUTO_JSON out = json_object();
                jx_set_str(out, "path", v->path);
                jx_set_bool(out, "good", bad == 0);
                jx_set(out, "bad", json_incref(r->bad));
                jx_set(out, "notes", json_incref(r->notes));
                jx_set_int(out, "members", r->members);
                jx_set_int(out, "bytes", r->bytes);
                jx_set_int(out, "rows", r->rows);
                jx_set_str(out, "restored_on", r->restored_on);
                jx_set_bool(out, "evaluated", r->restored_on != NULL);
                backup_print_json(out);
                return bad ? EXIT_NO : EXIT_DONE;
        }
        json_array_foreach(r->notes, i, j) {
                AUTO_FREE char *note = text_clean_str(json_string_value(j));
                puts(note);
        }
        json_array_foreach(r->bad, i, j) {
                AUTO_FREE char *member = text_clean_str(jx_str(j, "member", ""));
                AUTO_FREE char *why = text_clean_str(jx_str(j, "why", ""));
                printf("DAMAGED %s: %s\n", member, why);
        }
        if (bad)
                puts("this bundle is damaged: do not rely on it");
        else
                printf("%s, %s, %s: every byte is as it was written\n",
                       THINGS(r->members, "member"), fmt_bytes(r->bytes, bytes),
                       THINGS(r->rows, "row"));
        if (r->restored_on) {
                AUTO_FREE char *on = text_clean_str(r->restored_on);
                printf("restored on %s: %s read back, rows and hashes are those of the manifest\n",
                       on, THINGS(v->tables, "table"));
        } else if (!bad) {
                puts("not evaluated: whether the rows satisfy what is asked of them when they are "
                     "loaded (CHECKs, keys, foreign keys, expressions); --restore does that");
        }
        return bad ? EXIT_NO : EXIT_DONE;
}

/* ---- the real thing ---- */

static bool server(Verify *v, const Bundle *b, PgParams *ret, char **ret_words, Err *err)
{
        int version = (int)jx_int(jx_get(bundle_manifest_of(b), "server"), "version_num", 0), made;
        if (v->into) {
                AUTO_PG Pg *pg = NULL;
                if (!endpoint_open(&v->endpoint, NULL, &pg, err))
                        return false;
                *ret = endpoint_params(&v->endpoint, NULL);
                *ret_words = xasprintf("%s:%d (PostgreSQL %d)", v->endpoint.host, v->endpoint.port,
                                       pg_major(pg));
                return true;
        }
        if (!scratch_start(MAX(version / 10000, MAJOR_OLDEST), work_flag(v->work), &v->scratch,
                           err))
                return false;
        *ret = scratch_params(v->scratch);
        *ret_words = xstrdup(scratch_words(v->scratch));
        return transfer_bundle_roles(v->t, b, ret, &made, err);
}

static bool one_database(Verify *v, const Bundle *b, const PgParams *target, const char *name,
                         Err *err)
{
        AUTO_FREE char *into = NULL;
        char hex[9];
        random_hex(4, hex); /* two containers have the same pids */
        AUTO_FREE char *run = xasprintf("verify%d_%s", (int)getpid(), hex);
        AUTO_FREE char *marker =
                xasprintf("pgsherpa verify, process %d, %s: to be dropped", (int)getpid(), hex);
        TransferResult result = { 0 };
        AUTO_ERR drop = { 0 };
        int64_t tables = 0;
        if (!transfer_temporary_name(target, run, &into, err))
                return false;
        TransferRestore r = { .bundle = b,
                              .database = name,
                              .target = target,
                              .into = into,
                              .marker = marker,
                              .created = work_created };
        bool ok = transfer_restore(v->t, &r, &result, err) &&
                  transfer_prove(v->t, b, name, target, into, &tables, err);
        transfer_result_done(&result);
        v->tables += tables;
        bool foreign = !work_oid(v->work) && str_eq(err->sqlstate, "42P04");
        bool dropped =
                foreign || transfer_drop(target, into, work_oid(v->work), marker, NULL, &drop);
        if (ok && !dropped)
                err_move(err, &drop);
        return ok && dropped;
}

static bool restored(Verify *v, Err *err)
{
        AUTO_BUNDLE b = NULL;
        AUTO_FREE char *words = NULL;
        PgParams target;
        size_t i;
        json_t *db;
        if (!bundle_open(v->path, &b, err) || !server(v, b, &target, &words, err))
                return false;
        v->server = true;
        json_array_foreach(jx_get(bundle_manifest_of(b), "databases"), i, db)
                if (!one_database(v, b, &target, jx_str(db, "name", ""), err))
                        return err_wrap(err, "restoring it on %s", words);
        v->r.restored_on = words;
        words = NULL;
        AUTO_ERR note = { 0 };
        if (!bundle_note_verify(v->path, &v->r, &note)) {
                AUTO_FREE char *text = xasprintf(
                        "the verdict could not be noted beside the bundle: %s", note.message);
                work_say(v->work, text);
        }
        return true;
}

static int verify(Verify *v)
{
        AUTO_ERR err = { 0 };
        v->work = work_begin(work_show(v->quiet, v->json));
        v->t = transfer_new(&(TransferHooks){ WORK_HOOKS(v->work) });
        work_cancels(v->work, v->t);
        bool ok = transfer_verify(v->t, v->path, &v->r, &err);
        bool looked = ok;
        if (ok && v->restore && json_array_size(v->r.bad) == 0)
                ok = restored(v, &err);
        work_cancels(v->work, NULL);
        if (ok)
                return verdict(v);
        if (looked && !v->json)
                fprintf(stderr, "every byte is as it was written, but:\n");
        return work_fail(v->work, &err,
                         looked ? verb_work_code(&err, !v->server)
                                : verb_bundle_code(v->path, &err));
}

int backup_verify(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        Verify CLEANUP(verify_done) v = { 0 };
        const char *words[1];
        size_t n;
        const Flag flags[] = {
                { "--restore", .set = &v.restore },
                { "--into", .value = &v.into },
                { "--into-password-file", .value = &v.password_file },
                { "--json", .set = &v.json },
                { "--quiet", .set = &v.quiet },
                { 0 },
        };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err) ||
            (v.into && !endpoint_read("--into", v.into, v.password_file, &v.endpoint, &err)))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1)
                return verb_usage("backup", "verify wants a bundle");
        if (v.endpoint.database)
                return verb_usage("backup",
                                  "--into takes no db=: the database gets a temporary name");
        v.path = words[0];
        v.restore = v.restore || v.into;
        return verify(&v);
}
