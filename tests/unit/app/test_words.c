/* What the verbs read and what they show, without a server. */
#include <criterion/criterion.h>

#include "app/data/endpoint.h"
#include "app/cli/flags.h"
#include "app/show/progress_event.h"

static char *line(const Progress *p, size_t width)
{
        ProgressLine l;
        AUTO_BUF b = buf_init(4096);
        progress_line_of(p, &l);
        progress_line_text(&l, width, &b);
        return xstrdup(buf_str(&b));
}

Test(progress_line, says_how_far_how_fast_and_how_long)
{
        Progress p = { .label = "copying",
                       .unit = "bytes",
                       .done = 100 << 20,
                       .total = 400 << 20,
                       .rate = 50 << 20,
                       .eta_ms = 6000,
                       .n_rows = 1,
                       .rows = &(ProgressRow){ .name = "public.orders" } };
        AUTO_FREE char *text = line(&p, 120);
        cr_assert_str_eq(
                text, "copying  100.0 MB of 400.0 MB  25 %  50.0 MB/s  0:06 left  public.orders");
}

Test(progress_line, is_cut_at_a_character_and_draws_nothing)
{
        Progress p = { .label = "schema",
                       .unit = "objects",
                       .done = 3,
                       .total = 9,
                       .eta_ms = -1,
                       .n_rows = 1,
                       .rows = &(ProgressRow){ .name = "\xc3\xa4\xc3\xa4\x1b[2J" } };
        AUTO_FREE char *whole = line(&p, 200);
        cr_assert_null(strchr(whole, '\x1b'), "%s", whole);
        AUTO_FREE char *cut = line(&p, strlen("schema  3 of 9 objects  ") + 1);
        cr_assert_str_eq(cut, "schema  3 of 9 objects  \xc3\xa4");
}

Test(progress_event, is_one_line_with_null_for_what_is_not_known)
{
        ProgressLine l;
        Progress p = { .label = "copying",
                       .unit = "bytes",
                       .done = 1500,
                       .total = 4000,
                       .rate = 50.7,
                       .row_count = 12,
                       .eta_ms = 6250,
                       .things_done = 1,
                       .things_total = 3,
                       .workers = 2,
                       .n_rows = 2,
                       .rows = (ProgressRow[]){ { .name = "public.a", .done = 1, .total = 3 },
                                                { .name = "ANALYZE b\n" } } };
        progress_line_of(&p, &l);
        AUTO_JSON all = progress_event_of(&l, 1250);
        AUTO_FREE char *text = progress_event_line(all);
        cr_assert_str_eq(text,
                         "{\"event\":\"progress\",\"seconds\":1.25,\"stage\":\"copying\",\"unit\":"
                         "\"bytes\",\"done\":1500,\"total\":4000,\"rows\":12,\"rate\":50,\"seconds_"
                         "left\":6.25,\"things_done\":1,\"things_total\":3,\"workers\":2,\"parts\":"
                         "[{\"name\":\"public.a\",\"fraction\":0.333},{\"name\":\"ANALYZE "
                         "b\\\\n\",\"fraction\":null}]}");
        progress_line_of(&(Progress){ .eta_ms = -1 }, &l);
        AUTO_JSON nothing = progress_event_of(&l, 0);
        cr_assert(json_is_null(jx_get(nothing, "total")));
        cr_assert(json_is_null(jx_get(nothing, "seconds_left")));
        cr_assert_eq(json_array_size(jx_get(nothing, "parts")), 0);
}

Test(progress_event, carries_an_error_with_its_code)
{
        AUTO_ERR err = { 0 };
        err_set(&err, ERR_SERVER, "no room");
        memcpy(err.sqlstate, "53100", sizeof "53100");
        AUTO_JSON j = progress_event_failed(&err, 1, 4000);
        AUTO_FREE char *text = progress_event_line(j);
        cr_assert_str_eq(text, "{\"event\":\"failed\",\"seconds\":4.0,\"message\":\"no room\","
                               "\"sqlstate\":\"53100\",\"hint\":null,\"exit_code\":1}");
}

static bool read_endpoint(const char *text, Endpoint *ret)
{
        AUTO_ERR err = { 0 };
        return endpoint_read("--from", text, NULL, ret, &err);
}

Test(endpoint, takes_everything_behind_db_as_the_name)
{
        AUTO_ENDPOINT e = { 0 };
        cr_assert(read_endpoint("host=h,port=1,user=u,db=host=evil, port=2\n\"", &e));
        cr_assert_str_eq(e.host, "h");
        cr_assert_eq(e.port, 1);
        cr_assert_str_eq(e.user, "u");
        cr_assert_str_eq(e.database, "host=evil, port=2\n\"");
}

Test(endpoint, refuses_what_it_does_not_know)
{
        static const char *const bad[] = { "host",       "hots=h",          "port=0",
                                           "port=65536", "port=5x",         "port=",
                                           "host=",      "password=x,db=y", "postgres://u:p@h/d",
                                           "db=",        "db=\xff",         ",",
                                           NULL };
        for (size_t i = 0; bad[i]; i++) {
                AUTO_ENDPOINT e = { 0 };
                cr_expect_not(read_endpoint(bad[i], &e), "%s", bad[i]);
        }
        AUTO_ENDPOINT e = { 0 };
        cr_expect_not(read_endpoint(NULL, &e));
}

Test(endpoint, refuses_a_name_that_postgresql_would_cut)
{
        char name[80] = "db=";
        AUTO_ENDPOINT ok = { 0 };
        AUTO_ENDPOINT cut = { 0 };
        memset(name + 3, 'x', 63);
        cr_assert(read_endpoint(name, &ok));
        memset(name + 3, 'x', 64);
        cr_assert_not(read_endpoint(name, &cut));
}

static bool read_flags(const Flag *flags, const char *const *argv, const char **words, size_t max,
                       size_t *n, Err *err)
{
        int argc = 0;
        while (argv[argc])
                argc++;
        return flags_read(flags, argc, (char **)(uintptr_t)argv, words, max, n, err);
}

Test(flags, reads_values_lists_and_words)
{
        const char *from = NULL, *words[1] = { NULL };
        bool quiet = false;
        size_t n = 0;
        AUTO_JSON list = json_array();
        AUTO_ERR err = { 0 };
        const Flag flags[] = { { "--from", .value = &from },
                               { "--quiet", .set = &quiet },
                               { "--db", .list = list },
                               { 0 } };
        const char *argv[] = { "verb", "--db", "--a", "--quiet", "--from", "x",
                               "--db", "b",    "--",  "-w",      NULL };
        cr_assert(read_flags(flags, argv, words, 1, &n, &err), "%s", err.message);
        cr_assert_str_eq(from, "x");
        cr_assert(quiet);
        cr_assert_eq(json_array_size(list), 2);
        cr_assert_eq(n, 1);
        cr_assert_str_eq(words[0], "-w");
        const char *wrong[][3] = { { "verb", "--form", NULL },
                                   { "verb", "--from", NULL },
                                   { "verb", "\xff", NULL } };
        cr_assert_not(read_flags(flags, wrong[0], words, 1, &n, &err));
        cr_assert_str_eq(err.hint, "did you mean --from?");
        cr_assert_not(read_flags(flags, wrong[1], words, 1, &n, &err));
        cr_assert_not(read_flags(flags, wrong[2], words, 0, &n, &err));
}
