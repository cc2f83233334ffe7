#include <criterion/criterion.h>

#include "pg/connection/conn_internal.h"

static void is(char *got, const char *wanted)
{
        if (wanted)
                cr_assert_str_eq(got, wanted);
        else
                cr_assert_null(got);
        free(got);
}

Test(pg_error, cuts_the_customers_row_out_of_a_copy_context)
{
        is(pg_error_context("COPY orders, line 7, column email: \"a@b.c\""), "COPY orders, line 7");
        is(pg_error_context("COPY orders, line 12: \"1\tJane\t4111\""), "COPY orders, line 12");
        is(pg_error_context("COPY a, line 3: b, line 9: \"x\""), "COPY a, line 3");
        is(pg_error_context("SQL statement \"select 'secret'\""), NULL);
        is(pg_error_context(NULL), NULL);
}

Test(pg_error, covers_values_in_details)
{
        is(pg_error_detail("23505", "Key (email)=(a@b.c) already exists."),
           "Key (email)=(..) already exists.");
        is(pg_error_detail("23514", "Failing row contains (1, Jane (x), null)."),
           "Failing row contains (..).");
        is(pg_error_detail("55006", "There is 1 other session using the database."),
           "There is 1 other session using the database.");
        is(pg_error_detail("23502", "Fehlgeschlagene Zeile enthält (1, Jane, null)."),
           "Fehlgeschlagene Zeile enthält (..).");
        is(pg_error_detail("22P02", "Token \"geheim\" is invalid."), "Token \"..\" is invalid.");
        is(pg_error_detail("22P02", "Expected end of input, but found \"geheim\"."),
           "Expected end of input, but found \"..\".");
        is(pg_error_detail("2200N", "line 1: Start tag expected\ngeheim\n^"), NULL);
        is(pg_error_detail(NULL, NULL), NULL);
}

Test(pg_error, covers_the_input_that_had_the_wrong_syntax)
{
        is(pg_error_primary("22P02", "invalid input syntax for type integer: \"4111-1111\""),
           "invalid input syntax for type integer");
        is(pg_error_primary("22003", "value \"31337000000\" is out of range for type integer"),
           "value \"..\" is out of range for type integer");
        is(pg_error_primary("22P02", "value \"a: \"b\" is bad"), "value \"..\" is bad");
        is(pg_error_primary("22P04", "missing data for column \"email\""),
           "missing data for column \"email\"");
        is(pg_error_primary("22023", "invalid value for parameter \"work_mem\": \"x\""),
           "invalid value for parameter \"work_mem\"");
        is(pg_error_primary("22P02", "ungültige Eingabesyntax für Typ integer: »geheim«"),
           "ungültige Eingabesyntax für Typ integer");
        is(pg_error_primary("22003", "la valeur « 42 » est hors limites"),
           "la valeur \"..\" est hors limites");
        is(pg_error_primary("42P01", "relation \"a\" does not exist"),
           "relation \"a\" does not exist");
        is(pg_error_primary("42601", "bad \033[2J"), "bad \\x1b[2J");
}

Test(pg_error, knows_a_wrong_password_from_a_server_that_is_away)
{
        PgParams p = { .host = "h", .user = "app", .database = "d" };
        char bytes[] = "x";
        AUTO_SECRET s = secret_take("s", bytes, 1);
        p.password = s;
        AUTO_ERR err = { 0 };
        pg_error_of_connect(&p,
                            "connection to server at \"h\", port 5432 failed: FATAL:  28P01: "
                            "password authentication failed for user \"app\"\nLOCATION:  x",
                            &err);
        cr_assert_eq(err.kind, ERR_SERVER);
        cr_assert_str_eq(err.sqlstate, "28P01");
        cr_assert_str_eq(err.message, "connecting to database d as app at h:5432: password "
                                      "authentication failed for user \"app\"");
        cr_assert_not(err_is_retryable(&err));
        err_clear(&err);
        pg_error_of_connect(&p,
                            "connection to server at \"h\", port 5432 failed: Connection "
                            "refused\n\tIs the server running?",
                            &err);
        cr_assert_eq(err.kind, ERR_LINK);
        cr_assert_str_eq(err.sqlstate, "");
        err_clear(&err);
        pg_error_of_connect(&p, "failed: FATAL:  57P03: the database system is starting up", &err);
        cr_assert(err_is_retryable(&err));
}
