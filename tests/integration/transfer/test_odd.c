/* Databases that are unusual, and what is said and left of a transfer. */
#include "kit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../pg/sample.h"
#include "base/buf.h"
#include "base/io.h"
#include "proc/proc.h"
#include "tests/fakes/scratch.h"
#include "transfer/transfer.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 15, 17, 18, 0 });
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
                AUTO_FREE char *into = kit_copy(13, names[i], 17, root, &path);
                kit_proved(13, names[i], 17, into);
                kit_drop(17, into);
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
        AUTO_FREE char *a = kit_copy(13, latin, 17, NULL, NULL);
        AUTO_FREE char *b = kit_copy(13, ascii, 17, NULL, NULL);
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
        kit_drop(17, a);
        kit_drop(17, b);
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
        AUTO_FREE char *into = kit_copy(13, db, 17, NULL, NULL);
        AUTO_PG Pg *pg = lab_open(17, into);
        AUTO_FREE char *n = lab_value(pg, "select count(*) || ' ' || sum(n) from public.p");
        cr_assert_str_eq(n, "600 180300");
        kit_drop(17, into);
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
        AUTO_FREE char *into = kit_temporary(17);
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
        kit_drop(17, into);
        lab_drop(13, db);
}

/* ---- a dump of its own, and files ---- */

Test(dump, is_whole_or_not_there)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = scratch_on_disk();
        AUTO_FREE char *db = lab_database(15, "dump");
        sample_load(15, db);
        AUTO_TRANSFER t = kit_transfer();
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
        AUTO_TRANSFER t = kit_transfer();
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
