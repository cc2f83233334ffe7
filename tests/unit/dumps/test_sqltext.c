#include <criterion/criterion.h>

#include "dumps/sqltext.h"

/* ---- cutting SQL ---- */

static int statements(const char *sql)
{
        int n = 0;
        for (size_t len; (len = sqltext_next(sql, NULL)) > 0; sql += len)
                n++;
        return n;
}

Test(sqltext, cuts_only_at_semicolons_that_end_something)
{
        cr_assert_eq(statements("a; b;"), 2);
        cr_assert_eq(
                statements("select ';', \";\", $$;$$, $x$ $$;$$ $x$; -- ;\n /* ; /* ; */ ; */ b"),
                2);
        cr_assert_eq(statements("select E'\\';', 'it''s;'; x"), 2);
        cr_assert_eq(
                statements("create rule r as on delete to v do (delete from a; delete from b);"),
                1);
        cr_assert_eq(statements("create function f() returns int begin atomic select 1; select "
                                "case when true then 2 end; end; grant x;"),
                     2);
        cr_assert_eq(statements("select $1; select a$b$c;"), 2);
        cr_assert_eq(statements("  -- only a comment; really\n"), 0);
}

static void strips(int major, const char *sql, const char *want)
{
        AUTO_BUF out = buf_init(10000);
        bool any = sqltext_strip(sql, major, &out);
        cr_assert_str_eq(buf_str(&out), want);
        cr_assert_eq(any, strcmp(sql, want) != 0);
}

Test(sqltext, strips_pg_attver_and_keeps_the_other_options)
{
        strips(17,
               "CREATE TABLE t (a int);\nALTER TABLE ONLY t ALTER COLUMN a SET (pg_attver='3');\n",
               "CREATE TABLE t (a int);\n\n");
        strips(17, "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5, pg_attver=3, x='a,b');",
               "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5, x='a,b');");
        strips(17, "ALTER TABLE ONLY \"SET (pg_attver=1)\" ALTER COLUMN a SET (n_distinct=5);",
               "ALTER TABLE ONLY \"SET (pg_attver=1)\" ALTER COLUMN a SET (n_distinct=5);");
        strips(17,
               "CREATE TABLE t (a text DEFAULT '\nALTER TABLE ONLY t ALTER COLUMN a SET "
               "(pg_attver=3);');",
               "CREATE TABLE t (a text DEFAULT '\nALTER TABLE ONLY t ALTER COLUMN a SET "
               "(pg_attver=3);');");
}

Test(sqltext, strips_settings_the_target_does_not_know)
{
        strips(15, "SET transaction_timeout = 0;\nSET lock_timeout = 0;\n",
               "\nSET lock_timeout = 0;\n");
        strips(17, "SET transaction_timeout = 0;\n", "SET transaction_timeout = 0;\n");
        strips(15, "\\restrict abc\nselect 1;\n\\unrestrict abc\n", "\nselect 1;\n\n");
}

Test(sqltext, psql_lines_go_and_everything_else_stays)
{
        AUTO_BUF out = buf_init(10000);
        sqltext_strip_psql("--\n-- x\n--\n\n\\restrict K\n\nSET a = 1;\nselect '\n"
                           "\\restrict in a text';\n"
                           "\\unrestrict K\n",
                           &out);
        cr_assert_str_eq(buf_str(&out),
                         "--\n-- x\n--\n\n\n\nSET a = 1;\nselect '\n\\restrict in a text';\n\n");
}
