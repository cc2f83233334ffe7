#include "app/show/work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "app/show/progress_event.h"
#include "app/cli/verb.h"
#include "base/clock.h"

#define EVENT_MS    250
#define SILENCE_MS  1000
#define PROOF_SHARE 0.25 /* of the copy's time: measured 0.2 to 0.3 with two cores */

struct Work {
        pthread_t thread;
        pthread_mutex_t lock;
        sigset_t signals, before;
        volatile bool cancelled, over;
        WorkShow show;
        bool terminal, drawn, known, news, failed;
        int64_t began, told; /* ms; told: the last event */
        Transfer *transfer;
        pthread_mutex_t ending; /* the transfer stays until this is free */
        Pg *pg[2];
        ProgressLine line;
        int64_t oid;
        double proof;     /* see work_expect_proof() */
        int64_t proof_ms; /* what that came to last */
        struct {
                int64_t at, done;
        } first; /* of a comparison, for its rate */
};

/* With the lock held. */
static void wipe(Work *w)
{
        if (w->drawn)
                fputs("\r\x1b[K", stderr);
        w->drawn = false;
}

static void draw(Work *w)
{
        struct winsize ws = { 0 };
        if (!w->terminal || w->show != WORK_LINE || !w->known)
                return;
        size_t width =
                ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 1 ? ws.ws_col - 1u : 79;
        AUTO_BUF b = buf_init(8192);
        progress_line_text(&w->line, width, &b);
        fprintf(stderr, "\r\x1b[K%s", buf_str(&b));
        fflush(stderr);
        w->drawn = true;
}

static void tell(json_t *event)
{
        AUTO_JSON j = event;
        AUTO_FREE char *text = progress_event_line(j);
        fprintf(stderr, "%s\n", text);
}

static void tell_progress(Work *w, int64_t now)
{
        if (!w->known)
                return;
        tell(progress_event_of(&w->line, now - w->began));
        w->news = false;
        w->told = now;
}

static void stop(Work *w)
{
        flag_raise(&w->cancelled);
        if (w->transfer)
                transfer_cancel(w->transfer);
        for (size_t i = 0; i < LEN(w->pg); i++)
                if (w->pg[i])
                        pg_cancel(w->pg[i]);
}

/* No news is a second older: what is left is asked for again. The hook takes w->lock, so it is
 * free meanwhile. */
static void tick(Work *w)
{
        pthread_mutex_lock(&w->ending);
        if (w->transfer)
                transfer_tick(w->transfer);
        pthread_mutex_unlock(&w->ending);
}

static void look(Work *w, int64_t now)
{
        pthread_mutex_lock(&w->lock);
        bool old = !w->news && now - w->told >= SILENCE_MS;
        pthread_mutex_unlock(&w->lock);
        if (old)
                tick(w);
        pthread_mutex_lock(&w->lock);
        if (w->show == WORK_LINE)
                draw(w);
        else if (w->show == WORK_EVENTS && !flag_up(&w->over) && (w->news || old))
                tell_progress(w, now);
        pthread_mutex_unlock(&w->lock);
}

static void *watch(void *arg)
{
        Work *w = arg;
        struct timespec wait = { .tv_sec = 1 };
        if (w->show == WORK_EVENTS)
                wait = (struct timespec){ .tv_nsec = EVENT_MS * 1000000L };
        while (!flag_up(&w->over)) {
                int sig = sigtimedwait(&w->signals, NULL, &wait);
                if (flag_up(&w->over))
                        break;
                if (sig <= 0 || sig == SIGUSR2) {
                        look(w, clock_boot_ms());
                        continue;
                }
                pthread_mutex_lock(&w->lock);
                stop(w);
                pthread_mutex_unlock(&w->lock);
        }
        return NULL;
}

Work *work_begin(WorkShow show)
{
        Work *w = xcalloc(1, sizeof *w);
        w->show = show;
        w->began = clock_boot_ms();
        w->terminal = isatty(STDERR_FILENO);
        pthread_mutex_init(&w->lock, NULL);
        pthread_mutex_init(&w->ending, NULL);
        sigemptyset(&w->signals);
        sigaddset(&w->signals, SIGINT);
        sigaddset(&w->signals, SIGTERM);
        sigaddset(&w->signals, SIGHUP);
        sigaddset(&w->signals, SIGUSR2); /* our own: the work is over */
        pthread_sigmask(SIG_BLOCK, &w->signals, &w->before);
        if (pthread_create(&w->thread, NULL, watch, w) != 0)
                abort();
        return w;
}

/* What one piece of work said last belongs to it, not to the next. With the lock held. */
static void forget(Work *w)
{
        if (w->show == WORK_EVENTS && w->news)
                tell_progress(w, clock_boot_ms());
        w->known = w->news = false;
        wipe(w);
}

Work *work_end(Work *w)
{
        if (!w)
                return NULL;
        pthread_mutex_lock(&w->lock);
        flag_raise(&w->over);
        forget(w);
        if (w->show == WORK_EVENTS && !w->failed)
                tell(progress_event_done(clock_boot_ms() - w->began));
        pthread_mutex_unlock(&w->lock);
        pthread_kill(w->thread, SIGUSR2);
        pthread_join(w->thread, NULL);
        pthread_sigmask(SIG_SETMASK, &w->before, NULL);
        pthread_mutex_destroy(&w->lock);
        pthread_mutex_destroy(&w->ending);
        free(w);
        return NULL;
}

void work_cancels(Work *w, Transfer *t)
{
        pthread_mutex_lock(&w->ending);
        pthread_mutex_lock(&w->lock);
        forget(w);
        w->transfer = t;
        pthread_mutex_unlock(&w->lock);
        pthread_mutex_unlock(&w->ending);
}

void work_cancels_connections(Work *w, Pg *a, Pg *b)
{
        pthread_mutex_lock(&w->lock);
        w->pg[0] = a;
        w->pg[1] = b;
        w->first.at = 0;
        forget(w);
        pthread_mutex_unlock(&w->lock);
}

const volatile bool *work_flag(const Work *w)
{
        return &w->cancelled;
}

void work_progress(void *work, const Progress *p)
{
        Work *w = work;
        pthread_mutex_lock(&w->lock);
        progress_line_of(p, &w->line);
        if (w->proof > 0 && p->eta_ms >= 0) {
                w->proof_ms =
                        (int64_t)(w->proof * (double)(clock_boot_ms() - w->began + p->eta_ms));
                w->line.eta_ms += w->proof_ms;
        }
        w->known = w->news = true;
        pthread_mutex_unlock(&w->lock);
}

void work_expect_proof(Work *w)
{
        w->proof = PROOF_SHARE;
}

void work_compared(void *work, const char *table, int done, int total, int64_t bytes_done,
                   int64_t bytes_total)
{
        Work *w = work;
        int64_t now = clock_boot_ms(), ms;
        pthread_mutex_lock(&w->lock);
        if (!w->first.at) {
                w->first.at = now;
                w->first.done = bytes_done;
        }
        ms = now - w->first.at;
        double rate = ms > 500 ? progress_rate(bytes_done - w->first.done, ms) : 0;
        Progress p = { .label = "comparing",
                       .unit = "bytes",
                       .done = bytes_done,
                       .total = bytes_total,
                       .rate = rate,
                       .things_done = done,
                       .things_total = total,
                       .n_rows = 1,
                       .eta_ms = w->proof_ms > 0 ? MAX(0, w->proof_ms - ms) : -1,
                       .rows = &(ProgressRow){ .name = table } };
        if (rate > 0)
                p.eta_ms = progress_eta(bytes_total - bytes_done, rate);
        progress_line_of(&p, &w->line);
        w->known = w->news = true;
        pthread_mutex_unlock(&w->lock);
}

void work_complain(Work *w, const char *text)
{
        pthread_mutex_lock(&w->lock);
        wipe(w);
        if (w->show == WORK_EVENTS)
                tell(progress_event_note(text, clock_boot_ms() - w->began));
        else
                fprintf(stderr, "%s\n", text);
        pthread_mutex_unlock(&w->lock);
}

void work_say(void *work, const char *text)
{
        Work *w = work;
        if (w->show != WORK_QUIET)
                work_complain(w, text);
}

bool work_created(void *work, int64_t oid, Err *err)
{
        ((Work *)work)->oid = oid;
        return true;
}

int64_t work_oid(const Work *w)
{
        return w->oid;
}

int work_fail(Work *w, Err *err, int code)
{
        pthread_mutex_lock(&w->lock);
        forget(w);
        w->failed = true;
        if (w->show == WORK_EVENTS) {
                tell(progress_event_failed(err, code, clock_boot_ms() - w->began));
                err_clear(err);
        }
        pthread_mutex_unlock(&w->lock);
        return w->show == WORK_EVENTS ? code : verb_fail(err, code);
}
