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
        const char *sql = "CREATE TABLE a.\"b (\" (\n    x int,\n"
                          "    y int GENERATED ALWAYS AS ((x + 1)),\n"
                          "    z text GENERATED ALWAYS AS (f(')', x)) STORED,\n"
                          "    i int GENERATED ALWAYS AS IDENTITY\n);\n";
        becomes(sql, 18, sql);
        becomes(sql, 17,
                "CREATE TABLE a.\"b (\" (\n    x int,\n"
                "    y int GENERATED ALWAYS AS ((x + 1)) STORED,\n"
                "    z text GENERATED ALWAYS AS (f(')', x)) STORED,\n"
                "    i int GENERATED ALWAYS AS IDENTITY\n);\n");
}

Test(rewrite, takes_a_not_null_of_its_own_out_of_a_child_table)
{
        becomes("CREATE TABLE s.\"c,\" (\n    CONSTRAINT \"n n\" NOT NULL b,\n    d int,\n"
                "    NOT NULL \"e (\"\n)\n"
                "INHERITS (s.p);",
                17,
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
        size_t w =
                (size_t)snprintf(want, sizeof want, "CREATE TABLE s.%s ()\nINHERITS (s.p);", name);
        for (int i = 0; i < 20; i++) {
                n += (size_t)snprintf(sql + n, sizeof sql - n, "%sNOT NULL c%d", i ? ", " : "", i);
                w += (size_t)snprintf(want + w, sizeof want - w,
                                      "\nALTER TABLE ONLY s.%s ALTER COLUMN c%d SET NOT NULL;",
                                      name, i);
        }
        snprintf(sql + n, sizeof sql - n, ")\nINHERITS (s.p);");
        becomes(sql, 17, want);
}

Test(rewrite, leaves_maintain_out_of_grants_before_17)
{
        becomes("GRANT SELECT,MAINTAIN,UPDATE ON TABLE t TO \"MAINTAIN\";", 16,
                "GRANT SELECT,UPDATE ON TABLE t TO \"MAINTAIN\";");
        becomes("GRANT MAINTAIN ON TABLE t TO a WITH GRANT OPTION;", 16, "");
        becomes("GRANT SELECT,MAINTAIN ON TABLE t TO a;", 17,
                "GRANT SELECT,MAINTAIN ON TABLE t TO a;");
        becomes("REVOKE GRANT OPTION FOR MAINTAIN,SELECT ON TABLE t FROM a;", 15,
                "REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM a;");
        becomes("ALTER DEFAULT PRIVILEGES FOR ROLE o GRANT INSERT,MAINTAIN ON TABLES TO a;", 15,
                "ALTER DEFAULT PRIVILEGES FOR ROLE o GRANT INSERT ON TABLES TO a;");
}

Test(rewrite, leaves_out_options_an_older_server_does_not_know)
{
        becomes("CREATE TYPE r AS RANGE (\n    subtype = text,\n    multirange_type_name = "
                "s.\"m,\"\n);",
                13, "CREATE TYPE r AS RANGE (\n    subtype = text);");
        becomes("CREATE PUBLICATION p WITH (publish = 'insert, update', publish_generated_columns "
                "= none);",
                17, "CREATE PUBLICATION p WITH (publish = 'insert, update');");
        becomes("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false, "
                "streaming = on, failover = true);",
                13, "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false);");
        becomes("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false, "
                "streaming = parallel);",
                15, "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false);");
        becomes("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (streaming = parallel, "
                "retain_dead_tuples = true, max_retention_duration = 7, wal_receiver_timeout = "
                "'7s');",
                18,
                "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (streaming = parallel);");
        becomes("CREATE UNLOGGED SEQUENCE s.q START WITH 1;", 14,
                "CREATE SEQUENCE s.q START WITH 1;");
        becomes("ALTER SEQUENCE s.q SET UNLOGGED;", 14, "");
        becomes("ALTER TABLE ONLY t ALTER COLUMN c SET COMPRESSION lz4;", 13, "");
}

Test(rewrite, says_settings_of_functions_and_roles_in_the_words_of_the_major)
{
        const char *f = "CREATE FUNCTION public.f(a integer DEFAULT 1) RETURNS integer\n"
                        "    LANGUAGE plpgsql\n"
                        "    SET search_path TO 'a', 'SET b TO', '\"c'\n"
                        "    SET force_parallel_mode TO 'on'\n"
                        "    SET operator_precedence_warning TO 'on'\n"
                        "    SET \"my.app\".\"k\" TO 'v'\n"
                        "    AS $$begin SET force_parallel_mode TO 'off'; end$$;";
        becomes(f, 16,
                "CREATE FUNCTION public.f(a integer DEFAULT 1) RETURNS integer\n"
                "    LANGUAGE plpgsql\n"
                "    SET search_path TO 'a', 'SET b TO', '\"c'\n"
                "    SET debug_parallel_query TO 'on'\n"
                "    \n    SET \"my.app\".\"k\" TO 'v'\n"
                "    AS $$begin SET force_parallel_mode TO 'off'; end$$;");
        becomes(f, 13, f);
        becomes("ALTER ROLE \"SET\" IN DATABASE x SET force_parallel_mode TO 'on';", 17,
                "ALTER ROLE \"SET\" IN DATABASE x SET debug_parallel_query TO 'on';");
        becomes("ALTER ROLE x SET debug_parallel_query TO 'on';", 15,
                "ALTER ROLE x SET force_parallel_mode TO 'on';");
        becomes("ALTER DATABASE x SET escape_string_warning TO 'off';", 19, "");
        becomes("ALTER DATABASE x SET standard_conforming_strings TO 'off';", 19, "");
        becomes("ALTER DATABASE x SET standard_conforming_strings TO 'on';", 19,
                "ALTER DATABASE x SET standard_conforming_strings TO 'on';");
        becomes("ALTER DATABASE x SET TABLESPACE y;", 19, "ALTER DATABASE x SET TABLESPACE y;");
        becomes("ALTER DATABASE x SET vacuum_truncate TO 'off';", 17, "");
        becomes("ALTER DATABASE x CONNECTION LIMIT 5;", 17, "ALTER DATABASE x CONNECTION LIMIT 5;");
}

Test(rewrite, lets_a_server_refuse_what_would_change_a_functions_text)
{
        const char *f = "CREATE FUNCTION f() RETURNS text\n    LANGUAGE sql\n"
                        "    SET standard_conforming_strings TO 'off'\n"
                        "    AS 'select 1';";
        becomes(f, 19, f);
}

Test(rewrite, keeps_an_empty_list_an_empty_list)
{
        becomes("ALTER DATABASE x SET search_path TO NULL;", 18,
                "SELECT pg_catalog.set_config('search_path', '', false);\nALTER DATABASE x SET "
                "search_path FROM CURRENT;");
        becomes("ALTER DATABASE x SET search_path TO NULL;", 19,
                "ALTER DATABASE x SET search_path TO NULL;");
        becomes("ALTER DATABASE x SET search_path TO '';", 18,
                "ALTER DATABASE x SET search_path TO '';");
        becomes("CREATE FUNCTION f() RETURNS int\n    LANGUAGE sql\n    SET search_path TO \n    "
                "AS 'select 1';",
                18,
                "SELECT pg_catalog.set_config('search_path', '', false);\n"
                "CREATE FUNCTION f() RETURNS int\n    LANGUAGE sql\n"
                "    SET search_path FROM CURRENT \n    AS 'select 1';");
        becomes("CREATE PROCEDURE f()\n    LANGUAGE sql\n    SET search_path TO \n    SET work_mem "
                "TO '1MB'\n    AS 'x';",
                19,
                "CREATE PROCEDURE f()\n    LANGUAGE sql\n    SET search_path TO NULL \n"
                "    SET work_mem TO '1MB'\n"
                "    AS 'x';");
}
