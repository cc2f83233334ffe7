/* progress.c: how far, how fast, how long still. */
#include "transfer/internal.h"

#include "base/clock.h"
#include "base/text.h"

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

/* How much of a slot's thing is done, 0 .. 1. Without news: by the time it was thought to take,
 * never quite all of it. */
static double fraction(const Slot *s, int64_t now)
{
        if (s->total > 0)
                return (double)MIN(s->done, s->total) / (double)s->total;
        double seconds = (double)(now - s->since_ms) / 1000.0;
        return s->cost > 0 ? MIN(0.95, seconds / s->cost) : 0;
}

static int64_t eta(Transfer *t, int64_t now, double per_s)
{
        double begun = 0;
        if (!t->left)
                return per_s > 0 && t->total >= t->done ?
                       (int64_t)((double)(t->total - t->done) * 1000.0 / per_s) : -1;
        for (size_t i = 0; i < LEN(t->slots); i++)
                if (t->slots[i].name)
                        begun += t->slots[i].cost * fraction(&t->slots[i], now);
        double left = t->left(t->left_arg, begun);
        return left < 0 ? -1 : (int64_t)(left * 1000.0);
}

static size_t slot_rows(Transfer *t, TransferRow *rows, int64_t now)
{
        size_t n = 0;
        for (size_t i = 0; i < LEN(t->slots); i++) {
                const Slot *s = &t->slots[i];
                int64_t ms = now - s->since_ms;
                if (s->name)
                        rows[n++] = (TransferRow){ .name = s->name, .done = s->done, .total = s->total,
                                                   .rate = ms > 0 ? (double)s->done * 1000.0 / (double)ms : 0 };
        }
        return n;
}

/* With t->showing held. */
static void show(Transfer *t, const TransferRow *row, bool now_please)
{
        int64_t now = clock_boot_ms();
        TransferRow rows[POOL_WORKERS];
        if (!t->hooks.progress || (!now_please && t->shown_ms && now - t->shown_ms < SHOW_EVERY_MS))
                return;
        t->shown_ms = now;
        size_t n = row ? 1 : slot_rows(t, rows, now);
        double per_s = rate(t, now);
        TransferProgress p = { .stage = t->stage, .unit = t->unit, .done = t->done, .total = t->total,
                               .rate = per_s, .eta_ms = eta(t, now, per_s), .row_count = t->row_count,
                               .things_done = t->things_done, .things_total = t->things_total,
                               .workers = transfer_change_jobs(t, 0),
                               .rows = row ? row : rows, .n_rows = n };
        t->hooks.progress(t->hooks.arg, &p);
}

void progress_stage(Transfer *t, const char *stage, const char *unit, int64_t total, int things)
{
        pthread_mutex_lock(&t->showing);
        t->stage = stage;
        t->unit = unit;
        t->total = total;
        t->done = 0;
        t->row_count = 0;
        t->things_done = 0;
        t->things_total = things;
        t->window_n = 0;
        for (size_t i = 0; i < LEN(t->slots); i++) {
                free(t->slots[i].name);
                t->slots[i] = (Slot){ 0 };
        }
        show(t, NULL, true);
        pthread_mutex_unlock(&t->showing);
}

void progress_words(Transfer *t, const char *stage)
{
        pthread_mutex_lock(&t->showing);
        t->stage = stage;
        show(t, NULL, true);
        pthread_mutex_unlock(&t->showing);
}

void transfer_tick(Transfer *t)
{
        pthread_mutex_lock(&t->showing);
        if (t->stage)
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

void progress_left(Transfer *t, double (*left)(void *arg, double begun), void *arg)
{
        pthread_mutex_lock(&t->showing);
        t->left = left;
        t->left_arg = arg;
        pthread_mutex_unlock(&t->showing);
}

/* ---- many at once ---- */

void progress_begin(Transfer *t, size_t slot, const char *name, int64_t total, int64_t weight,
                    double cost)
{
        Slot *s = &t->slots[slot];
        AUTO_FREE char *clean = text_clean_str(name);
        pthread_mutex_lock(&t->showing);
        free(s->name);
        *s = (Slot){ .name = clean, .total = total, .weight = weight, .cost = cost,
                     .since_ms = clock_boot_ms() };
        clean = NULL;
        show(t, NULL, false);
        pthread_mutex_unlock(&t->showing);
}

static void count(Transfer *t, Slot *s, int64_t bytes)
{
        t->done += bytes - s->counted;
        s->counted = bytes;
}

void progress_moved(Transfer *t, size_t slot, int64_t bytes, int64_t rows)
{
        pthread_mutex_lock(&t->showing);
        Slot *s = &t->slots[slot];
        s->done += bytes;
        t->row_count += rows;
        count(t, s, MIN(s->done, s->weight));
        show(t, NULL, false);
        pthread_mutex_unlock(&t->showing);
}

void progress_at(Transfer *t, size_t slot, int64_t done, int64_t total)
{
        pthread_mutex_lock(&t->showing);
        Slot *s = &t->slots[slot];
        s->done = done;
        s->total = total;
        if (total > 0)
                count(t, s, (int64_t)((double)s->weight * (double)MIN(done, total) / (double)total));
        show(t, NULL, false);
        pthread_mutex_unlock(&t->showing);
}

void progress_end(Transfer *t, size_t slot, int things)
{
        pthread_mutex_lock(&t->showing);
        Slot *s = &t->slots[slot];
        count(t, s, s->weight);
        free(s->name);
        *s = (Slot){ 0 };
        t->things_done += things;
        show(t, NULL, things > 0 && t->things_done == t->things_total);
        pthread_mutex_unlock(&t->showing);
}
