/* test_rolesql.c: whose statement of pg_dumpall it is. */
#include <criterion/criterion.h>

#include "dumps/rolesql.h"

static void about(const char *sql, RoleVerb verb, const char *want)
{
        char name[ROLE_NAME_SIZE];
        cr_assert_eq(rolesql_verb(sql, name), verb, "%s", sql);
        cr_assert_str_eq(name, want, "%s: %s", sql, name);
}

Test(rolesql, names_the_role_whatever_it_is_called)
{
        about("CREATE ROLE app;", ROLE_CREATE, "app");
        about("CREATE ROLE \"a \"\"b\"\"; c\";", ROLE_CREATE, "a \"b\"; c");
        about("ALTER ROLE app WITH NOSUPERUSER PASSWORD 'SET';", ROLE_ALTER, "app");
        about("ALTER ROLE \"SET\" SET search_path TO 'a', 'b';", ROLE_SET, "SET");
        about("GRANT app TO me WITH INHERIT TRUE GRANTED BY postgres;", ROLE_GRANT, "me");
        about("GRANT \"x TO evil\" TO me;", ROLE_GRANT, "me");
        about("GRANT \"x TO \" TO \"TO you\" WITH ADMIN OPTION;", ROLE_GRANT, "TO you");
        about("SET default_transaction_read_only = off;", ROLE_OTHER, "");
        about("GRANT app;", ROLE_OTHER, "");
        about("CREATE ROLE \"\";", ROLE_OTHER, "");
        about("", ROLE_OTHER, "");
}

Test(rolesql, takes_no_half_of_a_name)
{
        char sql[400] = "CREATE ROLE ";
        memset(sql + strlen(sql), 'x', 200);
        about(sql, ROLE_OTHER, "");
}
