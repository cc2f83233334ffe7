/* test_control.c: who may say what over the socket, and two engines that meet. */
#include <criterion/criterion.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define SLOW                                                                                       \
        KIT_HEAD "targets:\n  box: {kind: host}\nphases:\n" KIT_PHASE("one")                       \
                KIT_STEP("id: a, do: fake.make, on: box, with: {name: a}, undo: auto")             \
                        KIT_STEP("id: slow, do: fake.look, with: {ms: 20s}") KIT_STEP(             \
                                "id: b, do: fake.make, on: box, with: {name: b}, undo: auto")

static bool ok(Kit *k, const char *json)
{
        AUTO_JSON reply = kit_ask(k, json);
        return jx_bool(reply, "ok", false);
}

static void until_made(Kit *k)
{
        kit_start(k);
        cr_assert(kit_connect(k));
        for (int i = 0; i < 5000 && !kit_there(k, "a"); i++)
                usleep(1000);
        usleep(20000);
}

Test(control, the_socket_is_for_the_owner_alone)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        AUTO_FREE char *path = io_join(k->run_dir, "control.sock");
        struct stat st;
        cr_assert_eq(stat(path, &st), 0);
        cr_assert_eq(st.st_mode & 0777, 0600);
        kit_free(k);
}

Test(control, abort_must_name_the_run)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        cr_assert_not(ok(k, "{\"cmd\": \"abort\"}"));
        cr_assert_not(ok(k, "{\"cmd\": \"abort\", \"run\": \"p8\"}"));
        cr_assert(ok(k, "{\"cmd\": \"abort\", \"run\": \"p7\"}"));
        cr_assert_eq(kit_wait(k, NULL), ENGINE_ABORTED);
        cr_assert_not(kit_there(k, "b"));
        kit_free(k);
}

Test(control, a_note_is_kept_with_its_author)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        cr_assert(ok(k, "{\"cmd\": \"note\", \"text\": \"coffee\"}"));
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "coffee"));
        kit_free(k);
}

Test(control, whoever_watches_cannot_touch)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        Kit viewer = *k;
        viewer.fd = -1;
        viewer.watch = true;
        cr_assert(kit_connect(&viewer));
        cr_assert(ok(&viewer, "{\"cmd\": \"status\"}"));
        cr_assert_not(ok(&viewer, "{\"cmd\": \"note\", \"text\": \"viewer\"}"));
        cr_assert_not(ok(&viewer, "{\"cmd\": \"abort\", \"run\": \"p7\"}"));
        cr_assert(ok(k, "{\"cmd\": \"note\", \"text\": \"controller\"}"), "the other one may");
        close(viewer.fd);
        kit_free(k);
}

Test(control, nonsense_is_refused_in_words)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        cr_assert_not(ok(k, "{\"cmd\": \"explode\"}"));
        cr_assert_not(ok(k, "{\"cmd\": \"answer\", \"gate\": 1, \"answer\": \"y\"}"));
        cr_assert_not(ok(k, "{\"cmd\": \"rollback\", \"to\": \"nowhere\"}"));
        cr_assert_not(ok(k, "{}"));
        kit_free(k);
}

#define WORKERS                                                                                    \
        KIT_HEAD "targets:\n  box: {kind: host}\nphases:\n" KIT_PHASE("one")                       \
                KIT_STEP("id: a, do: fake.make, on: box, with: {name: a}, undo: auto")             \
                        KIT_STEP("id: busy, do: fake.look, with: {ms: 20s, workers: 2}")

static int64_t jobs(Kit *k, const char *json)
{
        AUTO_JSON reply = kit_ask(k, json);
        return jx_bool(reply, "ok", false) ? jx_int(reply, "jobs", -1) : 0;
}

Test(control, workers_of_the_running_step_are_changed_and_nothing_is_journaled)
{
        Kit *k = kit_new(WORKERS);
        until_made(k);
        for (int i = 0; i < 500 && !jobs(k, "{\"cmd\": \"jobs\", \"delta\": 1}"); i++)
                usleep(10000);
        AUTO_FREE char *before = kit_journal(k);
        cr_expect_eq(jobs(k, "{\"cmd\": \"jobs\", \"delta\": 1}"), 4);
        cr_expect_eq(jobs(k, "{\"cmd\": \"jobs\", \"delta\": 1}"), 0, "four are the most");
        cr_expect_eq(jobs(k, "{\"cmd\": \"jobs\", \"delta\": -2}"), 2);
        cr_expect_eq(jobs(k, "{\"cmd\": \"jobs\", \"delta\": -64}"), 1);
        cr_expect_eq(jobs(k, "{\"cmd\": \"jobs\", \"delta\": -1}"), 0, "one is the fewest");
        cr_expect_eq(jobs(k, "{\"cmd\": \"jobs\"}"), 0);
        cr_expect_eq(jobs(k, "{\"cmd\": \"jobs\", \"delta\": 65}"), 0);
        AUTO_FREE char *after = kit_journal(k);
        cr_expect_str_eq(before, after);
        AUTO_FREE char *path = io_join(k->run_dir, "output/busy.log");
        AUTO_FREE char *said = NULL;
        AUTO_ERR err = { 0 };
        cr_assert(io_read_file(path, 1 << 20, &said, NULL, &err), "%s", err.message);
        cr_expect(strstr(said, "4 workers from now on, 3 before"), "%s", said);
        kit_free(k);
}

Test(control, a_step_without_workers_says_so)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        AUTO_JSON reply = kit_ask(k, "{\"cmd\": \"jobs\", \"delta\": 1}");
        cr_assert_not(jx_bool(reply, "ok", true));
        cr_assert(strstr(jx_str(reply, "error", ""), "no workers"), "%s",
                  jx_str(reply, "error", ""));
        kit_free(k);
}

Test(control, a_second_engine_of_the_same_run_is_refused)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        pid_t first = k->pid;
        int fd = k->fd;
        k->fd = -1;
        k->resume = true;
        kit_start(k);
        int code = 0;
        cr_assert_eq(waitpid(k->pid, &code, 0), k->pid);
        cr_assert(WIFEXITED(code));
        cr_assert_eq(WEXITSTATUS(code), ENGINE_REFUSED);
        k->pid = first;
        k->fd = fd;
        cr_assert(ok(k, "{\"cmd\": \"status\"}"), "the first one lives on");
        kit_free(k);
}

Test(control, a_second_run_on_the_same_target_is_refused)
{
        Kit *k = kit_new(SLOW);
        until_made(k);
        Kit other = *k;
        AUTO_FREE char *dir = xasprintf("%s/runs/p9", k->root);
        AUTO_FREE char *state = xasprintf("%s/state", dir);
        AUTO_ERR err = { 0 };
        cr_assert(io_mkdir_p(dir, 0700, &err) && io_mkdir_p(state, 0700, &err));
        other.run_dir = dir;
        other.fd = -1;
        other.pid = 0;
        kit_start(&other);
        int code = 0;
        cr_assert_eq(waitpid(other.pid, &code, 0), other.pid);
        cr_assert(WIFEXITED(code));
        cr_assert_eq(WEXITSTATUS(code), ENGINE_REFUSED);
        kit_free(k);
}
