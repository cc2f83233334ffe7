/* loop.c: the one place where the engine waits.
 *
 * The run itself is written as straight code on the main thread; wherever it must wait (for an
 * answer, a time, a thread) it calls loop_pump(), and the socket, the signals and the clocks
 * are served meanwhile. */
#include "engine/desk/desk_impl.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmt.h"

bool loop_open(Engine *e, Err *err)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        e->desk->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (e->desk->signal_fd < 0)
                return err_set_errno(err, errno, "preparing the engine's loop");
        return wake_open(e, err);
}

void loop_close(Engine *e)
{
        if (e->desk->signal_fd < 0)
                return;
        base_closep_(&e->desk->signal_fd);
        wake_close(e);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void loop_serve(Engine *e, const LoopUser *user)
{
        assert(e->desk->n_users < LOOP_USERS);
        e->desk->users[e->desk->n_users++] = user;
}

static void loop_signals(Engine *e)
{
        struct signalfd_siginfo info;
        while (read(e->desk->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
                e->terms++;
                if (e->stop == STOP_NONE) {
                        e->stop = STOP_SHUTDOWN;
                        snprintf(e->stop_by, sizeof e->stop_by, "the system");
                }
        }
}

enum { LOOP_OWN = 2, LOOP_MOST = LOOP_OWN + 1 + DESK_CLIENTS };

bool loop_pump(Engine *e, int64_t max_ms, Err *err)
{
        struct Desk *d = e->desk;
        struct pollfd fds[LOOP_MOST] = { { .fd = d->signal_fd, .events = POLLIN },
                                         { .fd = e->wake_fd, .events = POLLIN } };
        size_t n = LOOP_OWN, of[LOOP_USERS] = { 0 };
        for (size_t i = 0; i < d->n_users; i++)
                if (d->users[i]->wants)
                        n += of[i] = d->users[i]->wants(e, fds + n, LOOP_MOST - n);
        int wait = (int)MIN(MAX(max_ms, (int64_t)0), (int64_t)1000);
        if (poll(fds, n, wait) < 0 && errno != EINTR)
                return err_set_errno(err, errno, "waiting for events");
        if (fds[0].revents)
                loop_signals(e);
        if (fds[1].revents)
                wake_drain(e);
        n = LOOP_OWN;
        for (size_t i = 0; i < d->n_users; n += of[i++])
                if (d->users[i]->ready)
                        d->users[i]->ready(e, fds + n, of[i]);
        for (size_t i = 0; i < d->n_users; i++)
                if (d->users[i]->tick)
                        d->users[i]->tick(e);
        if (e->io_failed)
                return err_set(err, ERR_SYSTEM, "the journal cannot be written any more");
        return true;
}

bool loop_sleep(Engine *e, int64_t ms, Err *err)
{
        int64_t until = clock_boot_ms() + ms;
        for (;;) {
                int64_t left = until - clock_boot_ms();
                if (left <= 0)
                        return true;
                if (!loop_pump(e, left, err))
                        return false;
                if (e->stop)
                        return false;
        }
}

/* ---- work in another thread ---- */

typedef struct LoopWork {
        Engine *e;
        WorkFn fn;
        void *arg;
        Err err;
        bool ok, done;
        pthread_mutex_t lock;
} LoopWork;

static void *work_main(void *arg)
{
        LoopWork *w = arg;
        bool ok = w->fn(w->arg, &w->err);
        pthread_mutex_lock(&w->lock);
        w->ok = ok;
        w->done = true;
        pthread_mutex_unlock(&w->lock);
        wake_up(w->e);
        return NULL;
}

static bool work_done(LoopWork *w)
{
        pthread_mutex_lock(&w->lock);
        bool done = w->done;
        pthread_mutex_unlock(&w->lock);
        return done;
}

/* Should what runs be stopped now? Abort and rollback at once; a shutdown only when asked for
 * the second time: a step that ends by itself is better than one cut in two. */
static bool wants_stop(const Engine *e)
{
        return e->stop == STOP_ABORT || e->stop == STOP_ROLLBACK || e->stop == STOP_FAIL ||
               (e->stop == STOP_SHUTDOWN && e->terms > 1);
}

static void watch_silence(StepCtx *ctx, int64_t *warned)
{
        int64_t sign = step_ctx_last_sign_ms(ctx);
        int64_t now = clock_boot_ms();
        if (now - sign < 60000 || sign == *warned)
                return;
        step_log(ctx, SAY_WARN, "pgsherpa", "no sign of progress for 60 s, still waiting");
        *warned = step_ctx_last_sign_ms(ctx);
}

static void wait_for(Engine *e, LoopWork *w, StepCtx *ctx, int64_t timeout_ms, bool *ret_timeout)
{
        int64_t start = clock_boot_ms(), warned = 0, told = 0;
        while (!work_done(w)) {
                AUTO_ERR ignored = { 0 }; /* io_failed stays; the work must end anyway */
                if (!loop_pump(e, 200, &ignored))
                        usleep(20000);
                int64_t now = clock_boot_ms();
                if (!ctx)
                        continue;
                if (timeout_ms > 0 && now - start > timeout_ms)
                        *ret_timeout = true;
                bool stop = wants_stop(e) || *ret_timeout || e->io_failed;
                if (stop && now - told > 5000) { /* again: a PQcancel may be missed */
                        told = now;
                        step_ctx_cancel(ctx);
                }
                watch_silence(ctx, &warned);
        }
}

bool loop_work(Engine *e, StepCtx *ctx, int64_t timeout_ms, WorkFn fn, void *arg, Err *err)
{
        LoopWork w = { .e = e, .fn = fn, .arg = arg };
        bool timed_out = false;
        pthread_t thread;
        pthread_mutex_init(&w.lock, NULL);
        int rc = pthread_create(&thread, NULL, work_main, &w);
        if (rc != 0)
                return err_set_errno(err, rc, "starting a thread for the step");
        e->desk->ctx = ctx;
        wait_for(e, &w, ctx, timeout_ms, &timed_out);
        e->desk->ctx = NULL;
        pthread_join(thread, NULL);
        pthread_mutex_destroy(&w.lock);
        if (w.ok)
                return true;
        if (timed_out) {
                char t[24];
                err_clear(&w.err);
                err_set(err, ERR_COMMAND, "took longer than its timeout of %s",
                        fmt_duration(timeout_ms, t));
                return err_hint(err, "raise `timeout:` of this step, or see its log for what it "
                                     "waited for");
        }
        err_move(err, &w.err);
        if (err->kind == ERR_NONE)
                return err_set(err, ERR_USER, "the step failed and did not say why");
        return false;
}
