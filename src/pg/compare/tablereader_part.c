/* tablereader_part.c: one part of a table is counted and hashed, by the server or here. */
#include "pg/compare/tablereader_internal.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/rowhash.h"
#include "base/text.h"

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

char *table_part_sum(Wide v)
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

bool table_part_begin(Worker *w, Err *err)
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
        return table_part_begin(w, err);
}

bool table_part_read(Worker *w, const Unit *u, Err *err)
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
bool table_part_let_go(Worker *w, int read, Err *err)
{
        return read % UNITS_HELD != 0 ||
               (pg_do(w->pg, "rollback", err) && table_part_begin(w, err));
}
