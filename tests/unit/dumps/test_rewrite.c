/* test_rewrite.c: newer words said in older ones. */
#include <stdio.h>

#include <criterion/criterion.h>

#include "dumps/sqltext.h"

static void becomes(const char *sql, int major, const char *want)
{
        AUTO_BUF out = buf_init(65536);
        bool any = sqltext_strip(sql, major, &out);
        cr_assert_str_eq(buf_str(&out), want, "for %d: %s", major, buf_str(&out));
        cr_assert_eq(any, strcmp(sql, want) != 0);
}

Test(rewrite, stores_virtual_columns_before_18)
{
        const char *sql = "CREATE TABLE a.\"b (\" (\n    x int,\n    y int GENERATED ALWAYS AS ((x + 1)),\n"
                          "    z text GENERATED ALWAYS AS (f(')', x)) STORED,\n"
                          "    i int GENERATED ALWAYS AS IDENTITY\n);\n";
        becomes(sql, 18, sql);
        becomes(sql, 17, "CREATE TABLE a.\"b (\" (\n    x int,\n    y int GENERATED ALWAYS AS ((x + 1)) STORED,\n"
                         "    z text GENERATED ALWAYS AS (f(')', x)) STORED,\n"
                         "    i int GENERATED ALWAYS AS IDENTITY\n);\n");
}

Test(rewrite, takes_a_not_null_of_its_own_out_of_a_child_table)
{
        becomes("CREATE TABLE s.\"c,\" (\n    CONSTRAINT \"n n\" NOT NULL b,\n    d int,\n    NOT NULL \"e (\"\n)\n"
                "INHERITS (s.p);", 17,
                "CREATE TABLE s.\"c,\" (\n    d int)\nINHERITS (s.p);\n"
                "ALTER TABLE ONLY s.\"c,\" ALTER COLUMN b SET NOT NULL;\n"
                "ALTER TABLE ONLY s.\"c,\" ALTER COLUMN \"e (\" SET NOT NULL;");
        becomes("ALTER TABLE ONLY s.c ADD CONSTRAINT n NOT NULL b;", 15,
                "ALTER TABLE ONLY s.c ALTER COLUMN b SET NOT NULL;");
        /* a column called "not" and a check are something else */
        becomes("CREATE TABLE t (\"not\" int, CONSTRAINT c CHECK ((a IS NOT NULL)));", 13,
                "CREATE TABLE t (\"not\" int, CONSTRAINT c CHECK ((a IS NOT NULL)));");
}

Test(rewrite, loses_no_not_null_of_a_table_with_a_long_name)
{
        char name[64] = { 0 }, want[8192], sql[8192];
        memset(name, 'n', 63);
        size_t n = (size_t)snprintf(sql, sizeof sql, "CREATE TABLE s.%s (", name);
        size_t w = (size_t)snprintf(want, sizeof want, "CREATE TABLE s.%s ()\nINHERITS (s.p);", name);
        for (int i = 0; i < 20; i++) {
                n += (size_t)snprintf(sql + n, sizeof sql - n, "%sNOT NULL c%d", i ? ", " : "", i);
                w += (size_t)snprintf(want + w, sizeof want - w,
                                      "\nALTER TABLE ONLY s.%s ALTER COLUMN c%d SET NOT NULL;", name, i);
        }
        snprintf(sql + n, sizeof sql - n, ")\nINHERITS (s.p);");
        becomes(sql, 17, want);
}

Test(rewrite, leaves_maintain_out_of_grants_before_17)
{
        becomes("GRANT SELECT,MAINTAIN,UPDATE ON TABLE t TO \"MAINTAIN\";", 16,
                "GRANT SELECT,UPDATE ON TABLE t TO \"MAINTAIN\";");
        becomes("GRANT MAINTAIN ON TABLE t TO a WITH GRANT OPTION;", 16, "");
        becomes("GRANT SELECT,MAINTAIN ON TABLE t TO a;", 17, "GRANT SELECT,MAINTAIN ON TABLE t TO a;");
        becomes("REVOKE GRANT OPTION FOR MAINTAIN,SELECT ON TABLE t FROM a;", 15,
                "REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM a;");
        becomes("ALTER DEFAULT PRIVILEGES FOR ROLE o GRANT INSERT,MAINTAIN ON TABLES TO a;", 15,
                "ALTER DEFAULT PRIVILEGES FOR ROLE o GRANT INSERT ON TABLES TO a;");
}

Test(rewrite, leaves_out_options_an_older_server_does_not_know)
{
        becomes("CREATE TYPE r AS RANGE (\n    subtype = text,\n    multirange_type_name = s.\"m,\"\n);", 13,
                "CREATE TYPE r AS RANGE (\n    subtype = text);");
        becomes("CREATE PUBLICATION p WITH (publish = 'insert, update', publish_generated_columns = none);", 17,
                "CREATE PUBLICATION p WITH (publish = 'insert, update');");
        becomes("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false, streaming = on, "
                "failover = true);", 13,
                "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false);");
        becomes("CREATE UNLOGGED SEQUENCE s.q START WITH 1;", 14, "CREATE SEQUENCE s.q START WITH 1;");
        becomes("ALTER SEQUENCE s.q SET UNLOGGED;", 14, "");
        becomes("ALTER TABLE ONLY t ALTER COLUMN c SET COMPRESSION lz4;", 13, "");
}
