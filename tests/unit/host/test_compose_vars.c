#include <criterion/criterion.h>

#include "host/compose/compose_vars.h"

static const char env[] = "# the stack\nTAG=13\nexport PG_DATA=\"./data\"   # "
                          "here\nREPO='postgres'\r\nPASSWORD=s3cr3t\nTAG = 14 # twice\n";

static EnvFiles files(void)
{
        return (EnvFiles){ .f = { { ".env", env, strlen(env) } }, .n = 1 };
}

static void solves(const char *text, const char *wanted, const char *name, const char *value)
{
        EnvFiles f = files();
        AUTO_FREE char *n = NULL, *v = NULL;
        cr_assert(vars_solve(text, wanted, &f, &n, &v), "%s", text);
        cr_assert_str_eq(n, name, "%s", text);
        cr_assert_str_eq(v, value, "%s", text);
}

Test(vars, finds_the_one_that_says_it)
{
        solves("postgres:${TAG}", "postgres:17", "TAG", "17");
        solves("$IMAGE", "postgres:17", "IMAGE", "postgres:17");
        solves("${REPO}:${TAG}-bookworm", "postgres:17-bookworm", "TAG", "17");
        solves("${HUB:-docker.io}/${REPO}:${TAG:?which}", "docker.io/postgres:17", "TAG", "17");
        solves("${REPO}:${TAG}", "mirror/pg:14", "REPO", "mirror/pg");
        solves("${A:-${B:-x}}", "y", "A", "y");
}

Test(vars, does_not_find_what_no_single_one_can_say)
{
        static const char *const texts[] = { "postgres:13", "postgres:$${TAG}", "other:${TAG}",
                                             "${REPO}/x:${TAG}", "postgres:17${TAG}" };
        for (size_t i = 0; i < LEN(texts); i++) {
                EnvFiles f = files();
                AUTO_FREE char *n = NULL, *v = NULL;
                cr_expect_not(vars_solve(texts[i], "postgres:17", &f, &n, &v), "%s", texts[i]);
        }
}

static void becomes(const char *name, const char *value, const char *line)
{
        EnvFiles f = files();
        AUTO_FREE char *diff = NULL;
        size_t n = 0;
        AUTO_FREE char *after = env_file_set(env_file_of(&f, name), name, value, &n, &diff);
        cr_assert_not_null(strstr(after, line), "%s", after);
        cr_assert_null(strstr(diff, "s3cr3t"), "%s", diff);
        cr_assert_eq(n, strlen(after));
}

Test(env_file, changes_the_value_that_counts_and_keeps_quotes_and_comments)
{
        becomes("TAG", "17", "\nTAG=13\nexport PG_DATA");
        becomes("TAG", "17", "\nTAG = 17 # twice\n");
        becomes("PG_DATA", "pg17", "\nexport PG_DATA=\"pg17\"   # here\n");
        becomes("REPO", "x/y", "\nREPO='x/y'\r\n");
        EnvFiles f = files();
        cr_assert_null(env_file_of(&f, "TA"));
        cr_assert_null(env_file_of(&f, "DATA"));
}

Test(vars, replaces_a_default)
{
        AUTO_FREE char *a = vars_with_default("postgres:${TAG:-13}", "TAG", "17");
        AUTO_FREE char *b = vars_with_default("${D-./x}", "D", "pg");
        cr_assert_str_eq(a, "postgres:${TAG:-17}");
        cr_assert_str_eq(b, "${D-pg}");
        cr_assert_null(vars_with_default("${D}", "D", "x"));
        cr_assert_null(vars_with_default("${D:-${E}}", "D", "x"));
        cr_assert_null(vars_with_default("${D:?no}", "D", "x"));
}

Test(vars, cuts_at_a_colon_outside_of_braces)
{
        cr_assert_eq(vars_cut_colon("${D:-/a:b}:/c"), 10);
        cr_assert_eq(vars_cut_colon("a:b"), 1);
        cr_assert_eq(vars_cut_colon("${D"), 3);
}
