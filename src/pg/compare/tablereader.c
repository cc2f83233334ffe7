#include "pg/tablereader.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rowhash.h"
#include "base/text.h"
#include "pg/tabledata.h"

#define MAX_JOBS   32
#define UNITS_HELD 20 /* tables and their indexes stay locked to the end of a transaction */
#define PART_BYTES (64LL * 1024 * 1024) /* of a large table; a second or less of reading */

__extension__ typedef __int128 Wide; /* sums of 64-bit hashes, as numeric of the server */

typedef struct Unit {
        int table;        /* -1: the large objects */
        int64_t from, to; /* pages; to -1: the end; both -1: all of it */
        int64_t weight;   /* bytes */
        bool alone;       /* more than its share: the server's own workers help */
} Unit;

/* What is carried, and all columns: the same where none is generated. */
typedef struct Hashes {
        Wide wide[2];
        uint64_t stream[2];
} Hashes;

typedef struct Sum {
        Hashes hashes;
        bool hashed;
        int left; /* parts still to come */
} Sum;

typedef struct Worker {
        TableReader *r;
        pthread_t thread;
        Pg *pg;              /* registered for cancelling */
        int64_t now, weight; /* bytes of the unit in hand */
        int table;           /* -1: none */
        bool started;
} Worker;

struct TableReader {
        const TableRef *tables;
        int n;
        TableReadOptions o;
        char *snapshot;
        Pg *like;
        Unit *units;
        size_t n_units, next;
        Sum *sums;
        TableResult *results;
        json_t *large_objects;
        Worker workers[MAX_JOBS];
        int jobs, running;
        pthread_mutex_t lock;
        pthread_cond_t over;
        bool stop, joined;
        int64_t bytes, bytes_total, rows;
        int done;
        Err err;
};

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

/* ---- reading one part ---- */

typedef struct Got {
        int64_t rows;
        Hashes hashes;
        bool hashed;
} Got;

static bool parse_wide(const char *s, Wide *ret)
{
        bool minus = *s == '-';
        Wide v = 0;
        for (s += minus; *s >= '0' && *s <= '9'; s++)
                v = v * 10 + (*s - '0');
        *ret = minus ? -v : v;
        return *s == '\0';
}

static char *wide_text(Wide v)
{
        char buf[48], *p = buf + sizeof buf - 1;
        bool minus = v < 0;
        *p = '\0';
        do {
                int digit = (int)(v % 10);
                *--p = (char)('0' + (digit < 0 ? -digit : digit));
                v /= 10;
        } while (v);
        if (minus)
                *--p = '-';
        return xstrdup(p);
}

static void where_sql(Sql *q, const TableRef *t, const Unit *u)
{
        if (t->condition) {
                sql_add(q, " ");
                sql_rendered(q, t->condition);
        }
        if (u->from < 0)
                return;
        sql_add(q, " where pgsherpa_row.ctid >= '(");
        sql_int(q, u->from);
        sql_add(q, ",0)'::tid");
        if (u->to < 0)
                return;
        sql_add(q, " and pgsherpa_row.ctid < '(");
        sql_int(q, u->to);
        sql_add(q, ",0)'::tid");
}

static void sum_sql(Sql *q, const TableRef *t, int n, uint64_t seed)
{
        sql_add(q, ", coalesce(sum(");
        table_hash_sql(q, t, n, seed);
        sql_add(q, "), 0)");
}

static bool ask(Worker *w, const TableRef *t, const Unit *u, Got *got, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        got->hashed = t->n_columns && w->r->o.method;
        sql_add(&q, "select count(*)");
        if (got->hashed)
                sum_sql(&q, t, t->n_columns - t->n_computed, w->r->o.seed);
        if (got->hashed && t->n_computed)
                sum_sql(&q, t, t->n_columns, w->r->o.seed);
        table_from_sql(&q, t);
        where_sql(&q, t, u);
        if (!pg_query(w->pg, &q, &r, err))
                return false;
        got->rows = pg_cell_int(r, 0, 0);
        for (int i = 0; got->hashed && i <= (t->n_computed > 0); i++)
                if (!parse_wide(pg_cell(r, 0, i + 1), &got->hashes.wide[i]))
                        return err_set(err, ERR_SERVER, "the sum of the hashes is not a number");
        return true;
}

static bool told(Worker *w, int64_t bytes, Err *err)
{
        TableReader *r = w->r;
        pthread_mutex_lock(&r->lock);
        w->now = MIN(bytes, w->weight);
        bool stop = r->stop;
        pthread_mutex_unlock(&r->lock);
        return !stop || err_set(err, ERR_CANCELLED, "stopped while reading tables");
}

/* Bytes of a row's first `n` fields, as COPY sends it: in binary each has its length in front (-1:
 * NULL), behind the number of them; in text a tab ends it, and those of values are written \t. */
static size_t first_fields(const char *row, size_t bytes, int n, bool binary)
{
        size_t at = binary ? 2 : 0;
        for (; n > 0 && at < bytes; n--) {
                uint32_t length;
                if (!binary) {
                        const char *tab = memchr(row + at, '\t', bytes - at);
                        at = tab ? (size_t)(tab - row) + 1 : bytes;
                        continue;
                }
                if (bytes - at < sizeof length)
                        return bytes;
                memcpy(&length, row + at, sizeof length);
                at += sizeof length;
                length = ntohl(length);
                if (length != UINT32_MAX)
                        at = MIN(at + length, bytes);
        }
        return at;
}

static void hash_row(Worker *w, const TableRef *t, const char *row, size_t bytes, Got *got)
{
        uint64_t seed = w->r->o.seed;
        size_t carried = t->n_computed
                                 ? first_fields(row, bytes, t->n_columns - t->n_computed, t->binary)
                                 : bytes;
        got->hashes.stream[0] += row_hash(seed, row, carried);
        if (t->n_computed)
                got->hashes.stream[1] += row_hash(seed, row, bytes);
}

/* Rows as COPY sends them, hashed here: what a transfer's stream computes (transfer/part.c). */
static bool stream(Worker *w, const TableRef *t, const Unit *u, Got *got, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGROWS rows = { .binary = t->binary };
        int64_t bytes = 0;
        sql_add(&q, "copy (select ");
        table_columns_sql(&q, t);
        table_from_sql(&q, t);
        where_sql(&q, t, u);
        if (t->binary) {
                sql_add(&q, ") to stdout (format binary)");
        } else {
                sql_add(&q, ") to stdout (encoding ");
                sql_value(&q, t->encoding ? t->encoding : "UTF8");
                sql_add(&q, ")");
        }
        got->hashed = true;
        if (!pg_copy_out_begin(w->pg, &q, err))
                return false;
        for (;;) {
                if (!pg_copy_read_rows(w->pg, &rows, err))
                        return false;
                if (rows.rows == 0)
                        return true;
                for (size_t i = 0, start = 0; i < rows.rows; start = rows.ends[i++])
                        hash_row(w, t, rows.bytes + start, rows.ends[i] - start, got);
                got->rows += (int64_t)rows.rows;
                bytes += (int64_t)rows.n;
                if (!told(w, bytes, err))
                        return false;
        }
}

static bool begin(Worker *w, Err *err)
{
        return pg_begin_reading(w->pg, w->r->snapshot, err);
}

static bool helpers(Worker *w, bool alone, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "set local max_parallel_workers_per_gather = ");
        sql_int(&q, alone ? w->r->jobs - 1 : 0);
        return pg_exec(w->pg, &q, err);
}

static void add(Worker *w, const Unit *u, const Got *got, int64_t ms)
{
        TableReader *r = w->r;
        TableResult *to = &r->results[u->table];
        Sum *sum = &r->sums[u->table];
        pthread_mutex_lock(&r->lock);
        to->rows += got->rows;
        to->ms += ms;
        for (int i = 0; i < 2; i++) {
                sum->hashes.wide[i] += got->hashes.wide[i];
                sum->hashes.stream[i] += got->hashes.stream[i];
        }
        sum->hashed = got->hashed;
        r->rows += got->rows;
        r->bytes += u->weight;
        w->weight = w->now = 0;
        if (--sum->left == 0)
                r->done++;
        pthread_mutex_unlock(&r->lock);
}

/* The server said no to this one table: noted, and the transaction begins anew. */
static bool note(Worker *w, const Unit *u, Err *why, Err *err)
{
        TableReader *r = w->r;
        AUTO_ERR ignored = { 0 };
        if (why->kind != ERR_SERVER || u->table < 0) {
                err_move(err, why);
                return u->table < 0 ? err_wrap(err, "reading large objects")
                                    : err_wrap(err, "reading table %s", r->tables[u->table].key);
        }
        pthread_mutex_lock(&r->lock);
        TableResult *to = &r->results[u->table];
        if (!to->error)
                to->error = text_clean_str(why->message);
        r->bytes += u->weight;
        if (--r->sums[u->table].left == 0)
                r->done++;
        pthread_mutex_unlock(&r->lock);
        err_clear(why);
        (void)!pg_do(w->pg, "rollback", &ignored);
        return begin(w, err);
}

static bool read_unit(Worker *w, const Unit *u, Err *err)
{
        TableReader *r = w->r;
        AUTO_ERR why = { 0 };
        Got got = { 0 };
        int64_t began = clock_boot_ms();
        if (u->table < 0)
                return table_data_large_objects(w->pg, r->o.seed, &r->large_objects, &why) ||
                       note(w, u, &why, err);
        const TableRef *t = &r->tables[u->table];
        bool streamed = str_eq(r->o.method, "stream") && t->n_columns;
        if (!helpers(w, u->alone, err))
                return false;
        if (!(streamed ? stream(w, t, u, &got, &why) : ask(w, t, u, &got, &why)))
                return note(w, u, &why, err);
        add(w, u, &got, clock_boot_ms() - began);
        return true;
}

/* A server has room for some thousand locks (max_locks_per_transaction, times connections): those
 * of what was read are let go, and the snapshot is taken again. */
static bool let_go(Worker *w, int read, Err *err)
{
        return read % UNITS_HELD != 0 || (pg_do(w->pg, "rollback", err) && begin(w, err));
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
                ok = begin(w, &err);
                int read = 0;
                for (Unit *u; ok && (u = take(r, w));)
                        ok = read_unit(w, u, &err) && let_go(w, ++read, &err);
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
                                             : wide_text(s->hashes.wide[which]);
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
