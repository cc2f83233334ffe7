/* The proof must find what is planted, and be quiet where nothing is. */
#include <stdio.h>

#include "proof.h"
#include "sample.h"
#include "transfer/reprinter.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 15, 17, 18, 0 });
}

static json_t *compare(int from, const char *a, int to, const char *b)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *source = lab_open(from, a);
        AUTO_PG Pg *target = lab_open(to, b);
        json_t *report = NULL;
        cr_assert(proof(source, target, &(CompareOptions){ 0 }, &report, &err), "%s", err.message);
        return report;
}

static void is_equal(const json_t *report)
{
        if (getenv("PGSHERPA_TEST_SHOW")) /* what the rules excused, to be read */
                json_dumpf(jx_get(report, "normalised"), stderr, JSON_INDENT(1));
        AUTO_FREE char *text = json_dumps(jx_get(report, "differences"), JSON_INDENT(1));
        cr_assert(jx_bool(report, "equal", false), "%s", text);
        cr_assert_eq(jx_int(report, "tables_compared", 0), 37);
        cr_assert_gt(jx_int(report, "rows", 0), 25000);
}

/* The sample in `from`, and a copy of it by pg_dump in `to`, with what -C would have added. */
static void make_pair(int from, const char *a, int to, const char *b)
{
        sample_load(from, a);
        sample_roles(to);
        lab_clone(from, a, to, b);
        AUTO_PG Pg *pg = lab_open(to, b);
        AUTO_FREE char *settings =
                xasprintf("alter database \"%s\" set timezone = 'Europe/Berlin'; "
                          "alter role api_worker in database \"%s\" set statement_timeout = '30s'; "
                          "revoke connect on database \"%s\" from public; "
                          "grant connect, temporary on database \"%s\" to api_worker",
                          b, b, b, b);
        lab_do(pg, settings);
}

static void quiet(int from, int to)
{
        AUTO_FREE char *a = lab_database(from, "cmp_a");
        AUTO_FREE char *b = lab_database(to, "cmp_b");
        make_pair(from, a, to, b);
        AUTO_JSON report = compare(from, a, to, b);
        is_equal(report);
        lab_drop(from, a);
        lab_drop(to, b);
}

Test(compare, is_quiet_from_13_to_17)
{
        quiet(13, 17);
}

Test(compare, is_quiet_from_13_to_18)
{
        quiet(13, 18);
}

Test(compare, is_quiet_from_15_to_18)
{
        quiet(15, 18);
}

/* Downwards: the same statements run on both sides, so no pg_dump stands between them. */
Test(compare, is_quiet_downwards)
{
        AUTO_FREE char *a = lab_database(18, "down_a");
        AUTO_FREE char *b = lab_database(15, "down_b");
        sample_load(18, a);
        sample_load(15, b);
        AUTO_JSON report = compare(18, a, 15, b);
        is_equal(report);
        lab_drop(18, a);
        lab_drop(15, b);
}

typedef struct Plant {
        const char *how, *back;           /* on the target */
        const char *kind, *object, *what; /* what must be found */
} Plant;

static const Plant plants[] = {
        { "delete from app.job_runs where id = 300",
          "insert into app.job_runs values (300, 'nightly', 'run 300', "
          "timestamptz '2025-01-01 03:00+00' + interval '300 days')",
          "table", "app.job_runs", "rows" },
        { "update app.settings set options = options || '{\"theme\": \"light\"}' where by = 3",
          "update app.settings set options = options || '{\"theme\": \"dark\"}' where by = 3",
          "table", "app.settings", "content" },
        { "update app.type_zoo set i = '24 hours' where id = 2",
          "update app.type_zoo set i = null where id = 2", "table", "app.type_zoo", "content" },
        { "update app.type_zoo set d = '0' where id = 3", /* it is -0 */
          "update app.type_zoo set d = '-0' where id = 3", "table", "app.type_zoo", "content" },
        { "update app.type_zoo set any_num = 0.000000000000000000010 where id = 1",
          "update app.type_zoo set any_num = 1e-20 where id = 1", "table", "app.type_zoo",
          "content" },
        { "update app.users set name = 'user1 ' where id = 1",
          "update app.users set name = 'user1' where id = 1", "table", "app.users", "content" },
        { "select setval('app.posts_id_seq', 4999, true)",
          "select setval('app.posts_id_seq', 5000, true)", "sequence", "app.posts_id_seq",
          "last_value" },
        { "select setval('app.tags_id_seq', 12, true)",
          "select setval('app.tags_id_seq', 12, false)", "sequence", "app.tags_id_seq",
          "is_called" },
        { "alter function app.slug(text) owner to api_worker",
          "alter function app.slug(text) owner to postgres", "function",
          "app.slug(pg_catalog.text)", "owner" },
        { "drop extension pgcrypto", "create extension pgcrypto schema public", "extension",
          "pgcrypto", "missing" },
        { "drop index app.posts_public",
          "create index posts_public on app.posts (author, id desc) where visibility = 'public'",
          "index", "app.posts_public", "missing" },
        { "revoke select on app.users from api_worker", "grant select on app.users to api_worker",
          "table", "app.users", "acl" },
        { "revoke select (id) on app.api_keys from api_worker",
          "grant select (id) on app.api_keys to api_worker", "column", "app.api_keys.id", "acl" },
        { "alter default privileges in schema app revoke delete on tables from api_worker",
          "alter default privileges in schema app grant delete on tables to api_worker",
          "default privileges", "postgres in app on tables", "acl" },
        { "alter table app.users enable trigger users_touch",
          "alter table app.users disable trigger users_touch", "trigger", "app.users.users_touch",
          "enabled" },
        { "alter table app.comments alter post drop not null",
          "alter table app.comments alter post set not null", "column", "app.comments.post",
          "notnull" },
        { "alter table app.reports alter state set default 'new'",
          "alter table app.reports alter state set default 'open'", "column", "app.reports.state",
          "default" },
        { "alter table app.reports validate constraint state_known",
          "alter table app.reports drop constraint state_known; alter table app.reports add "
          "constraint state_known check (state in ('open', 'closed')) not valid",
          "constraint", "app.reports.state_known", "validated" },
        { "alter table app.posts alter body set storage extended",
          "alter table app.posts alter body set storage external", "column", "app.posts.body",
          "storage" },
        { "alter policy own_sessions on app.sessions using (expires > '2021-01-01 00:00+00')",
          "alter policy own_sessions on app.sessions using (expires > '2020-01-01 00:00+00')",
          "policy", "app.sessions.own_sessions", "using" },
        { "comment on table app.users is 'people'",
          "comment on table app.users is E'people; it''s all about them\nsecond line'", "comment",
          "table app.users", "text" },
        { "alter function app.slug(text) cost 7", "alter function app.slug(text) cost 100",
          "function", "app.slug(pg_catalog.text)", "cost" },
        { "alter type app.visibility add value 'friends'", NULL, "type", "app.visibility",
          "labels" },
        { "refresh materialized view app.post_counts with no data",
          "refresh materialized view app.post_counts", "table", "app.post_counts", "populated" },
        { "select lo_put(90002, 100, '\\x00')", NULL, "large objects", "all", "content" },
        { "drop publication makapix_posts",
          "create publication makapix_posts for table app.posts, app.users", "publication",
          "makapix_posts", "missing" },
        { "drop table \"Odd Names\".\"line\nbreak; drop schema app cascade; --\"", NULL, "table",
          "\"Odd Names\".\"line\nbreak; drop schema app cascade; --\"", "missing" },
};

static bool found(const json_t *report, const Plant *p)
{
        size_t i;
        json_t *d;
        json_array_foreach(jx_get(report, "differences"), i, d)
                if (str_eq(jx_str(d, "kind", ""), p->kind) &&
                    str_eq(jx_str(d, "what", ""), p->what)) {
                        if (str_eq(jx_str(d, "object", ""), p->object))
                                return true;
                        fprintf(stderr, "near: %s\n", jx_str(d, "object", ""));
                }
        return false;
}

Test(compare, finds_every_planted_difference_and_nothing_else, .timeout = 200)
{
        AUTO_FREE char *a = lab_database(17, "plant_a");
        AUTO_FREE char *b = lab_database(18, "plant_b");
        make_pair(17, a, 18, b);
        int64_t expected = 0;
        for (size_t i = 0; i < LEN(plants); i++) {
                AUTO_PG Pg *pg = lab_open(18, b);
                lab_do(pg, "set timezone = 'UTC'; set search_path = public");
                lab_do(pg, plants[i].how);
                AUTO_JSON report = compare(17, a, 18, b);
                AUTO_FREE char *text = json_dumps(jx_get(report, "differences"), JSON_INDENT(1));
                cr_expect(found(report, &plants[i]), "not found: %s\n%s", plants[i].how, text);
                cr_expect(jx_int(report, "differences_total", 0) > expected);
                cr_expect_not(jx_bool(report, "equal", true));
                if (plants[i].back) {
                        lab_do(pg, plants[i].back);
                        AUTO_JSON again = compare(17, a, 18, b);
                        AUTO_FREE char *left =
                                json_dumps(jx_get(again, "differences"), JSON_INDENT(1));
                        cr_expect_eq(jx_int(again, "differences_total", 0), expected,
                                     "after taking back %s: %s", plants[i].how, left);
                } else {
                        expected = jx_int(report, "differences_total", 0);
                }
        }
        lab_drop(17, a);
        lab_drop(18, b);
}

Test(compare, against_an_inventory_made_before_is_the_same_comparison)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *a = lab_database(13, "inv_a");
        AUTO_FREE char *b = lab_database(15, "inv_b");
        make_pair(13, a, 15, b);
        AUTO_PG Pg *source = lab_open(13, a);
        AUTO_PG Pg *target = lab_open(15, b);
        AUTO_JSON inventory = NULL;
        json_t *report = NULL;
        InventoryOptions o = { .objects = true,
                               .migrations = true,
                               .data = { .exact = true, .method = "server" } };
        cr_assert(pg_inventory(source, &o, &inventory, &err), "%s", err.message);
        cr_assert_eq(json_integer_value(jx_get(jx_get(inventory, "counts"), "table")), 38);
        cr_assert(pg_compare_with(inventory, target, &(CompareOptions){ 0 }, &report, &err), "%s",
                  err.message);
        is_equal(report);
        cr_assert_str_eq(jx_str(report, "revision", ""), "3f9c1a7be204");
        json_decref(report);
        lab_drop(13, a);
        lab_drop(15, b);
}

/* 18 computes another word than 17 did, and the source is not asked again: what the target has is
 * what its expression gives, or it is a difference. */
Test(compare, computes_generated_columns_again_where_only_an_inventory_is_left)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *a = lab_database(17, "computed_a");
        AUTO_FREE char *b = lab_database(18, "computed_b");
        AUTO_JSON inventory = NULL;
        InventoryOptions o = { .objects = true, .data = { .exact = true, .method = "server" } };
        AUTO_PG Pg *source = lab_open(17, a);
        lab_do(source, "create table public.d (t text, v tsvector generated always as "
                       "(to_tsvector('german', t)) stored); insert into public.d values "
                       "('Bildhauerin'), ('Haus')");
        lab_clone(17, a, 18, b);
        cr_assert(pg_inventory(source, &o, &inventory, &err), "%s", err.message);
        AUTO_PG Pg *target = lab_open(18, b);
        for (int changed = 0; changed < 2; changed++) {
                json_t *report = NULL;
                if (changed)
                        lab_do(target, "update pg_attribute set attgenerated = '' where attrelid = "
                                       "'public.d'::regclass and attname = 'v'; update public.d "
                                       "set v = 'x' where t = 'Haus'; update pg_attribute set "
                                       "attgenerated = 's' where attrelid = 'public.d'::regclass "
                                       "and attname = 'v'");
                cr_assert(pg_compare_with(inventory, target, &(CompareOptions){ 0 }, &report, &err),
                          "%s", err.message);
                cr_expect_eq(jx_bool(report, "equal", changed), !changed);
                const json_t *told = json_array_get(jx_get(report, "recomputed"), 0);
                cr_expect(changed ? !told : json_is_null(jx_get(told, "rows")));
                json_decref(report);
        }
        source = pg_close(source);
        target = pg_close(target);
        lab_drop(17, a);
        lab_drop(18, b);
}

/* Every text that 15 prints otherwise than 18 does; the source is gone when it is looked at. */
Test(compare, asks_the_target_about_the_texts_of_an_inventory_too)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *a = lab_database(15, "kept_a");
        AUTO_FREE char *b = lab_database(18, "kept_b");
        AUTO_PG Pg *source = lab_open(15, a);
        PgParams old, new;
        json_t *schema = NULL;
        AUTO_JSON inventory = NULL;
        InventoryOptions o = { .objects = true, .data = { .exact = true, .method = "server" } };
        lab_do(source, "create table public.t (id int primary key, e varchar(20) check (e in ('a', "
                       "'b'))); create view public.v as select a.e from public.t a, public.t b "
                       "where a.id > 5 and b.id < 9; create extension postgres_fdw; create server "
                       "far foreign data wrapper postgres_fdw options (host 'x', sslcert 'hush'); "
                       "create user mapping for current_user server far options (password 'hush')");
        lab_clone(15, a, 18, b);
        cr_assert(lab_params(15, a, &old) && lab_params(18, b, &new));
        cr_assert(pg_inventory(source, &o, &inventory, &err), "%s", err.message);
        cr_assert(reprinting_schema(&old, NULL, NULL, &schema, &err), "%s", err.message);
        source = pg_close(source);
        lab_drop(15, a);
        AUTO_FREE char *kept = json_dumps(schema, 0);
        cr_expect_null(strstr(kept, "password 'hush'"), "a password is kept in a file");
        AUTO_PG Pg *target = lab_open(18, b);
        for (int changed = 0; changed < 2; changed++) {
                json_t *report = NULL;
                ReprintPlan plan = { .schema = schema, .target = &new };
                AUTO_REPRINTING r = reprinting_new(&plan);
                if (changed)
                        lab_do(target, "create or replace view public.v as select a.e from "
                                       "public.t a, public.t b where b.id > 5 and a.id < 9");
                cr_assert(pg_compare_with(inventory, target,
                                          &(CompareOptions){ .reprinter = reprinting_of(r) },
                                          &report, &err),
                          "%s", err.message);
                AUTO_FREE char *text = json_dumps(report, JSON_INDENT(1));
                cr_expect_eq(jx_int(report, "differences_total", -1), changed, "%s", text);
                cr_expect(strstr(text, "\"reprinted\""), "%s", text);
                json_decref(report);
        }
        json_decref(schema);
        target = pg_close(target);
        lab_drop(18, b);
}

/* A number of tables helps nobody who wants to know which. */
Test(compare, names_the_tables_of_which_it_only_counted_the_rows)
{
        AUTO_FREE char *a = lab_database(13, "count_a");
        AUTO_FREE char *b = lab_database(17, "count_b");
        const char *make = "create table public.\"no columns; drop\" (); insert into public.\"no "
                           "columns; drop\" default values; create table public.t (a int)";
        AUTO_PG Pg *source = lab_open(13, a);
        AUTO_PG Pg *target = lab_open(17, b);
        lab_do(source, make);
        lab_do(target, make);
        AUTO_JSON report = compare(13, a, 17, b);
        const char *limits = json_string_value(json_array_get(jx_get(report, "limits"), 0));
        cr_assert(limits);
        cr_expect(strstr(limits, "only counted: public.\"no columns; drop\""), "%s", limits);
        cr_expect_null(strstr(limits, "public.t"), "%s", limits);
        source = pg_close(source);
        target = pg_close(target);
        lab_drop(13, a);
        lab_drop(17, b);
}

static int64_t scratches(Pg *pg)
{
        AUTO_FREE char *n = lab_value(
                pg, "select count(*) from pg_database where datname ~ '^pgsherpa_reprint_1_'");
        return atoll(n);
}

/* A role that may read and not make databases: said, and the text is told as different. What a
 * process that died left is dropped by the next, and nothing else. */
Test(compare, says_when_the_target_could_not_be_asked_and_leaves_nothing_there)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *a = lab_database(15, "asked_a");
        AUTO_FREE char *b = lab_database(17, "asked_b");
        AUTO_FREE char *role = xasprintf("%s_reader", b);
        AUTO_FREE char *make = xasprintf("create role \"%s\" login password 'reader'; grant select "
                                         "on all tables in schema public to \"%s\"",
                                         role, role);
        AUTO_FREE char *drop = xasprintf("drop owned by \"%s\"; drop role \"%s\"", role, role);
        AUTO_PG Pg *source = lab_open(15, a);
        AUTO_PG Pg *admin = lab_open(17, b);
        lab_do(source,
               "create table public.t (id int primary key, e varchar(20) check (e in ('a', 'b')))");
        lab_clone(15, a, 17, b);
        /* of a backend that is gone; of one that lives; somebody's with such a name */
        lab_do(admin, "create database pgsherpa_reprint_1_1");
        lab_do(admin, "comment on database pgsherpa_reprint_1_1 is 'pgsherpa reprints here: "
                      "backend 1 since then'");
        lab_do(admin, "create database pgsherpa_reprint_1_3");
        lab_do(admin, "comment on database pgsherpa_reprint_1_3 is 'mine'");
        json_t *report = NULL;
        cr_assert(proof(source, admin, &(CompareOptions){ 0 }, &report, &err), "%s", err.message);
        cr_expect(jx_bool(report, "equal", false));
        json_decref(report);
        cr_expect_eq(scratches(admin), 1, "only somebody's own is left"); /* of backend 1 */
        lab_do(admin, "drop database pgsherpa_reprint_1_3");
        lab_do(admin, make);
        PgParams from, to;
        cr_assert(lab_params(15, a, &from) && lab_params(17, b, &to));
        char word[] = "reader";
        to.user = role;
        to.password = secret_take("reader", word, sizeof word - 1);
        AUTO_PG Pg *target = NULL;
        cr_assert(pg_open(&to, &target, &err), "%s", err.message);
        ReprintPlan plan = { .source = &from, .target = &to };
        AUTO_REPRINTING r = reprinting_new(&plan);
        CompareOptions o = { .reprinter = reprinting_of(r) };
        cr_expect(pg_compare(source, target, &o, &report, &err), "%s", err.message);
        AUTO_FREE char *text = json_dumps(report, JSON_INDENT(1));
        cr_expect(strstr(text, "t_e_check") && strstr(text, "permission denied to create database"),
                  "%s", text);
        json_decref(report);
        target = pg_close(target);
        r = reprinting_free(r);
        lab_do(admin, drop);
        secret_free((Secret *)to.password);
        source = pg_close(source);
        admin = pg_close(admin);
        lab_drop(15, a);
        lab_drop(17, b);
}

/* Two ways to hash, twice the same verdict; a server encoding that differs is no
 * difference when the characters are the same. */
Test(compare, reads_the_same_rows_by_every_method)
{
        static const char *const methods[] = { "server", "stream" };
        AUTO_ERR err = { 0 };
        AUTO_FREE char *a = lab_database(15, "how_a");
        AUTO_FREE char *b = lab_database(18, "how_b");
        make_pair(15, a, 18, b);
        for (size_t i = 0; i < LEN(methods); i++) {
                AUTO_PG Pg *source = lab_open(15, a);
                AUTO_PG Pg *target = lab_open(18, b);
                json_t *report = NULL;
                CompareOptions o = { .method = methods[i] };
                cr_assert(proof(source, target, &o, &report, &err), "%s", err.message);
                is_equal(report);
                lab_do(target, "update app.users set password = 'x' where id = 7");
                json_decref(report);
                cr_assert(proof(source, target, &o, &report, &err), "%s", err.message);
                cr_assert_eq(jx_int(report, "differences_total", 0), 1, "%s", methods[i]);
                json_decref(report);
                AUTO_FREE char *password =
                        lab_value(source, "select password from app.users where id = 7");
                AUTO_FREE char *back =
                        xasprintf("update app.users set password = '%s' where id = 7", password);
                lab_do(target, back);
        }
        lab_drop(15, a);
        lab_drop(18, b);
}

/* An enum hashes by its OID, so the same rows lie in other leaves: only the root can be
 * compared. */
Test(compare, reads_hash_partitions_of_an_enum_from_their_root)
{
        static const char sql[] =
                "create type public.color as enum ('red', 'green', 'blue', 'grey', 'black'); "
                "create table public.h (c public.color, n int) partition by hash (c); create table "
                "public.h0 partition of public.h for values with (modulus 2, remainder 0); create "
                "table public.h1 partition of public.h for values with (modulus 2, remainder 1); "
                "insert into public.h select ('{red,green,blue,grey,black}'::public.color[])[1 + g "
                "% 5], g from generate_series(1, 500) g";
        AUTO_FREE char *a = lab_database(17, "hash_a");
        AUTO_FREE char *b = lab_database(18, "hash_b");
        AUTO_PG Pg *source = lab_open(17, a);
        AUTO_PG Pg *target = lab_open(18, b);
        lab_do(source, "create type public.other as enum ('x', 'y', 'z')"); /* shifts OIDs */
        lab_do(source, sql);
        lab_do(source, "drop type public.other");
        lab_do(target, sql);
        AUTO_JSON report = compare(17, a, 18, b);
        AUTO_FREE char *text = json_dumps(jx_get(report, "differences"), JSON_INDENT(1));
        cr_assert(jx_bool(report, "equal", false), "%s", text);
        cr_assert_eq(jx_int(report, "tables_compared", 0), 1);
        cr_assert_eq(jx_int(report, "rows", 0), 500);
        lab_do(target, "update public.h set n = -1 where n = 77");
        AUTO_JSON again = compare(17, a, 18, b);
        cr_assert_eq(jx_int(again, "differences_total", 0), 1);
        source = pg_close(source);
        target = pg_close(target);
        lab_drop(17, a);
        lab_drop(18, b);
}

static char *latin1(void)
{
        AUTO_PG Pg *pg = lab_open(13, NULL);
        char *name = lab_database(13, "latin1");
        AUTO_FREE char *sql = xasprintf("create database \"%s\" template template0 encoding "
                                        "'LATIN1' lc_collate 'C' lc_ctype 'C'",
                                        name);
        AUTO_FREE char *drop = xasprintf("drop database \"%s\"", name);
        lab_do(pg, drop);
        lab_do(pg, sql);
        return name;
}

Test(compare, sees_the_same_characters_in_two_encodings)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *a = latin1();
        AUTO_FREE char *b = lab_database(17, "utf8");
        AUTO_PG Pg *source = lab_open(13, a);
        AUTO_PG Pg *target = lab_open(17, b);
        AUTO_JSON ignore =
                json_pack("[s, s, s]", "database.encoding", "database.collate", "database.ctype");
        CompareOptions o = { .ignore = ignore };
        json_t *report = NULL;
        lab_do(source, "create table public.\"größe\" (t text); insert into public.\"größe\" "
                       "values ('naïve'), ('café'), (null), (E'tab\\t')");
        lab_do(target, "create table public.\"größe\" (t text); insert into public.\"größe\" "
                       "values ('café'), (null), (E'tab\\t'), ('naïve')");
        cr_assert(proof(source, target, &o, &report, &err), "%s", err.message);
        AUTO_FREE char *text = json_dumps(jx_get(report, "differences"), JSON_INDENT(1));
        cr_assert(jx_bool(report, "equal", false), "%s", text);
        cr_assert_str_eq(jx_str(report, "method", ""), "stream");
        json_decref(report);
        lab_do(target, "update public.\"größe\" set t = 'cafe' where t = 'café'");
        cr_assert(proof(source, target, &o, &report, &err), "%s", err.message);
        cr_assert_eq(jx_int(report, "differences_total", 0), 1);
        json_decref(report);
        source = pg_close(source);
        target = pg_close(target);
        lab_drop(13, a);
        lab_drop(17, b);
}
