/* transfer.c: connections that can be stopped, errors that may be tolerated. */
#include "transfer/transfer.h"

#include <stdio.h>

#include "base/text.h"
#include "transfer/state/harmless.h"
#include "transfer/state/transfer_state.h"

Transfer *transfer_new(const TransferHooks *hooks)
{
        Transfer *t = xcalloc(1, sizeof *t);
        t->hooks = *hooks;
        t->tolerated = json_array();
        t->kept = json_array();
        pthread_mutex_init(&t->lock, NULL);
        pthread_mutex_init(&t->showing, NULL);
        pthread_mutex_init(&t->asking, NULL);
        t->jobs = hooks->jobs;
        return t;
}

void transfer_interrupt(Transfer *t, bool failed)
{
        pthread_mutex_lock(&t->lock);
        if (failed)
                flag_raise(&t->failed);
        for (size_t i = 0; i < t->n_open; i++)
                pg_cancel(t->open[i]);
        pthread_mutex_unlock(&t->lock);
}

void transfer_cancel(Transfer *t)
{
        pthread_mutex_lock(&t->lock);
        flag_raise(&t->cancelled);
        pthread_mutex_unlock(&t->lock);
        transfer_interrupt(t, false);
}

void transfer_pool(Transfer *t, Pool *p)
{
        pthread_mutex_lock(&t->lock);
        t->pool = p;
        pthread_mutex_unlock(&t->lock);
        if (!p)
                transfer_clear_failed(t);
}

void transfer_clear_failed(Transfer *t)
{
        pthread_mutex_lock(&t->lock);
        flag_lower(&t->failed);
        pthread_mutex_unlock(&t->lock);
}

void transfer_set_jobs(Transfer *t, int jobs)
{
        pthread_mutex_lock(&t->lock);
        t->jobs = MAX(1, MIN(jobs, POOL_WORKERS));
        if (t->pool)
                pool_set_jobs(t->pool, t->jobs);
        pthread_mutex_unlock(&t->lock);
}

int transfer_jobs(Transfer *t)
{
        pthread_mutex_lock(&t->lock);
        int jobs = t->pool ? pool_jobs(t->pool) : t->jobs;
        pthread_mutex_unlock(&t->lock);
        return jobs;
}

int transfer_change_jobs(Transfer *t, int delta)
{
        pthread_mutex_lock(&t->lock);
        int jobs = t->pool ? pool_jobs(t->pool) : 0;
        if (jobs && delta) {
                jobs = MAX(1, MIN(jobs + delta, TRANSFER_JOBS));
                t->jobs = jobs; /* the next database of this transfer begins with them */
                pool_set_jobs(t->pool, jobs);
        }
        pthread_mutex_unlock(&t->lock);
        return jobs;
}

Transfer *transfer_free(Transfer *t)
{
        if (t) {
                assert(t->n_open == 0);
                json_decref(t->tolerated);
                json_decref(t->kept);
                pthread_mutex_destroy(&t->lock);
                pthread_mutex_destroy(&t->showing);
                pthread_mutex_destroy(&t->asking);
                for (size_t i = 0; i < LEN(t->slots); i++)
                        free(t->slots[i].name);
                free(t->open);
                free(t);
        }
        return NULL;
}

const volatile bool *transfer_cancel_flag(Transfer *t)
{
        return t->hooks.cancel ? t->hooks.cancel : &t->cancelled;
}

bool transfer_stopped(Transfer *t, Err *err)
{
        pthread_mutex_lock(&t->lock);
        bool stopped = t->cancelled || t->failed;
        pthread_mutex_unlock(&t->lock);
        if (!stopped && !(t->hooks.cancel && flag_up(t->hooks.cancel)))
                return false;
        err_set(err, ERR_CANCELLED, "stopped on request");
        return true;
}

bool transfer_connect(Transfer *t, const PgParams *p, const char *database, Pg **ret, Err *err)
{
        PgParams mine = *p;
        if (database)
                mine.database = database;
        if (transfer_stopped(t, err) || !pg_open(&mine, ret, err))
                return false;
        pthread_mutex_lock(&t->lock);
        if (t->n_open == t->open_capacity) {
                t->open_capacity = MAX(t->open_capacity * 2, (size_t)16);
                t->open = xrealloc(t->open, t->open_capacity * sizeof(Pg *));
        }
        t->open[t->n_open++] = *ret;
        pthread_mutex_unlock(&t->lock);
        return true;
}

void transfer_disconnect(Transfer *t, Pg **pg)
{
        if (!*pg)
                return;
        pthread_mutex_lock(&t->lock);
        for (size_t i = 0; i < t->n_open; i++)
                if (t->open[i] == *pg)
                        t->open[i] = t->open[--t->n_open];
        pthread_mutex_unlock(&t->lock);
        *pg = pg_close(*pg);
}

void transfer_say(Transfer *t, const char *fmt, ...)
{
        if (!t->hooks.say)
                return;
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *text = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_FREE char *clean = text_clean_str(text);
        t->hooks.say(t->hooks.arg, clean);
}

static json_t *refused(const char *object, const Err *err)
{
        json_t *j = json_object();
        jx_set_str(j, "object", object);
        jx_set_str(j, "what", err->message + strlen(object) + 2); /* "object: message" */
        jx_set_str(j, "sqlstate", err->sqlstate);
        jx_set_str(j, "verdict", "refused");
        if (err->hint)
                jx_set_str(j, "how", err->hint);
        return j;
}

static json_t *tolerated(Transfer *t, const char *object, const HarmlessError *class,
                         const Err *err)
{
        json_t *j = json_object();
        jx_set_str(j, "object", object);
        jx_set_str(j, "sqlstate", err->sqlstate);
        jx_set_str(j, "message", err->message);
        jx_set_str(j, "class", class ? class->name : "tolerate");
        jx_set_str(j, "reason", class ? class->reason : "the caller's own rule");
        transfer_say(t, "tolerated (%s): %s", class ? class->name : "by a rule", err->message);
        return j;
}

/* A rehearsal lists what fails and goes on. A load goes on after what is known to be harmless
 * (harmless.h), then after what its caller decided to live without; both are listed. */
bool transfer_tolerates(Transfer *t, const char *object, Err *err)
{
        /* Rules match on the whole message, and it begins with what failed: ^GRANT */
        err_wrap(err, "%s", object);
        if (err->kind != ERR_SERVER)
                return false;
        const HarmlessError *class = harmless_prepared_schema(t->prepared, object, err);
        if (!class)
                class = harmless_find(object, err);
        pthread_mutex_lock(&t->asking);
        bool fine = class || (t->hooks.tolerate && t->hooks.tolerate(t->hooks.arg, object, err));
        if (t->rehearsal && !fine)
                json_array_append_new(t->rehearsal, refused(object, err));
        else if (fine && !t->rehearsal)
                json_array_append_new(t->tolerated, tolerated(t, object, class, err));
        fine = fine || t->rehearsal;
        if (fine)
                err_clear(err);
        pthread_mutex_unlock(&t->asking);
        return fine;
}

void transfer_result_done(TransferResult *r)
{
        json_decref(r->tolerated);
        json_decref(r->kept);
        free(r->client);
        *r = (TransferResult){ 0 };
}
