/* plain_criterion.c: runs Criterion's tests without Criterion's runner, for builds with TSan.
 *
 * The runner shares memory with its workers at addresses of its own choice, and TSan's shadow
 * mostly lies there already ("Could not initialize inheritable arena", Snaipe/Criterion#274; with
 * gcc, with clang and under `setarch -R` alike). The tests themselves are only rows of a section of
 * the program: linked before the library, this file answers in its place, and forks once for each
 * test. Of the arguments it knows `--filter SUITE/NAME`; time limits are meson's; parameterised
 * tests are left to the real runner. Reports as TAP. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

extern struct criterion_test *__start_cr_tst[], *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak)),
        *__stop_cr_sts[] __attribute__((weak));

static const struct criterion_test *running;
static bool failed;
static jmp_buf out;
static const char *pattern = "*";

static const struct criterion_test_extra_data *suite_of(const struct criterion_test *test)
{
        for (struct criterion_suite **s = __start_cr_sts; s && s < __stop_cr_sts; s++)
                if (*s && strcmp((*s)->name, test->category) == 0)
                        return (*s)->data;
        return NULL;
}

static void call(void (*fn)(void))
{
        if (fn && setjmp(out) == 0)
                fn();
}

void criterion_internal_test_setup(void)
{
        const struct criterion_test_extra_data *suite = suite_of(running);
        if (suite)
                call(suite->init);
        call(running->data->init);
}

void criterion_internal_test_main(void (*fn)(void))
{
        call(fn);
}

void criterion_internal_test_teardown(void)
{
        const struct criterion_test_extra_data *suite = suite_of(running);
        call(running->data->fini);
        if (suite)
                call(suite->fini);
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
        if (stats->passed)
                return;
        failed = true;
        fprintf(stderr, "%s:%u: %s\n", stats->file, stats->line, stats->message);
}

void cri_asserts_passed_incr(void)
{
}

void criterion_continue_test(void)
{
}

void criterion_abort_test(void)
{
        longjmp(out, 1);
}

static bool passes(const struct criterion_test *test)
{
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
                running = test;
                test->test();
                exit(failed);
        }
        int status;
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
               WEXITSTATUS(status) == 0;
}

struct criterion_test_set *criterion_initialize(void)
{
        return NULL;
}

int criterion_handle_args(int argc, char **argv, bool unknown_is_an_error)
{
        for (int i = 1; i + 1 < argc; i++)
                if (strcmp(argv[i], "--filter") == 0)
                        pattern = argv[i + 1];
        return 1;
}

static bool is_asked_for(const struct criterion_test *test)
{
        char name[256];
        snprintf(name, sizeof name, "%s/%s", test->category, test->name);
        return !test->data->disabled && test->data->kind_ == CR_TEST_NORMAL &&
               fnmatch(pattern, name, 0) == 0;
}

int criterion_run_all_tests(struct criterion_test_set *none)
{
        int ran = 0, bad = 0;
        for (struct criterion_test **t = __start_cr_tst; t < __stop_cr_tst; t++) {
                if (!*t || !is_asked_for(*t))
                        continue;
                bool good = passes(*t);
                printf("%s %d - %s/%s\n", good ? "ok" : "not ok", ++ran, (*t)->category,
                       (*t)->name);
                bad += !good;
        }
        printf("1..%d\n", ran);
        return bad == 0;
}

void criterion_finalize(struct criterion_test_set *none)
{
}
