/* watch.c: how far a long CREATE INDEX is, asked on a connection of its own.
 *
 * The statement's own connection is silent until it ends. pg_stat_progress_create_index counts
 * blocks while the table is read and tuples while they are loaded; whichever is under way is
 * shown beside the object's name. A watcher that cannot connect is no reason to fail. */
#include "transfer/internal.h"

#include <errno.h>
#include <time.h>

#define LOOK_EVERY_MS 500

struct Watch {
        Transfer       *t;
        Pg             *pg;             /* the watcher's own                                 */
        int             backend;        /* whom it watches                                   */
        pthread_t       thread;
        pthread_mutex_t lock;
        pthread_cond_t  wake;
        bool            stop;
        char           *name;
};

static void look(Watch *w, const char *name)
{
        AUTO_ERR ignored = { 0 };
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select case when tuples_total > 0 then tuples_done else blocks_done end, "
                    "case when tuples_total > 0 then tuples_total else blocks_total end "
                    "from pg_stat_progress_create_index where pid = ");
        sql_int(&q, w->backend);
        if (pg_query(w->pg, &q, &r, &ignored) && pg_rows(r) > 0)
                progress_row(w->t, &(TransferRow){ .name = name, .done = pg_cell_int(r, 0, 0),
                                                   .total = pg_cell_int(r, 0, 1) });
}

static void *run(void *arg)
{
        Watch *w = arg;
        pthread_mutex_lock(&w->lock);
        while (!w->stop) {
                struct timespec until;
                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += LOOK_EVERY_MS * 1000000L;
                until.tv_sec += until.tv_nsec / 1000000000L;
                until.tv_nsec %= 1000000000L;
                if (pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT || !w->name)
                        continue;
                AUTO_FREE char *name = xstrdup(w->name);
                pthread_mutex_unlock(&w->lock);
                look(w, name);
                pthread_mutex_lock(&w->lock);
        }
        pthread_mutex_unlock(&w->lock);
        return NULL;
}

Watch *watch_start(Transfer *t, const PgParams *p, Pg *pg)
{
        AUTO_ERR ignored = { 0 };
        Watch *w = xcalloc(1, sizeof *w);
        w->t = t;
        w->backend = pg_backend_pid(pg);
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->wake, NULL);
        if (transfer_connect(t, p, NULL, &w->pg, &ignored)) {
                if (pthread_create(&w->thread, NULL, run, w) == 0)
                        return w;
                transfer_disconnect(t, &w->pg);
        }
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        free(w);
        return NULL;
}

void watch_name(Watch *w, const char *name)
{
        if (!w)
                return;
        pthread_mutex_lock(&w->lock);
        free(w->name);
        w->name = xstrdup(name);
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
        transfer_disconnect(w->t, &w->pg);
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        free(w->name);
        free(w);
        return NULL;
}
