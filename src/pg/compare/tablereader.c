#include "pg/compare/tablereader_internal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

int table_reader_jobs(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        return (int)MIN(MAX(n, 2), 8);
}

/* ---- what is to be done ---- */

static int parts_of(const TableReader *r, const TableRef *t)
{
        if (!t->only || t->condition || pg_major(r->like) < 14 || r->jobs < 2 ||
            t->bytes < 2 * PART_BYTES)
                return 1;
        return (int)MIN(MIN(t->bytes / PART_BYTES, t->pages), 4096);
}

static int by_weight(const void *a, const void *b)
{
        const Unit *x = a, *y = b;
        if (x->weight != y->weight)
                return x->weight < y->weight ? 1 : -1;
        return x->table != y->table ? (x->table > y->table) - (x->table < y->table)
                                    : (x->from > y->from) - (x->from < y->from);
}

static void cut(TableReader *r)
{
        size_t n = 1;
        for (int i = 0; i < r->n; i++) {
                r->bytes_total += r->tables[i].bytes;
                n += (size_t)MAX(parts_of(r, &r->tables[i]), 1);
        }
        r->units = xcalloc(n, sizeof(Unit));
        for (int i = 0; i < r->n; i++) {
                const TableRef *t = &r->tables[i];
                int parts = MAX(parts_of(r, t), 1);
                r->sums[i].left = r->results[i].parts = parts;
                for (int p = 0; p < parts; p++)
                        r->units[r->n_units++] =
                                (Unit){ .table = i,
                                        .weight = t->bytes / parts,
                                        .from = parts == 1 ? -1 : t->pages * p / parts,
                                        .to = p + 1 == parts ? -1 : t->pages * (p + 1) / parts,
                                        .alone =
                                                parts == 1 && t->bytes > r->bytes_total / r->jobs };
        }
        if (r->o.large_objects)
                r->units[r->n_units++] = (Unit){ .table = -1 };
        qsort(r->units, r->n_units, sizeof *r->units, by_weight);
}

static Unit *take(TableReader *r, Worker *w)
{
        pthread_mutex_lock(&r->lock);
        Unit *u = !r->stop && r->next < r->n_units ? &r->units[r->next++] : NULL;
        w->table = u ? u->table : -1;
        w->weight = u ? u->weight : 0;
        w->now = 0;
        pthread_mutex_unlock(&r->lock);
        return u;
}

/* ---- workers ---- */

static void register_connection(Worker *w, Pg *pg)
{
        pthread_mutex_lock(&w->r->lock);
        w->pg = pg;
        pthread_mutex_unlock(&w->r->lock);
}

/* The first of them must get a connection; the others help when the server lets them in. */
static bool connect_worker(Worker *w, Pg **ret, bool *ret_needless, Err *err)
{
        AUTO_ERR why = { 0 };
        if (pg_reopen(w->r->like, NULL, ret, &why))
                return true;
        *ret_needless = w != w->r->workers && str_eq(why.sqlstate, "53300");
        if (!*ret_needless)
                err_move(err, &why);
        return false;
}

static void *work(void *arg)
{
        Worker *w = arg;
        TableReader *r = w->r;
        AUTO_ERR err = { 0 };
        Pg *pg = NULL;
        bool needless = false;
        bool ok = connect_worker(w, &pg, &needless, &err);
        if (ok) {
                register_connection(w, pg);
                ok = table_part_begin(w, &err);
                int read = 0;
                for (Unit *u; ok && (u = take(r, w));)
                        ok = table_part_read(w, u, &err) && table_part_let_go(w, ++read, &err);
                register_connection(w, NULL);
                pg_close(pg);
        }
        pthread_mutex_lock(&r->lock);
        w->table = -1;
        if (!ok && !needless) {
                if (r->err.kind == ERR_NONE)
                        err_move(&r->err, &err);
                r->stop = true;
        }
        r->running--;
        pthread_cond_broadcast(&r->over);
        pthread_mutex_unlock(&r->lock);
        return NULL;
}

bool table_reader_start(Pg *pg, const TableRef *tables, int n, const TableReadOptions *o,
                        TableReader **ret, Err *err)
{
        AUTO_TABLEREADER r = xcalloc(1, sizeof *r);
        r->tables = tables;
        r->n = n;
        r->o = *o;
        r->like = pg;
        r->snapshot = xstrdup(o->snapshot);
        r->jobs = MIN(MAX(o->jobs ? o->jobs : table_reader_jobs(), 1), MAX_JOBS);
        r->sums = xcalloc((size_t)n + 1, sizeof(Sum));
        r->results = xcalloc((size_t)n + 1, sizeof(TableResult));
        pthread_mutex_init(&r->lock, NULL);
        clock_cond_init(&r->over);
        cut(r);
        int jobs = (int)MIN((size_t)r->jobs, MAX(r->n_units, 1));
        r->running = r->jobs = jobs; /* no more than there are: the others read nothing */
        for (int i = 0; i < jobs; i++) {
                Worker *w = &r->workers[i];
                w->r = r;
                w->table = -1;
                if (pthread_create(&w->thread, NULL, work, w) == 0) {
                        w->started = true;
                        continue;
                }
                pthread_mutex_lock(&r->lock);
                r->running -= jobs - i;
                pthread_mutex_unlock(&r->lock);
                return err_set(err, ERR_SYSTEM, "starting a thread to read tables");
        }
        *ret = r;
        r = NULL;
        return true;
}

bool table_reader_poll(TableReader *r, int ms)
{
        struct timespec until = clock_cond_after(ms);
        pthread_mutex_lock(&r->lock);
        while (r->running > 0 && pthread_cond_timedwait(&r->over, &r->lock, &until) == 0)
                ;
        bool over = r->running == 0;
        /* A cancel that comes between two statements is lost: said again as long as it takes. */
        if (r->stop && !over)
                for (int i = 0; i < r->jobs; i++)
                        if (r->workers[i].pg)
                                pg_cancel(r->workers[i].pg);
        pthread_mutex_unlock(&r->lock);
        return over;
}

void table_reader_state(TableReader *r, TableReadState *ret)
{
        pthread_mutex_lock(&r->lock);
        *ret = (TableReadState){ .bytes = r->bytes,
                                 .bytes_total = r->bytes_total,
                                 .rows = r->rows,
                                 .tables = r->done,
                                 .tables_total = r->n,
                                 .table = "" };
        for (int i = 0; i < r->jobs; i++) {
                ret->bytes += r->workers[i].now;
                if (r->workers[i].table >= 0)
                        ret->table = r->tables[r->workers[i].table].key;
        }
        pthread_mutex_unlock(&r->lock);
}

bool table_reader_failed(TableReader *r)
{
        pthread_mutex_lock(&r->lock);
        bool failed = r->stop;
        pthread_mutex_unlock(&r->lock);
        return failed;
}

void table_reader_stop(TableReader *r)
{
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_mutex_unlock(&r->lock);
        table_reader_poll(r, 0);
}

static void join_workers(TableReader *r)
{
        while (!table_reader_poll(r, 100))
                ;
        for (int i = 0; i < r->jobs && !r->joined; i++)
                if (r->workers[i].started)
                        pthread_join(r->workers[i].thread, NULL);
        r->joined = true;
}

static char *sum_text(const TableReader *r, const Sum *s, int which)
{
        return str_eq(r->o.method, "stream") ? xasprintf("%016" PRIx64, s->hashes.stream[which])
                                             : table_part_sum(s->hashes.wide[which]);
}

bool table_reader_finish(TableReader *r, Err *err)
{
        join_workers(r);
        if (r->err.kind != ERR_NONE) {
                err_move(err, &r->err);
                return false;
        }
        if (r->stop)
                return err_set(err, ERR_CANCELLED, "stopped while reading tables");
        for (int i = 0; i < r->n; i++) {
                const Sum *s = &r->sums[i];
                if (!s->hashed || r->results[i].error)
                        continue;
                r->results[i].hash = sum_text(r, s, 0);
                if (r->tables[i].n_computed)
                        r->results[i].computed = sum_text(r, s, 1);
        }
        return true;
}

const TableResult *table_reader_results(const TableReader *r)
{
        return r->results;
}

const json_t *table_reader_large_objects(const TableReader *r)
{
        return r->large_objects;
}

TableReader *table_reader_free(TableReader *r)
{
        if (!r)
                return NULL;
        table_reader_stop(r);
        join_workers(r);
        for (int i = 0; i < r->n; i++) {
                free(r->results[i].hash);
                free(r->results[i].computed);
                free(r->results[i].error);
        }
        json_decref(r->large_objects);
        err_clear(&r->err);
        pthread_cond_destroy(&r->over);
        pthread_mutex_destroy(&r->lock);
        free(r->snapshot);
        free(r->results);
        free(r->sums);
        free(r->units);
        free(r);
        return NULL;
}
