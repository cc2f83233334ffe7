/* progress.c: how far, how fast, how long still. */
#include "transfer/internal.h"

#include "base/clock.h"

#define SHOW_EVERY_MS 250
#define WINDOW_STEP_MS 1000

/* Bytes a second over the last fifteen or so: a ring of one sample a second. */
static double rate(Transfer *t, int64_t now)
{
        size_t n = t->window_n;
        if (n == 0 || now - t->window[(n - 1) % LEN(t->window)].at >= WINDOW_STEP_MS) {
                t->window[n % LEN(t->window)].at = now;
                t->window[n % LEN(t->window)].done = t->done;
                t->window_n = ++n;
        }
        size_t oldest = n > LEN(t->window) ? n % LEN(t->window) : 0;
        int64_t ms = now - t->window[oldest].at;
        if (ms < 200)
                return 0;
        return (double)(t->done - t->window[oldest].done) * 1000.0 / (double)ms;
}

/* With t->showing held. */
static void show(Transfer *t, const TransferRow *row, bool now_please)
{
        int64_t now = clock_boot_ms();
        if (!t->hooks.progress || (!now_please && t->shown_ms && now - t->shown_ms < SHOW_EVERY_MS))
                return;
        t->shown_ms = now;
        double per_s = rate(t, now);
        TransferProgress p = { .stage = t->stage, .unit = t->unit, .done = t->done, .total = t->total,
                               .rate = per_s, .eta_ms = -1, .things_done = t->things_done,
                               .things_total = t->things_total, .rows = row, .n_rows = row ? 1 : 0 };
        if (per_s > 0 && t->total >= t->done)
                p.eta_ms = (int64_t)((double)(t->total - t->done) * 1000.0 / per_s);
        t->hooks.progress(t->hooks.arg, &p);
}

void progress_stage(Transfer *t, const char *stage, const char *unit, int64_t total, int things)
{
        pthread_mutex_lock(&t->showing);
        t->stage = stage;
        t->unit = unit;
        t->total = total;
        t->done = 0;
        t->things_done = 0;
        t->things_total = things;
        t->window_n = 0;
        show(t, NULL, true);
        pthread_mutex_unlock(&t->showing);
}

void progress_next(Transfer *t, const char *stage, int things)
{
        pthread_mutex_lock(&t->showing);
        t->stage = stage;
        t->things_done = 0;
        t->things_total = things;
        show(t, NULL, true);
        pthread_mutex_unlock(&t->showing);
}

void progress_set(Transfer *t, int64_t done, int things_done, const TransferRow *row)
{
        pthread_mutex_lock(&t->showing);
        t->done = done;
        t->things_done = things_done;
        show(t, row, things_done == t->things_total);
        pthread_mutex_unlock(&t->showing);
}

void progress_row(Transfer *t, const TransferRow *row)
{
        pthread_mutex_lock(&t->showing);
        show(t, row, false);
        pthread_mutex_unlock(&t->showing);
}
