/* A database that lands: what is remembered, and when; who is dropped, and who never. */
#include "kit.h"

#include <stdio.h>
#include <unistd.h>

#include "pg/database.h"
#include "transfer/landing.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 18, 0 });
}

/* A memory as a journal keeps it: what comes is merged. */
static bool keep(void *arg, json_t *memory, Err *err)
{
        json_object_update(arg, memory);
        json_decref(memory);
        return true;
}

static bool refuse(void *arg, json_t *memory, Err *err)
{
        json_decref(memory);
        return err_set(err, ERR_SYSTEM, "the disk is full");
}

static const char *run(void)
{
        static char text[32];
        snprintf(text, sizeof text, "test_%d", (int)getpid());
        return text;
}

static bool give_up(void *arg)
{
        return false;
}

static void make(Pg *pg, const Landing *l, int64_t *ret)
{
        AUTO_ERR err = { 0 };
        AUTO_SQL q = { 0 };
        sql_add(&q, "create database ");
        sql_ident(&q, l->temporary);
        OK(pg_exec(pg, &q, &err));
        OK(landing_there(l, pg, ret, &err));
        cr_assert_neq(*ret, 0);
}

static bool is_there(Pg *pg, const char *name)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON there = NULL;
        OK(pg_database_describe(pg, name, &there, &err));
        return there != NULL;
}

Test(landing, is_remembered_before_it_is_made_and_found_again_by_that)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(18, NULL);
        AUTO_JSON memory = json_object();
        PgParams p;
        int64_t oid = 0, found = 1;
        bool dropped = false;
        cr_assert(lab_params(18, NULL, &p));
        AUTO_LANDING l = {
                .target = &p, .marker = xstrdup("mark"), .remember = keep, .arg = memory
        };
        OK(landing_begin(&l, run(), &err));
        AUTO_FREE char *first = jx_dump(memory);
        AUTO_FREE char *want = xasprintf(
                "{\"database\":\"%s\",\"marker\":\"mark\",\"oid\":0,\"whole\":false}", l.temporary);
        AUTO_JSON wanted = json_loads(want, 0, NULL);
        cr_assert(json_equal(memory, wanted), "%s", first);
        cr_assert_not(is_there(pg, l.temporary), "remembered first, made then");
        make(pg, &l, &oid);
        OK(landing_created(&l, oid, &err));
        OK(landing_whole(&l, json_pack("{s:i}", "tables", 3), &err));
        AUTO_LANDING again = { .target = &p };
        landing_recall(&again, memory);
        cr_assert_str_eq(again.temporary, l.temporary);
        cr_assert_str_eq(again.marker, "mark");
        cr_assert_eq(again.oid, oid);
        cr_assert(again.whole);
        cr_assert_eq(jx_int(jx_get(memory, "results"), "tables", 0), 3);
        OK(landing_drop(&again, &dropped, &err));
        cr_assert(dropped);
        OK(landing_there(&again, pg, &found, &err));
        cr_assert_eq(found, 0);
        OK(landing_drop(&again, &dropped, &err));
        cr_assert_not(dropped, "gone is fine");
}

Test(landing, does_not_begin_where_nobody_can_remember_it)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        cr_assert(lab_params(13, NULL, &p));
        AUTO_LANDING l = { .target = &p, .marker = xstrdup("mark"), .remember = refuse };
        cr_assert_not(landing_begin(&l, run(), &err));
        cr_assert_eq(err.kind, ERR_SYSTEM);
}

Test(landing, drops_no_other_database_of_that_name)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(13, NULL);
        PgParams p;
        int64_t oid = 0;
        bool dropped = false;
        cr_assert(lab_params(13, NULL, &p));
        AUTO_LANDING l = { .target = &p, .marker = xstrdup("mark") };
        OK(landing_begin(&l, run(), &err));
        make(pg, &l, &oid);
        l.oid = oid + 1;
        cr_assert_not(landing_drop(&l, &dropped, &err));
        cr_assert_eq(err.kind, ERR_USER);
        cr_assert(is_there(pg, l.temporary));
        l.oid = oid;
        err_clear(&err);
        OK(landing_drop(&l, &dropped, &err));
}

Test(landing, takes_its_name_and_puts_away_only_what_was_there_and_is_empty)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(18, NULL);
        PgParams p;
        int64_t oid = 0;
        cr_assert(lab_params(18, NULL, &p));
        AUTO_FREE char *to = lab_database(18, "landed");
        AUTO_LANDING l = { .target = &p, .marker = xstrdup("mark") };
        OK(landing_begin(&l, run(), &err));
        make(pg, &l, &oid);
        AUTO_FREE char *aside = xasprintf("%s_aside", l.temporary);
        AUTO_FREE char *what = NULL;
        AUTO_JSON there = NULL;
        AUTO_JSON old = NULL;
        OK(pg_database_describe(pg, to, &old, &err));
        LandingName n = { .from = l.temporary, .to = to, .aside = aside, .pause = give_up };
        OK(landing_name(pg, &n, &err));
        OK(landing_named(pg, &n, &err));
        OK(pg_database_describe(pg, to, &there, &err));
        cr_assert_eq(atoll(jx_str(there, "oid", "")), oid);
        cr_assert(is_there(pg, aside));
        OK(landing_put_away(pg, aside, "1", &what, &err));
        cr_assert(is_there(pg, aside), "another one's OID: not ours to drop");
        {
                AUTO_PG Pg *in = lab_open(18, aside);
                lab_do(in, "create table public.somebody (was int)");
        }
        OK(landing_put_away(pg, aside, jx_str(old, "oid", ""), &what, &err));
        cr_assert_not_null(what, "somebody was faster");
        cr_assert(is_there(pg, aside));
        {
                AUTO_PG Pg *in = lab_open(18, aside);
                lab_do(in, "drop table public.somebody");
        }
        free(what);
        what = NULL;
        OK(landing_put_away(pg, aside, jx_str(old, "oid", ""), &what, &err));
        cr_assert_null(what);
        cr_assert_not(is_there(pg, aside));
        lab_drop(18, to);
}
