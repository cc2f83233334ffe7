/* Databases over the wire, between real majors of the lab. */
#include "kit.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "../pg/sample.h"
#include "proc/proc.h"
#include "transfer/direction.h"
#include "transfer/transfer.h"
#include "tests/fakes/scratch.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 15, 17, 18, 0 });
}

static void whole_journey(int from, int to)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        AUTO_FREE char *db = lab_database(from, "copy");
        sample_load(from, db);
        sample_roles(to);
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *into = kit_copy(from, db, to, root, &path);
        kit_same(from, db, to, into);
        kit_proved(from, db, to, into);
        kit_drop(to, into);

        AUTO_TRANSFER t = kit_transfer();
        BundleReport report;
        OK(transfer_verify(t, path, &report, &err));
        cr_assert_eq(json_array_size(report.bad), 0);
        bundle_report_done(&report);

        AUTO_BUNDLE b = NULL;
        AUTO_FREE char *back = kit_temporary(to);
        PgParams target;
        TransferResult r;
        cr_assert(lab_params(to, NULL, &target));
        OK(bundle_open(path, &b, &err));
        TransferRestore c = { .bundle = b, .target = &target, .into = back, .marker = "test" };
        OK(transfer_restore(t, &c, &r, &err));
        transfer_result_done(&r);
        kit_same(from, db, to, back);
        kit_proved(from, db, to, back);
        kit_drop(to, back);
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
        AUTO_FREE char *into = kit_copy(18, db, 15, NULL, NULL);
        kit_same(18, db, 15, into);
        kit_drop(15, into);
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
        AUTO_TRANSFER t = kit_transfer();
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
        kit_same(13, db, 17, db);
        kit_proved(13, db, 17, db);
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
        AUTO_FREE char *into = kit_temporary(to);
        AUTO_ERR ignored = { 0 };
        bool ok = kit_carry(from, database, to, into, t, err), dropped;
        cr_assert(lab_params(to, NULL, &target));
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
        AUTO_FREE char *into = kit_temporary(17);
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
        kit_drop(17, into);
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
        AUTO_TRANSFER t = kit_transfer();
        AUTO_FREE char *into = kit_temporary(17);
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
        AUTO_FREE char *name = kit_temporary(17);
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
        AUTO_TRANSFER t = kit_transfer();
        PgParams target;
        json_t *found = NULL;
        AUTO_FREE char *db = lab_database(13, "rehearsed");
        AUTO_FREE char *name = kit_temporary(17);
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
        AUTO_FREE char *name = kit_temporary(18);
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
        AUTO_FREE char *into = kit_copy(15, db, 18, root, &path);
        kit_drop(18, into);
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
        AUTO_TRANSFER t = kit_transfer();
        PgParams target;
        TransferResult r;
        AUTO_FREE char *back = kit_temporary(18);
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
