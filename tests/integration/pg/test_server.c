/* What a server holds beside the insides of its databases. The lab's servers are shared: each test
 * looks at what it made itself. Whole servers that move: tests/e2e/whole_server.py. */
#include <ctype.h>
#include <unistd.h>

#include "base/majors.h"
#include "lab.h"
#include "pg/server.h"
#include "pg/server_settings.h"
#include "pg/writes.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 17, 0 });
}

static json_t *look(int major, int to, const json_t *databases)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(major, "postgres");
        ServerOptions o = { .databases = databases, .to = to };
        json_t *seen = NULL;
        cr_assert(pg_server_look(pg, &o, &seen, &err), "%s", err.message);
        return seen;
}

static const json_t *named(const json_t *list, const char *name)
{
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v)
                if (str_eq(jx_str(v, "name", NULL), name))
                        return v;
        return NULL;
}

static bool says(const json_t *list, const char *part)
{
        AUTO_FREE char *text = json_dumps(list, 0);
        return strstr(text, part) != NULL;
}

Test(server, names_every_database_by_a_key_that_an_id_may_have)
{
        static const char *const words[] = { "a.b", "a b", "$(rm)", "\"; drop" };
        AUTO_JSON keys = json_object();
        char *names[LEN(words)];
        for (size_t i = 0; i < LEN(words); i++)
                names[i] = lab_database(17, words[i]);
        AUTO_JSON seen = look(17, 0, NULL);
        for (size_t i = 0; i < LEN(words); i++) {
                const json_t *d = named(jx_get(seen, "databases"), names[i]);
                cr_assert_not_null(d, "%s is not carried", names[i]);
                const char *key = jx_str(d, "key", "");
                cr_expect_null(jx_get(keys, key), "%s is there twice", key);
                jx_set_bool(keys, key, true);
                for (const char *c = key; *c; c++)
                        cr_expect(isalnum((unsigned char)*c) || *c == '_' || *c == '-', "%s", key);
                cr_expect_gt(jx_int(d, "size", 0), 1000000);
                lab_drop(17, names[i]);
                free(names[i]);
        }
        cr_expect(says(jx_get(seen, "left_out"), "[]"), "all is the default");
}

Test(server, tells_what_was_left_out_and_what_cannot_go_each_by_name)
{
        AUTO_FREE char *mine = lab_database(17, "mine");
        AUTO_FREE char *other = lab_database(17, "other");
        AUTO_FREE char *shut = lab_database(17, "shut");
        AUTO_FREE char *odd = lab_database(17, "odd\nname");
        AUTO_PG Pg *pg = lab_open(17, "postgres");
        AUTO_FREE char *close = xasprintf("alter database \"%s\" allow_connections false", shut);
        AUTO_JSON wanted = json_array();
        lab_do(pg, close);
        jx_append_str(wanted, mine);
        jx_append_str(wanted, shut);
        jx_append_str(wanted, odd);
        jx_append_str(wanted, "nowhere");
        AUTO_JSON seen = look(17, 0, wanted);
        cr_expect_eq(json_array_size(jx_get(seen, "databases")), 1);
        cr_expect_not_null(named(jx_get(seen, "databases"), mine));
        const json_t *left = named(jx_get(seen, "left_out"), other);
        cr_assert_not_null(left);
        cr_expect_gt(jx_int(left, "size", 0), 1000000);
        cr_expect(says(jx_get(seen, "refused"), "there is no database nowhere"));
        cr_expect(says(jx_get(seen, "refused"), shut));
        cr_expect(says(jx_get(seen, "refused"), "control characters"));
        lab_drop(17, mine);
        lab_drop(17, other);
        lab_drop(17, shut);
        lab_drop(17, odd);
}

/* The lab's own superuser may keep what it likes in `postgres`; a new server's is empty. */
Test(server, says_of_settings_of_a_role_that_the_new_major_does_not_know_them)
{
        AUTO_FREE char *role = xasprintf("test_%d_gone", (int)getpid());
        AUTO_FREE char *make = xasprintf(
                "create role %s; alter role %s set vacuum_cleanup_index_scale_factor = 0.2", role,
                role);
        AUTO_FREE char *drop = xasprintf("drop role %s", role);
        AUTO_PG Pg *pg = lab_open(13, "postgres");
        lab_do(pg, make);
        AUTO_JSON away = look(13, 17, NULL);
        AUTO_JSON same = look(13, 13, NULL);
        lab_do(pg, drop);
        size_t i, n = 0;
        json_t *s;
        json_array_foreach(jx_get(away, "settings"), i, s)
                if (strstr(jx_str(s, "from", ""), role)) {
                        cr_expect_str_eq(jx_str(s, "fate", ""), "dropped");
                        cr_expect_not_null(
                                strstr(jx_str(s, "words", ""), "VACUUM decides by itself"));
                        n++;
                }
        cr_expect_eq(n, 1);
        cr_expect_not(says(jx_get(same, "settings"), role), "13 knows it");
}

Test(server, knows_which_settings_went_as_the_servers_do)
{
        static const int majors[] = { 13, 17 };
        AUTO_PG Pg *old = lab_open(majors[0], "postgres");
        AUTO_PG Pg *new = lab_open(majors[1], "postgres");
        AUTO_ERR err = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        cr_assert(pg_ask(old, "select name from pg_settings where name !~ '[.]' order by 1", &r,
                         &err));
        for (int i = 0; i < pg_rows(r); i++) {
                const char *name = pg_cell(r, i, 0);
                AUTO_FREE char *q =
                        xasprintf("select count(*) from pg_settings where name = '%s'", name);
                AUTO_FREE char *there = lab_value(new, q);
                bool known = str_eq(there, "1");
                cr_expect_eq(known, setting_fate(name, NULL, majors[1]).verdict == SETTING_SAME,
                             "%s", name);
        }
}

static json_t *lines(int major, const char *database)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(major, "postgres");
        AUTO_JSON names = json_array();
        json_t *seen = NULL;
        jx_append_str(names, database);
        cr_assert(pg_server_lines(pg, names, major, &seen, &err), "%s", err.message);
        return seen;
}

/* A server of 17 that was made like one of 13 has its roles' settings in its own words, or not at
 * all. */
Test(server, lines_of_a_role_are_what_the_other_major_can_have)
{
        AUTO_FREE char *role = xasprintf("test_%d_lines", (int)getpid());
        AUTO_FREE char *make = xasprintf("create role %s; alter role %s set force_parallel_mode = "
                                         "'on'; alter role %s set operator_precedence_warning = "
                                         "'on'; alter role %s set work_mem = '7MB'",
                                         role, role, role, role);
        AUTO_FREE char *drop = xasprintf("drop role %s", role);
        AUTO_FREE char *object = xasprintf("role %s", role);
        AUTO_PG Pg *pg = lab_open(13, NULL);
        AUTO_ERR err = { 0 };
        AUTO_JSON names = json_array();
        json_t *there = NULL, *here = NULL;
        lab_do(pg, make);
        bool ok = pg_server_lines(pg, names, 17, &there, &err) &&
                  pg_server_lines(pg, names, 13, &here, &err);
        lab_do(pg, drop);
        cr_assert(ok, "%s", err.message);
        const json_t *new = jx_get(there, object), *old = jx_get(here, object);
        cr_expect(json_equal(jx_get(new, "set debug_parallel_query"),
                             jx_get(old, "set force_parallel_mode")));
        cr_expect_not_null(jx_get(new, "set debug_parallel_query"));
        cr_expect_null(jx_get(new, "set force_parallel_mode"));
        cr_expect_null(jx_get(new, "set operator_precedence_warning"));
        cr_expect_not_null(jx_get(old, "set operator_precedence_warning"));
        cr_expect(json_equal(jx_get(new, "set work_mem"), jx_get(old, "set work_mem")));
        json_decref(there);
        json_decref(here);
}

/* One change of each kind; each is told, by object and aspect, and nothing else of ours is. */
static void plant(int major, const char *db, const char *role, const char *sql, const char *object,
                  const char *what)
{
        AUTO_PG Pg *pg = lab_open(major, "postgres");
        AUTO_JSON before = lines(major, db);
        lab_do(pg, sql);
        AUTO_JSON after = lines(major, db);
        json_t *rules = NULL;
        AUTO_JSON all = pg_server_differences(before, after, NULL, &rules);
        size_t i, n = 0;
        json_t *d;
        bool found = false;
        json_array_foreach(all, i, d) {
                if (!strstr(jx_str(d, "object", ""), role) && !strstr(jx_str(d, "object", ""), db))
                        continue; /* of another test */
                n++;
                found = found || (str_eq(jx_str(d, "object", ""), object) &&
                                  str_eq(jx_str(d, "what", ""), what));
        }
        AUTO_FREE char *told = json_dumps(all, 0);
        cr_expect(found && n == 1, "%d: %s: %s", major, sql, told);
        json_decref(rules);
}

/* Between servers of 16 and later; one of before does not tell, and its memberships are nobody's
 * grant. */
Test(server, who_granted_a_membership_is_compared_where_it_means_something)
{
        AUTO_FREE char *r = xasprintf("test_%d_by", (int)getpid());
        AUTO_FREE char *make = xasprintf("create role %s; create role %s_1; create role %s_2; "
                                         "grant %s to %s_1 with admin option; grant %s to %s_2 "
                                         "granted by %s_1",
                                         r, r, r, r, r, r, r, r);
        AUTO_FREE char *drop = xasprintf("drop role %s_2; drop role %s_1; drop role %s", r, r, r);
        AUTO_FREE char *object = xasprintf("member %s_2 of %s", r, r),
                       *first = xasprintf("member %s_1 of %s", r, r);
        AUTO_FREE char *by = xasprintf("%s_1", r);
        AUTO_PG Pg *pg = lab_open(17, NULL);
        AUTO_ERR err = { 0 };
        AUTO_JSON names = json_array();
        AUTO_JSON rules = json_object();
        json_t *seen = NULL, *older = NULL, *excused = NULL;
        lab_do(pg, make);
        bool ok = pg_server_lines(pg, names, 17, &seen, &err) &&
                  pg_server_lines(pg, names, 15, &older, &err);
        lab_do(pg, drop);
        cr_assert(ok, "%s", err.message);
        cr_expect_str_eq(jx_str(jx_get(seen, object), "granted by", ""), by);
        cr_expect_str_eq(jx_str(jx_get(seen, first), "granted by", ""), "the first superuser");
        cr_expect_null(jx_get(jx_get(older, object), "granted by"), "for a server of 15");
        AUTO_JSON source = json_deep_copy(seen);
        jx_set_str(jx_get(source, object), "granted by", "another");
        AUTO_JSON one = pg_server_differences(source, seen, rules, &excused);
        json_decref(excused);
        cr_expect_eq(json_array_size(one), 1);
        cr_expect_str_eq(jx_str(json_array_get(one, 0), "what", ""), "granted by");
        json_object_del(jx_get(source, object), "granted by");
        AUTO_JSON none = pg_server_differences(source, seen, rules, &excused);
        json_decref(excused);
        cr_expect_eq(json_array_size(none), 0);
        json_decref(seen);
        json_decref(older);
}

static void plants(int major)
{
        AUTO_FREE char *db = lab_database(major, "lines");
        AUTO_FREE char *role = xasprintf("test_%d_line", (int)getpid());
        AUTO_FREE char *make =
                xasprintf("create role %s; create role %s_2 in role %s", role, role, role);
        AUTO_FREE char *drop = xasprintf("drop role %s, %s_2", role, role);
        AUTO_FREE char *is_role = xasprintf("role %s", role), *is_db = xasprintf("database %s", db);
        AUTO_FREE char *is_member = xasprintf("member %s_2 of %s", role, role);
        const struct {
                const char *sql, *object, *what;
        } cases[] = {
                { "alter role %r login", is_role, "login" },
                { "alter role %r connection limit 3", is_role, "connlimit" },
                { "alter role %r valid until '2033-01-01'", is_role, "valid_until" },
                { "alter role %r password 'pl4nted'", is_role, "password" },
                { "alter role %r set work_mem = '9MB'", is_role, "set work_mem" },
                { "comment on role %r is 'x'", is_role, "comment" },
                { "grant %r to %r_2 with admin option", is_member, "admin" },
                { "alter database %d connection limit 5", is_db, "connlimit" },
                { "alter database %d set work_mem = '9MB'", is_db, "set work_mem" },
                { "comment on database %d is 'x'", is_db, "comment" },
                { "revoke connect on database %d from public", is_db, "acl" },
                { "alter database %d is_template true", is_db, "template" },
                { "alter database %d is_template false", is_db, "template" },
        };
        AUTO_PG Pg *pg = lab_open(major, "postgres");
        lab_do(pg, make);
        for (size_t i = 0; i < LEN(cases); i++) {
                char sql[500], *to = sql;
                for (const char *p = cases[i].sql; *p; p++)
                        if (*p == '%')
                                to = stpcpy(to, *++p == 'r' ? role : db);
                        else
                                *to++ = *p;
                *to = '\0';
                plant(major, db, role, sql, cases[i].object, cases[i].what);
        }
        lab_drop(major, db);
        lab_do(pg, drop);
}

Test(server, lines_tell_each_change_of_13, .timeout = 120)
{
        plants(13);
}

Test(server, lines_tell_each_change_of_17, .timeout = 120)
{
        plants(17);
}

Test(server, counts_what_was_written_in_several_databases, .timeout = 120)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *one = lab_database(17, "several \"1");
        AUTO_FREE char *two = lab_database(17, "several 2");
        AUTO_PG Pg *pg = lab_open(17, "postgres");
        AUTO_JSON names = json_array();
        AUTO_JSON then = NULL;
        AUTO_JSON since = NULL;
        jx_append_str(names, one);
        jx_append_str(names, two);
        cr_assert(pg_writes_look_all(pg, names, &then, &err), "%s", err.message);
        for (int i = 0; i < 2; i++) {
                AUTO_PG Pg *in = lab_open(17, i ? two : one);
                lab_do(in, "create table public.t as select 1 as a from generate_series(1, 5)");
        }
        cr_assert(pg_writes_since_all(pg, then, &since, &err), "%s", err.message);
        cr_expect_eq(jx_int(since, "inserted", 0), 10);
        cr_expect(jx_bool(since, "sure", false), "%s", jx_str(since, "why", ""));
        AUTO_FREE char *table = xasprintf("%s: public.t", two);
        AUTO_FREE char *first = xasprintf("%s: public.t", one);
        size_t i, n = 0;
        json_t *t;
        json_array_foreach(jx_get(since, "tables"), i, t)
                n += str_eq(jx_str(t, "table", ""), table) || str_eq(jx_str(t, "table", ""), first);
        cr_expect_eq(n, 2);
        lab_drop(17, two);
        json_decref(since);
        since = NULL;
        cr_assert(pg_writes_since_all(pg, then, &since, &err), "%s", err.message);
        cr_expect_not(jx_bool(since, "sure", true), "one of them is gone");
        lab_drop(17, one);
}
