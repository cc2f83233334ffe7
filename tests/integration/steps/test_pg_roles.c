/* test_pg_roles.c: roles: carried, made, compared, logged in. */
#include <unistd.h>

#include "pg_step.h"

#include "pg/roles.h"

static void drop_roles(int major)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *sql = xasprintf("drop role if exists test_%d_app; drop role if exists "
                                        "test_%d_grp; drop role if exists test_%d_md5",
                                        (int)getpid(), (int)getpid(), (int)getpid());
        lab_do(pg, sql);
}

Test(pg_roles_copy, carries_verifiers_and_memberships_and_takes_them_back)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(13, "roles");
        AUTO_PG Pg *source = lab_open(13, name);
        AUTO_FREE char *sql = xasprintf(
                "set password_encryption = 'scram-sha-256'; create role test_%d_grp nologin; "
                "create role test_%d_app login password 'canary' connection limit 7 in role "
                "test_%d_grp; set password_encryption = 'md5'; create role test_%d_md5 login "
                "password 'old' valid until '2030-01-01'; alter role test_%d_app set search_path "
                "= \"$user\", \"Odd, Name\"; comment on role test_%d_app is 'it''s me'; create "
                "table public.t (a int); alter table public.t owner to test_%d_grp; grant select "
                "on public.t to "
                "test_%d_md5",
                id, id, id, id, id, id, id, id);
        lab_do(source, sql);
        FakeStep f = pg_step(&step_pg_roles_copy, 17, NULL,
                             "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        pg_step_target(&f, "src", 13, name);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(json_array_size(jx_get(f.results, "created")), 3);
        cr_assert_eq(json_array_size(jx_get(f.results, "md5")), 1);
        cr_assert_eq(fake_probe(&f), FOUND_ALL);
        AUTO_PG Pg *target = lab_open(17, NULL);
        AUTO_FREE char *same = xasprintf("select rolpassword from pg_authid where rolname = "
                                         "'test_%d_app'",
                                         id);
        AUTO_FREE char *a = lab_value(source, same);
        AUTO_FREE char *b = lab_value(target, same);
        cr_assert_str_eq(a, b);
        AUTO_FREE char *config = xasprintf("select setconfig[1] from pg_db_role_setting s join "
                                           "pg_roles r on r.oid = s.setrole where rolname = "
                                           "'test_%d_app'",
                                           id);
        AUTO_FREE char *path = lab_value(target, config);
        cr_assert_str_eq(path, "search_path=\"$user\", \"Odd, Name\"");
        AUTO_FREE char *member = xasprintf("select pg_has_role('test_%d_app', 'test_%d_grp', "
                                           "'member')",
                                           id, id);
        AUTO_FREE char *is = lab_value(target, member);
        cr_assert_str_eq(is, "t");
        AUTO_FREE char *said = fake_said(&f);
        AUTO_FREE char *kept = json_dumps(f.remembered, 0);
        cr_assert_null(strstr(said, "SCRAM-SHA"), "a verifier was said");
        cr_assert_null(strstr(kept, "SCRAM-SHA"), "a verifier was remembered");
        MUST(fake_undo(&f, &err), err);
        MUST(fake_undo(&f, &err), err);
        cr_assert_eq(fake_probe(&f), FOUND_NOTHING);
        fake_step_done(&f);
        source = pg_close(source);
        lab_drop(13, name);
        drop_roles(13);
        drop_roles(17);
}

Test(pg_roles_copy, compares_what_is_there_and_overwrites_nothing)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(13, "roles2");
        AUTO_PG Pg *source = lab_open(13, name);
        AUTO_PG Pg *target = lab_open(17, NULL);
        AUTO_FREE char *here = xasprintf("create role test_%d_app login password 'a' connection "
                                         "limit 3; grant all on schema public to test_%d_app",
                                         id, id);
        AUTO_FREE char *there = xasprintf("create role test_%d_app nologin password 'b'", id);
        lab_do(source, here);
        lab_do(target, there);
        FakeStep f = pg_step(&step_pg_roles_copy, 17, NULL,
                             "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        pg_step_target(&f, "src", 13, name);
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(json_array_size(jx_get(f.results, "created")), 0);
        cr_assert_eq(json_array_size(jx_get(f.results, "present")), 1);
        AUTO_FREE char *text = json_dumps(jx_get(f.results, "differences"), 0);
        cr_assert_not_null(strstr(text, "\"login\""), "%s", text);
        cr_assert_not_null(strstr(text, "\"connlimit\""), "%s", text);
        cr_assert_not_null(strstr(text, "\"password\""), "%s", text);
        AUTO_FREE char *q = xasprintf("select rolcanlogin from pg_roles where rolname = "
                                      "'test_%d_app'",
                                      id);
        AUTO_FREE char *login = lab_value(target, q);
        cr_assert_str_eq(login, "f");
        fake_step_done(&f);
        source = pg_close(source);
        lab_drop(13, name);
        drop_roles(13);
        drop_roles(17);
}

/* The answer to COMMIT may be lost: the second try finds the roles, and they are still ours. After
 * an error they are surely not there: who makes one then may keep it. */
Test(pg_roles_copy, knows_which_roles_it_made_over_several_tries)
{
        AUTO_ERR err = { 0 };
        AUTO_ERR bad = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(13, "roles3");
        AUTO_PG Pg *source = lab_open(13, name);
        AUTO_PG Pg *target = lab_open(17, NULL);
        AUTO_FREE char *here = xasprintf(
                "create role test_%d_app; grant all on schema public to test_%d_app", id, id);
        AUTO_FREE char *there = xasprintf("create role test_%d_app", id);
        /* Members in a circle, with what 17 has: refused at the end of all, when the role has been
         * made. */
        AUTO_FREE char *spoil = xasprintf("create role test_%d_grp; create role test_%d_md5; grant "
                                          "test_%d_md5 to test_%d_app; grant test_%d_app to "
                                          "test_%d_grp; grant all on schema public to "
                                          "test_%d_grp",
                                          id, id, id, id, id, id, id);
        AUTO_FREE char *circle = xasprintf("create role test_%d_grp; create role test_%d_md5; "
                                           "grant test_%d_grp to test_%d_md5",
                                           id, id, id, id);
        AUTO_FREE char *count =
                xasprintf("select count(*) from pg_roles where rolname = 'test_%d_app'", id);
        lab_do(source, here);
        FakeStep f = pg_step(&step_pg_roles_copy, 17, NULL,
                             "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        pg_step_target(&f, "src", 13, name);
        MUST(fake_run(&f, &err), err);
        MUST(fake_run(&f, &err), err);
        cr_expect_eq(json_array_size(jx_get(f.results, "created")), 1);
        cr_expect_eq(json_array_size(jx_get(f.results, "present")), 0);
        MUST(fake_undo(&f, &err), err);
        AUTO_FREE char *gone = lab_value(target, count);
        cr_expect_str_eq(gone, "0", "it forgot the role it had made");
        fake_step_done(&f);

        lab_do(source, spoil);
        lab_do(target, circle);
        f = pg_step(&step_pg_roles_copy, 17, NULL, "{\"from\": \"src\", \"skip\": [\"postgres\"]}");
        pg_step_target(&f, "src", 13, name);
        cr_assert_not(fake_run(&f, &bad));
        lab_do(target, there);
        MUST(fake_undo(&f, &err), err);
        AUTO_FREE char *kept = lab_value(target, count);
        cr_expect_str_eq(kept, "1", "it dropped a role somebody else had made");
        fake_step_done(&f);
        source = pg_close(source);
        lab_drop(13, name);
        drop_roles(13);
        drop_roles(17);
}

/* From 16 on a membership may stand there twice, granted by two. */
Test(pg_roles, add_up_what_several_grantors_allow)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_FREE char *sql = xasprintf("create role test_%d_grp; create role test_%d_md5; create "
                                        "role test_%d_app; grant test_%d_grp to test_%d_md5 with "
                                        "admin true; grant test_%d_grp to test_%d_app with admin "
                                        "true, inherit false, set false; grant test_%d_grp to "
                                        "test_%d_app with admin false, inherit true, set true "
                                        "granted by "
                                        "test_%d_md5",
                                        id, id, id, id, id, id, id, id, id, id);
        AUTO_FREE char *role = xasprintf("test_%d_app", id);
        AUTO_FREE char *dropped = xasprintf(
                "drop role test_%d_app; drop role test_%d_md5; drop role test_%d_grp", id, id, id);
        AUTO_JSON described = NULL;
        lab_do(pg, sql);
        MUST(pg_role_describe(pg, role, &described, &err), err);
        AUTO_FREE char *is = json_dumps(jx_get(described, "member_of"), JSON_COMPACT);
        AUTO_FREE char *want = xasprintf(
                "[{\"role\":\"test_%d_grp\",\"admin\":true,\"inherit\":true,\"set\":true,"
                "\"grants\":[{\"by\":null,\"admin\":true,\"inherit\":false,\"set\":false},{\"by\":"
                "\"test_%d_md5\",\"admin\":false,\"inherit\":true,\"set\":true}]}]",
                id, id);
        cr_expect_str_eq(is, want, "%s", is);
        lab_do(pg, dropped);
}

Test(pg_role_create, proves_the_password_by_a_login_and_drops_the_role_again)
{
        AUTO_ERR err = { 0 };
        char password[] = "p@ss'\"\\ word";
        FakeStep f = pg_step(&step_pg_role_create, 17, NULL,
                             "{\"name\": \"test_%d_app\", \"password\": {\"$secret\": \"x\"}}",
                             (int)getpid());
        f.secret = secret_take("x", password, strlen(password));
        MUST(fake_run(&f, &err), err);
        cr_assert(jx_bool(f.results, "created", false));
        cr_assert(jx_bool(f.results, "proved", false));
        MUST(fake_undo(&f, &err), err);
        MUST(fake_undo(&f, &err), err);
        secret_free(f.secret);
        fake_step_done(&f);
}

Test(pg_role_create, leaves_alone_what_somebody_made_after_it_failed)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_FREE char *db = lab_database(17, "readonly");
        AUTO_FREE char *make = xasprintf("create role test_%d_app", (int)getpid());
        AUTO_FREE char *closed =
                xasprintf("alter database \"%s\" set default_transaction_read_only = on", db);
        AUTO_FREE char *open =
                xasprintf("alter database \"%s\" reset default_transaction_read_only", db);
        FakeStep f =
                pg_step(&step_pg_role_create, 17, db, "{\"name\": \"test_%d_app\"}", (int)getpid());
        lab_do(pg, closed);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "25006", "%s", err.message);
        lab_do(pg, open);
        f.refuse_remember = true; /* nothing stays that was not remembered */
        err_clear(&err);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_eq(err.kind, ERR_SYSTEM, "%s", err.message);
        f.refuse_remember = false;
        lab_do(pg, make);
        err_clear(&err);
        cr_assert_not(fake_run(&f, &err));
        cr_assert_str_eq(err.sqlstate, "42710");
        err_clear(&err);
        MUST(fake_undo(&f, &err), err);
        bool there = false;
        AUTO_FREE char *name = xasprintf("test_%d_app", (int)getpid());
        MUST(pg_role_exists(pg, name, &there, &err), err);
        cr_assert(there, "the way back dropped a role of somebody else");
        fake_step_done(&f);
        lab_drop(17, db);
        drop_roles(17);
}

Test(pg_login, tells_a_password_that_opens_from_one_that_does_not)
{
        AUTO_ERR err = { 0 };
        char wrong[] = "not it";
        PgParams p;
        lab_params(17, NULL, &p);
        FakeStep f = pg_step(&step_pg_login, 17, NULL,
                             "{\"role\": \"postgres\", \"password\": {\"$secret\": \"x\"}}");
        f.secret = (Secret *)(uintptr_t)p.password;
        MUST(fake_run(&f, &err), err);
        cr_assert(jx_bool(f.results, "ok", false));
        f.secret = secret_take("wrong", wrong, strlen(wrong));
        MUST(fake_run(&f, &err), err);
        cr_assert_not(jx_bool(f.results, "ok", true));
        cr_assert_str_eq(jx_str(f.results, "sqlstate", ""), "28P01");
        f.secret = secret_free(f.secret);
        fake_step_done(&f);
}

/* The role of a small hosted database: owner of its tables, and nothing more. */
Test(pg_inventory, works_for_a_role_that_is_no_superuser, .timeout = 240)
{
        AUTO_ERR err = { 0 };
        int id = (int)getpid();
        AUTO_FREE char *name = lab_database(17, "plain");
        AUTO_PG Pg *pg = lab_open(17, name);
        AUTO_FREE char *sql = xasprintf(
                "create role test_%d_grp login password 'plain'; alter database \"%s\" owner to "
                "test_%d_grp; set role test_%d_grp; create table public.users (id int primary key, "
                "name text); insert into public.users values (1, 'a'); select lo_create(0); create "
                "table public.schema_migrations (version text); insert into "
                "public.schema_migrations values ('20260101'), ('20260201')",
                id, name, id, id);
        lab_do(pg, sql);
        char password[] = "plain";
        AUTO_SECRET s = secret_take("plain password", password, strlen(password));
        FakeStep f = pg_step(&step_pg_inventory, 17, name, "{\"digest\": \"all\"}");
        AUTO_FREE char *user = xasprintf("test_%d_grp", id);
        json_object_set_new(fake_spec(&f), "user", json_string(user));
        f.password = s;
        fake_on(&f, "on");
        MUST(fake_run(&f, &err), err);
        cr_assert_eq(jx_int(f.results, "tables", 0), 2);
        cr_assert_eq(jx_int(f.results, "rows", 0), 3);
        cr_assert_str_eq(jx_str(f.results, "alembic", ""), "20260201");
        FakeStep c = pg_step(&step_pg_compare, 17, name, "{\"against_inventory\": \"%s\"}",
                             jx_str(f.results, "ref", ""));
        json_object_set_new(fake_spec(&c), "user", json_string(user));
        c.password = s;
        fake_on(&c, "on");
        MUST(fake_run(&c, &err), err);
        cr_assert(jx_bool(c.results, "equal", false), "%s", c.report);
        cr_assert_eq(json_array_size(jx_get(c.results, "limits")), 1);
        fake_step_done(&c);
        fake_step_done(&f);
        f = pg_step(&step_pg_check, 17, name,
                    "{\"sql\": \"select name from users\", \"equals\": "
                    "\"a\"}");
        MUST(fake_run(&f, &err), err); /* found as the application finds it */
        fake_step_done(&f);
        pg = pg_close(pg);
        lab_drop(17, name);
        drop_roles(17);
}
