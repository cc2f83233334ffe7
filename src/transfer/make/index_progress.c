/* index_progress.c: how far long CREATE INDEX statements are, asked on one connection for all
 * workers.
 *
 * A statement's own connection is silent until it ends. pg_stat_progress_create_index counts
 * blocks while the table is read and tuples while they are loaded; the two together are shown as
 * one way, of which the caller says how long the first is: a GIN is as good as done when the table
 * is read, and never counts tuples. A watcher that cannot connect is no reason to fail. */
#include "transfer/make/index_progress.h"

#include <errno.h>

#include "base/clock.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define LOOK_EVERY_MS 500

struct IndexProgress {
        Transfer *t;
        PgParams params;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool stop;
        struct {
                int backend;    /* whom it watches; 0: nobody */
                double reading; /* how much of the way reading the table is */
        } at[POOL_WORKERS];
};

static void heard(IndexProgress *w, int backend, double read, double loaded)
{
        for (size_t i = 0; i < POOL_WORKERS; i++) {
                pthread_mutex_lock(&w->lock);
                double reading = w->at[i].reading;
                if (w->at[i].backend == backend)
                        progress_at(w->t, i, reading * read + (1 - reading) * loaded);
                pthread_mutex_unlock(&w->lock);
        }
}

static void index_progress_look(IndexProgress *w, Pg *pg)
{
        AUTO_ERR ignored = { 0 };
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select pid, case when tuples_total > 0 then 10000 when blocks_total > 0 then "
                    "10000 * blocks_done / blocks_total else 0 end::bigint, case when tuples_total "
                    "> 0 then 10000 * tuples_done / tuples_total else 0 end::bigint from "
                    "pg_stat_progress_create_index");
        if (!pg_query(pg, &q, &r, &ignored))
                return;
        for (int i = 0; i < pg_rows(r); i++)
                if (pg_cell_int(r, i, 1) > 0)
                        heard(w, (int)pg_cell_int(r, i, 0), (double)pg_cell_int(r, i, 1) / 10000.0,
                              (double)pg_cell_int(r, i, 2) / 10000.0);
}

static bool anybody(const IndexProgress *w)
{
        for (size_t i = 0; i < POOL_WORKERS; i++)
                if (w->at[i].backend)
                        return true;
        return false;
}

static void *index_progress_run(void *arg)
{
        IndexProgress *w = arg;
        Pg *pg = NULL;
        AUTO_ERR ignored = { 0 };
        if (!transfer_connect(w->t, &w->params, NULL, &pg, &ignored))
                return NULL;
        pthread_mutex_lock(&w->lock);
        while (!w->stop) {
                struct timespec until = clock_cond_after(LOOK_EVERY_MS);
                if (pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT || !anybody(w))
                        continue;
                pthread_mutex_unlock(&w->lock);
                index_progress_look(w, pg);
                pthread_mutex_lock(&w->lock);
        }
        pthread_mutex_unlock(&w->lock);
        transfer_disconnect(w->t, &pg);
        return NULL;
}

IndexProgress *index_progress_start(Transfer *t, const PgParams *p)
{
        IndexProgress *w = xcalloc(1, sizeof *w);
        w->t = t;
        w->params = *p;
        pthread_mutex_init(&w->lock, NULL);
        clock_cond_init(&w->wake);
        if (pthread_create(&w->thread, NULL, index_progress_run, w) == 0)
                return w;
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        free(w);
        return NULL;
}

void index_progress_follow(IndexProgress *w, size_t slot, int backend, double reading)
{
        if (!w)
                return;
        pthread_mutex_lock(&w->lock);
        w->at[slot].backend = backend;
        w->at[slot].reading = reading;
        pthread_mutex_unlock(&w->lock);
}

IndexProgress *index_progress_stop(IndexProgress *w)
{
        if (!w)
                return NULL;
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        free(w);
        return NULL;
}
