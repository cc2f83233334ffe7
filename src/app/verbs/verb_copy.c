/* verb_copy.c: `pgsherpa copy --from .. --to ..`: loaded, compared, then named. */
#include <stdio.h>

#include "app/data/comparison.h"
#include "app/data/precheck.h"
#include "app/cli/flags.h"
#include "app/data/load.h"
#include "app/cli/verb.h"
#include "base/fmt.h"
#include "base/text.h"
#include "pg/roles.h"
#include "pg/writes.h"

typedef struct CopyVerb {
        EndpointWords from, to;
        const char *backup, *jobs;
        bool roles, no_proof, portable, extension_rows, check, deep, json, quiet;
        int n_jobs; /* 0: by cores and memory */
        Endpoint source, target;
        Load load;
        json_t *roles_report; /* of --roles: see pg_roles_copy() */
        BundleDone bundle;    /* of --backup */
        json_t *report;       /* of the comparison */
        json_t *counted;      /* pg_writes_tables() of the source before it was read */
        json_t *found;        /* --json: what the direction asks for; else NULL */
} CopyVerb;

static void copy_done(CopyVerb *c)
{
        endpoint_done(&c->source);
        endpoint_done(&c->target);
        load_done(&c->load);
        json_decref(c->roles_report);
        json_decref(c->report);
        json_decref(c->found);
        json_decref(c->counted);
        free(c->bundle.path);
}

static bool lacking(const json_t *names, Err *err)
{
        AUTO_FREE char *words = jx_words(names);
        err_set(err, ERR_USER, "the target has no role %s, and the database needs it", words);
        return err_hint(err, "--roles makes them there, with their passwords; nothing was touched");
}

/* A role that arrived as something less is found out at the first login, which is too late. */
static void warn_of_roles(const json_t *report)
{
        AUTO_JSON words = pg_roles_words(report);
        size_t i;
        json_t *w;
        json_array_foreach(words, i, w)
                fprintf(stderr, "pgsherpa: %s\n", json_string_value(w));
}

/* Before anything is made: a role that is missing would fail the load at its end. */
static bool roles(CopyVerb *c, bool *ret_refused, Err *err)
{
        AUTO_PG Pg *from = NULL;
        AUTO_PG Pg *to = NULL;
        AUTO_JSON report = NULL;
        RolesCopyOptions o = { .dry = !c->roles };
        if (!endpoint_open_both(&c->source, &c->target, NULL, &from, &to, err))
                return false;
        if (!pg_roles_copy(from, to, &o, &report, err))
                return err_wrap(err, "looking at the roles of source and target");
        json_t *missing = jx_get(report, "created");
        if (!c->roles && json_array_size(missing)) {
                *ret_refused = true;
                return lacking(missing, err);
        }
        if (c->roles) {
                c->roles_report = json_incref(report);
                warn_of_roles(report);
        }
        return true;
}

/* What a copy that failed had made: the temporary database, then the roles it needed. */
static bool take_back(CopyVerb *c, int64_t oid, const Err *cause, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        size_t i;
        json_t *name;
        if (!load_drop(&c->load, oid, cause, err))
                return false;
        const json_t *made = jx_get(c->roles_report, "created");
        if (!json_array_size(made))
                return true;
        if (!endpoint_open(&c->target, NULL, &pg, err))
                return false;
        json_array_foreach(made, i, name) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "drop role if exists ");
                sql_ident(&q, json_string_value(name));
                if (!pg_exec(pg, &q, err))
                        return err_wrap(err, "dropping a role this copy had made");
        }
        return true;
}

static int failed(CopyVerb *c, Work *w, Err *err, int code)
{
        AUTO_ERR why = { 0 };
        bool gone = take_back(c, work_oid(w), err, &why);
        if (!gone) {
                AUTO_FREE char *note =
                        xasprintf("pgsherpa: not everything could be taken back on the target (%s)",
                                  c->load.landing.temporary ? c->load.landing.temporary : "roles");
                if (!c->load.unknown)
                        work_complain(w, note);
                if (c->load.landing.temporary)
                        load_hint(&c->load, false, &why);
                work_fail(w, &why, code);
        }
        if (gone)
                load_hint(&c->load, true, err);
        return work_fail(w, err, code);
}

/* The source's counters before its snapshot: only a difference asks for them, so they may be
 * missing. */
static void count_writes(CopyVerb *c)
{
        AUTO_PG Pg *source = NULL;
        AUTO_ERR ignored = { 0 };
        if (!c->no_proof && !c->check &&
            endpoint_open(&c->source, c->source.database, &source, &ignored))
                (void)!pg_writes_tables(source, &c->counted, &ignored);
}

/* Who writes meanwhile makes any copy differ; without a write it is something else. Always
 * false. */
static bool why_not_equal(const CopyVerb *c, Pg *source, Err *err)
{
        AUTO_JSON now = NULL;
        AUTO_ERR ignored = { 0 };
        bool lost = false;
        if (!c->counted || !pg_writes_settled(source, &now, &ignored))
                return err_hint(err, "what differs is said above");
        AUTO_JSON written = pg_writes_between(c->counted, now, &lost);
        if (lost)
                return err_hint(err, "the source's counters were reset meanwhile: if applications "
                                     "were writing to it, stop them and copy again");
        if (!json_array_size(written))
                return err_hint(err, "nothing was written to the source meanwhile, so stopping "
                                     "applications does not help: what differs is said above");
        AUTO_FREE char *table = text_clean_str(jx_str(json_array_get(written, 0), "table", ""));
        return err_hint(err,
                        "somebody wrote to the source meanwhile (%s%s): stop the applications and "
                        "copy again",
                        table, json_array_size(written) > 1 ? " and others" : "");
}

static bool prove(CopyVerb *c, Work *w, const TransferResult *r, bool *ret_equal, Err *err)
{
        AUTO_JSON ignore = transfer_kept_ignored(r->kept);
        AUTO_PG Pg *source = NULL;
        AUTO_PG Pg *target = NULL;
        PgParams from = endpoint_params(&c->source, c->source.database);
        PgParams to = endpoint_params(&c->target, c->load.landing.temporary);
        if (!endpoint_open_both(&c->source, &c->target, c->load.landing.temporary, &source, &target,
                                err) ||
            !comparison_run(w, source, target, &(ReprintPlan){ .source = &from, .target = &to },
                            &(CompareOptions){ .jobs = c->n_jobs, .ignore = ignore }, &c->report,
                            err))
                return false;
        *ret_equal = jx_bool(c->report, "equal", false);
        if (!c->json)
                comparison_print(c->report, "text");
        if (*ret_equal)
                return true;
        err_set(err, ERR_USER, "the copy is not equal to its source, and was not kept");
        return why_not_equal(c, source, err);
}

/* With --backup the same pass over the source fills a bundle, too. */
static bool transfer(CopyVerb *c, Transfer *t, TransferCopy *what, TransferResult *ret, Err *err)
{
        AUTO_BUNDLEWRITER w = NULL;
        AUTO_FREE char *path = NULL;
        TransferBackup b = { .source = what->source, .globals = true };
        if (!c->backup)
                return transfer_copy(t, what, ret, err);
        if (!bundle_choose(c->backup, what->database, &path, err) ||
            !bundle_create(path, &(BundleOptions){ 0 }, &w, err) ||
            !transfer_bundle_begin(t, w, &b, err))
                return false;
        what->bundle = w;
        return transfer_copy(t, what, ret, err) && transfer_bundle_end(t, w, &c->bundle, err);
}

/* Going down, the schema alone goes first: what fails at its end would fail after all the rows. */
static bool rehearses(CopyVerb *c, bool *ret, Err *err)
{
        AUTO_PG Pg *from = NULL;
        AUTO_PG Pg *to = NULL;
        if (!endpoint_open_both(&c->source, &c->target, NULL, &from, &to, err))
                return false;
        *ret = c->check || pg_major(to) < pg_major(from);
        return true;
}

static bool load_rows(CopyVerb *c, Work *w, TransferResult *ret, bool *ret_refused, Err *err)
{
        bool rehearse = false;
        PgParams target = endpoint_params(&c->target, NULL);
        TransferCopy t = { .source = endpoint_params(&c->source, c->source.database),
                           .target = &target,
                           .database = c->source.database,
                           .into = c->load.landing.temporary,
                           .name = c->load.name,
                           .marker = c->load.landing.marker,
                           .prepared = c->load.prepared,
                           .portable = c->portable,
                           .extension_rows = c->extension_rows,
                           .every_row = c->deep };
        if (!rehearses(c, &rehearse, err) ||
            (rehearse && !precheck_rehearse(w, &t, c->found, ret_refused, err)))
                return false;
        if (c->check)
                return true;
        t.created = work_created;
        AUTO_TRANSFER tr = transfer_new(&(TransferHooks){ WORK_HOOKS(w), .jobs = c->n_jobs });
        work_cancels(w, tr);
        bool ok = transfer(c, tr, &t, ret, err);
        work_cancels(w, NULL);
        if (ok && *work_flag(w))
                return err_set(err, ERR_CANCELLED, "stopped on request");
        return ok;
}

static void print_json(const json_t *j)
{
        AUTO_FREE char *text = jx_dump(j);
        puts(text);
}

/* --check: roles it made for the rehearsal go again, too. */
static int checked(CopyVerb *c, Work *w)
{
        AUTO_ERR err = { 0 };
        AUTO_ERR nothing = { 0 };
        if (!take_back(c, 0, &nothing, &err))
                return work_fail(w, &err, EXIT_UNKNOWN);
        if (!c->json) {
                puts("it can go there: the whole schema was made and dropped again, no row was "
                     "moved");
                return EXIT_DONE;
        }
        AUTO_JSON j = json_object();
        jx_set_bool(j, "possible", true);
        jx_set(j, "direction", json_incref(c->found));
        jx_set(j, "roles", c->roles_report ? json_incref(c->roles_report) : json_null());
        print_json(j);
        return EXIT_DONE;
}

/* What refuses a copy before it begins, for who reads JSON; said in words on stderr all the
 * same. */
static int refuse_json(const CopyVerb *c, int code)
{
        AUTO_JSON j = json_object();
        if (!c->json || code != EXIT_REFUSED || !json_array_size(c->found))
                return code;
        jx_set_bool(j, "possible", false);
        jx_set(j, "direction", json_incref(c->found));
        jx_set(j, "roles", c->roles_report ? json_incref(c->roles_report) : json_null());
        print_json(j);
        return code;
}

static void tell_json(const CopyVerb *c, const TransferResult *r, bool there)
{
        AUTO_JSON j = load_json(there ? c->load.name : NULL, &c->load, r, "objects");
        jx_set(j, "tolerated", r->tolerated ? json_incref(r->tolerated) : json_array());
        jx_set_str(j, "bundle", c->bundle.path);
        jx_set_str(j, "bundle_sha256", c->bundle.path ? c->bundle.sha256 : NULL);
        jx_set(j, "equal",
               c->report ? json_boolean(jx_bool(c->report, "equal", false)) : json_null());
        jx_set(j, "report", c->report ? json_incref(c->report) : json_null());
        jx_set(j, "direction", json_incref(c->found));
        jx_set(j, "roles", c->roles_report ? json_incref(c->roles_report) : json_null());
        print_json(j);
}

static void tell(const CopyVerb *c, const TransferResult *r, bool there)
{
        if (c->json) {
                tell_json(c, r, there);
                return;
        }
        if (c->bundle.path) { /* whole, whatever became of the copy */
                AUTO_FREE char *path = text_clean_str(c->bundle.path);
                printf("%s\nsha256 %s\n", path, c->bundle.sha256);
        }
        if (!there)
                return;
        AUTO_FREE char *name = text_clean_str(c->load.name);
        printf("database %s is there: %s, %s%s\n", name, THINGS(r->tables, "table"),
               THINGS(r->rows, "row"), load_words(&c->load));
        if (c->no_proof)
                puts("not compared with its source: pgsherpa compare does that");
}

static int copy_now(CopyVerb *c)
{
        AUTO_ERR err = { 0 };
        bool equal = true, refused = false;
        TransferResult r = { 0 };
        AUTO_WORK w = work_begin(work_show(c->quiet, c->json));
        if (!c->no_proof && !c->check)
                work_expect_proof(w);
        if (c->load.leftovers)
                work_say(w, c->load.leftovers);
        count_writes(c);
        bool ok = load_rows(c, w, &r, &refused, &err);
        if (ok && c->check)
                return checked(c, w);
        ok = ok && (c->no_proof || prove(c, w, &r, &equal, &err)) && load_finish(&c->load, w, &err);
        if (!c->check)
                tell(c, &r, ok);
        transfer_result_done(&r);
        if (ok)
                return EXIT_DONE;
        int code = failed(c, w, &err,
                          refused || c->load.refused ? EXIT_REFUSED : verb_work_code(&err, false));
        return c->check ? refuse_json(c, code) : code;
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        CopyVerb CLEANUP(copy_done) c = { 0 };
        bool refused = false;
        size_t n;
        const Flag flags[] = {
                ENDPOINT_FLAGS("--from", c.from),
                ENDPOINT_FLAGS("--to", c.to),
                { "--roles", .set = &c.roles },
                { "--no-proof", .set = &c.no_proof },
                { "--backup", .value = &c.backup },
                { "--portable", .set = &c.portable },
                { "--extension-rows", .set = &c.extension_rows },
                { "--jobs", .value = &c.jobs },
                { "--check", .set = &c.check },
                { "--deep", .set = &c.deep },
                { "--json", .set = &c.json },
                { "--quiet", .set = &c.quiet },
                { 0 },
        };
        if (!flags_read(flags, argc, argv, NULL, 0, &n, &err) ||
            !flags_jobs(c.jobs, &c.n_jobs, &err) ||
            !endpoint_read("--from", c.from.text, c.from.password_file, &c.source, &err) ||
            !endpoint_read("--to", c.to.text, c.to.password_file, &c.target, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (c.deep && !c.check)
                return verb_usage(
                        "copy", "--deep belongs to --check: every row is asked, nothing is moved");
        if (!c.source.database)
                return verb_usage("copy", "--from needs db=NAME");
        c.load = (Load){ .to = &c.target,
                         .name = c.target.database ? c.target.database : c.source.database };
        if (!load_begin(&c.load, "copy", &err))
                return verb_fail(&err, c.load.refused ? EXIT_REFUSED : verb_work_code(&err, true));
        c.found = c.json ? json_array() : NULL;
        if (!precheck_catalogs(&c.source, &c.target, c.found, &refused, &err) ||
            !roles(&c, &refused, &err)) {
                if (!err.hint)
                        err_hint(&err, "nothing was made yet: see to the cause and run it again");
                return refuse_json(
                        &c, verb_fail(&err, refused ? EXIT_REFUSED : verb_work_code(&err, true)));
        }
        return copy_now(&c);
}

const Verb verb_copy = {
        .name = "copy",
        .args = "--from host=..,port=..,user=..,db=.. --to host=..,port=..,user=..[,db=NAME] "
                "[--from-password-file PATH] [--to-password-file PATH] [--roles] [--no-proof] "
                "[--backup DIR] [--portable] [--extension-rows] [--jobs N] [--check [--deep]] "
                "[--json] [--quiet]",
        .summary = "a database to another server: loaded, compared, then given its name",
        .run = run,
};
