/* Databases over the wire, between real majors of the lab. */
#include "../pg/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "../pg/proof.h"
#include "proc/proc.h"
#include "transfer/direction.h"
#include "transfer/transfer.h"
#include "tests/fakes/scratch.h"
#include "temporary.h"

#define OK(call) cr_assert((call), "%s", err.message ? err.message : "")

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 15, 17, 18, 0 });
}

static void say(void *arg, const char *text)
{
        if (getenv("VERBOSE"))
                fprintf(stderr, "  %s\n", text);
}

static bool tolerate_nothing(void *arg, const char *object, const Err *error)
{
        fprintf(stderr, "not tolerated: %s: %s\n", object, error->message);
        return false;
}

static Transfer *transfer(void)
{
        return transfer_new(&(TransferHooks){ .say = say, .tolerate = tolerate_nothing });
}

/* Rows of every table, as one text: two databases with the same answer have the same tables. */
static char *counts(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        return lab_value(
                pg,
                "select string_agg(format('%s.%s=%s', n.nspname, c.relname, "
                "(xpath('/row/c/text()', query_to_xml(format('select count(*) as c from only "
                "%I.%I', n.nspname, c.relname), false, true, '')))[1]::text), E'\\n' order by "
                "n.nspname collate \"C\", c.relname collate \"C\") from pg_class c join "
                "pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname !~ "
                "'^pg_' and n.nspname <> 'information_schema'");
}

static char *objects(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        return lab_value(
                pg,
                "select (select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid "
                "join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_') || ' "
                "indexes, ' || (select count(*) from pg_constraint k join pg_namespace n on n.oid "
                "= k.connamespace where k.contype <> 'n' and n.nspname !~ '^pg_' and n.nspname <> "
                "'information_schema') || ' constraints, ' || (select count(*) from pg_trigger "
                "where not tgisinternal) || ' triggers, ' || (select count(*) from pg_policy) || ' "
                "policies, ' || (select string_agg(oid || ':' || coalesce(md5(lo_get(oid)), ''), "
                "',' order by oid) from pg_largeobject_metadata) || ' ' || (select "
                "string_agg(coalesce(obj_description(oid, 'pg_largeobject'), '-'), ',' order by "
                "oid) from pg_largeobject_metadata) || ' ' || (select string_agg(c.oid::regclass "
                "|| '=' || (xpath('//last_value/text()', query_to_xml(format('select last_value, "
                "is_called from %s', c.oid::regclass), false, false, '')))[1] || "
                "(xpath('//is_called/text()', query_to_xml(format('select last_value, is_called "
                "from %s', c.oid::regclass), false, false, '')))[1], ' ' order by "
                "c.oid::regclass::text collate \"C\") from pg_class c where relkind = 'S') || ' ' "
                "|| coalesce(shobj_description((select oid from pg_database where datname = "
                "current_database()), 'pg_database'), 'no comment') || ' ' || (select count(*) "
                "from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where "
                "d.datname = current_database())");
}

static void same(int a, const char *x, int b, const char *y)
{
        AUTO_FREE char *ca = counts(a, x);
        AUTO_FREE char *cb = counts(b, y);
        cr_assert_str_eq(ca, cb, "rows differ:\n%s\n---\n%s", ca, cb);
        AUTO_FREE char *oa = objects(a, x);
        AUTO_FREE char *ob = objects(b, y);
        cr_assert_str_eq(oa, ob, "objects differ:\n%s\n---\n%s", oa, ob);
}

/* The proof of pg/compare.h: every object, every row. */
static void proved(int a, const char *x, int b, const char *y)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *from = lab_open(a, x);
        AUTO_PG Pg *to = lab_open(b, y);
        AUTO_JSON report = NULL;
        OK(proof(from, to, &(CompareOptions){ 0 }, &report, &err));
        AUTO_FREE char *text = jx_dump(jx_get(report, "differences"));
        cr_assert(jx_bool(report, "equal", false), "%s", text);
}

static void drop(int major, const char *name)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        bool dropped;
        cr_assert(lab_params(major, NULL, &p));
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *sql = xasprintf("select oid from pg_database where datname = '%s'", name);
        AUTO_FREE char *oid = lab_value(pg, sql);
        OK(transfer_drop(&p, name, atoll(oid), NULL, &dropped, &err));
        cr_assert(dropped);
}

/* Copies into a server and a bundle at once; *ret_bundle may be NULL. */
static char *copy(int from, const char *database, int to, const char *root, char **ret_bundle)
{
        AUTO_ERR err = { 0 };
        AUTO_TRANSFER t = transfer();
        PgParams source, target;
        TransferResult r;
        char *into = temporary(to);
        AUTO_BUNDLEWRITER w = NULL;
        cr_assert(lab_params(from, database, &source) && lab_params(to, NULL, &target));
        TransferBackup b = { .source = source, .run = "r", .globals = true };
        if (ret_bundle) {
                OK(bundle_choose(root, database, ret_bundle, &err));
                OK(bundle_create(*ret_bundle, &(BundleOptions){ .run = "r" }, &w, &err));
                OK(transfer_bundle_begin(t, w, &b, &err));
        }
        TransferCopy c = { .source = source,
                           .target = &target,
                           .database = database,
                           .into = into,
                           .marker = "test",
                           .bundle = w };
        OK(transfer_copy(t, &c, &r, &err));
        if (ret_bundle) {
                BundleDone done;
                OK(transfer_bundle_end(t, w, &done, &err));
                free(done.path);
        }
        cr_assert_gt(r.rows, 0);
        cr_assert_eq(json_array_size(r.tolerated), 0);
        transfer_result_done(&r);
        return into;
}

static void whole_journey(int from, int to)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        AUTO_FREE char *db = lab_database(from, "copy");
        sample_load(from, db);
        sample_roles(to);
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *into = copy(from, db, to, root, &path);
        same(from, db, to, into);
        proved(from, db, to, into);
        drop(to, into);

        AUTO_TRANSFER t = transfer();
        BundleReport report;
        OK(transfer_verify(t, path, &report, &err));
        cr_assert_eq(json_array_size(report.bad), 0);
        bundle_report_done(&report);

        AUTO_BUNDLE b = NULL;
        AUTO_FREE char *back = temporary(to);
        PgParams target;
        TransferResult r;
        cr_assert(lab_params(to, NULL, &target));
        OK(bundle_open(path, &b, &err));
        TransferRestore c = { .bundle = b, .target = &target, .into = back, .marker = "test" };
        OK(transfer_restore(t, &c, &r, &err));
        transfer_result_done(&r);
        same(from, db, to, back);
        proved(from, db, to, back);
        drop(to, back);
        lab_drop(from, db);
        cr_assert(io_remove_tree(root, &err));
}

Test(transfer, carries_case_a_from_13_to_17_and_back_out_of_its_bundle)
{
        whole_journey(13, 17);
}

Test(transfer, carries_case_a_from_15_to_18_and_back_out_of_its_bundle)
{
        whole_journey(15, 18);
}

Test(transfer, goes_down_from_18_to_15_where_the_schema_allows_it)
{
        AUTO_FREE char *db = lab_database(18, "down");
        sample_load(18, db);
        sample_roles(15);
        AUTO_FREE char *into = copy(18, db, 15, NULL, NULL);
        same(18, db, 15, into);
        drop(15, into);
        lab_drop(18, db);
}

/* ---- the README, literally ---- */

static void run_in(const char *dir, int server, const char *const *words)
{
        AUTO_ERR err = { 0 };
        AUTO_PROC r = { 0 };
        AUTO_ARGV a = { 0 };
        AUTO_FREE char *text = NULL;
        PgParams p;
        size_t n;
        OK(io_read_file(getenv("PGSHERPA_LAB_PASSWORD_FILE"), 4096, &text, &n, &err));
        text[strcspn(text, "\n")] = '\0';
        cr_assert(lab_params(server, NULL, &p));
        AUTO_FREE char *password = xasprintf("PGPASSWORD=%s", text);
        AUTO_FREE char *port = xasprintf("PGPORT=%d", p.port);
        AUTO_FREE char *host = xasprintf("PGHOST=%s", p.host);
        const char *const env[] = { password, port, host, "PGUSER=postgres", NULL };
        argv_add_all(&a, words);
        bool ok = proc_run(&a, &(ProcOptions){ .env = env, .cwd = dir, .timeout_ms = 60000 }, &r,
                           &err);
        cr_assert(ok, "%s: %s\n%s%s", words[2], err.message, buf_str(&r.out), buf_str(&r.err));
}

/* What the README's steps say after the unpacking, as it is indented there. */
static void follow(const char *dir, int server, const char *readme)
{
        AUTO_BUF script = buf_init(64 * 1024);
        const char *p = strstr(readme, "\n2. "), *stop = strstr(readme, "\nOne table alone");
        cr_assert(p && stop && p < stop);
        while ((p = strstr(p, "\n     ")) && p < stop) {
                const char *end = strchr(++p, '\n');
                buf_printf(&script, "%.*s\n", (int)(end - p), p);
                p = end;
        }
        cr_assert_not_null(strstr(buf_str(&script), "restore.sh"));
        run_in(dir, server, (const char *const[]){ "sh", "-ec", buf_str(&script), NULL });
}

Test(readme, brings_a_database_back_with_tar_zstd_and_psql_alone)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        AUTO_FREE char *db = lab_database(13, "readme");
        sample_load(13, db);
        AUTO_FREE char *path = NULL;
        OK(bundle_choose(root, db, &path, &err));
        AUTO_TRANSFER t = transfer();
        TransferBackup b = { .path = path,
                             .run = "r",
                             .dump = true,
                             .globals = true,
                             .databases = (const char *const[]){ db, NULL } };
        BundleDone done;
        TransferResult sum;
        cr_assert(lab_params(13, NULL, &b.source));
        OK(transfer_backup(t, &b, &done, &sum, &err));
        transfer_result_done(&sum);

        BundleReport report;
        OK(transfer_verify(t, path, &report, &err));
        cr_assert_eq(json_array_size(report.bad), 0);
        cr_assert(strstr(json_string_value(json_array_get(report.notes, 0)), "pg_restore"),
                  "nobody read the dump: %s", json_string_value(json_array_get(report.notes, 0)));
        bundle_report_done(&report);

        run_in(root, 17, (const char *const[]){ "tar", "-xf", path, NULL });
        AUTO_FREE char *file = io_join(root, "README.txt");
        AUTO_FREE char *readme = NULL;
        size_t n;
        OK(io_read_file(file, 1 << 20, &readme, &n, &err));
        follow(root, 17, readme);
        same(13, db, 17, db);
        proved(13, db, 17, db);
        lab_drop(17, db);
        lab_drop(13, db);
        free(done.path);
        cr_assert(io_remove_tree(root, &err));
}

/* ---- what must end as a failure ---- */

static bool copy_fails(int from, const char *database, int to, const TransferHooks *hooks, Err *err)
{
        AUTO_TRANSFER t = transfer_new(hooks);
        PgParams target;
        TransferResult r;
        AUTO_FREE char *into = temporary(to);
        TransferCopy c = {
                .target = &target, .database = database, .into = into, .marker = "test"
        };
        cr_assert(lab_params(from, database, &c.source) && lab_params(to, NULL, &target));
        bool ok = transfer_copy(t, &c, &r, err);
        transfer_result_done(&r);
        bool dropped;
        AUTO_ERR ignored = { 0 };
        (void)!transfer_drop(&target, into, 0, "test", &dropped, &ignored);
        return !ok;
}

/* pg_upgradecluster says Success here, and the table is empty. */
Test(transfer, fails_and_names_the_table_whose_rows_do_not_arrive)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(13, "e1");
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, "create schema s; set search_path = public; create table public.allowed "
                           "(id int);insert into public.allowed select generate_series(1, "
                           "9);create function public.ok(int) returns bool language sql as 'select "
                           "$1 in (select id from allowed)';create table public.orders (id int "
                           "check (public.ok(id)));insert into public.orders select "
                           "generate_series(1, 9)");
        }
        cr_assert(copy_fails(13, db, 17, &(TransferHooks){ .tolerate = NULL }, &err));
        cr_assert(strstr(err.message, "table public.orders"), "%s", err.message);
        lab_drop(13, db);
}

static bool tolerate_grants(void *arg, const char *object, const Err *error)
{
        cr_assert(str_starts(error->message, "GRANT"), "%s", error->message);
        ++*(int *)arg;
        return true;
}

Test(transfer, tolerates_a_grant_to_nobody_and_keeps_the_others)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(13, "grants");
        AUTO_FREE char *role = xasprintf("test_%d_gone", (int)getpid());
        AUTO_FREE char *make = xasprintf("create role %s; create table public.t (i int); insert "
                                         "into public.t values (1); grant select on public.t to "
                                         "%s; grant insert on public.t to public",
                                         role, role);
        AUTO_FREE char *away = xasprintf("drop owned by %s; drop role %s", role, role);
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, make);
        }
        cr_assert(copy_fails(13, db, 17, &(TransferHooks){ .tolerate = NULL }, &err));
        cr_assert_str_eq(err.sqlstate, "42704");
        err_clear(&err);

        int asked = 0;
        AUTO_TRANSFER t =
                transfer_new(&(TransferHooks){ .tolerate = tolerate_grants, .arg = &asked });
        AUTO_FREE char *into = temporary(17);
        PgParams target;
        TransferResult r;
        TransferCopy c = { .target = &target, .database = db, .into = into };
        cr_assert(lab_params(13, db, &c.source) && lab_params(17, NULL, &target));
        OK(transfer_copy(t, &c, &r, &err));
        cr_assert_eq(asked, 1);
        cr_assert_eq(json_array_size(r.tolerated), 1);
        transfer_result_done(&r);
        {
                AUTO_PG Pg *pg = lab_open(17, into);
                AUTO_FREE char *acl = lab_value(
                        pg, "select relacl from pg_class where oid = 'public.t'::regclass");
                cr_assert(strstr(acl, "=a/postgres"), "%s", acl);
        }
        drop(17, into);
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, away);
        }
        lab_drop(13, db);
}

static void *cancel_soon(void *arg)
{
        usleep(400000);
        transfer_cancel(arg);
        return NULL;
}

Test(transfer, stops_within_a_second)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(13, "cancel");
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, "create table public.big as select g, md5(g::text) from "
                           "generate_series(1, 3000000) g");
        }
        AUTO_TRANSFER t = transfer();
        AUTO_FREE char *into = temporary(17);
        PgParams target;
        TransferResult r;
        TransferCopy c = { .target = &target, .database = db, .into = into, .marker = "test" };
        cr_assert(lab_params(13, db, &c.source) && lab_params(17, NULL, &target));
        pthread_t thread;
        int64_t began = clock_boot_ms();
        cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, t), 0);
        cr_assert_not(transfer_copy(t, &c, &r, &err));
        int64_t took = clock_boot_ms() - began;
        pthread_join(thread, NULL);
        cr_assert_eq(err.kind, ERR_CANCELLED, "%s", err.message);
        cr_assert_lt(took, 1400);
        bool dropped;
        err_clear(&err);
        OK(transfer_drop(&target, into, 0, "test", &dropped, &err));
        lab_drop(13, db);
}

Test(transfer, drops_only_what_is_ours)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        bool dropped;
        cr_assert(lab_params(17, NULL, &p));
        AUTO_FREE char *db = lab_database(17, "mine");
        cr_assert_not(transfer_drop(&p, db, 0, NULL, &dropped, &err), "not a name of ours");
        err_clear(&err);
        AUTO_FREE char *name = temporary(17);
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_FREE char *make = xasprintf("create database %s", name);
        AUTO_FREE char *mark = xasprintf("comment on database %s is 'precious'", name);
        lab_do(pg, make);
        lab_do(pg, mark);
        cr_assert_not(transfer_drop(&p, name, 0, "marker", &dropped, &err),
                      "somebody else's comment");
        err_clear(&err);
        cr_assert_not(transfer_drop(&p, name, 1, NULL, &dropped, &err), "another OID");
        err_clear(&err);
        OK(transfer_drop(&p, name, 0, "precious", &dropped, &err));
        cr_assert(dropped);
        lab_do(pg, make); /* no comment: only while it is empty */
        AUTO_PG Pg *in = lab_open(17, name);
        lab_do(in, "create table public.t (a int)");
        cr_assert_not(transfer_drop(&p, name, 0, "marker", &dropped, &err), "it has a table");
        err_clear(&err);
        lab_do(in, "drop table public.t");
        in = pg_close(in);
        OK(transfer_drop(&p, name, 0, "marker", &dropped, &err));
        cr_assert(dropped);
        OK(transfer_drop(&p, name, 0, NULL, &dropped, &err));
        cr_assert_not(dropped, "twice is fine");
        lab_drop(17, db);
}

/* Two that chose one name at one moment: who came second drops nothing. */
Test(transfer, a_rehearsal_does_not_drop_the_database_it_could_not_make)
{
        AUTO_ERR err = { 0 };
        AUTO_TRANSFER t = transfer();
        PgParams target;
        json_t *found = NULL;
        AUTO_FREE char *db = lab_database(13, "rehearsed");
        AUTO_FREE char *name = temporary(17);
        AUTO_FREE char *make = xasprintf("create database %s", name);
        AUTO_FREE char *drop = xasprintf("drop database %s", name);
        AUTO_PG Pg *pg = lab_open(17, NULL);
        TransferCopy c = { .target = &target, .database = db, .into = name, .marker = "test" };
        cr_assert(lab_params(13, db, &c.source) && lab_params(17, NULL, &target));
        lab_do(pg, make);
        cr_assert_not(transfer_rehearse(t, &c, &found, &err));
        cr_assert_str_eq(err.sqlstate, "42P04", "%s", err.message);
        lab_do(pg, drop); /* it is still there */
        lab_drop(13, db);
}

/* What is tolerated while the schema is loaded is missing afterwards: said before the applications
 * stop, not by the proof when they stand still. Texts that only look otherwise are no
 * difference. */
Test(transfer, a_rehearsal_tells_what_the_proof_of_the_copy_would)
{
        AUTO_ERR err = { 0 };
        int grants = 0;
        AUTO_TRANSFER t =
                transfer_new(&(TransferHooks){ .tolerate = tolerate_grants, .arg = &grants });
        PgParams target;
        json_t *found = NULL;
        AUTO_FREE char *db = lab_database(13, "foretold");
        AUTO_FREE char *name = temporary(18);
        AUTO_FREE char *role = xasprintf("%s_lost \"; drop", db);
        AUTO_FREE char *quoted = xasprintf("\"%s_lost \"\"; drop\"", db);
        AUTO_FREE char *create =
                xasprintf("create role %s; grant select on public.t to %s", quoted, quoted);
        AUTO_FREE char *drop_role = xasprintf("drop owned by %s; drop role %s", quoted, quoted);
        TransferCopy c = { .target = &target, .database = db, .into = name, .marker = "test" };
        cr_assert(lab_params(13, db, &c.source) && lab_params(18, NULL, &target));
        AUTO_PG Pg *pg = lab_open(13, db);
        lab_do(pg, "create table public.t (id int primary key, e varchar(20) check (e in ('a', "
                   "'b')), j json default '{\"json\": 1}'); create function public.f(j json) "
                   "returns json language sql as 'select j'; create view public.v as select a.e "
                   "from public.t a join public.t b using (id)");
        OK(transfer_rehearse(t, &c, &found, &err));
        AUTO_FREE char *text = json_dumps(found, JSON_INDENT(1));
        cr_expect_eq(json_array_size(found), 0, "%s", text);
        json_decref(found);
        found = NULL;
        lab_do(pg, create);
        OK(transfer_rehearse(t, &c, &found, &err));
        AUTO_FREE char *words = direction_words(json_array_get(found, 0));
        lab_do(pg, drop_role);
        cr_expect_eq(json_array_size(found), 1);
        cr_expect_eq(direction_refused(found), 1);
        cr_expect(strstr(words, "table public.t: would not be there as it is here (acl)"), "%s",
                  words);
        cr_expect(strstr(words, role) || strstr(words, "_lost "), "%s", words);
        json_decref(found);
        pg = pg_close(pg);
        lab_drop(13, db);
}

Test(transfer, a_damaged_bundle_is_not_restored)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        AUTO_FREE char *db = lab_database(15, "damaged");
        {
                AUTO_PG Pg *pg = lab_open(15, db);
                lab_do(pg, "create table public.t as select g, md5(g::text) from "
                           "generate_series(1, 10000) g");
        }
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *into = copy(15, db, 18, root, &path);
        drop(18, into);
        AUTO_BUNDLE b = NULL;
        OK(bundle_open(path, &b, &err));
        int64_t at = -1;
        const char *name;
        json_t *m;
        json_object_foreach(jx_get(bundle_manifest_of(b), "members"), name, m)
                if (strstr(name, "/data/public.t/"))
                        at = jx_int(m, "offset", -1);
        cr_assert_gt(at, 0);
        FILE *f = fopen(path, "r+");
        fseek(f, (long)at + 5000, SEEK_SET);
        fputs("damage", f);
        fclose(f);
        AUTO_TRANSFER t = transfer();
        PgParams target;
        TransferResult r;
        AUTO_FREE char *back = temporary(18);
        cr_assert(lab_params(18, NULL, &target));
        TransferRestore c = { .bundle = b, .target = &target, .into = back, .marker = "test" };
        cr_assert_not(transfer_restore(t, &c, &r, &err));
        cr_assert(strstr(err.message, "table public.t"), "%s", err.message);
        bool dropped;
        err_clear(&err);
        OK(transfer_drop(&target, back, 0, "test", &dropped, &err));
        lab_drop(15, db);
        cr_assert(io_remove_tree(root, &err));
}

/* ---- odd databases ---- */

static void make_database(int major, const char *name, const char *encoding)
{
        AUTO_ERR err = { 0 };
        AUTO_SQL q = { 0 };
        AUTO_PG Pg *pg = lab_open(major, NULL);
        sql_add(&q, "create database ");
        sql_ident(&q, name);
        sql_add(&q, " template template0 lc_collate 'C' lc_ctype 'C' encoding ");
        sql_value(&q, encoding);
        OK(pg_exec(pg, &q, &err));
}

Test(odd, database_names_stay_names)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        const char *const names[] = {
                "host=evil dbname=postgres", "a'b\\c \"d\" /e\n.f 😀",
                "a_database_name_of_exactly_sixty_three_bytes_which_is_the_limit"
        };
        for (size_t i = 0; i < LEN(names); i++) {
                lab_drop(13, names[i]);
                make_database(13, names[i], "UTF8");
                {
                        AUTO_PG Pg *pg = lab_open(13, names[i]);
                        lab_do(pg, "create table public.t (); insert into public.t select from "
                                   "generate_series(1, 5); create table public.empty (a int)");
                }
                AUTO_FREE char *path = NULL;
                AUTO_FREE char *into = copy(13, names[i], 17, root, &path);
                proved(13, names[i], 17, into);
                drop(17, into);
                lab_drop(13, names[i]);
        }
        cr_assert(io_remove_tree(root, &err));
}

Test(odd, encodings_go_over_byte_by_byte)
{
        AUTO_FREE char *latin = xasprintf("test_%d_latin", (int)getpid());
        AUTO_FREE char *ascii = xasprintf("test_%d_ascii", (int)getpid());
        make_database(13, latin, "LATIN1");
        make_database(13, ascii, "SQL_ASCII");
        {
                AUTO_PG Pg *pg = lab_open(13, latin);
                lab_do(pg, "create table public.\"t\303\244g\" (\"sp\303\244lte\" text default "
                           "'\303\274');insert into public.\"t\303\244g\" values "
                           "('gr\303\266\303\237er')");
        }
        {
                AUTO_PG Pg *pg = lab_open(13, ascii);
                lab_do(pg, "set client_encoding = sql_ascii; create table public.t (a text default "
                           "E'\\xff\\xfe'); insert into public.t values (E'\\xe4\\xff'), "
                           "(default)");
        }
        AUTO_FREE char *a = copy(13, latin, 17, NULL, NULL);
        AUTO_FREE char *b = copy(13, ascii, 17, NULL, NULL);
        {
                AUTO_PG Pg *pg = lab_open(17, a);
                AUTO_FREE char *v =
                        lab_value(pg, "select \"sp\303\244lte\" from public.\"t\303\244g\"");
                cr_assert_str_eq(v, "gr\303\266\303\237er");
        }
        {
                AUTO_PG Pg *pg = lab_open(17, b);
                AUTO_FREE char *v = lab_value(
                        pg,
                        "select string_agg(encode(a::bytea, 'hex'), ',' order by a) from public.t");
                cr_assert_str_eq(v, "e4ff,fffe");
        }
        drop(17, a);
        drop(17, b);
        lab_drop(13, latin);
        lab_drop(13, ascii);
}

Test(odd, hash_partitions_of_an_enum_arrive_in_new_homes)
{
        AUTO_FREE char *db = lab_database(13, "enum");
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, "create type public.mood as enum ('a', 'b', 'c', 'd', 'e', 'f');create "
                           "table public.p (m public.mood, n int) partition by hash (m);create "
                           "table public.p0 partition of public.p for values with (modulus 3, "
                           "remainder 0);create table public.p1 partition of public.p for values "
                           "with (modulus 3, remainder 1);create table public.p2 partition of "
                           "public.p for values with (modulus 3, remainder 2);insert into public.p "
                           "select (enum_range(null::public.mood))[1 + g % 6], g from "
                           "generate_series(1, 600) g");
        }
        AUTO_FREE char *into = copy(13, db, 17, NULL, NULL);
        AUTO_PG Pg *pg = lab_open(17, into);
        AUTO_FREE char *n = lab_value(pg, "select count(*) || ' ' || sum(n) from public.p");
        cr_assert_str_eq(n, "600 180300");
        drop(17, into);
        lab_drop(13, db);
}

/* ---- what people see while it runs ---- */

typedef struct Seen {
        int64_t done, total;
        int calls, back, over;
        bool index_moves;
} Seen;

static void watch_progress(void *arg, const Progress *p)
{
        Seen *s = arg;
        bool load = str_eq(p->label, "copying") || str_eq(p->label, "building indexes");
        if (!load)
                return;
        s->calls++;
        s->back += p->done < s->done;
        s->over += p->done > p->total;
        s->done = p->done;
        s->total = p->total;
        if (str_eq(p->label, "building indexes") && p->n_rows && p->rows[0].total > 0)
                s->index_moves = true;
}

Test(progress, goes_forward_to_its_end_and_into_a_long_index)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(13, "progress");
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, "create table public.big as select g, md5(g::text) as t, md5((g * "
                           "7)::text) as u from generate_series(1, 800000) g; create index on "
                           "public.big (t, u);create index on public.big (u, t)");
        }
        Seen seen = { 0 };
        AUTO_TRANSFER t =
                transfer_new(&(TransferHooks){ .progress = watch_progress, .arg = &seen });
        AUTO_FREE char *into = temporary(17);
        PgParams target;
        TransferResult r;
        TransferCopy c = { .target = &target, .database = db, .into = into };
        cr_assert(lab_params(13, db, &c.source) && lab_params(17, NULL, &target));
        OK(transfer_copy(t, &c, &r, &err));
        transfer_result_done(&r);
        cr_assert_gt(seen.calls, 5);
        cr_assert_eq(seen.back, 0, "went back %d times", seen.back);
        cr_assert_eq(seen.over, 0);
        cr_assert_eq(seen.done, seen.total);
        cr_assert(seen.index_moves, "nobody could see the index grow");
        drop(17, into);
        lab_drop(13, db);
}

/* ---- a dump of its own, and files ---- */

Test(dump, is_whole_or_not_there)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        AUTO_FREE char *db = lab_database(15, "dump");
        sample_load(15, db);
        AUTO_TRANSFER t = transfer();
        AUTO_FREE char *path = io_join(root, "a.dump");
        AUTO_FREE char *part = io_join(root, "a.dump.part");
        TransferDump d = { .database = db, .path = path };
        TransferDumpDone done;
        cr_assert(lab_params(15, NULL, &d.source));
        OK(transfer_dump(t, &d, &done, &err));
        cr_assert(io_exists(path));
        cr_assert_not(io_exists(part));
        cr_assert_gt(done.size, 100000);
        cr_assert_not(transfer_dump(t, &d, &done, &err), "never over an older one");
        err_clear(&err);
        cr_assert_not(io_exists(part));
        lab_drop(15, db);
        cr_assert(io_remove_tree(root, &err));
}

Test(files, of_an_env_file_only_the_names_are_kept)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        AUTO_FREE char *env = io_join(root, ".env");
        AUTO_FREE char *compose = io_join(root, "compose.yaml");
        static const char secret[] = "# db\nPOSTGRES_PASSWORD=s3cr3t-canary\nEMPTY=\n\n"
                                     "export X=s3cr3t-canary\n"
                                     "#OLD=s3cr3t-canary\nKEY=\"begin\ns3cr3t-canary\n"
                                     "A=s3cr3t-canary\"\nZ=1\n"
                                     "PEM= \"-----BEGIN\ns3cr3t-canary\ns3cr3tcanary=\n-----END\"\n"
                                     "# two words = s3cr3t-canary\n"
                                     "BARE=-----BEGIN\ns3cr3tcanary=\ns3cr3tcanary==\n-----END\n"
                                     "LAST = s3cr3t-canary\n";
        OK(io_replace_file(env, secret, sizeof secret - 1, 0600, &err));
        OK(io_replace_file(compose, "services: {}\n", 13, 0600, &err));
        AUTO_FREE char *db = lab_database(15, "files");
        AUTO_FREE char *path = NULL;
        OK(bundle_choose(root, db, &path, &err));
        AUTO_JSON files = json_pack("[ss]", compose, env);
        AUTO_TRANSFER t = transfer();
        TransferBackup b = { .path = path,
                             .databases = (const char *const[]){ db, NULL },
                             .files = files,
                             .redact_env = true };
        BundleDone done;
        TransferResult sum;
        cr_assert(lab_params(15, NULL, &b.source));
        OK(transfer_backup(t, &b, &done, &sum, &err));
        transfer_result_done(&sum);
        AUTO_BUNDLE bundle = NULL;
        OK(bundle_open(done.path, &bundle, &err));
        AUTO_FREE char *kept = NULL;
        size_t n;
        OK(bundle_read_all(bundle, "files/002-%2Eenv", 10000, &kept, &n, &err));
        cr_assert_str_eq(kept, "# db\nPOSTGRES_PASSWORD=(not kept)\nEMPTY=(not kept)\n\n"
                               "export X=(not kept)\n"
                               "#OLD=(not kept)\nKEY=(not kept)\nZ=(not kept)\n"
                               "PEM=(not kept)\n(not kept)\nBARE=(not kept)\n(not kept)\n"
                               "(not kept)\n(not kept)\nLAST=(not kept)\n");
        AUTO_FREE char *all = NULL;
        OK(io_read_file(done.path, 1 << 24, &all, &n, &err));
        cr_assert_null(memmem(all, n, "s3cr3t-canary", 13));
        free(done.path);
        lab_drop(15, db);
        cr_assert(io_remove_tree(root, &err));
}
