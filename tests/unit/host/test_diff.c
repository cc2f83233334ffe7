#include <criterion/criterion.h>

#include "host/diff.h"

static void check(const char *a, const char *b, const char *expected)
{
        AUTO_FREE char *d = diff_unified("f", a, strlen(a), b, strlen(b), NULL);
        cr_expect_str_eq(d, expected, "got:\n%s", d);
}

Test(diff, says_nothing_of_equal_files)
{
        check("a\nb\n", "a\nb\n", "");
        check("", "", "");
}

Test(diff, shows_one_line_with_its_neighbours)
{
        check("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
              "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n");
}

Test(diff, keeps_distant_changes_in_hunks_of_their_own)
{
        check("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\nz\n", "A\n1\n2\n3\n4\n5\n6\n7\n8\n9\nz\ny\n",
              "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -9,3 +9,4 @@\n 8\n 9\n "
              "z\n+y\n");
}

Test(diff, tells_of_a_missing_last_newline)
{
        check("a", "a\n", "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

Test(diff, counts)
{
        DiffCount n;
        AUTO_FREE char *d = diff_unified("f", "a\nb\nc\n", 6, "a\nc\nd\n", 6, &n);
        cr_expect_eq(n.removed, 1);
        cr_expect_eq(n.added, 1);
        cr_expect_not_null(d);
}
