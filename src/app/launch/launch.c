#include "app/launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/launch/targets.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "config.h"
#include "engine/engine.h"
#include "journal/run_dir.h"
#include "proc/proc.h"

bool launch_plan(const Journey *j, const json_t *decisions, json_t **ret, Err *err)
{
        TargetOps ops = targets_ops();
        EngineConfig config = { .runbook = j->runbook,
                                .plan = j->plan,
                                .answers = decisions,
                                .ops = &ops,
                                .tool = "pgsherpa " PGSHERPA_VERSION };
        return engine_plan(&config, ret, err);
}

static bool put_json(const char *dir, const char *name, const json_t *value, Err *err)
{
        AUTO_FREE char *path = io_join(dir, name);
        AUTO_FREE char *text = jx_dump(value);
        return io_replace_file(path, text, strlen(text), 0600, err);
}

static bool fill_run_dir(const Launch *l, const char *dir, Err *err)
{
        const Runbook *rb = l->journey->runbook;
        if (!runbook_save(rb, dir, err))
                return false;
        AUTO_JSON plan = NULL;
        if (!launch_plan(l->journey, l->decisions, &plan, err) ||
            !put_json(dir, "plan.json", plan, err))
                return false;
        AUTO_JSON answers = json_object();
        jx_set_str(answers, "runbook", rb->name);
        jx_set_str(answers, "path", rb->path);
        jx_set(answers, "vars", json_deep_copy(l->answers));
        jx_set(answers, "decisions", l->decisions ? json_deep_copy(l->decisions) : json_object());
        return put_json(dir, "answers.json", answers, err) && io_fsync_dir(dir, err);
}

/* What the engine wrote before it died, from that byte of its log on: the error. */
static void last_words(const char *log_path, int64_t from, char **ret)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_read_file(log_path, LIMIT_OUTPUT_LOG, &text, &n, &err) || n <= (size_t)from) {
                *ret = xstrdup("it wrote nothing");
                return;
        }
        *ret = text_clean_lines(text + from, n - (size_t)from);
        for (size_t len = strlen(*ret); len > 0 && (*ret)[len - 1] == '\n'; len--)
                (*ret)[len - 1] = '\0';
}

/* The engine printed an error as every verb does: its message, then a line "hint: ..". */
static bool did_not_start(char *words, Err *err)
{
        char *hint = strstr(words, "\nhint: ");
        if (hint)
                *hint = '\0';
        err_set(err, ERR_COMMAND, "the run did not start: %s",
                str_starts(words, "pgsherpa: ") ? words + strlen("pgsherpa: ") : words);
        return hint ? err_hint(err, "%s", hint + strlen("\nhint: ")) : false;
}

/* The run was opened: its journal has a first line. */
static bool is_open(const char *dir)
{
        AUTO_FREE char *path = io_join(dir, "journal.jsonl");
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        char line[512];
        ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
        if (n <= 0)
                return false;
        line[n] = '\0';
        line[strcspn(line, "\n")] = '\0'; /* a full disk leaves io.error as the first */
        return strstr(line, "\"ev\":\"run.open\"") != NULL;
}

static int64_t size_of(const char *path)
{
        struct stat st;
        return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* The engine is up when the run is open, its lock held, and its socket there. A run that is
 * refused (its target is being worked on) never gets that far: its last words are the error. On a
 * slow machine it takes what it takes: only a dead engine ends the waiting. */
static bool wait_until_up(const char *dir, pid_t pid, const char *log_path, int64_t log_from,
                          Err *err)
{
        AUTO_FREE char *sock = io_join(dir, "control.sock");
        for (;;) {
                if (is_open(dir) && io_exists(sock) && run_lock_held(dir))
                        return true;
                if (kill(pid, 0) < 0 && errno == ESRCH) {
                        if (is_open(dir) && size_of(log_path) <= log_from)
                                return true; /* a very short run: closed without a word */
                        AUTO_FREE char *words = NULL;
                        last_words(log_path, log_from, &words);
                        return did_not_start(words, err);
                }
                nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        }
}

enum Start { START_NEW, START_RESUME, START_ROLLBACK };

static bool spawn(const char *dir, enum Start how, const char *const *secrets, Err *err)
{
        AUTO_FREE char *log_path = io_join(dir, "output/engine.log");
        AUTO_FREE char *sock = io_join(dir, "control.sock");
        (void)unlink(sock); /* of a dead engine: we are here because none runs */
        char self[LIMIT_PATH] = "";
        if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
                return err_set_errno(err, errno, "finding our own program");
        AUTO_ARGV argv = { 0 };
        argv_add(&argv, self);
        argv_add(&argv, "__engine");
        argv_add(&argv, dir);
        if (how != START_NEW)
                argv_add(&argv, "--resume");
        if (how == START_ROLLBACK)
                argv_add(&argv, "--rollback");
        for (; secrets && *secrets; secrets++) {
                argv_add(&argv, "--secret");
                argv_add(&argv, *secrets);
        }
        pid_t pid = 0;
        int64_t log_from = size_of(log_path);
        return proc_daemon(&argv, log_path, -1, &pid, err) &&
               wait_until_up(dir, pid, log_path, log_from, err);
}

bool launch_new(const Launch *l, char **ret_run_dir, Err *err)
{
        AUTO_FREE char *id = NULL;
        AUTO_FREE char *dir = NULL;
        if (!run_dir_create(&dir, &id, err))
                return err_wrap(err, "making a run directory");
        bool filled = fill_run_dir(l, dir, err);
        if (!filled || !spawn(dir, START_NEW, l->secrets, err)) {
                AUTO_ERR ignored = { 0 };
                /* Refused: no run, so no directory of one. Never under an engine that is slow. */
                if (!is_open(dir) && !run_lock_held(dir))
                        (void)!io_remove_tree(dir, &ignored);
                return filled ? false : err_wrap(err, "writing down the plan of run %s", id);
        }
        *ret_run_dir = dir;
        dir = NULL;
        return true;
}

static bool first_problem(const char *path, const Problems *problems, Err *err)
{
        if (!problems->n)
                return err_set(err, ERR_USER, "%s does not load", path);
        const Problem *p = &problems->list[0];
        for (size_t i = 0; i < problems->n && p->warning; i++)
                p = &problems->list[i];
        bool of_an_answer = str_eq(p->rule, "E-VAR");
        if (p->loc.line > 0 && !of_an_answer)
                err_set(err, ERR_USER, "%s:%d:%d: %s: %s", p->loc.file ? p->loc.file : path,
                        p->loc.line, p->loc.col, p->rule, p->text);
        else
                err_set(err, ERR_USER, "%s", p->text);
        if (problems->errors > 1 && !of_an_answer)
                return err_hint(err, "%zu more; `pgsherpa lint` lists them all",
                                problems->errors - 1);
        return p->hint ? err_hint(err, "%s", p->hint) : false;
}

bool launch_path(const char *path, const Launch *l, const char *plan_sha256, char **ret_run_dir,
                 Err *err)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_JOURNEY j = { 0 };
        if (!journey_open(path, l->answers, &j, &problems, err)) {
                if (err->kind)
                        return false;
                return first_problem(path, &problems, err);
        }
        if (plan_sha256 && !str_eq(plan_sha256, j.plan->sha256)) {
                err_set(err, ERR_USER, "the plan changed meanwhile");
                return err_hint(err, "go back, then look again");
        }
        Launch whole = *l;
        whole.journey = &j;
        return launch_new(&whole, ret_run_dir, err);
}

bool launch_resume(const char *run_dir, const char *const *secrets, Err *err)
{
        if (run_lock_held(run_dir))
                return true;
        return spawn(run_dir, START_RESUME, secrets, err);
}

bool launch_rollback(const char *run_dir, const char *const *secrets, Err *err)
{
        return spawn(run_dir, START_ROLLBACK, secrets, err);
}
