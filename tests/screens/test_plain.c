/* test_plain.c: the frontends without a screen: sentences and JSON lines. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonx.h"

typedef struct Said {
        char *out;
        int code;
        char state[32];
} Said;

/* Runs ui_replay with pipes instead of a terminal. */
static Said run(const char *view, const char *story, const char *mark, const char *option,
                const char *input)
{
        Said s = { 0 };
        int in[2], out[2], status = 0;
        char path[512];
        snprintf(s.state, sizeof s.state, "/tmp/pgs-XXXXXX");
        cr_assert(mkdtemp(s.state) && !pipe(in) && !pipe(out));
        snprintf(path, sizeof path, "%s/%s.jsonl", STORIES, story);
        pid_t pid = fork();
        if (pid == 0) {
                dup2(in[0], 0);
                dup2(out[1], 1);
                dup2(out[1], 2);
                for (int fd = 3; fd < 20; fd++)
                        close(fd);
                setenv("PGSHERPA_STATE", s.state, 1);
                setenv("PGSHERPA_STORIES", STORIES, 1);
                setenv("LANG", "C.UTF-8", 1);
                execl(UI_REPLAY, "ui_replay", view, path, mark, option, (char *)NULL);
                _exit(127);
        }
        close(in[0]);
        close(out[1]);
        if (input)
                cr_assert(write(in[1], input, strlen(input)) == (ssize_t)strlen(input));
        close(in[1]);
        Buf b = buf_init(1 << 20);
        char chunk[4096];
        struct pollfd p = { .fd = out[0], .events = POLLIN };
        for (ssize_t n; poll(&p, 1, 5000) > 0 && (n = read(out[0], chunk, sizeof chunk)) > 0;)
                buf_add(&b, chunk, (size_t)n);
        close(out[0]);
        for (int i = 0; i < 300 && waitpid(pid, &status, WNOHANG) == 0; i++)
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        s.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        s.out = xstrdup(buf_str(&b));
        buf_done(&b);
        for (char *q = s.out; (q = strstr(q, s.state));)
                memcpy(q, "/tmp/pgs-000000", strlen(s.state));
        return s;
}

static void done(Said *s)
{
        AUTO_ERR err = { 0 };
        for (int i = 0; i < 20 && !io_remove_tree(s->state, &err); i++) {
                err_clear(&err);
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        free(s->out);
}

static void golden(const Said *s, const char *name)
{
        AUTO_FREE char *path = xasprintf("%s/%s.txt", GOLDEN, name);
        AUTO_FREE char *want = NULL;
        AUTO_ERR err = { 0 };
        size_t n;
        if (getenv("UPDATE_GOLDEN")) {
                cr_assert(io_replace_file(path, s->out, strlen(s->out), 0644, &err));
                return;
        }
        cr_assert(io_read_file(path, 1 << 20, &want, &n, &err), "%s", err.message);
        cr_assert_str_eq(s->out, want, "%s differs; it is now:\n%s", name, s->out);
}

static int commands(const Said *s, const char *part)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = xasprintf("%s/runs/p1/commands.jsonl", s->state);
        AUTO_FREE char *text = NULL;
        size_t n;
        int found = 0;
        if (!io_read_file(path, 1 << 20, &text, &n, &err))
                return 0;
        for (char *p = text; (p = strstr(p, part)); p++)
                found++;
        return found;
}

Test(plain, a_finished_run_is_told_in_sentences)
{
        Said s = run("run", "upgrade", "done", "plain", "");
        golden(&s, "plain-done");
        cr_assert_eq(s.code, 0);
        cr_assert_null(strchr(s.out, '\033'));
        cr_assert_null(strchr(s.out, '\r'));
        done(&s);
}

Test(plain, enter_alone_changes_nothing)
{
        Said s = run("run", "upgrade", "gate", "plain", "\n");
        cr_assert(strstr(s.out, "QUESTION. Step 9 of 16"), "%s", s.out);
        cr_assert(strstr(s.out, "Enter alone means 2"), "%s", s.out);
        cr_assert_eq(commands(&s, "\"answer\":\"y\""), 0);
        cr_assert_eq(commands(&s, "\"answer\":\"n\""), 1);
        done(&s);
}

Test(plain, nobody_there_means_the_run_waits)
{
        Said s = run("run", "upgrade", "gate", "plain", "");
        cr_assert_eq(commands(&s, "\"cmd\":\"answer\""), 0);
        cr_assert_eq(s.code, 11);
        cr_assert(strstr(s.out, "waits for an answer"), "%s", s.out);
        done(&s);
}

Test(plain, a_typed_gate_is_never_answered_by_yes)
{
        Said s = run("run", "upgrade", "word", "yes", "");
        cr_assert_eq(commands(&s, "\"cmd\":\"answer\""), 0);
        cr_assert_eq(s.code, 11);
        done(&s);
        Said t = run("run", "upgrade", "word", "yes", "app_pgdata\n");
        cr_assert_eq(commands(&t, "\"text\":\"app_pgdata\""), 1);
        cr_assert_eq(t.code, 0, "%s", t.out);
        done(&t);
}

Test(plain, a_yes_gate_is_answered_by_yes)
{
        Said s = run("run", "upgrade", "gate", "yes", "");
        cr_assert_eq(commands(&s, "\"answer\":\"y\""), 1, "%s", s.out);
        done(&s);
}

Test(plain, a_failure_has_its_error_hint_and_choices)
{
        Said s = run("run", "upgrade", "failure", "plain", "\n");
        cr_assert(strstr(s.out, "No space left on device"));
        cr_assert(strstr(s.out, "HINT: Check free disk space."));
        cr_assert(strstr(s.out, "SQLSTATE 53100"));
        cr_assert(strstr(s.out, "Try again"));
        cr_assert_eq(commands(&s, "\"cmd\":\"answer\""), 0);
        done(&s);
}

Test(plain, an_undone_run_ends_with_1)
{
        Said s = run("run", "undo", "undone", "plain", "");
        cr_assert_eq(s.code, 1);
        golden(&s, "plain-undone");
        done(&s);
}

Test(plain, a_journey_asks_by_number_and_shows_its_plan)
{
        Said s = run("journey", "upgrade", "done", "plain",
                     "\n\n\n\n\npostgres:17-bookworm\n\n\n\n\nn\n");
        golden(&s, "plain-journey");
        cr_assert_eq(s.code, 130);
        done(&s);
}

Test(plain, json_lines_are_events)
{
        Said s = run("run", "upgrade", "done", "json", "");
        int n = 0, steps = 0;
        for (char *line = strtok(s.out, "\n"); line; line = strtok(NULL, "\n"), n++) {
                AUTO_ERR err = { 0 };
                AUTO_JSON j = jx_parse(line, strlen(line), &err);
                cr_assert(j, "line %d is no JSON: %s", n, line);
                cr_assert_str_eq(jx_str(j, "run", ""), "p1");
                steps += str_eq(jx_str(j, "ev", ""), "step.done");
        }
        cr_assert(n > 100 && steps >= 14, "%d lines, %d steps", n, steps);
        cr_assert_eq(s.code, 0);
        done(&s);
}
