#include <criterion/criterion.h>

#include "dumps/opclass.h"

/* Up to three classes; "" is NULL. `want` NULL: it is left as it is. */
static void said(const char *sql, size_t n, const char *a, const char *b, const char *want)
{
        const char *const classes[] = { *a ? a : NULL, *b ? b : NULL, NULL };
        AUTO_BUF out = buf_init(1 << 16);
        bool any = opclass_say(sql, classes, n, &out);
        cr_expect_eq(any, want != NULL, "%s", sql);
        cr_expect_str_eq(buf_str(&out), want ? want : "");
}

Test(opclass, stands_behind_the_expression_and_its_collation)
{
        said("CREATE INDEX i ON public.t USING gist (ip);", 1, "p.o", "",
             "CREATE INDEX i ON public.t USING gist (ip p.o);");
        said("CREATE INDEX i ON ONLY public.t USING gist (ip, n) INCLUDE (c) WITH "
             "(fillfactor='80') WHERE (n > 3);",
             2, "p.o", "",
             "CREATE INDEX i ON ONLY public.t USING gist (ip p.o, n) INCLUDE (c) WITH "
             "(fillfactor='80') WHERE (n > 3);");
        said("CREATE UNIQUE INDEX i ON t USING x (lower((a || ','::text)) COLLATE \"a, )\", b DESC "
             "NULLS LAST);",
             2, "p.o", "p.\"q, )\"",
             "CREATE UNIQUE INDEX i ON t USING x (lower((a || ','::text)) COLLATE \"a, )\" p.o, b "
             "p.\"q, )\" DESC NULLS LAST);");
        said("CREATE INDEX i ON t USING gist (\"WITH\", \"desc, )\");", 2, "p.o", "p.q",
             "CREATE INDEX i ON t USING gist (\"WITH\" p.o, \"desc, )\" p.q);");
        said("CREATE INDEX \"USING gist (a)\" ON t USING gin (d);", 1, "p.o", "",
             "CREATE INDEX \"USING gist (a)\" ON t USING gin (d p.o);");
}

Test(opclass, stands_before_the_operator_of_an_exclusion)
{
        said("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT c EXCLUDE USING gist (ip WITH =, n "
             "WITH OPERATOR(s.=)) WHERE ((n > 5)) DEFERRABLE;",
             2, "p.o", "p.q",
             "ALTER TABLE ONLY public.t\n"
             "    ADD CONSTRAINT c EXCLUDE USING gist (ip p.o WITH =, n p.q WITH OPERATOR(s.=)) "
             "WHERE ((n > 5)) DEFERRABLE;");
}

Test(opclass, leaves_alone_what_is_another_key)
{
        said("CREATE INDEX i ON t USING gist (a, b);", 1, "p.o", "", NULL);
        said("CREATE INDEX i ON t USING gist (a);", 2, "p.o", "p.q", NULL);
        said("ALTER TABLE ONLY t ADD CONSTRAINT c PRIMARY KEY (a, b WITHOUT OVERLAPS);", 2, "p.o",
             "p.q", NULL);
        said("ALTER TABLE t ADD CONSTRAINT c CHECK ((a > 0));", 1, "p.o", "", NULL);
        said("CREATE INDEX i ON t (a);", 1, "p.o", "", NULL);
        said("CREATE INDEX i ON t USING gist (a", 1, "p.o", "", NULL);
        said("", 1, "p.o", "", NULL);
}

/* The columns of a key that are nothing else, with a slash between them; "-": something else. */
static void keyed(const char *sql, const char *method, const char *table, const char *columns,
                  bool expressions)
{
        OpclassKey k;
        AUTO_BUF all = buf_init(4096);
        cr_assert(opclass_key(sql, &k), "%s", sql);
        for (size_t i = 0; i < k.n; i++)
                buf_printf(&all, "%s%s", i ? "/" : "", k.columns[i] ? k.columns[i] : "-");
        cr_expect_str_eq(k.method, method);
        cr_expect_str_eq(k.table, table);
        cr_expect_str_eq(buf_str(&all), columns);
        cr_expect_eq(k.expressions, expressions, "%s", sql);
        opclass_key_done(&k);
}

Test(opclass, tells_columns_without_a_class_from_all_others)
{
        keyed("CREATE INDEX i ON public.t USING gist (ip, net public.x_ops, n);", "gist",
              "public.t", "ip/-/n", false);
        keyed("CREATE INDEX i ON ONLY \"s ON\".\"t;\" USING gist (\"a, )\", lower(b), (c || d), "
              "s.f(e) COLLATE \"C\");",
              "gist", "\"s ON\".\"t;\"", "\"a, )\"/-/-/-", true);
        keyed("CREATE INDEX i ON t USING gist (lower(b) x_ops, ((c + d)) s.y_ops, a COLLATE "
              "s.\"C\" z_ops (siglen='9'));",
              "gist", "t", "-/-/-", false);
        keyed("ALTER TABLE ONLY s.t\n    ADD CONSTRAINT c EXCLUDE USING gist (ip WITH =, net "
              "inet_ops WITH &&);",
              "gist", "s.t", "ip/-", false);
        OpclassKey k;
        cr_expect_not(opclass_key("CREATE TABLE t (a int);", &k));
        cr_expect_not(opclass_key("CREATE INDEX i ON t USING gist (a", &k));
        cr_expect_not(opclass_key("ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY (a);", &k));
}
