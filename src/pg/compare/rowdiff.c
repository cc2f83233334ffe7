#include "pg/compare/rowdiff.h"

#include "pg/report.h"

#define MAX_BUCKETS 65536
#define BUCKET_ROWS 256   /* wanted rows a bucket */
#define LOOKED_AT   8     /* buckets that are read row by row */
#define MAX_ROWS    20000 /* of them together, a side */
#define SEED        1     /* any: both sides the same */
#define KEY_SHOWN   200   /* bytes of a key in the report */

typedef struct RowDiff {
        Pg *pg[2];
        TableRef t[2]; /* only columns both sides have */
        PgRes *key;    /* names of its columns */
        int64_t mask;
        int64_t buckets[LOOKED_AT];
        int n_buckets;
        json_t *found;
} RowDiff;

static bool read_key(RowDiff *d, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select a.attname from (select i.indrelid, i.indkey, i.indnkeyatts from "
                    "pg_index i where i.indrelid = ");
        sql_int(&q, d->t[0].oid);
        sql_add(&q,
                " and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is "
                "null and not exists (select from pg_attribute n where n.attrelid = i.indrelid "
                "and n.attnum = any((i.indkey::int2[])[0:i.indnkeyatts - 1]) and not "
                "n.attnotnull) order by i.indisprimary desc, i.indnkeyatts, i.indexrelid limit 1) "
                "k, generate_series(0, k.indnkeyatts - 1) g join pg_attribute a on true where "
                "a.attrelid = k.indrelid and a.attnum = k.indkey[g] order by g");
        return pg_query(d->pg[0], &q, &d->key, err);
}

static const TableColumn *column_called(const TableRef *t, const char *name)
{
        for (int i = 0; i < t->n_columns; i++)
                if (str_eq(t->columns[i].name, name))
                        return &t->columns[i];
        return NULL;
}

static void common_columns(const TableRef *s, const TableRef *t, Arena *a, TableRef *ret)
{
        *ret = *s;
        ret->columns = arena_new_array(a, TableColumn, (size_t)s->n_columns + 1);
        ret->n_columns = 0;
        for (int i = 0; i < s->n_columns; i++)
                if (column_called(t, s->columns[i].name))
                        ret->columns[ret->n_columns++] = s->columns[i];
}

static bool key_is_there(const RowDiff *d)
{
        for (int i = 0; i < pg_rows(d->key); i++)
                if (!column_called(&d->t[1], pg_cell(d->key, i, 0)))
                        return false;
        return pg_rows(d->key) > 0;
}

static void key_sql(const RowDiff *d, Sql *q)
{
        sql_add(q, "row(");
        for (int i = 0; i < pg_rows(d->key); i++) {
                if (i)
                        sql_add(q, ", ");
                sql_add(q, "pgsherpa_row.");
                sql_ident(q, pg_cell(d->key, i, 0));
        }
        sql_add(q, ")::text collate \"C\"");
}

static void bucket_sql(const RowDiff *d, Sql *q)
{
        sql_add(q, "(hashtextextended(");
        key_sql(d, q);
        sql_add(q, ", 0) & ");
        sql_int(q, d->mask);
        sql_add(q, ")");
}

/* ---- buckets ---- */

static bool read_buckets(RowDiff *d, int side, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select ");
        bucket_sql(d, &q);
        sql_add(&q, ", count(*), sum(");
        table_hash_sql(&q, &d->t[side], d->t[side].n_columns, SEED);
        sql_add(&q, ")");
        table_from_sql(&q, &d->t[side]);
        sql_add(&q, " group by 1 order by 1");
        return pg_query(d->pg[side], &q, ret, err);
}

static int64_t bucket_at(const PgRes *r, int row)
{
        return row < pg_rows(r) ? pg_cell_int(r, row, 0) : INT64_MAX;
}

static void differing_buckets(RowDiff *d, const PgRes *a, const PgRes *b)
{
        int i = 0, j = 0;
        while (d->n_buckets < LOOKED_AT && (i < pg_rows(a) || j < pg_rows(b))) {
                int64_t x = bucket_at(a, i), y = bucket_at(b, j);
                bool same = x == y && str_eq(pg_cell(a, i, 1), pg_cell(b, j, 1)) &&
                            str_eq(pg_cell(a, i, 2), pg_cell(b, j, 2));
                if (!same)
                        d->buckets[d->n_buckets++] = MIN(x, y);
                i += x <= y;
                j += y <= x;
        }
}

/* ---- the rows of a few ---- */

static bool read_rows(RowDiff *d, int side, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select ");
        key_sql(d, &q);
        for (int i = 0; i < d->t[side].n_columns; i++) {
                sql_add_literal_(&q, i ? ", " : ", array[");
                table_column_hash_sql(&q, &d->t[side], i, SEED);
        }
        sql_add(&q, "]");
        table_from_sql(&q, &d->t[side]);
        sql_add(&q, " where ");
        bucket_sql(d, &q);
        sql_add(&q, " in (");
        for (int i = 0; i < d->n_buckets; i++) {
                if (i)
                        sql_add(&q, ", ");
                sql_int(&q, d->buckets[i]);
        }
        sql_add(&q, ") order by 1 limit ");
        sql_int(&q, MAX_ROWS);
        return pg_query(d->pg[side], &q, ret, err);
}

/* "{12,-5,NULL}" on both sides: the columns whose place differs. */
static json_t *differing_columns(const TableRef *t, const char *a, const char *b)
{
        json_t *names = json_array();
        a++, b++;
        for (int i = 0; i < t->n_columns; i++) {
                size_t n = strcspn(a, ",}"), m = strcspn(b, ",}");
                if (n != m || strncmp(a, b, n) != 0)
                        jx_append_str(names, t->columns[i].name);
                a += n + (a[n] != '\0');
                b += m + (b[m] != '\0');
        }
        return names;
}

static void note(RowDiff *d, const char *key, const char *what, json_t *columns)
{
        json_t *row = json_object();
        AUTO_FREE char *shown = xstrndup(key, report_cut(key, KEY_SHOWN));
        jx_set_str(row, "key", shown);
        jx_set_str(row, "what", what);
        if (columns)
                jx_set(row, "columns", columns);
        json_array_append_new(d->found, row);
}

static void differing_rows(RowDiff *d, const PgRes *a, const PgRes *b)
{
        int i = 0, j = 0, n = pg_rows(a), m = pg_rows(b);
        /* Where a list was cut, what lies behind the other's end is not known to be missing. */
        while (json_array_size(d->found) < ROWDIFF_SHOWN && (i < n || j < m) &&
               !(i == n && n == MAX_ROWS) && !(j == m && m == MAX_ROWS)) {
                int order = i == n ? 1 : j == m ? -1 : strcmp(pg_cell(a, i, 0), pg_cell(b, j, 0));
                if (order < 0)
                        note(d, pg_cell(a, i, 0), "missing", NULL);
                else if (order > 0)
                        note(d, pg_cell(b, j, 0), "only on the target", NULL);
                else if (!str_eq(pg_cell(a, i, 1), pg_cell(b, j, 1)))
                        note(d, pg_cell(a, i, 0), "differs",
                             differing_columns(&d->t[0], pg_cell(a, i, 1), pg_cell(b, j, 1)));
                i += order <= 0;
                j += order >= 0;
        }
}

/* ---- all of it ---- */

static bool find(RowDiff *d, const char **ret_why, Err *err)
{
        AUTO_PGRES PgRes *a = NULL;
        AUTO_PGRES PgRes *b = NULL;
        AUTO_PGRES PgRes *c = NULL;
        AUTO_PGRES PgRes *e = NULL;
        if (!read_key(d, err))
                return false;
        if (!key_is_there(d)) {
                *ret_why = "it has no key that both sides have";
                return true;
        }
        if (!read_buckets(d, 0, &a, err) || !read_buckets(d, 1, &b, err))
                return false;
        differing_buckets(d, a, b);
        if (!d->n_buckets) {
                *ret_why = "the servers' own hashes see no difference";
                return true;
        }
        if (!read_rows(d, 0, &c, err) || !read_rows(d, 1, &e, err))
                return false;
        differing_rows(d, c, e);
        return true;
}

static bool savepoints(RowDiff *d, bool back, Err *err)
{
        for (int i = 0; i < 2; i++)
                if (back ? !pg_do(d->pg[i], "rollback to pgsherpa_rows", err)
                         : !pg_do(d->pg[i], "savepoint pgsherpa_rows", err))
                        return false;
        return true;
}

bool rowdiff_find(Pg *source, Pg *target, const TableRef *s, const TableRef *t, json_t **ret,
                  const char **ret_why, Err *err)
{
        AUTO_ARENA arena = arena_new();
        AUTO_ERR why = { 0 };
        RowDiff d = { .pg = { source, target }, .found = json_array() };
        int64_t rows = MAX(s->estimate, t->estimate), n = 16;
        while (n < MAX_BUCKETS && n * BUCKET_ROWS < rows)
                n *= 2;
        d.mask = n - 1;
        common_columns(s, t, arena, &d.t[0]);
        common_columns(t, s, arena, &d.t[1]);
        bool ok = savepoints(&d, false, err);
        if (ok && !find(&d, ret_why, &why)) {
                ok = why.kind == ERR_SERVER;
                *ret_why = "a server could not say";
                if (!ok)
                        err_move(err, &why);
        }
        ok = ok && savepoints(&d, true, err);
        d.key = pg_res_free(d.key);
        if (ok && json_array_size(d.found)) {
                *ret = d.found;
                return true;
        }
        json_decref(d.found);
        return ok;
}
