#include <criterion/criterion.h>

#include "dumps/constraint.h"

static void becomes(const char *sql, const char *index, const char *take_over)
{
        AUTO_BUF a = buf_init(10000);
        AUTO_BUF b = buf_init(10000);
        cr_assert(constraint_as_index(sql, &a, &b), "%s", sql);
        cr_assert_str_eq(buf_str(&a), index);
        cr_assert_str_eq(buf_str(&b), take_over);
}

static void stays(const char *sql)
{
        AUTO_BUF a = buf_init(10000);
        AUTO_BUF b = buf_init(10000);
        cr_assert_not(constraint_as_index(sql, &a, &b), "%s", sql);
        cr_assert_not(constraint_not_valid(sql, &a, &b), "%s", sql);
}

Test(constraint, a_key_is_an_index_that_is_taken_over)
{
        becomes("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n",
                "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)",
                "ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_pkey");
        becomes("ALTER TABLE ONLY \"a;b\".\"c)\"\"d\"\n    ADD CONSTRAINT \"UNIQUE (\" UNIQUE "
                "NULLS NOT DISTINCT (a, \"WITHOUT\") INCLUDE (b, c) WITH (fillfactor='70') "
                "DEFERRABLE INITIALLY DEFERRED;\n",
                "CREATE UNIQUE INDEX \"UNIQUE (\" ON \"a;b\".\"c)\"\"d\" USING btree (a, "
                "\"WITHOUT\") INCLUDE (b, c) NULLS NOT DISTINCT WITH (fillfactor='70')",
                "ALTER TABLE ONLY \"a;b\".\"c)\"\"d\" ADD CONSTRAINT \"UNIQUE (\" UNIQUE USING "
                "INDEX \"UNIQUE (\" DEFERRABLE INITIALLY DEFERRED");
}

Test(constraint, what_cannot_be_taken_over_stays_as_it_is)
{
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x EXCLUDE USING gist (a WITH &&);");
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x PRIMARY KEY (a, b WITHOUT OVERLAPS);");
        stays("ALTER TABLE t ADD CONSTRAINT x PRIMARY KEY (a);");
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x PRIMARY KEY (a) SOMETHING NEW;");
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x PRIMARY KEY (a);\nALTER TABLE t CLUSTER ON x;");
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x PRIMARY KEY (a)");
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x CHECK (a > 1) NOT VALID;");
        stays("ALTER TABLE ONLY t ADD CONSTRAINT");
        stays("");
}

static void validated_later(const char *sql, const char *add, const char *validate)
{
        AUTO_BUF a = buf_init(10000);
        AUTO_BUF b = buf_init(10000);
        cr_assert(constraint_not_valid(sql, &a, &b), "%s", sql);
        cr_assert_str_eq(buf_str(&a), add);
        cr_assert_str_eq(buf_str(&b), validate);
}

Test(constraint, a_foreign_key_is_checked_later)
{
        validated_later("ALTER TABLE ONLY s.t\n    ADD CONSTRAINT \"NOT VALID\" FOREIGN KEY (a) "
                        "REFERENCES s.p(id) ON DELETE CASCADE DEFERRABLE;\n",
                        "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT \"NOT VALID\" FOREIGN KEY (a) "
                        "REFERENCES s.p(id) ON DELETE CASCADE DEFERRABLE NOT VALID",
                        "ALTER TABLE ONLY s.t VALIDATE CONSTRAINT \"NOT VALID\"");
}

Test(constraint, a_foreign_key_that_was_never_checked_stays_so)
{
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x FOREIGN KEY (a) REFERENCES p(id) NOT VALID;");
        stays("ALTER TABLE ONLY t ADD CONSTRAINT x FOREIGN KEY (a) REFERENCES p(id) NOT ENFORCED;");
        stays("ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (a) REFERENCES p(id);");
}

static void method(const char *sql, const char *want)
{
        AUTO_FREE char *got = index_method(sql);
        cr_assert_str_eq(got, want);
}

Test(constraint, knows_how_an_index_is_built)
{
        method("CREATE INDEX i ON public.t USING gin (doc);", "gin");
        method("CREATE INDEX \"i\" ON \"public\".\"t\" USING \"gin\" (\"doc\");", "gin");
        method("CREATE UNIQUE INDEX \"USING x\" ON ONLY \"a b\".t USING btree (a);", "btree");
        method("ALTER TABLE ONLY t ADD CONSTRAINT x PRIMARY KEY (a);", "btree");
}
