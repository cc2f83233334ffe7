/* progress_slots.c: how far, how fast, how long still. */
#include "transfer/state/progress_slots.h"

#include "base/clock.h"
#include "base/text.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define SHOW_EVERY_MS  250
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
        return progress_rate(t->done - t->window[oldest].done, ms);
}

#define NEVER_QUITE 0.98 /* what was expected may have been too little */

double progress_fraction(const Slot *s)
{
        if (s->part >= 0)
                return s->part;
        if (s->expected > 0)
                return MIN(NEVER_QUITE, (double)s->rows / (double)s->expected);
        return s->total > 0 ? MIN(NEVER_QUITE, (double)s->done / (double)s->total) : -1;
}

static int64_t eta(Transfer *t, double per_s)
{
        if (!t->left)
                return progress_eta(t->total - t->done, per_s);
        double left = t->left(t->left_arg, t->slots);
        return left < 0 ? -1 : (int64_t)(left * 1000.0);
}

static ProgressRow row_of(const Slot *s, int64_t now)
{
        double part = progress_fraction(s);
        ProgressRow r = { .name = s->name,
                          .done = s->done,
                          .total = s->total,
                          .rate = progress_rate(s->done, now - s->since_ms),
                          .eta_ms = -1 };
        if (part < 0)
                return r;
        r.total = s->total > 0 ? s->total : s->weight > 0 ? s->weight : 1000;
        r.done = (int64_t)(part * (double)r.total);
        return r;
}

static size_t slot_rows(Transfer *t, ProgressRow *rows, int64_t now)
{
        size_t n = 0;
        for (size_t i = 0; i < LEN(t->slots); i++)
                if (t->slots[i].name)
                        rows[n++] = row_of(&t->slots[i], now);
        return n;
}

/* With t->showing held. */
static void progress_show(Transfer *t, const ProgressRow *row, bool now_please)
{
        int64_t now = clock_boot_ms();
        ProgressRow rows[POOL_WORKERS];
        if (!t->hooks.progress || (!now_please && t->shown_ms && now - t->shown_ms < SHOW_EVERY_MS))
                return;
        t->shown_ms = now;
        size_t n = row ? 1 : slot_rows(t, rows, now);
        if (row) {
                rows[0] = *row;
                rows[0].eta_ms = -1;
        }
        double per_s = rate(t, now);
        Progress p = { .label = t->stage,
                       .unit = t->unit,
                       .done = t->done,
                       .total = t->total,
                       .rate = per_s,
                       .eta_ms = eta(t, per_s),
                       .row_count = t->row_count,
                       .things_done = t->things_done,
                       .things_total = t->things_total,
                       .workers = transfer_change_jobs(t, 0),
                       .rows = rows,
                       .n_rows = n };
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
        progress_show(t, NULL, true);
        pthread_mutex_unlock(&t->showing);
}

void progress_words(Transfer *t, const char *stage)
{
        pthread_mutex_lock(&t->showing);
        t->stage = stage;
        progress_show(t, NULL, true);
        pthread_mutex_unlock(&t->showing);
}

void transfer_tick(Transfer *t)
{
        pthread_mutex_lock(&t->showing);
        if (t->stage)
                progress_show(t, NULL, true);
        pthread_mutex_unlock(&t->showing);
}

void progress_set(Transfer *t, int64_t done, int things_done, const ProgressRow *row)
{
        pthread_mutex_lock(&t->showing);
        t->done = done;
        t->things_done = things_done;
        progress_show(t, row, things_done == t->things_total);
        pthread_mutex_unlock(&t->showing);
}

void progress_left(Transfer *t, double (*left)(void *arg, const Slot *slots), void *arg)
{
        pthread_mutex_lock(&t->showing);
        t->left = left;
        t->left_arg = arg;
        pthread_mutex_unlock(&t->showing);
}

/* ---- many at once ---- */

void progress_begin(Transfer *t, size_t slot, const char *name, const Slot *plan)
{
        Slot *s = &t->slots[slot];
        AUTO_FREE char *clean = text_clean_str(name);
        pthread_mutex_lock(&t->showing);
        free(s->name);
        *s = (Slot){ .name = clean,
                     .total = plan->total,
                     .expected = plan->expected,
                     .weight = plan->weight,
                     .job = plan->job,
                     .part = -1,
                     .since_ms = clock_boot_ms() };
        clean = NULL;
        progress_show(t, NULL, false);
        pthread_mutex_unlock(&t->showing);
}

/* Of the whole as much as of the slot's own. */
static void progress_count(Transfer *t, Slot *s, double part)
{
        int64_t bytes = (int64_t)((double)s->weight * MAX(0, part));
        t->done += bytes - s->counted;
        s->counted = bytes;
}

void progress_moved(Transfer *t, size_t slot, int64_t bytes, int64_t rows)
{
        pthread_mutex_lock(&t->showing);
        Slot *s = &t->slots[slot];
        s->done += bytes;
        s->rows += rows;
        t->row_count += rows;
        progress_count(t, s, progress_fraction(s));
        progress_show(t, NULL, false);
        pthread_mutex_unlock(&t->showing);
}

void progress_at(Transfer *t, size_t slot, double part)
{
        pthread_mutex_lock(&t->showing);
        Slot *s = &t->slots[slot];
        s->part = part;
        progress_count(t, s, part);
        progress_show(t, NULL, false);
        pthread_mutex_unlock(&t->showing);
}

void progress_end(Transfer *t, size_t slot, int things)
{
        pthread_mutex_lock(&t->showing);
        Slot *s = &t->slots[slot];
        progress_count(t, s, 1);
        free(s->name);
        *s = (Slot){ 0 };
        t->things_done += things;
        progress_show(t, NULL, things > 0 && t->things_done == t->things_total);
        pthread_mutex_unlock(&t->showing);
}
