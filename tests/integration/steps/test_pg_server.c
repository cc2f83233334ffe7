/* test_pg_server.c: what a server holds, is asked, and gets anew. */
#include "pg_step.h"

Test(pg_inventory, tells_what_the_case_needs_and_compare_holds_against_it, .timeout = 100)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "inv");
        sample_load(17, name);
        FakeStep f = pg_step(&step_pg_inventory, 17, name,
                             "{\"digest\": \"all\", \"per\": [\"table\", \"index\"]}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "tables", 0), 38);
        cr_assert_str_eq(jx_str(f.results, "alembic", ""), "3f9c1a7be204");
        cr_assert_str_eq(jx_str(f.results, "collate", ""), "C.UTF-8");
        cr_assert_eq(jx_int(f.results, "prepared_xacts", -1), 0);
        cr_assert_eq(json_array_size(jx_get(f.results, "extensions")), 3);
        cr_assert_eq(json_array_size(jx_get(f.results, "largest")), 10);
        FakeStep c = pg_step(&step_pg_compare, 17, name, "{\"against_inventory\": \"%s\"}",
                             jx_str(f.results, "ref", ""));
        MUST(fake_run(&c, &err), err);
        cr_assert(jx_bool(c.results, "equal", false), "%s", c.report);
        cr_assert_eq(jx_int(c.results, "tables", 0), 38);
        cr_assert_str_eq(jx_str(c.results, "alembic", ""), "3f9c1a7be204");
        fake_step_done(&c);
        fake_step_done(&f);
        f = pg_step(&step_pg_analyze, 17, name, "{\"jobs\": 3}");
        MUST(fake_run(&f, &err), err);
        AUTO_PG Pg *pg = lab_open(17, name);
        AUTO_FREE char *left =
                lab_value(pg, "select count(*) from pg_class c where relkind in "
                              "('r', 'p') and relnamespace = 'audit'::regnamespace and "
                              "not exists (select from pg_statistic s where "
                              "s.starelid = c.oid) and reltuples > 0");
        cr_assert_str_eq(left, "0");
        pg = pg_close(pg);
        fake_step_done(&f);
        lab_drop(17, name);
}

Test(pg_ready, waits_and_says_what_answered)
{
        AUTO_ERR err = { 0 };
        FakeStep f = pg_step(&step_pg_ready, 17, NULL, "{\"within\": 2000}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "major", 0), 17);
        fake_step_done(&f);
        f = pg_step(&step_pg_ready, 17, NULL, "{\"within\": 700}");
        fake_target(&f, "on",
                    json_pack("{s:s, s:{s:s, s:i}}", "kind", "postgres", "via", "host", "127.0.0.1",
                              "port", 1));
        fake_on(&f, "on");
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_LINK);
        fake_step_done(&f);
}

Test(pg_check, holds_the_answer_against_what_is_expected)
{
        AUTO_ERR err = { 0 };
        FakeStep f = pg_step(&step_pg_check, 17, NULL,
                             "{\"sql\": \"select 6 * 7\", \"equals\": \"42\"}");
        MUST(fake_run(&f, &err), err);
        fake_step_done(&f);
        f = pg_step(&step_pg_check, 17, NULL, "{\"sql\": \"select 6 * 7\", \"equals\": \"41\"}");
        cr_assert_not(fake_run(&f, &err));
        err_clear(&err);
        fake_step_done(&f);
        f = pg_step(&step_pg_check, 17, NULL, "{\"sql\": \"create table x (a int)\"}");
        cr_assert_not(fake_run(&f, &err), "a check wrote");
        cr_assert_str_eq(err.sqlstate, "25006");
        fake_step_done(&f);
}

static bool drifted(const char *database)
{
        AUTO_ERR err = { 0 };
        FakeStep f = pg_step(&step_pg_collation, 17, database, "{}");
        MUST(fake_run(&f, &err), err);
        bool is = jx_bool(f.results, "drifted", false);
        cr_assert_gt(json_array_size(jx_get(f.results, "advice")), 0);
        fake_step_done(&f);
        return is;
}

Test(pg_collation, is_rebuilt_first_and_written_down_after)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(17, "coll");
        AUTO_PG Pg *pg = lab_open(17, name);
        lab_do(pg, "create collation public.\"de \"\" x\" (provider = icu, locale = 'de'); create "
                   "table public.t (a text collate public.\"de \"\" x\"); create index \"i \"\" "
                   "x\" on public.t (a); create index plain on public.t ((length(a)))");
        cr_assert_not(drifted(name));
        lab_do(pg, "update pg_collation set collversion = '1' where collname ~ '^de \"'");
        cr_assert(drifted(name));
        FakeStep f = pg_step(&step_pg_reindex, 17, name, "{}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "indexes", 0), 1);
        fake_step_done(&f);
        f = pg_step(&step_pg_collation_refresh, 17, name, "{}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(json_array_size(jx_get(f.results, "statements")), 1);
        fake_step_done(&f);
        cr_assert_not(drifted(name));
        pg = pg_close(pg);
        lab_drop(17, name);
}

/* Words of 17 on 18, as a copy leaves them: "bildhauerin" is 'bildhau' there. */
Test(pg_textsearch, words_are_made_anew_and_no_other_trigger_fires)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *name = lab_database(18, "words");
        AUTO_PG Pg *pg = lab_open(18, name);
        lab_do(pg, "set search_path = public; create table \"t; drop\" (id int, \"a b\" text, v "
                   "tsvector, w tsvector, at int default 0); create table parts (a text, v "
                   "tsvector) partition by list (a); create table part partition of parts default; "
                   "create function touch() returns trigger language plpgsql as 'begin new.at = "
                   "new.at + 1; return new; end'; insert into \"t; drop\" select g, 'Bildhauerin', "
                   "'bildhauerin', 'bildhauerin' from generate_series(1, 5) g; insert into parts "
                   "values ('Bildhauerin', 'bildhauerin'); create trigger \"words; x\" before "
                   "insert or update on \"t; drop\" for each row execute function "
                   "tsvector_update_trigger(v, 'pg_catalog.german', 'a b'); create trigger off "
                   "before update on \"t; drop\" for each row execute function "
                   "tsvector_update_trigger(w, 'pg_catalog.german', 'a b'); alter table \"t; "
                   "drop\" disable trigger off; create trigger touched before update on \"t; "
                   "drop\" for each row execute function touch(); create trigger p before update "
                   "on parts for each row execute function tsvector_update_trigger(v, "
                   "'pg_catalog.german', a); create table danish (a text, v tsvector); create "
                   "trigger d before update on danish for each row execute function "
                   "tsvector_update_trigger(v, 'pg_catalog.danish', a); insert into danish values "
                   "('x', 'y')");
        FakeStep f = pg_step(&step_pg_textsearch_update, 18, name, "{\"from\": 17}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "columns", 0), 2);
        cr_assert_eq(jx_int(f.results, "rows", 0), 6);
        fake_step_done(&f);
        AUTO_FREE char *words = lab_value(pg, "select string_agg(distinct concat_ws(' ', v, w, "
                                              "at), ';') from public.\"t; drop\"");
        cr_assert_str_eq(words, "'bildhau':1 'bildhauerin' 0");
        AUTO_FREE char *parts = lab_value(pg, "select string_agg(v::text, '') from public.parts");
        cr_assert_str_eq(parts, "'bildhau':1");
        AUTO_FREE char *danish = lab_value(pg, "select v::text from public.danish");
        cr_assert_str_eq(danish, "'y'");
        AUTO_FREE char *fires = lab_value(pg, "select string_agg(tgenabled::text, '' order by "
                                              "tgname) from pg_trigger where tgrelid = "
                                              "'public.\"t; drop\"'::regclass");
        cr_assert_str_eq(fires, "DOO");
        f = pg_step(&step_pg_textsearch_update, 18, name, "{\"from\": 18}");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "columns", -1), 0);
        fake_step_done(&f);
        pg = pg_close(pg);
        lab_drop(18, name);
}

Test(pg_collisions, are_names_of_two_sources_or_of_the_server)
{
        AUTO_ERR err = { 0 };
        FakeStep f = pg_step(&step_pg_collisions, 17, NULL,
                             "{\"sets\": [[\"a\", \"b\", \"b\"], [\"b\", \"c\"], "
                             "[\"postgres\", \"x\"], [\"x\"]], \"ignore\": [\"x\"]}");
        MUST(fake_run(&f, &err), err);
        AUTO_FREE char *text = json_dumps(jx_get(f.results, "collisions"), JSON_COMPACT);
        cr_assert_str_eq(text, "[\"b\",\"postgres\"]");
        fake_step_done(&f);
}
