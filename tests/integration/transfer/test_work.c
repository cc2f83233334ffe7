/* Many workers on one database: what they make is what one would have made. */
#include "kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/majors.h"
#include "transfer/direction.h"
#include "transfer/make/entries.h"
#include "transfer/read/dump.h"
#include "transfer/transfer.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 15, 17, 18, 0 });
}

/* Tables of more than 256 KiB are worked on in pieces, keys between more than 4 MiB are checked
 * later, the small ones all at once: some of each. */
static const char schema[] =
        "create schema w; create extension btree_gist; create table w.parent (id bigint, u int, a "
        "text not null, b text, r int4range, constraint parent_pkey primary key (id) include (u) "
        "with (fillfactor = 80), constraint parent_u unique (u) deferrable initially deferred); "
        "insert into w.parent select g, g * 2, md5(g::text), repeat(md5(g::text), 5), int4range(g, "
        "g + 1) from generate_series(1, 20000) g; alter table w.parent add constraint parent_once "
        "exclude using gist (r with &&); create unique index parent_a on w.parent (a); create "
        "index parent_words on w.parent using gin (string_to_array(b, 'a')); alter table w.parent "
        "replica identity using index parent_a; alter table w.parent cluster on parent_pkey; alter "
        "index w.parent_words alter column 1 set statistics 7; comment on constraint parent_pkey "
        "on w.parent is 'the key'; comment on index w.parent_a is 'the index'; create statistics "
        "w.parent_s on id, u from w.parent; create table w.child (id bigint primary key, parent "
        "bigint, later bigint, constraint child_parent foreign key (parent) references w.parent on "
        "delete cascade); insert into w.child select g, g % 20000 + 1, -g from generate_series(1, "
        "40000) g; alter table w.child add constraint child_later foreign key (later) references "
        "w.parent not valid; create index on w.child (parent); create table w.root (id int, k "
        "text, primary key (id, k)) partition by list (k); create table w.root_a partition of "
        "w.root for values in ('a'); create table w.root_b partition of w.root for values in "
        "('b'); insert into w.root select g, case when g % 2 = 0 then 'a' else 'b' end from "
        "generate_series(1, 20000) g; create index on w.root (k, id); create table w.ref (id int, "
        "k text, foreign key (id, k) references w.root); insert into w.ref values (1, 'b'); create "
        "table w.tiny (id int primary key, parent bigint references w.parent); insert into w.tiny "
        "select g, g from generate_series(1, 10) g; create table w.empty (i int unique); create "
        "table w.old (i int); create table w.young (j int) inherits (w.old); insert into w.young "
        "select g, g from generate_series(1, 1000) g; create materialized view w.first as select "
        "count(*) as n from w.child; create materialized view w.second as select n * 2 as n from "
        "w.first; create unique index on w.second (n); create view w.grouped as select id, a, b "
        "from w.parent group by id;";

/* Everything about constraints and indexes that could get lost on the way, and who has been
 * analyzed. */
static char *described(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        return lab_value(
                pg,
                "select string_agg(line, E'\\n' order by line collate \"C\") from (select "
                "format('constraint %s on %s: %s, valid %s, comment %s, index %s', conname, "
                "conrelid::regclass, pg_get_constraintdef(oid), convalidated, obj_description(oid, "
                "'pg_constraint'), nullif(conindid, 0)::regclass) as line from pg_constraint where "
                "connamespace = 'w'::regnamespace and contype <> 'n' and (contype <> 'f' or "
                "conparentid = 0) union all select format('index %s: %s, valid %s, clustered %s, "
                "identity %s, primary %s, immediate %s, comment %s, options %s, statistics %s', "
                "i.indexrelid::regclass, pg_get_indexdef(i.indexrelid), indisvalid, "
                "indisclustered, indisreplident, indisprimary, indimmediate, "
                "obj_description(i.indexrelid, 'pg_class'), c.reloptions, (select "
                "nullif(max(attstattarget), -1) from pg_attribute a where a.attrelid = "
                "i.indexrelid)) from pg_index i join pg_class c on c.oid = i.indexrelid where "
                "c.relnamespace = 'w'::regnamespace union all select format('parent of %s: %s', "
                "inhrelid::regclass, inhparent::regclass) from pg_inherits union all select "
                "format('view %s: %s', matviewname, ispopulated) from pg_matviews) x");
}

static char *analyzed(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        return lab_value(
                pg,
                "select string_agg(distinct tablename || case when inherited then '*' else '' end, "
                "' ' order by tablename || case when inherited then '*' else '' end) || (select ' "
                "' || stxname from pg_statistic_ext join pg_statistic_ext_data on stxoid = oid) "
                "from pg_stats where schemaname = 'w'");
}

/* A new file for a table costs more than it saves when there are few rows in it. */
static char *made_anew(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        return lab_value(pg, "select string_agg(relname, ' ' order by relname) from pg_class where "
                             "relkind = 'r' and relnamespace = 'w'::regnamespace and relfilenode "
                             "<> oid");
}

static void arrives_as_it_was(int from, int to, int jobs)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(from, "work");
        {
                AUTO_PG Pg *pg = lab_open(from, db);
                lab_do(pg, schema);
        }
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .jobs = jobs });
        AUTO_FREE char *into = kit_temporary(to);
        OK(kit_carry(from, db, to, into, t, &err));
        AUTO_FREE char *before = described(from, db);
        AUTO_FREE char *after = described(to, into);
        AUTO_FREE char *known = analyzed(to, into);
        cr_assert_str_eq(before, after, "%s\n---\n%s", before, after);
        cr_assert_str_eq(known, "child first old* parent parent_words ref root* root_a root_b "
                                "second tiny young parent_s");
        AUTO_FREE char *anew = made_anew(to, into);
        cr_assert_str_eq(anew, "child parent root_a root_b");
        kit_drop(to, into);
        lab_drop(from, db);
}

Test(work, three_workers_make_what_was_there_from_13_to_18)
{
        arrives_as_it_was(13, 18, 3);
}

Test(work, one_worker_makes_the_same_from_17_to_15)
{
        arrives_as_it_was(17, 15, 1);
}

/* A key that the source has but does not hold: somebody wrote around it. */
Test(work, a_key_that_does_not_hold_is_named)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(13, "orphans");
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, "create table public.p (id int primary key, t text); create table "
                           "public.c (p int constraint c_is_of_p references public.p, t text); "
                           "insert into public.p select g, repeat('x', 200) from "
                           "generate_series(1, 20000) g; insert into public.c select g, "
                           "repeat('x', 200) from generate_series(1, 20000) g; set "
                           "session_replication_role = replica; delete from public.p where id = "
                           "77");
        }
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .jobs = 2 });
        AUTO_FREE char *into = kit_temporary(17);
        cr_assert_not(kit_carry(13, db, 17, into, t, &err));
        cr_assert_str_eq(err.sqlstate, "23503");
        cr_assert(strstr(err.message, "c_is_of_p"), "%s", err.message);
        kit_drop(17, into);
        lab_drop(13, db);
}

/* An event trigger is for what comes after it. */
Test(work, event_triggers_come_when_keys_are_validated)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(15, "order");
        {
                AUTO_PG Pg *pg = lab_open(15, db);
                lab_do(pg, "create function public.never() returns event_trigger language plpgsql "
                           "as 'begin raise exception ''never alter''; end'; create table public.p "
                           "(id int primary key, t text); create table public.c (a int references "
                           "public.p, b int references public.p, d int references public.p, e int "
                           "references public.p, t text); insert into public.p select g, "
                           "repeat('x', 200) from generate_series(1, 40000) g; insert into "
                           "public.c select g, g, g, g, repeat('x', 200) from generate_series(1, "
                           "40000) g; create event trigger never on ddl_command_start when tag in "
                           "('ALTER TABLE') execute function public.never()");
        }
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .jobs = 3 });
        AUTO_FREE char *into = kit_temporary(17);
        OK(kit_carry(15, db, 17, into, t, &err));
        AUTO_PG Pg *pg = lab_open(17, into);
        AUTO_FREE char *there = lab_value(pg, "select string_agg(convalidated::text, ' ') || "
                                              "(select count(*) from pg_event_trigger) from "
                                              "pg_constraint where contype = 'f'");
        cr_assert_str_eq(there, "true true true true1");
        pg = pg_close(pg);
        kit_drop(17, into);
        lab_drop(15, db);
}

/* Each has a value that 13 has no word for, the last ones cannot have. */
Test(direction, infinite_values_are_found_wherever_they_can_be)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON found = json_array();
        AUTO_FREE char *db = lab_database(18, "endless");
        AUTO_PG Pg *pg = lab_open(18, db);
        lab_do(pg, "create domain public.d as numeric; create domain public.dd as public.d; create "
                   "domain public.di as interval(3); create domain public.l as numeric[]; create "
                   "table public.t1 (a interval(3)); insert into public.t1 values ('infinity'); "
                   "create table public.t2 (a public.di); insert into public.t2 values "
                   "('-infinity'); create table public.t3 (a public.dd); insert into public.t3 "
                   "values ('infinity'); create table public.t4 (x int, a public.dd[]); insert "
                   "into public.t4 values (1, '{1,infinity}'); create table public.t5 (a "
                   "public.l); insert into public.t5 values ('{-infinity}'); create table "
                   "public.f1 (a numeric(5, 2), b public.l); insert into public.f1 values (1, "
                   "'{2}'); create table public.f2 (a public.dd, b interval(0)); insert into "
                   "public.f2 values ('NaN', '1 s')");
        OK(direction_rows(pg, 13, found, &err));
        AUTO_FREE char *text = jx_dump(found);
        cr_assert_eq(json_array_size(found), 5, "%s", text);
        cr_assert_not(strstr(text, "public.f"), "%s", text);
        cr_assert_not(pg_in_transaction(pg));
        pg = pg_close(pg);
        lab_drop(18, db);
}

/* No server of such a major is there; what is said hangs on its number alone. */
Test(direction, a_major_that_is_newer_than_known_is_a_warning_and_no_refusal)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON newer = NULL;
        AUTO_JSON newest = NULL;
        AUTO_PG Pg *pg = lab_open(17, NULL);
        OK(direction_check(pg, MAJOR_NEWEST + 1, &newer, &err));
        OK(direction_check(pg, MAJOR_NEWEST, &newest, &err));
        AUTO_FREE char *words = direction_words(json_array_get(newer, 0));
        cr_expect_eq(json_array_size(newer), json_array_size(newest) + 1);
        cr_expect_eq(direction_refused(newer), direction_refused(newest));
        cr_expect_str_eq(jx_str(json_array_get(newer, 0), "verdict", ""), "perhaps");
        cr_expect(strstr(words, "newer than 19, the newest this pgsherpa knows: what it does not "
                                "take, the rehearsal finds"),
                  "%s", words);
}

Test(direction, going_up_to_a_major_without_fixes_is_said)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON up = NULL;
        AUTO_JSON down = NULL;
        AUTO_PG Pg *old = lab_open(13, NULL);
        AUTO_PG Pg *new = lab_open(17, NULL);
        OK(direction_check(old, 14, &up, &err));
        OK(direction_check(new, 14, &down, &err));
        AUTO_FREE char *one = jx_dump(up);
        AUTO_FREE char *other = jx_dump(down);
        cr_expect(strstr(one, "got its last fixes on 2026-11-12"), "%s", one);
        cr_expect_null(strstr(other, "last fixes"), "%s", other);
}

/* ---- entries within the caller's transaction ---- */

static bool tolerate_all(void *arg, const char *object, const Err *error)
{
        return true;
}

Test(entries, what_is_tolerated_in_a_transaction_takes_nothing_with_it)
{
        AUTO_ERR err = { 0 };
        bool made;
        AUTO_FREE char *db = lab_database(17, "inside");
        AUTO_PG Pg *pg = lab_open(17, db);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .tolerate = tolerate_all });
        Entries s;
        entries_begin(&s, t, pg);
        s.inside = true;
        TocEntry e = { .class = "TABLE",
                       .schema = "public",
                       .name = "t",
                       .drop = "",
                       .sql = "create table public.u (i int)" };
        TocEntry grant = { .class = "ACL",
                           .schema = "public",
                           .name = "TABLE t",
                           .drop = "",
                           .pass = TOC_PASS_ACL,
                           .sql = "grant select on public.t to public; grant select on public.t to "
                                  "nobody_at_all; grant insert on public.t to public" };
        const TocEntry *list[] = { &e, &grant };
        lab_do(pg, "begin; set local maintenance_work_mem = '77MB'");
        OK(entries_statement(&s, &e, "create table public.t (i int)", &made, &err));
        cr_assert(made);
        OK(entries_statement(&s, &e, "create table public.t (i int)", &made, &err));
        cr_assert_not(made);
        OK(entries_run(&s, list, 2, NULL, NULL, &err));
        /* Too little shared memory, unless it is asked for less. */
        OK(entries_statement(&s, &e,
                             "do $$ begin if current_setting('maintenance_work_mem') <> "
                             "'32MB' then raise exception 'too much' using errcode = "
                             "'53100'; end if; end $$",
                             &made, &err));
        cr_assert(made);
        AUTO_FREE char *has = lab_value(pg, "select current_setting('maintenance_work_mem')");
        cr_assert_str_eq(has, "77MB");
        lab_do(pg, "commit");
        AUTO_FREE char *acl = lab_value(pg, "select relacl::text || (to_regclass('public.u') is "
                                            "not null)::text from pg_class where oid = "
                                            "'public.t'::regclass");
        cr_assert(strstr(acl, "=ar/postgres") && str_ends(acl, "true"), "%s", acl);
        entries_done(&s);
        pg = pg_close(pg);
        lab_drop(17, db);
}

/* ---- pg_dump into something that fails ---- */

static bool full(void *arg, const void *bytes, size_t n, Err *err)
{
        *(size_t *)arg += n;
        return err_set(err, ERR_SYSTEM, "no space left");
}

static bool enough(void *arg, const void *bytes, size_t n, Err *err)
{
        *(size_t *)arg += n;
        return true;
}

/* Of the children that have ended, in ms: pg_dump's own work, whatever else the machine does. */
static int64_t childrens_cpu(void)
{
        struct rusage u;
        cr_assert_eq(getrusage(RUSAGE_CHILDREN, &u), 0);
        return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
               (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* Nobody waits for the rest of a dump that cannot be kept. */
Test(dump, stops_when_its_bytes_cannot_be_kept)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(17, "full");
        {
                AUTO_PG Pg *pg = lab_open(17, db);
                lab_do(pg, "create table public.big as select md5(g::text) a, md5((-g)::text) b "
                           "from generate_series(1, 150000) g");
        }
        AUTO_PGCLIENT client = { 0 };
        PgParams p;
        size_t n = 0, never = 0;
        cr_assert(lab_params(17, db, &p));
        OK(pg_clients_find(17, NULL, &client, &err));
        DumpRun d = { .client = &client, .server = &p };
        int64_t began = childrens_cpu();
        OK(dump_custom(&d, db, NULL, enough, &n, &err));
        int64_t whole = childrens_cpu() - began;
        began = childrens_cpu();
        cr_assert_not(dump_custom(&d, db, NULL, full, &never, &err));
        int64_t cut = childrens_cpu() - began;
        cr_assert_lt(cut, whole / 2, "%lld of %lld ms", (long long)cut, (long long)whole);
        cr_assert(strstr(err.message, "no space left"), "%s", err.message);
        cr_assert_lt(never, n);
        lab_drop(17, db);
}

/* ---- somebody changes tables meanwhile ---- */

typedef struct Meddler {
        Pg *pg;
        const char *when; /* how the words begin at which it meddles */
        char state[6];    /* what the server answered */
        char *waited;
} Meddler;

static void meddle(void *arg, const char *text)
{
        Meddler *m = arg;
        AUTO_ERR err = { 0 };
        if (str_starts(text, "waiting to read ")) {
                free(m->waited);
                m->waited = xstrdup(text);
        }
        if (!m->when || !str_starts(text, m->when))
                return;
        m->when = NULL;
        if (pg_do(m->pg, "set lock_timeout = 200; truncate public.t", &err))
                memcpy(m->state, "00000", 6);
        else
                memcpy(m->state, err.sqlstate, 6);
}

static int64_t rows_of(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        AUTO_FREE char *n = lab_value(pg, "select count(*) from public.t");
        return atoll(n);
}

static char *made_with_rows(int major, const char *word)
{
        char *db = lab_database(major, word);
        AUTO_PG Pg *pg = lab_open(major, db);
        lab_do(pg, "create table public.t as select g from generate_series(1, 1000) g; "
                   "create table public.\"odd ; \"\"name\" (i int); "
                   "create table public.root (i int) partition by list (i); "
                   "create table public.leaf partition of public.root for values in (1)");
        return db;
}

/* An older snapshot sees a truncated table empty: it must not happen once the snapshot is there. */
Test(held, a_table_is_not_truncated_while_it_is_copied)
{
        static const int majors[] = { 13, 18 };
        for (size_t i = 0; i < LEN(majors); i++) {
                AUTO_ERR err = { 0 };
                AUTO_FREE char *db = made_with_rows(majors[i], "held");
                Meddler m = { .pg = lab_open(majors[i], db), .when = "schema by " };
                AUTO_TRANSFER t =
                        transfer_new(&(TransferHooks){ .jobs = 2, .say = meddle, .arg = &m });
                AUTO_FREE char *into = kit_temporary(18);
                OK(kit_carry(majors[i], db, 18, into, t, &err));
                cr_assert_str_eq(m.state, "55P03", "%d: %s", majors[i], m.state);
                cr_assert_eq(rows_of(18, into), 1000);
                lab_do(m.pg, "truncate public.t"); /* now nobody minds */
                m.pg = pg_close(m.pg);
                kit_drop(18, into);
                lab_drop(majors[i], db);
        }
}

static void *give_up_soon(void *arg)
{
        usleep(1500000);
        lab_do(arg, "rollback");
        return NULL;
}

Test(held, who_has_a_table_to_himself_is_named_and_waited_for)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = made_with_rows(15, "wait");
        Meddler m = { .pg = lab_open(15, db) };
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .jobs = 2, .say = meddle, .arg = &m });
        AUTO_FREE char *into = kit_temporary(17);
        pthread_t thread;
        lab_do(m.pg, "begin; truncate public.t");
        AUTO_FREE char *pid = xasprintf("public.t, which pid %d (role ", pg_backend_pid(m.pg));
        cr_assert_eq(pthread_create(&thread, NULL, give_up_soon, m.pg), 0);
        OK(kit_carry(15, db, 17, into, t, &err));
        pthread_join(thread, NULL);
        cr_assert(m.waited && strstr(m.waited, pid), "%s",
                  m.waited ? m.waited : "nothing was said");
        cr_assert_eq(rows_of(17, into), 1000);
        free(m.waited);
        m.pg = pg_close(m.pg);
        kit_drop(17, into);
        lab_drop(15, db);
}

static void about_templates(void *arg, const char *text)
{
        if (strstr(text, "the source is a template database"))
                ++*(int *)arg;
}

Test(work, what_a_template_is_is_said_and_not_made)
{
        AUTO_ERR err = { 0 };
        int said = 0;
        AUTO_FREE char *db = lab_database(13, "template");
        AUTO_FREE char *on = xasprintf("alter database %s is_template true", db);
        AUTO_FREE char *off = xasprintf("alter database %s is_template false", db);
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .say = about_templates, .arg = &said });
        AUTO_FREE char *into = kit_temporary(17);
        AUTO_PG Pg *pg = lab_open(13, NULL);
        lab_do(pg, on);
        bool ok = kit_carry(13, db, 17, into, t, &err);
        lab_do(pg, off);
        cr_assert(ok, "%s", err.message);
        cr_assert_eq(said, 1);
        kit_drop(17, into);
        lab_drop(13, db);
}

typedef struct Crowd {
        atomic_int most;
} Crowd;

static void crowd(void *arg, const Progress *p)
{
        Crowd *c = arg;
        c->most = MAX(c->most, (int)p->n_rows);
}

static void *raise_soon(void *arg)
{
        usleep(100000);
        transfer_set_jobs(arg, 4);
        return NULL;
}

Test(work, gets_more_workers_while_it_runs)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *db = lab_database(13, "more");
        {
                AUTO_PG Pg *pg = lab_open(13, db);
                lab_do(pg, "do $$ begin for n in 1..8 loop execute format('create table public.t%s "
                           "as select g, md5(g::text) as a, md5((g * 3)::text) as b from "
                           "generate_series(1, 50000) g', n); end loop; end $$");
        }
        Crowd c = { 0 };
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .jobs = 1, .progress = crowd, .arg = &c });
        AUTO_FREE char *into = kit_temporary(17);
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, raise_soon, t), 0);
        OK(kit_carry(13, db, 17, into, t, &err));
        pthread_join(thread, NULL);
        cr_assert_gt(c.most, 1);
        cr_assert_leq(c.most, 4);
        kit_drop(17, into);
        lab_drop(13, db);
}
