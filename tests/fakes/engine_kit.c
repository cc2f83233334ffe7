#include "fakes/engine_kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/frame.h"
#include "base/io.h"
#include "engine/engine.h"
#include "fakes/fake_kinds.h"
#include "journal/ask.h"
#include "tests/fakes/scratch.h"

#define must(x)                                                                                    \
        do {                                                                                       \
                if (!(x)) {                                                                        \
                        fprintf(stderr, "kit: %s failed (%s:%d)\n", #x, __FILE__, __LINE__);       \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)

static char *sub(const char *root, const char *name)
{
        char *path = io_join(root, name);
        AUTO_ERR err = { 0 };
        must(io_mkdir_p(path, 0700, &err));
        return path;
}

Kit *kit_new(const char *yaml)
{
        Kit *k = xcalloc(1, sizeof *k);
        char *root = scratch_dir();
        k->root = root;
        k->world = sub(root, "world");
        AUTO_FREE char *runs = sub(root, "runs");
        k->run_dir = sub(runs, "p7");
        AUTO_FREE char *a = sub(k->run_dir, "output");
        AUTO_FREE char *b = sub(k->run_dir, "state");
        k->yaml = xstrdup(yaml);
        k->fd = -1;
        return k;
}

/* What journal/ask.h promises: a question takes no key that its kind does not name. */
static void questions_take_what_is_said(const Kit *k)
{
        AUTO_ERR ignored = { 0 };
        JournalReader *r = journal_reader_open(k->run_dir, &ignored);
        Event ev = { 0 };
        while (r && journal_next(r, &ev, &ignored) && ev.type != EV_NONE) {
                const char *name = jx_str(ev.fields, "kind", "");
                size_t i;
                json_t *c;
                if (ev.type != EV_GATE_OPEN)
                        continue;
                AskKind kind = ask_kind_of(name);
                must(str_eq(ask_kind_name(kind), name));
                AUTO_FREE char *all = xasprintf(" %s ", ask_kind_answers(kind));
                json_array_foreach(jx_get(ev.fields, "choices"), i, c) {
                        AUTO_FREE char *key = xasprintf(" %s ", jx_str(c, "key", ""));
                        if (kind == ASK_DECISION || strstr(all, key))
                                continue;
                        fprintf(stderr, "kit: a question of kind %s takes%s\n", name, key);
                        abort();
                }
        }
        if (r)
                journal_reader_close(r);
}

Kit *kit_free(Kit *k)
{
        AUTO_ERR err = { 0 };
        questions_take_what_is_said(k);
        if (k->pid > 0) {
                kill(k->pid, SIGKILL);
                waitpid(k->pid, NULL, 0);
        }
        if (k->fd >= 0)
                close(k->fd);
        if (!io_remove_tree(k->root, &err))
                fprintf(stderr, "kit: %s\n", err.message);
        free(k->root);
        free(k->world);
        free(k->run_dir);
        free(k->yaml);
        free(k->refused);
        free(k);
        return NULL;
}

/* ---- the fake world's targets ---- */

static char *thing_path(const char *name)
{
        return io_join(getenv("FAKE_WORLD"), name);
}

/* identity: what stands in the file .system.<target>, if there is one. */
static bool fake_identify(void *app, const Target *t, json_t **ret, Err *err)
{
        AUTO_FREE char *name = xasprintf(".system.%s", t->name ? t->name : "x");
        AUTO_FREE char *path = thing_path(name);
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_exists(path))
                return err_set(err, ERR_LINK, "nobody answers");
        if (!io_read_file(path, 100, &text, &n, err))
                return false;
        *ret = json_object();
        jx_set_str(*ret, "system", text);
        return true;
}

static bool fake_lock_name(void *app, const Target *t, char **ret, Err *err)
{
        *ret = xasprintf("fake-%s", t->name ? t->name : "x");
        return true;
}

static bool fake_done_if(void *app, const Target *t, const json_t *cond, bool *ret, Err *err)
{
        AUTO_FREE char *path = thing_path(jx_str(cond, "database", "?"));
        *ret = io_exists(path);
        return true;
}

static bool fake_secret(void *app, const char *name, const json_t *spec, const json_t *targets,
                        Secret **ret, Err *err)
{
        char bytes[] = "canary-from-ops";
        *ret = secret_take(name, bytes, strlen(bytes));
        return true;
}

/* ---- the engine's process ---- */

static int engine_main(const Kit *k)
{
        AUTO_ERR err = { 0 };
        AUTO_PROBLEMS problems = { 0 };
        AUTO_FREE char *locks = io_join(k->root, "locks");
        setenv("FAKE_WORLD", k->world, 1);
        setenv("PGSHERPA_LOCKS", locks, 1);
        if (k->fail)
                setenv("PGSHERPA_FAIL", k->fail, 1);
        else
                unsetenv("PGSHERPA_FAIL");
        Runbook *rb = runbook_load_text("kit", k->yaml, strlen(k->yaml), NULL, fake_kind_table(),
                                        &problems, &err);
        for (size_t i = 0; i < problems.n; i++)
                if (!problems.list[i].warning)
                        fprintf(stderr, "kit:%d:%d: %s %s\n", problems.list[i].loc.line,
                                problems.list[i].loc.col, problems.list[i].rule,
                                problems.list[i].text);
        json_t *vars = NULL;
        AUTO_JSON answers = json_object();
        if (!rb || !runbook_vars(rb, answers, &vars, &problems))
                return 99;
        AUTO_JSON run = json_pack("{s:s}", "id", "\xe2\x80\xb9run\xe2\x80\xba");
        Scope scope = { .vars = vars, .run = run, .planning = true };
        Plan *plan = plan_new(rb, vars, &scope, &err);
        if (!plan) {
                fprintf(stderr, "kit: %s\n", err.message);
                return 98;
        }
        TargetOps ops = { .identify = fake_identify,
                          .lock_name = fake_lock_name,
                          .done_if = fake_done_if,
                          .secret = fake_secret };
        const char *secrets[] = { k->secret_file, NULL };
        EngineConfig c = { .run_dir = k->run_dir,
                           .runbook = rb,
                           .plan = plan,
                           .ops = &ops,
                           .tool = "kit",
                           .resume = k->resume,
                           .rollback = k->rollback,
                           .secret_files = secrets };
        int code = engine_run(&c, &err);
        if (err.kind && getenv("KIT_LOUD"))
                fprintf(stderr, "kit: engine: %s\n", err.message);
        plan_free(plan);
        runbook_free(rb);
        json_decref(vars);
        return code;
}

/* _exit() runs no leak check, exit() would run Criterion's: ask for it by name. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

enum { LEAKED = 97 };

void kit_start(Kit *k)
{
        AUTO_FREE char *sock = io_join(k->run_dir, "control.sock");
        unlink(sock);
        fflush(NULL);
        k->pid = fork();
        must(k->pid >= 0);
        if (k->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (k->fd >= 0)
                        close(k->fd);
                int code = engine_main(k);
                bool leaked =
                        __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check();
                _exit(leaked ? LEAKED : code);
        }
}

/* The engine is given ten seconds to end. */
static int reap(Kit *k)
{
        int status = 0;
        struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, k->pid, 0), .events = POLLIN };
        if (poll(&end, 1, 10000) <= 0)
                kill(k->pid, SIGKILL);
        must(waitpid(k->pid, &status, 0) == k->pid);
        if (end.fd >= 0)
                close(end.fd);
        k->pid = 0;
        return status;
}

static bool dial(Kit *k)
{
        AUTO_FREE char *sock = io_join(k->run_dir, "control.sock");
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        must(strlen(sock) < sizeof a.sun_path);
        memcpy(a.sun_path, sock, strlen(sock) + 1);
        k->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(k->fd, (struct sockaddr *)&a, sizeof a) == 0)
                return true;
        close(k->fd);
        k->fd = -1;
        return false;
}

/* Reads until a reply comes; {"seq": n} lines in between are only news. */
static json_t *reply_of(int fd)
{
        FrameReader r = frame_reader_init();
        AUTO_ERR err = { 0 };
        json_t *found = NULL;
        bool eof = false;
        while (!found && !eof) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                if (poll(&p, 1, 5000) <= 0 || !frame_fill(&r, fd, &eof, &err))
                        break;
                json_t *m = NULL;
                while (!found && frame_next(&r, &m, &err) && m) {
                        if (jx_get(m, "ok"))
                                found = m;
                        else
                                json_decref(m);
                }
        }
        frame_reader_done(&r);
        return found;
}

json_t *kit_ask(Kit *k, const char *json)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON m = jx_parse(json, strlen(json), &err);
        must(m);
        if (!frame_send(k->fd, m, &err))
                return NULL;
        return reply_of(k->fd);
}

bool kit_connect(Kit *k)
{
        for (int i = 0; i < 40000; i++) {
                siginfo_t info = { 0 };
                if (dial(k)) {
                        AUTO_JSON hello = kit_ask(k, k->watch ? "{\"cmd\": \"hello\", \"watch\": "
                                                                "true}"
                                                              : "{\"cmd\": \"hello\", \"by\": "
                                                                "\"anna\", \"quiet\": true}");
                        if (hello)
                                return true;
                        close(k->fd);
                        k->fd = -1;
                }
                if (waitid(P_PID, (id_t)k->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                    info.si_pid == k->pid)
                        return false;
                usleep(500);
        }
        return false;
}

/* ---- answering ---- */

static Answer *answer_for(Answer *answers, const char *kind, const char *step)
{
        for (Answer *a = answers; a && (a->kind || a->step || a->key); a++) {
                if ((a->kind && !str_eq(a->kind, kind)) || (a->step && !str_eq(a->step, step)))
                        continue;
                if (a->times && a->used >= a->times)
                        continue;
                a->used++;
                return a;
        }
        return NULL;
}

static void tick_all(Kit *k, const char *step)
{
        for (int i = 0;; i++) {
                AUTO_FREE char *m = xasprintf("{\"cmd\": \"tick\", \"step\": \"%s\", \"item\": %d, "
                                              "\"ticked\": true}",
                                              step, i);
                AUTO_JSON reply = kit_ask(k, m);
                if (!jx_bool(reply, "ok", false))
                        return;
        }
}

static void answer_gate(Kit *k, Answer *answers, const json_t *status)
{
        const char *kind = jx_str(status, "gate_kind", ""), *step = jx_str(status, "step", "");
        int64_t gate = jx_int(status, "gate", 0);
        const Answer *a = answer_for(answers, kind, step);
        if (a && str_eq(a->key, "leave"))
                return; /* nobody is there */
        bool bad = str_eq(kind, "error") || str_eq(kind, "unknown");
        AUTO_JSON m = json_object();
        jx_set_str(m, "cmd", str_eq(kind, "secret") ? "secret" : "answer");
        jx_set_int(m, "gate", gate);
        jx_set_str(m, "answer", a ? a->key : bad ? "a" : "y");
        if (a && a->text) {
                jx_set_str(m, "text", a->text);
                jx_set_str(m, "value", a->text);
        }
        if (str_eq(kind, "manual") && !a)
                tick_all(k, step);
        AUTO_FREE char *text = jx_dump(m);
        AUTO_JSON reply = kit_ask(k, text);
        if (reply && !jx_bool(reply, "ok", true)) {
                free(k->refused);
                k->refused = xstrdup(jx_str(reply, "error", ""));
        }
}

static bool serve_once(Kit *k, Answer *answers)
{
        AUTO_JSON status = kit_ask(k, "{\"cmd\": \"status\"}");
        if (!status)
                return false;
        if (k->command && jx_bool(status, "running", false) &&
            str_eq(jx_str(status, "step", ""), k->command_at)) {
                const char *command = k->command;
                k->command = NULL;
                AUTO_JSON reply = kit_ask(k, command);
                return true;
        }
        if (jx_int(status, "gate", 0) > 0)
                answer_gate(k, answers, status);
        else
                usleep(300);
        return true;
}

int kit_wait(Kit *k, Answer *answers)
{
        time_t start = time(NULL);
        bool up = k->fd >= 0 || kit_connect(k);
        while (up && serve_once(k, answers))
                if (time(NULL) - start > 60) {
                        fprintf(stderr, "kit: the engine hangs\n");
                        kill(k->pid, SIGKILL);
                        break;
                }
        if (k->fd >= 0)
                close(k->fd);
        k->fd = -1;
        int status = reap(k);
        k->killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int kit_run(Kit *k, Answer *answers)
{
        kit_start(k);
        return kit_wait(k, answers);
}

int kit_resume(Kit *k, Answer *answers)
{
        k->resume = true;
        return kit_run(k, answers);
}

/* ---- looking ---- */

static char *slurp(const char *path)
{
        AUTO_ERR err = { 0 };
        char *text = NULL;
        size_t n = 0;
        if (!io_exists(path) || !io_read_file(path, 64 << 20, &text, &n, &err))
                return xstrdup("");
        return text;
}

char *kit_effects(const Kit *k)
{
        AUTO_FREE char *path = io_join(k->world, "effects");
        return slurp(path);
}

bool kit_there(const Kit *k, const char *thing)
{
        AUTO_FREE char *path = io_join(k->world, thing);
        return io_exists(path);
}

void kit_touch(const Kit *k, const char *thing, const char *text)
{
        AUTO_FREE char *path = io_join(k->world, thing);
        AUTO_ERR err = { 0 };
        must(io_replace_file(path, text, strlen(text), 0600, &err));
}

char *kit_journal(const Kit *k)
{
        AUTO_FREE char *path = io_join(k->run_dir, "journal.jsonl");
        return slurp(path);
}

int kit_events(const Kit *k, const char *name)
{
        AUTO_FREE char *text = kit_journal(k);
        AUTO_FREE char *want = xasprintf("\"ev\":\"%s\"", name);
        int n = 0;
        for (const char *p = text; (p = strstr(p, want)) != NULL; p++)
                n++;
        return n;
}

RunView *kit_view(const Kit *k)
{
        AUTO_ERR err = { 0 };
        RunView *v = NULL;
        must(run_view_load(k->run_dir, &v, &err));
        return v;
}

bool kit_journal_ok(const Kit *k)
{
        JournalState state = JOURNAL_CORRUPT;
        int64_t records = 0;
        AUTO_FREE char *words = NULL;
        AUTO_ERR err = { 0 };
        return journal_verify(k->run_dir, &state, &records, &words, &err) && state == JOURNAL_OK;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

char *kit_final_state(const Kit *k)
{
        AUTO_BUF out = buf_init(1 << 20);
        char *names[256];
        size_t n = 0;
        DIR *d = opendir(k->world);
        must(d);
        struct dirent *e;
        while ((e = readdir(d)) && n < LEN(names))
                if (e->d_name[0] != '.' && !str_eq(e->d_name, "effects"))
                        names[n++] = xstrdup(e->d_name);
        closedir(d);
        qsort(names, n, sizeof *names, by_name);
        for (size_t i = 0; i < n; i++) {
                buf_printf(&out, "%s\n", names[i]);
                free(names[i]);
        }
        AUTO_VIEW v = kit_view(k);
        for (size_t i = 0; i < v->n_steps; i++)
                buf_printf(&out, "%s %s\n", v->steps[i].id, step_status_word(v->steps[i].status));
        buf_printf(&out, "run %s\n", v->status ? v->status : "open");
        return buf_take(&out, NULL);
}
