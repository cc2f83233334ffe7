#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>

#include "proc/proc.h"
#include "tests/fakes/scratch.h"

static bool run(const char *const *words, const ProcOptions *o, ProcResult *r, Err *err)
{
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, words);
        return proc_run(&a, o, r, err);
}
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(argv, quotes_for_people_so_that_a_shell_would_agree)
{
        AUTO_ARGV a = { 0 };
        argv_add(&a, "docker");
        argv_add(&a, "a b");
        argv_add(&a, "it's; rm -rf $HOME");
        argv_add(&a, "");
        argv_add(&a, "\033[2J");
        AUTO_FREE char *text = argv_for_humans(&a);
        cr_assert_str_eq(text, "docker 'a b' 'it'\\''s; rm -rf $HOME' '' '\\x1b[2J'");
}

Test(argv, hides_a_secret_that_slipped_in)
{
        char word[] = "correct horse";
        AUTO_SECRET s = secret_take("pw", word, strlen(word));
        cr_assert_not_null(s);
        AUTO_ARGV a = { 0 };
        argv_add(&a, "x");
        argv_add(&a, "correct horse");
        AUTO_FREE char *text = argv_for_humans(&a);
        cr_assert_null(strstr(text, "horse"), "%s", text);
}

Test(proc, hands_hostile_arguments_over_unchanged)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("printf", "%s|", "$(id)", "a'b\"c", "; rm x", "\n", "*", ""), NULL, &r,
                      &err));
        cr_assert_str_eq(buf_str(&r.out), "$(id)|a'b\"c|; rm x|\n|*||");
        cr_assert_eq(r.status, 0);
}

Test(proc, names_a_command_that_is_not_there)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(run(WORDS("pgsherpa-no-such-tool"), NULL, &r, &err));
        cr_assert_str_eq(err.message, "pgsherpa-no-such-tool: command not found");
        cr_assert_not_null(err.hint);
        cr_assert_eq(err.exit_status, 127);
}

Test(proc, tells_a_missing_directory_from_a_missing_command)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(run(WORDS("true"), &(ProcOptions){ .cwd = "/no/such/dir" }, &r, &err));
        cr_assert_not_null(strstr(err.message, "/no/such/dir"), "%s", err.message);
}

Test(proc, says_what_a_failing_child_said_last)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(run(WORDS("sh", "-c", "echo first >&2; echo 'no such image' >&2; exit 3"),
                          NULL, &r, &err));
        cr_assert_str_eq(err.message, "sh ended with exit status 3: no such image");
        cr_assert_eq(err.exit_status, 3);
        cr_assert_eq(err.kind, ERR_COMMAND);
}

Test(proc, says_the_error_and_not_the_query_printed_after_it)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(run(WORDS("sh", "-c",
                                "printf 'pg_dump: note\\npg_dump: error: query failed: no\\n"
                                "pg_dump: error: query was: SELECT a\\nORDER BY a\\n' "
                                ">&2; exit 1"),
                          NULL, &r, &err));
        cr_assert_str_eq(err.message,
                         "sh ended with exit status 1: pg_dump: error: query failed: no");
}

Test(proc, lets_any_exit_pass_when_asked)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("sh", "-c", "exit 7"), &(ProcOptions){ .any_exit = true }, &r, &err));
        cr_assert_eq(r.status, 7);
}

Test(proc, feeds_stdin_and_reads_more_than_a_pipe_holds)
{
        size_t n = 3 * 1024 * 1024;
        AUTO_FREE char *bytes = xmalloc(n);
        memset(bytes, 'x', n);
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("cat"), &(ProcOptions){ .input = bytes, .input_len = n }, &r, &err));
        cr_assert_eq(r.out.len, n);
        cr_assert_eq(memcmp(r.out.data, bytes, n), 0);
}

Test(proc, survives_a_child_that_does_not_read)
{
        size_t n = 1024 * 1024;
        AUTO_FREE char *bytes = xcalloc(n, 1);
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("true"), &(ProcOptions){ .input = bytes, .input_len = n }, &r, &err));
}

Test(proc, gives_a_secret_by_stdin)
{
        char word[] = "s3cret word";
        AUTO_SECRET s = secret_take("pw", word, strlen(word));
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("wc", "-c"), &(ProcOptions){ .input_secret = s }, &r, &err));
        cr_assert_eq(atoi(buf_str(&r.out)), 12);
}

Test(proc, bounds_what_it_keeps)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("head", "-c", "5000000", "/dev/zero"),
                      &(ProcOptions){ .max_output = 1000 }, &r, &err));
        cr_assert_eq(r.out.len, 1000);
        cr_assert(r.out.overflow);
}

Test(proc, clears_the_environment_of_what_would_misdirect)
{
        setenv("PGHOST", "evil", 1);
        setenv("PGPASSWORD", "hunter2hunter2", 1);
        setenv("SOME_TOKEN", "abc", 1);
        setenv("LANG", "C.UTF-8", 1);
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        const char *const extra[] = { "ADDED=1", "LANG=C", NULL };
        cr_assert(run(WORDS("env"), &(ProcOptions){ .env = extra }, &r, &err));
        const char *out = buf_str(&r.out);
        cr_assert_null(strstr(out, "PGHOST"));
        cr_assert_null(strstr(out, "hunter2"));
        cr_assert_null(strstr(out, "SOME_TOKEN"));
        cr_assert_not_null(strstr(out, "PATH="));
        cr_assert_not_null(strstr(out, "ADDED=1"));
        cr_assert_not_null(strstr(out, "LANG=C\n"));
}

Test(proc, forgets_what_would_misdirect_its_own_connections)
{
        setenv("PGHOSTADDR", "192.0.2.1", 1);
        setenv("PGSHERPA_KEPT", "1", 1);
        setenv("PGSERVICE", "elsewhere", 1);
        setenv("PGOPTIONS", "-c a=b", 1);
        setenv("OTHER", "2", 1);
        proc_forget_pg();
        cr_assert_null(getenv("PGHOSTADDR"));
        cr_assert_null(getenv("PGSERVICE"));
        cr_assert_null(getenv("PGOPTIONS"));
        cr_assert_str_eq(getenv("PGSHERPA_KEPT"), "1");
        cr_assert_str_eq(getenv("OTHER"), "2");
}

Test(proc, leaves_no_descriptor_open_in_the_child)
{
        int leak = fcntl(0, F_DUPFD, 77);
        cr_assert_eq(leak, 77);
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("sh", "-c",
                            "for n in 0 1 2 77; do test -e /proc/self/fd/$n && echo $n; done; :"),
                      NULL, &r, &err));
        cr_assert_str_eq(buf_str(&r.out), "0\n1\n2\n");
        close(leak);
}

static bool gone(pid_t pid)
{
        for (int i = 0; i < 100; i++) {
                unsigned long long t;
                if (!proc_starttime(pid, &t))
                        return true;
                char path[40], state = 'R';
                snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
                FILE *f = fopen(path, "re");
                if (!f)
                        return true;
                int got = fscanf(f, "%*d (%*[^)]) %c", &state);
                fclose(f);
                if (got == 1 && state == 'Z')
                        return true;
                usleep(20000);
        }
        return false;
}

Test(proc, kills_the_whole_group_at_the_timeout)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(run(WORDS("sh", "-c", "sleep 300 & echo $!; wait"),
                          &(ProcOptions){ .timeout_ms = 300 }, &r, &err));
        cr_assert_not_null(strstr(err.message, "did not end within"), "%s", err.message);
        pid_t grandchild = atoi(buf_str(&r.out));
        cr_assert_gt(grandchild, 1);
        cr_assert(gone(grandchild));
}

static volatile bool cancel;
static void on_line(void *arg, int fd, const char *line)
{
        int *n = arg;
        cr_expect_eq(fd, 1);
        cr_expect_str_eq(line, *n == 0 ? "one" : "t\\x1bwo");
        if (++*n == 2)
                cancel = true;
}

Test(proc, gives_lines_as_they_come_and_stops_when_cancelled)
{
        int n = 0;
        cancel = false;
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(run(WORDS("sh", "-c", "printf 'one\\nt\\033wo\\n'; exec sleep 300"),
                          &(ProcOptions){ .cancel = &cancel, .line = on_line, .line_arg = &n }, &r,
                          &err));
        cr_assert_eq(n, 2);
        cr_assert_eq(err.kind, ERR_CANCELLED);
}

Test(proc, does_not_wait_for_a_grandchild_that_keeps_the_pipe)
{
        AUTO_PROC r = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert(run(WORDS("sh", "-c", "sleep 30 & echo $!"),
                      &(ProcOptions){ .timeout_ms = 20000 }, &r, &err));
        kill(atoi(buf_str(&r.out)), SIGKILL);
}

Test(proc, daemon_lives_in_its_own_session_and_tells_its_pid)
{
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *log = xasprintf("%s/log", dir);
        int fd = open(log, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        cr_assert_geq(fd, 0);
        AUTO_ARGV a = { 0 };
        argv_add_all(&a, WORDS("sh", "-c", "echo hello; exec sleep 60"));
        pid_t pid = 0;
        AUTO_ERR err = { 0 };
        cr_assert(proc_daemon(&a, log, -1, &pid, &err), "%s", err.message);
        cr_assert_eq(getsid(pid), pid);
        unsigned long long start = 0;
        cr_assert(proc_starttime(pid, &start));
        cr_assert_gt(start, 0);
        char text[16] = "";
        for (int i = 0; i < 100 && !*text; i++) {
                usleep(20000);
                cr_assert_geq(pread(fd, text, sizeof text - 1, 0), 0);
        }
        cr_assert_str_eq(text, "hello\n");
        kill(pid, SIGKILL);
        close(fd);
        unlink(log);
        rmdir(dir);
}

Test(proc, daemon_reports_a_program_that_is_not_there)
{
        AUTO_ARGV a = { 0 };
        argv_add(&a, "/no/such/engine");
        pid_t pid = 0;
        AUTO_ERR err = { 0 };
        cr_assert_not(proc_daemon(&a, "/dev/null", -1, &pid, &err));
        cr_assert_not_null(strstr(err.message, "command not found"), "%s", err.message);
}

Test(proc, finds_programs_in_path)
{
        AUTO_FREE char *sh = proc_which("sh");
        cr_assert_not_null(sh);
        cr_assert(str_ends(sh, "/sh"));
        cr_assert_null(proc_which("no-such-program-here"));
        cr_assert_null(proc_which(""));
}

/* `docker run` ends with 139 when what runs in the container crashed: docker did not. */
Test(proc, says_who_was_killed_by_a_signal)
{
        AUTO_PROC a = { 0 };
        AUTO_PROC b = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_not(run(WORDS("sh", "-c", "exit 139"), NULL, &a, &err));
        cr_assert(
                str_starts(err.message, "what sh ran was killed by signal 11 (Segmentation fault)"),
                "%s", err.message);
        err_clear(&err);
        cr_assert_not(run(WORDS("sh", "-c", "kill -9 $$"), NULL, &b, &err));
        cr_assert(str_starts(err.message, "sh was killed by signal 9 (Killed)"), "%s", err.message);
}
