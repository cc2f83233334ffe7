#include <criterion/criterion.h>

#include "sql/sql.h"
#include "sql/sqlfile.h"

static bool fake_ident(void *conn, const char *text, char **ret, Err *err)
{
        if (str_eq(text, "\xff"))
                return err_set(err, ERR_USER, "invalid multibyte character");
        *ret = xasprintf("<%s>", text);
        return true;
}

static bool fake_value(void *conn, const char *text, char **ret, Err *err)
{
        *ret = xasprintf("{%s}", text);
        return true;
}

static const SqlQuoter fake = { .ident = fake_ident, .value = fake_value };

Test(sql, shows_humans_names_and_values_but_never_a_secret)
{
        char bytes[] = "hunter2-canary";
        AUTO_SECRET s = secret_take("app verifier", bytes, strlen(bytes));
        AUTO_SQL q = { 0 };
        sql_add(&q, "alter role ");
        sql_ident(&q, "app");
        sql_add(&q, " password ");
        sql_secret(&q, s);
        AUTO_FREE char *text = sql_for_humans(&q);
        cr_assert_str_eq(text, "alter role \"app\" password «app verifier»");
        AUTO_ERR err = { 0 };
        char *server = NULL;
        cr_assert(sql_for_server(&q, &fake, &server, &err));
        cr_assert_str_eq(server, "alter role <app> password {hunter2-canary}");
        free(server);
}

Test(sql, quotes_hostile_names_for_humans)
{
        AUTO_SQL q = { 0 };
        sql_qname(&q, "a\"b", "c\nd");
        sql_add(&q, " = ");
        sql_value(&q, "it's");
        sql_add(&q, ", ");
        sql_value(&q, NULL);
        sql_add(&q, ", ");
        sql_int(&q, -7);
        AUTO_FREE char *text = sql_for_humans(&q);
        cr_assert_str_eq(text, "\"a\"\"b\".\"c\\nd\" = 'it''s', null, -7");
}

Test(sql, an_empty_statement_is_an_empty_text)
{
        AUTO_SQL q = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_FREE char *humans = sql_for_humans(&q);
        char *server = NULL;
        cr_assert_str_eq(humans, "");
        cr_assert(sql_for_server(&q, &fake, &server, &err));
        cr_assert_str_eq(server, "");
        free(server);
}

Test(sql, a_name_the_connection_cannot_quote_stops_the_statement)
{
        AUTO_SQL q = { 0 };
        AUTO_ERR err = { 0 };
        char *server = NULL;
        sql_add(&q, "drop table ");
        sql_ident(&q, "\xff");
        cr_assert_not(sql_for_server(&q, &fake, &server, &err));
        cr_assert_null(server);
        cr_assert_eq(err.kind, ERR_USER);
}

Test(sql, appends_another_statement_piece_by_piece)
{
        AUTO_SQL a = { 0 }, b = { 0 };
        AUTO_ERR err = { 0 };
        sql_add(&a, "select ");
        sql_ident(&b, "x");
        sql_append(&a, &b);
        sql_free(&b);
        char *server = NULL;
        cr_assert(sql_for_server(&a, &fake, &server, &err));
        cr_assert_str_eq(server, "select <x>");
        free(server);
}

Test(sql, of_a_file_only_what_the_major_has_is_said)
{
        static const SqlPart parts[] = {
                { 0, 0, "select a" },
                { 14, 0, ", b" },
                { 0, 14, ", null" },
                { 14, 16, ", c" },
                { 0 },
        };
        static const SqlFile list[] = { { "other", NULL }, { "x y", parts }, { 0 } };
        cr_assert_null(sql_file_find(list, "x_y"));
        const SqlFile *f = sql_file_find(list, "x y");
        const struct {
                int major;
                const char *text;
        } said[] = { { 13, "select a, null" }, { 14, "select a, b, c" }, { 16, "select a, b" } };
        for (size_t i = 0; i < LEN(said); i++) {
                AUTO_SQL q = { 0 };
                sql_file(&q, f, said[i].major);
                AUTO_FREE char *text = sql_for_humans(&q);
                cr_expect_str_eq(text, said[i].text);
        }
}
