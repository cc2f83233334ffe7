/* checkpoints.c: what was loaded is written to the target's disk while its processors do something
 * else.
 *
 * A transfer ends with a CHECKPOINT, and is done when everything is on disk. Asked for only then,
 * the disk has all of it to do while the processors wait. So it is asked for before, too, when
 * what comes next needs no disk: index builds after the last rows, foreign keys after the last
 * index. Who may not (superusers, and pg_checkpoint since 15) leaves it to the server. */
#include "transfer/make/checkpoints.h"

#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

struct Checkpoints {
        Transfer *t;
        PgParams params;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool wanted, stop;
};

static bool checkpoints_next(Checkpoints *f)
{
        pthread_mutex_lock(&f->lock);
        while (!f->wanted && !f->stop)
                pthread_cond_wait(&f->wake, &f->lock);
        f->wanted = false;
        bool go_on = !f->stop;
        pthread_mutex_unlock(&f->lock);
        return go_on;
}

static void *checkpoints_run(void *arg)
{
        Checkpoints *f = arg;
        Pg *pg = NULL;
        AUTO_ERR ignored = { 0 };
        while (checkpoints_next(f))
                if ((!pg && !transfer_connect(f->t, &f->params, NULL, &pg, &ignored)) ||
                    transfer_stopped(f->t, &ignored) || !pg_do(pg, "checkpoint", &ignored))
                        break;
        transfer_disconnect(f->t, &pg);
        return NULL;
}

Checkpoints *checkpoints_start(Transfer *t, const PgParams *p)
{
        Checkpoints *f = xcalloc(1, sizeof *f);
        f->t = t;
        f->params = *p;
        f->params.statement_timeout_ms = 0;
        pthread_mutex_init(&f->lock, NULL);
        pthread_cond_init(&f->wake, NULL);
        if (pthread_create(&f->thread, NULL, checkpoints_run, f) == 0)
                return f;
        pthread_mutex_destroy(&f->lock);
        pthread_cond_destroy(&f->wake);
        free(f);
        return NULL;
}

void checkpoints_ask(Checkpoints *f)
{
        if (!f)
                return;
        pthread_mutex_lock(&f->lock);
        f->wanted = true;
        pthread_cond_signal(&f->wake);
        pthread_mutex_unlock(&f->lock);
}

Checkpoints *checkpoints_stop(Checkpoints *f)
{
        if (!f)
                return NULL;
        pthread_mutex_lock(&f->lock);
        f->stop = true;
        pthread_cond_signal(&f->wake);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->thread, NULL);
        pthread_mutex_destroy(&f->lock);
        pthread_cond_destroy(&f->wake);
        free(f);
        return NULL;
}
