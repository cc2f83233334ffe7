/* ui_replay.c: the real screens on a story: a recorded run, with a stand-in for its engine.
 *
 *      ui_replay run stories/upgrade.jsonl copy
 *
 * A story is the events of a run with their times, and marks. The journal is really written
 * (journal_append, with the clock set to each event's time), then frozen at the mark. A child
 * plays the engine: it holds the run's lock and answers on control.sock, writes every command
 * it gets to commands.jsonl, and goes on to the next mark when a gate is answered or when the
 * harness sends {"cmd": "next"}. So screens are tested without PostgreSQL and without time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/frame.h"
#include "base/io.h"
#include "journal/journal.h"
#include "journal/run_dir.h"
#include "ui/ui.h"

enum { MAX_CLIENTS = 8 };
static const int64_t story_start_ms = 1789999200000; /* 21 Sep 2026, 14:00 UTC */

typedef struct Story {
        char *text;
        char *at; /* next line */
        char *dir;
        Journal *journal;
        double now;
} Story;

static void die(const char *what, const Err *err)
{
        fprintf(stderr, "ui_replay: %s: %s\n", what, err && err->message ? err->message : "");
        exit(99);
}

static void set_clock(double at)
{
        char ms[32];
        snprintf(ms, sizeof ms, "%lld", (long long)(story_start_ms + (int64_t)(at * 1000)));
        setenv("PGSHERPA_CLOCK", ms, 1);
}

static void put_file(Story *s, const json_t *line)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(s->dir, jx_str(line, "file", ""));
        const json_t *j = jx_get(line, "json");
        AUTO_FREE char *text = j ? jx_dump(j) : xstrdup(jx_str(line, "text", ""));
        if (!io_replace_file(path, text, strlen(text), 0600, &err))
                die(path, &err);
}

/* Feeds events up to the next mark, or the one asked for. False: the story is over. */
static bool feed(Story *s, const char *mark)
{
        while (*s->at) {
                AUTO_ERR err = { 0 };
                char *end = strchr(s->at, '\n');
                size_t n = end ? (size_t)(end - s->at) : strlen(s->at);
                AUTO_JSON line = jx_parse(s->at, n, &err);
                if (!line)
                        die("a line of the story", &err);
                s->at += n + (end != NULL);
                if (jx_get(line, "file")) {
                        put_file(s, line);
                        continue;
                }
                s->now = json_number_value(jx_get(line, "at"));
                set_clock(s->now);
                const char *m = jx_str(line, "mark", NULL);
                if (m && (!mark || str_eq(m, mark)))
                        return true;
                if (m)
                        continue;
                json_t *fields = json_copy(line);
                AUTO_FREE char *step =
                        jx_get(line, "step") ? xstrdup(jx_str(line, "step", "")) : NULL;
                EventType type = event_type(jx_str(line, "ev", ""));
                json_object_del(fields, "at");
                json_object_del(fields, "ev");
                json_object_del(fields, "step");
                if (!type || !journal_append(s->journal, type, step, fields, NULL, &err))
                        die(jx_str(line, "ev", "?"), &err);
        }
        return false;
}

/* ---- the stand-in for the engine ---- */

typedef struct Peer {
        int fd;
        FrameReader in;
} Peer;

static void note_command(const Story *s, const json_t *m)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(s->dir, "commands.jsonl");
        AUTO_FREE char *text = jx_dump(m);
        AUTO_FREE char *line = xasprintf("%s\n", text);
        AUTO_FD int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || !io_write_all(fd, line, strlen(line), &err))
                die(path, &err);
}

static void tick(Story *s, const json_t *m)
{
        AUTO_ERR err = { 0 };
        json_t *f = json_pack("{s:i,s:s,s:s,s:b}", "item", (int)jx_int(m, "item", 0), "text", "",
                              "by", "alice", "ticked", (int)jx_bool(m, "ticked", true));
        if (!journal_append(s->journal, EV_MANUAL_TICK, jx_str(m, "step", ""), f, NULL, &err))
                die("tick", &err);
}

static void tell_all(Story *s, Peer *peers)
{
        AUTO_JSON note = json_pack("{s:I}", "seq", (json_int_t)journal_seq(s->journal));
        for (int i = 0; i < MAX_CLIENTS; i++) {
                AUTO_ERR err = { 0 };
                if (peers[i].fd >= 0)
                        (void)!frame_send(peers[i].fd, note, &err);
        }
}

static void obey(Story *s, Peer *peers, Peer *p, const json_t *m)
{
        AUTO_ERR err = { 0 };
        const char *cmd = jx_str(m, "cmd", "");
        AUTO_JSON ok = json_pack("{s:b}", "ok", 1);
        bool next = str_eq(cmd, "next") || str_eq(cmd, "answer") || str_eq(cmd, "secret");
        if (!next || !str_eq(cmd, "next"))
                note_command(s, m);
        if (str_eq(cmd, "tick"))
                tick(s, m);
        if (next)
                feed(s, NULL);
        (void)!frame_send(p->fd, ok, &err);
        tell_all(s, peers);
}

static void serve(Story *s, int listener)
{
        Peer peers[MAX_CLIENTS];
        for (int i = 0; i < MAX_CLIENTS; i++)
                peers[i] = (Peer){ .fd = -1 };
        for (;;) {
                struct pollfd p[MAX_CLIENTS + 1] = { { .fd = listener, .events = POLLIN } };
                for (int i = 0; i < MAX_CLIENTS; i++)
                        p[i + 1] = (struct pollfd){ .fd = peers[i].fd, .events = POLLIN };
                poll(p, MAX_CLIENTS + 1, -1);
                if (p[0].revents) {
                        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                        for (int i = 0; fd >= 0 && i < MAX_CLIENTS; i++)
                                if (peers[i].fd < 0) {
                                        peers[i] = (Peer){ fd, frame_reader_init() };
                                        fd = -1;
                                }
                }
                for (int i = 0; i < MAX_CLIENTS; i++) {
                        AUTO_ERR err = { 0 };
                        bool eof = false;
                        if (!p[i + 1].revents || peers[i].fd < 0)
                                continue;
                        if (!frame_fill(&peers[i].in, peers[i].fd, &eof, &err) || eof) {
                                close(peers[i].fd);
                                frame_reader_done(&peers[i].in);
                                peers[i].fd = -1;
                                continue;
                        }
                        for (;;) {
                                AUTO_JSON m = NULL;
                                if (!frame_next(&peers[i].in, &m, &err) || !m)
                                        break;
                                obey(s, peers, &peers[i], m);
                        }
                }
        }
}

static pid_t start_engine(Story *s)
{
        AUTO_ERR err = { 0 };
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        snprintf(sa.sun_path, sizeof sa.sun_path, "%s/control.sock", s->dir);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ready[2], lock;
        if (listener < 0 || bind(listener, (struct sockaddr *)&sa, sizeof sa) ||
            listen(listener, 8) || pipe2(ready, O_CLOEXEC))
                die("control.sock", NULL);
        pid_t pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                setsid();
                if (!run_lock_try(s->dir, &lock, &err) || lock < 0)
                        die("the lock", &err);
                s->journal = journal_open(s->dir, &err);
                if (!s->journal)
                        die("the journal", &err);
                if (write(ready[1], "x", 1) != 1)
                        _exit(98);
                signal(SIGPIPE, SIG_IGN);
                serve(s, listener);
        }
        char x;
        close(ready[1]);
        if (read(ready[0], &x, 1) != 1)
                die("the stand-in engine", NULL);
        close(ready[0]);
        close(listener);
        return pid;
}

/* ---- a stand-in for app ---- */

static const char *fixture_dir;

static json_t *fixture(const char *name)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(fixture_dir, name);
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_read_file(path, 1 << 20, &text, &n, &err))
                die(path, &err);
        json_t *j = jx_parse(text, n, &err);
        if (!j)
                die(path, &err);
        return j;
}

static bool questions(void *app, const char *runbook, const json_t *server, json_t **ret, Err *err)
{
        *ret = fixture("questions.json");
        return true;
}

static bool plan(void *app, const char *runbook, const json_t *answers, json_t **ret, Err *err)
{
        bool bad = str_eq(jx_str(answers, "service", ""), "nosuch");
        *ret = bad ? json_pack("{s:[{s:s,s:s,s:s}]}", "problems", "var", "service", "text",
                               "there is no service \"nosuch\" in /srv/app", "hint",
                               "services: db, web, worker, api")
                   : fixture("plan.json");
        return true;
}

static bool start(void *app, const char *runbook, const json_t *answers, const char *sha,
                  char **ret, Err *err)
{
        return err_set(err, ERR_USER, "this is a test; nothing starts here");
}

static bool discover(void *app, char **ret, Err *err)
{
        const Story *s = app;
        *ret = xstrdup(s->dir);
        return true;
}

static bool export_log(void *app, const char *dir, const char *format, char **ret, Err *err)
{
        *ret = xasprintf("%s/log.%s", dir, format);
        return true;
}

static const UiJourney journeys[] = {
        { "compose-upgrade", "Upgrade PostgreSQL in a Compose project",
          "dump and restore into a new volume, the old one is kept", "compose" },
        { "local-upgrade", "Move a database to a newer server",
          "both servers keep running, the old one is only read", "local" },
        { 0 },
};

int main(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *id = NULL;
        Story s = { 0 };
        size_t n;
        if (argc < 4) {
                fprintf(stderr, "usage: ui_replay run|log|home|discover|journey STORY MARK "
                                "[plain|json|yes]\n");
                return 2;
        }
        fixture_dir = getenv("PGSHERPA_STORIES");
        if (!io_read_file(argv[2], 8 << 20, &s.text, &n, &err))
                die(argv[2], &err);
        s.at = s.text;
        setenv("TZ", "UTC", 1);
        set_clock(0);
        if (!run_dir_create(&s.dir, &id, &err) || !(s.journal = journal_open(s.dir, &err)))
                die("the run directory", &err);
        if (!feed(&s, argv[3]))
                die("there is no such mark", NULL);
        journal_close(s.journal);
        s.journal = NULL;
        pid_t engine = getenv("UI_REPLAY_DEAD") ? 0 : start_engine(&s);
        UiApp app = { .app = &s,
                      .journeys = journeys,
                      .questions = questions,
                      .plan = plan,
                      .start = start,
                      .discover = discover,
                      .export_log = export_log,
                      .who = "alice@vault" };
        UiOptions o = { .theme = getenv("UI_THEME") };
        for (int i = 4; i < argc; i++) {
                o.plain |= str_eq(argv[i], "plain");
                o.json |= str_eq(argv[i], "json");
                o.yes |= str_eq(argv[i], "yes");
                o.watch |= str_eq(argv[i], "watch");
        }
        int code;
        if (str_eq(argv[1], "run"))
                code = ui_run(&app, &o, s.dir);
        else if (str_eq(argv[1], "log"))
                code = ui_log(&app, &o, s.dir);
        else if (str_eq(argv[1], "journey"))
                code = ui_journey(&app, &o, "compose-upgrade", NULL);
        else
                code = ui_home(&app, &o);
        if (engine > 0) {
                kill(engine, SIGKILL);
                waitpid(engine, NULL, 0);
        }
        free(s.text);
        free(s.dir);
        return code;
}
