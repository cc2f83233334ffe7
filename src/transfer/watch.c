/* watch.c: how far long CREATE INDEX statements are, asked on one connection for all workers.
 *
 * A statement's own connection is silent until it ends. pg_stat_progress_create_index counts
 * blocks while the table is read and tuples while they are loaded; the two halves together are
 * shown as one way. A watcher that cannot connect is no reason to fail. */
#include "transfer/internal.h"

#include <errno.h>
#include <time.h>

#define LOOK_EVERY_MS 500
#define HALF          500               /* of a thousand: reading the table; then loading */

struct Watch {
        Transfer       *t;
        PgParams        params;
        pthread_t       thread;
        pthread_mutex_t lock;
        pthread_cond_t  wake;
        bool            stop;
        int             backends[POOL_WORKERS];         /* whom it watches; 0: nobody         */
};

static void heard(Watch *w, int backend, int64_t thousandths)
{
        for (size_t i = 0; i < POOL_WORKERS; i++) {
                pthread_mutex_lock(&w->lock);
                bool still = w->backends[i] == backend;
                if (still)
                        progress_at(w->t, i, thousandths, 2L * HALF);
                pthread_mutex_unlock(&w->lock);
        }
}

static void look(Watch *w, Pg *pg)
{
        AUTO_ERR ignored = { 0 };
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select pid, case when tuples_total > 0 then 500 + 500 * tuples_done / tuples_total "
                    "when blocks_total > 0 then 500 * blocks_done / blocks_total else 0 end::bigint "
                    "from pg_stat_progress_create_index");
        if (!pg_query(pg, &q, &r, &ignored))
                return;
        for (int i = 0; i < pg_rows(r); i++)
                if (pg_cell_int(r, i, 1) > 0)
                        heard(w, (int)pg_cell_int(r, i, 0), pg_cell_int(r, i, 1));
}

static bool anybody(const Watch *w)
{
        for (size_t i = 0; i < POOL_WORKERS; i++)
                if (w->backends[i])
                        return true;
        return false;
}

static void *run(void *arg)
{
        Watch *w = arg;
        Pg *pg = NULL;
        AUTO_ERR ignored = { 0 };
        if (!transfer_connect(w->t, &w->params, NULL, &pg, &ignored))
                return NULL;
        pthread_mutex_lock(&w->lock);
        while (!w->stop) {
                struct timespec until;
                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += LOOK_EVERY_MS * 1000000L;
                until.tv_sec += until.tv_nsec / 1000000000L;
                until.tv_nsec %= 1000000000L;
                if (pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT || !anybody(w))
                        continue;
                pthread_mutex_unlock(&w->lock);
                look(w, pg);
                pthread_mutex_lock(&w->lock);
        }
        pthread_mutex_unlock(&w->lock);
        transfer_disconnect(w->t, &pg);
        return NULL;
}

Watch *watch_start(Transfer *t, const PgParams *p)
{
        Watch *w = xcalloc(1, sizeof *w);
        w->t = t;
        w->params = *p;
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->wake, NULL);
        if (pthread_create(&w->thread, NULL, run, w) == 0)
                return w;
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        free(w);
        return NULL;
}

void watch_on(Watch *w, size_t slot, int backend)
{
        if (!w)
                return;
        pthread_mutex_lock(&w->lock);
        w->backends[slot] = backend;
        pthread_mutex_unlock(&w->lock);
}

Watch *watch_stop(Watch *w)
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
