#include <signal.h>
#include <sys/wait.h>

#include "journal/run_dir.h"
#include "scratch.h"

static char *state;

static void setup(void)
{
        state = scratch_dir();
        setenv("PGSHERPA_STATE", state, 1);
}

static void teardown(void)
{
        scratch_remove(&state);
}

static char *new_run(char **id)
{
        AUTO_ERR err = { 0 };
        char *dir = NULL;
        cr_assert(run_dir_create(&dir, id, &err), "%s", err.message);
        return dir;
}

Test(run_dir, root_follows_the_environment, .init = setup, .fini = teardown)
{
        AUTO_FREE char *own = run_dir_root();
        cr_assert(str_starts(own, state) && str_ends(own, "/runs"));
        unsetenv("PGSHERPA_STATE");
        setenv("XDG_STATE_HOME", "/x/state", 1);
        AUTO_FREE char *xdg = run_dir_root();
        cr_assert_str_eq(xdg, "/x/state/pgsherpa/runs");
        setenv("XDG_STATE_HOME", "relative", 1);
        setenv("HOME", "/home/anna", 1);
        AUTO_FREE char *plain = run_dir_root();
        cr_assert_str_eq(plain, geteuid() == 0 ? "/var/lib/pgsherpa/runs"
                                               : "/home/anna/.local/state/pgsherpa/runs");
}

Test(run_dir, numbers_runs_and_finds_them, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *id1 = NULL;
        AUTO_FREE char *id2 = NULL;
        AUTO_FREE char *one = new_run(&id1);
        AUTO_FREE char *two = new_run(&id2);
        cr_assert_str_eq(id1, "p1");
        cr_assert_str_eq(id2, "p2");
        struct stat st;
        cr_assert(stat(one, &st) == 0 && (st.st_mode & 0777) == 0700);
        const struct {
                const char *name, *dir;
        } good[] = { { "p1", one }, { "1", one }, { "latest", two }, { two, two } };
        for (size_t i = 0; i < LEN(good); i++) {
                AUTO_FREE char *dir = NULL;
                cr_assert(run_dir_find(good[i].name, &dir, &err), "%s", err.message);
                cr_assert_str_eq(dir, good[i].dir);
        }
        static const char *const bad[] = { "p3", "p01", "p1/", "x", "../runs", "0", "" };
        for (size_t i = 0; i < LEN(bad); i++) {
                AUTO_FREE char *dir = NULL;
                cr_assert_not(run_dir_find(bad[i], &dir, &err), "%s", bad[i]);
                cr_assert_str_eq(err.hint, "the runs are p2, p1");
        }
        AUTO_FREE char *tag = NULL;
        cr_assert(run_dir_tag(two, &tag, &err), "%s", err.message);
        cr_assert(str_starts(tag, "p2-") && strlen(tag) == 7, "%s", tag);
}

Test(run_dir, gives_every_number_once, .init = setup, .fini = teardown)
{
        enum { CHILDREN = 8, EACH = 10 };
        for (int i = 0; i < CHILDREN; i++) {
                pid_t pid = fork();
                if (pid)
                        continue;
                for (int k = 0; k < EACH; k++) {
                        AUTO_FREE char *id = NULL;
                        AUTO_FREE char *dir = new_run(&id);
                        (void)dir;
                }
                _exit(0);
        }
        for (int i = 0; i < CHILDREN; i++) {
                int status;
                wait(&status);
                cr_assert_eq(status, 0);
        }
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = NULL;
        AUTO_FREE char *last = xasprintf("p%d", CHILDREN * EACH);
        cr_assert(run_dir_find("latest", &dir, &err) && str_ends(dir, last));
}

Test(run_dir, refuses_a_state_directory_of_somebody_else, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *root = run_dir_root();
        AUTO_FREE char *dir = NULL;
        AUTO_FREE char *id = NULL;
        cr_assert(io_mkdir_p(root, 0700, &err));
        chmod(root, 0777);
        cr_assert_not(run_dir_create(&dir, &id, &err));
        cr_assert_eq(err.kind, ERR_USER);
}

Test(run_lock, is_held_by_one_and_ends_with_its_holder, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *id = NULL;
        AUTO_FREE char *dir = new_run(&id);
        int ready[2], fd = -1;
        cr_assert_not(run_lock_held(dir));
        cr_assert_eq(pipe(ready), 0);
        pid_t pid = fork();
        if (pid == 0) {
                if (!run_lock_try(dir, &fd, &err) || fd < 0 || write(ready[1], "x", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        char x;
        cr_assert_eq(read(ready[0], &x, 1), 1);
        cr_assert(run_lock_held(dir));
        cr_assert(run_lock_try(dir, &fd, &err));
        cr_assert_eq(fd, -1);
        AUTO_FREE char *who = run_lock_words(dir);
        AUTO_FREE char *expected = xasprintf("pid %d on", (int)pid);
        cr_assert_not_null(strstr(who, expected), "%s", who);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        cr_assert_not(run_lock_held(dir));
        cr_assert(run_lock_try(dir, &fd, &err));
        cr_assert_geq(fd, 0);
        close(fd);
}

Test(runs_list, says_what_became_of_every_run, .init = setup, .fini = teardown)
{
        AUTO_ERR err = { 0 };
        const char *expected[] = { "empty", "stopped", "waiting", "done", "stopped" };
        int lock = -1;
        for (int i = 4; i >= 0; i--) { /* newest first: the first is p5 */
                AUTO_FREE char *id = NULL;
                AUTO_FREE char *dir = new_run(&id);
                if (i == 0)
                        continue;
                Journal *j = must_open(dir);
                must_append(j, EV_RUN_OPEN, NULL,
                            "{\"run\":\"p\",\"title\":\"T\",\"runbook\":\"r\"}");
                if (i == 2)
                        must_append(j, EV_GATE_OPEN, NULL, "{\"gate\":1}");
                if (i == 3)
                        must_append(j, EV_RUN_CLOSE, NULL, "{\"status\":\"done\"}");
                if (i == 2)
                        cr_assert(run_lock_try(dir, &lock, &err) && lock >= 0);
                journal_close(j);
                if (i == 4) {
                        size_t n;
                        AUTO_FREE char *bytes = slurp(dir, "journal.jsonl", &n);
                        AUTO_FREE char *twice = xasprintf("%s%s", bytes, bytes);
                        spit(dir, "journal.jsonl", twice, 2 * n);
                }
        }
        AUTO_ARENA a = arena_new();
        RunSummary *list;
        size_t n;
        cr_assert(runs_list(a, &list, &n, &err), "%s", err.message);
        cr_assert_eq(n, 5);
        for (size_t i = 0; i < n; i++) {
                cr_assert_str_eq(list[i].status, expected[i], "%s: %s", list[i].id, list[i].status);
                cr_assert_eq(list[i].damaged, i == 4, "%s", list[i].id);
                cr_assert_eq(list[i].engine_alive, i == 2);
        }
        close(lock);
}
