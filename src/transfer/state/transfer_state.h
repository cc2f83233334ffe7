/* transfer_state.h: what a Transfer knows while it runs, and what every floor asks of it.
 *
 *      Pg *pg = NULL;
 *      if (!transfer_connect(t, &params, "shop", &pg, err))      // a cancel reaches it
 *              ...
 *      if (!pg_exec(pg, &q, err) && !transfer_tolerates(t, "VIEW app.v", err))
 *              ...                                             // *err has the object's name
 *      transfer_disconnect(t, &pg);
 *
 * The ground of this room: knows connections, errors and progress, nothing of databases. */
#pragma once

#include <pthread.h>

#include "pg/conn.h"
#include "pool/pool.h"
#include "transfer/transfer.h"

/* One thing of several that are being done at the same moment. */
typedef struct Slot {
        char *name;              /* NULL: nothing */
        int64_t done, rows;      /* as moved */
        int64_t total, expected; /* bytes or objects; rows. 0: not known */
        int64_t weight, counted; /* bytes of the whole: all, and counted so far */
        double part;             /* what somebody who knows said, 0 .. 1; or below 0 */
        void *job;               /* for who says what is left; or NULL */
        int64_t since_ms;
} Slot;

struct Transfer {
        TransferHooks hooks;
        pthread_mutex_t lock;
        Pg **open; /* connections that a cancel must reach */
        size_t n_open, open_capacity;
        volatile bool cancelled, failed; /* failed: something else did, stop too */
        Pool *pool;                      /* that runs, or NULL */
        int jobs;                        /* wanted; 0: as many as are sensible */
        pthread_mutex_t asking;          /* one error at a time */
        json_t *tolerated;
        json_t *rehearsal;      /* not NULL: what fails is listed there, and tried on */
        const char *name;       /* the database is to have in the end; NULL: not known */
        const json_t *prepared; /* the empty database that was there (prepared.h); or NULL */
        json_t *kept;           /* of it, see TransferResult */
        /* progress of the stage that runs */
        pthread_mutex_t showing;
        const char *stage, *unit;
        int64_t done, total, row_count, shown_ms;
        int things_done, things_total;
        Slot slots[POOL_WORKERS];
        struct {
                int64_t at, done;
        } window[16]; /* for a rate of the last seconds */
        size_t window_n;
        double (*left)(void *arg, const Slot *slots); /* see progress_left() */
        void *left_arg;
};

bool transfer_connect(Transfer *t, const PgParams *p, const char *database, Pg **ret, Err *err);
void transfer_disconnect(Transfer *t, Pg **pg);
bool transfer_stopped(Transfer *t, Err *err);
/* Cancels whatever runs on any connection, without the caller having asked for an end. */
void transfer_interrupt(Transfer *t, bool failed);
/* The failure has been told, and everybody has stopped: what comes now may run. */
void transfer_clear_failed(Transfer *t);
/* The pool that transfer_set_jobs() is to reach; NULL: none any more, and no failure either. */
void transfer_pool(Transfer *t, Pool *p);
void transfer_say(Transfer *t, const char *fmt, ...) PRINTF(2, 3);
/* Asks the caller about one failed object; true: noted, go on. False: *err has the name. */
bool transfer_tolerates(Transfer *t, const char *object, Err *err);
/* For children: what the caller gave, else our own flag; transfer.failed stops them, too. */
const volatile bool *transfer_cancel_flag(Transfer *t);
