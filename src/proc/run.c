/* run.c: one child, from start to end, with its output as it comes. */
#include "proc/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/inherit.h"
#include "base/limits.h"
#include "base/text.h"

#define TICK_MS  100  /* how soon a cancel is noticed */
#define GRACE_MS 5000 /* between TERM and KILL */
#define DRAIN_MS 500  /* after the child's end, for what its children hold */

typedef struct Stream {
        int fd;     /* -1: closed */
        int number; /* 1 or 2, for the callback */
        Buf *keep;
        Buf line;
        bool skipping; /* inside a line that was longer than LIMIT_LINE */
} Stream;

typedef struct Running {
        const ProcOptions *o;
        pid_t pid;
        Stream out, err;
        int in; /* -1: nothing (more) to write */
        const char *input;
        size_t input_left;
        int64_t started, term_sent, ended;
        bool killed, timed_out, cancelled, reaped;
        int wait_status;
} Running;

/* Not clock_boot_ms(): a frozen clock of a test must not freeze a timeout. */
static int64_t now_ms(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void emit_line(const Running *r, Stream *s)
{
        if (r->o->line) {
                AUTO_FREE char *clean = text_clean(buf_str(&s->line), s->line.len);
                r->o->line(r->o->line_arg, s->number, clean);
        }
        buf_reset(&s->line);
}

/* Splits into lines at \n and at a lone \r (progress meters redraw with it). */
static void feed_lines(const Running *r, Stream *s, const char *bytes, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (bytes[i] == '\n' || bytes[i] == '\r') {
                        if (s->line.len)
                                emit_line(r, s);
                        s->skipping = false;
                } else if (!s->skipping && !buf_addc(&s->line, bytes[i])) {
                        emit_line(r, s);
                        s->skipping = true;
                }
        }
}

static void close_stream(const Running *r, Stream *s)
{
        if (s->line.len)
                emit_line(r, s);
        if (s->fd >= 0)
                close(s->fd);
        s->fd = -1;
}

static void read_stream(const Running *r, Stream *s)
{
        char bytes[16384];
        ssize_t n = read(s->fd, bytes, sizeof bytes);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                close_stream(r, s);
                return;
        }
        size_t room = s->keep->max > s->keep->len ? s->keep->max - s->keep->len : 0;
        buf_add(s->keep, bytes, MIN((size_t)n, room));
        if ((size_t)n > room)
                s->keep->overflow = true;
        if (r->o->line)
                feed_lines(r, s, bytes, (size_t)n);
}

static void write_input(Running *r)
{
        ssize_t n = r->input_left ? write(r->in, r->input, r->input_left) : 0;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n > 0) {
                r->input += n;
                r->input_left -= (size_t)n;
        }
        if (n < 0 || r->input_left == 0) { /* EPIPE: the child does not want to know */
                close(r->in);
                r->in = -1;
        }
}

static bool cancelled(const ProcOptions *o)
{
        bool is = o->cancel && flag_up(o->cancel);
        for (size_t i = 0; i < LEN(o->also); i++)
                is = is || (o->also[i] && flag_up(o->also[i]));
        return is;
}

static void stop_if_due(Running *r)
{
        int64_t now = now_ms();
        if (!r->term_sent) {
                if (r->o->timeout_ms > 0 && now - r->started >= r->o->timeout_ms)
                        r->timed_out = true;
                r->cancelled = r->cancelled || cancelled(r->o);
                if (r->timed_out || r->cancelled) {
                        r->term_sent = now;
                        kill(-r->pid, SIGTERM);
                        kill(-r->pid, SIGCONT);
                }
        } else if (!r->killed && now - r->term_sent >= GRACE_MS) {
                r->killed = true;
                kill(-r->pid, SIGKILL);
        }
}

static void reap(Running *r)
{
        if (r->reaped)
                return;
        pid_t got = waitpid(r->pid, &r->wait_status, WNOHANG);
        if (got == r->pid || (got < 0 && errno == ECHILD)) {
                r->reaped = true;
                r->ended = now_ms();
        }
}

/* Until the child has ended and its pipes are drained. A grandchild that keeps a pipe open
 * after the child ended does not hold us for more than DRAIN_MS. */
static void watch(Running *r)
{
        for (;;) {
                reap(r);
                bool open = r->out.fd >= 0 || r->err.fd >= 0;
                if (r->reaped && (!open || now_ms() - r->ended > DRAIN_MS))
                        return;
                if (!r->reaped)
                        stop_if_due(r);
                struct pollfd p[3] = {
                        { .fd = r->out.fd, .events = POLLIN },
                        { .fd = r->err.fd, .events = POLLIN },
                        { .fd = r->in, .events = POLLOUT },
                };
                int n = poll(p, 3, open && !r->reaped ? TICK_MS : 10);
                if (n <= 0)
                        continue;
                if (p[0].revents)
                        read_stream(r, &r->out);
                if (p[1].revents)
                        read_stream(r, &r->err);
                if (p[2].revents && r->in >= 0)
                        write_input(r);
        }
}

static bool tells_an_error(const char *line, size_t n)
{
        return memmem(line, n, ": error: ", 9) || memmem(line, n, ": fatal: ", 9);
}

/* The last line the child wrote to stderr (or stdout): most tools say there what was wrong. The
 * programs of PostgreSQL say it first, and go on with the text of a query of many lines. */
static char *last_words(const ProcResult *res)
{
        const Buf *b = res->err.len ? &res->err : &res->out;
        if (!b->data)
                return xstrdup("");
        const char *end = b->data + b->len;
        while (end > b->data && strchr(" \r\n\t", end[-1]))
                end--;
        if (end == b->data)
                return xstrdup("");
        for (const char *line = b->data; line < end;) {
                const char *nl = memchr(line, '\n', (size_t)(end - line));
                size_t n = (size_t)((nl ? nl : end) - line);
                if (tells_an_error(line, n))
                        return text_clean(line, MIN(n, (size_t)1000));
                line += n + 1;
        }
        const char *start = end;
        while (start > b->data && start[-1] != '\n' && end - start < 1000)
                start--;
        return text_clean(start, (size_t)(end - start));
}

static bool verdict(const Running *r, const Argv *argv, ProcResult *res, Err *err)
{
        AUTO_FREE char *name = text_clean_str(argv->v[0]);
        if (r->cancelled)
                return err_set(err, ERR_CANCELLED, "%s was stopped on request", name);
        if (r->timed_out) {
                err_set(err, ERR_COMMAND, "%s did not end within %lld s and was stopped", name,
                        (long long)(r->o->timeout_ms + 999) / 1000);
                err->exit_status = res->status;
                return err_hint(err,
                                "give the step a longer timeout, or look at what it waits for");
        }
        if (res->status == 0 || r->o->any_exit)
                return true;
        AUTO_FREE char *words = last_words(res);
        /* A shell and docker end with 128 + signal when that killed what they ran. */
        if (res->status > 128 && WIFEXITED(r->wait_status))
                err_set(err, ERR_COMMAND, "what %s ran was killed by signal %d (%s)%s%s", name,
                        res->status - 128, strsignal(res->status - 128), *words ? ": " : "", words);
        else if (res->status > 128)
                err_set(err, ERR_COMMAND, "%s was killed by signal %d (%s)%s%s", name,
                        res->status - 128, strsignal(res->status - 128), *words ? ": " : "", words);
        else
                err_set(err, ERR_COMMAND, "%s ended with exit status %d%s%s", name, res->status,
                        *words ? ": " : "", words);
        err->exit_status = res->status;
        return false;
}

typedef struct Pipes {
        int in[2], out[2], err[2], why[2];
} Pipes;

static void pipes_close(Pipes *p)
{
        int *all[] = { p->in, p->out, p->err, p->why };
        for (size_t i = 0; i < LEN(all); i++)
                for (int k = 0; k < 2; k++)
                        if (all[i][k] >= 0)
                                close(all[i][k]);
}

static int take(int *fd)
{
        int had = *fd;
        *fd = -1;
        return had;
}

static bool pipes_open(Pipes *p, const ProcOptions *o, Err *err)
{
        bool wants_in = o->input || o->input_secret;
        if (!wants_in)
                p->in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if ((wants_in && pipe2(p->in, O_CLOEXEC) < 0) || p->in[0] < 0 ||
            (o->stdout_fd <= 0 && pipe2(p->out, O_CLOEXEC) < 0) || pipe2(p->err, O_CLOEXEC) < 0 ||
            pipe2(p->why, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "making pipes for a child");
        return true;
}

static bool start(const Argv *argv, const ProcOptions *o, Pipes *p, pid_t *ret, Err *err)
{
        AUTO_FREE char *path = proc_which(argv->v[0]);
        if (!path)
                return proc_cannot_start(err, argv->v[0], o->cwd,
                                         strchr(argv->v[0], '/') ? errno : ENOENT);
        char **env = proc_env_new(o->env);
        ChildSetup setup = {
                .in = o->stdin_fd > 0 ? o->stdin_fd : p->in[0],
                .out = o->stdout_fd > 0 ? o->stdout_fd : p->out[1],
                .err = p->err[1],
                .keep_fd = inherit_get(),
                .errno_fd = p->why[1],
                .cwd = o->cwd,
                .new_group = true,
                .die_with_us = true,
                .parent = getpid(),
                .argv = argv->v,
                .env = env,
                .path = path,
        };
        pid_t pid = fork();
        if (pid == 0)
                proc_child(&setup);
        int fork_errno = errno;
        proc_env_free(env);
        if (pid < 0)
                return err_set_errno(err, fork_errno, "fork for %s", argv->v[0]);
        (void)setpgid(pid, pid); /* both sides, so that neither has to wait */
        close(take(&p->why[1]));
        int why = proc_child_errno(p->why[0]);
        if (why) {
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        ;
                return proc_cannot_start(err, argv->v[0], o->cwd, why);
        }
        *ret = pid;
        return true;
}

static void nonblock(int fd)
{
        if (fd >= 0)
                (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

bool proc_run(const Argv *argv, const ProcOptions *options, ProcResult *res, Err *err)
{
        static const ProcOptions none = { 0 };
        const ProcOptions *o = options ? options : &none;
        assert(argv->n > 0);
        proc_result_done(res);
        size_t most = o->max_output ? o->max_output : LIMIT_CAPTURE;
        res->out = buf_init(most);
        res->err = buf_init(MIN(most, (size_t)LIMIT_LINE * 4));
        if (cancelled(o))
                return err_set(err, ERR_CANCELLED, "%s was not started: stopped on request",
                               argv->v[0]);
        Pipes CLEANUP(pipes_close) p = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
        Running r = { .o = o, .in = -1 };
        if (!pipes_open(&p, o, err) || !start(argv, o, &p, &r.pid, err))
                return false;
        res->pid = r.pid;
        r.started = now_ms();
        char *secret_line = NULL;
        if (o->input_secret) {
                secret_line = xasprintf("%s\n", secret_expose(o->input_secret));
                r.input = secret_line;
                r.input_left = strlen(secret_line);
        } else if (o->input) {
                r.input = o->input;
                r.input_left = o->input_len;
        }
        r.in = take(&p.in[1]);
        r.out = (Stream){ take(&p.out[0]), 1, &res->out, buf_init(LIMIT_LINE), false };
        r.err = (Stream){ take(&p.err[0]), 2, &res->err, buf_init(LIMIT_LINE), false };
        pipes_close(&p);
        p = (Pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
        nonblock(r.in);
        nonblock(r.out.fd);
        nonblock(r.err.fd);
        /* A child that closes stdin early must not kill us: block SIGPIPE in this thread. */
        sigset_t pipe_set, before;
        sigemptyset(&pipe_set);
        sigaddset(&pipe_set, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
        watch(&r);
        close_stream(&r, &r.out);
        close_stream(&r, &r.err);
        buf_done(&r.out.line);
        buf_done(&r.err.line);
        if (r.in >= 0)
                close(r.in);
        while (sigtimedwait(&pipe_set, NULL, &(struct timespec){ 0 }) > 0)
                ; /* ours, if any: forget it before unblocking */
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (secret_line) {
                explicit_bzero(secret_line, strlen(secret_line));
                free(secret_line);
        }
        if (r.cancelled || r.timed_out)
                kill(-r.pid, SIGKILL); /* what ignored TERM in its group must not live on */
        res->status = WIFEXITED(r.wait_status) ? WEXITSTATUS(r.wait_status)
                                               : 128 + WTERMSIG(r.wait_status);
        return verdict(&r, argv, res, err);
}

void proc_result_done(ProcResult *r)
{
        buf_done(&r->out);
        buf_done(&r->err);
        *r = (ProcResult){ 0 };
}
