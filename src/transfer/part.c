#include "transfer/part.h"

#include <stdio.h>

#include "base/rowhash.h"
#include "transfer/internal.h"

/* ---- the statements ---- */

static void column_list(const Table *t, Sql *q)
{
        for (size_t i = 0; i < t->n_columns; i++) {
                if (i > 0)
                        sql_add(q, ", ");
                sql_ident(q, t->columns[i]);
        }
}

static void options(const char *encoding, bool freeze, Sql *q)
{
        sql_add(q, "(ENCODING ");
        sql_value(q, encoding);
        if (freeze)
                sql_add(q, ", FREEZE true");
        sql_add(q, ")");
}

static void names(const char *schema, const char *name, const Table *t, Sql *q)
{
        sql_qname(q, schema, name);
        if (t->n_columns > 0) {         /* a table without columns still has rows */
                sql_add(q, " (");
                column_list(t, q);
                sql_add(q, ")");
        }
}

static void copy_out_sql(const Part *p, const char *encoding, Sql *q)
{
        const Table *t = p->table;
        sql_add(q, "COPY ");
        if (t->condition) {
                sql_add(q, "(SELECT ");
                column_list(t, q);
                sql_add(q, " FROM ONLY ");
                sql_qname(q, t->schema, t->name);
                sql_add(q, " ");
                sql_rendered(q, t->condition);  /* pg_extension.extcondition */
                sql_add(q, ")");
        } else {
                names(t->schema, t->name, t, q);
        }
        sql_add(q, " TO STDOUT ");
        options(encoding, false, q);
}

static bool whole(const Part *p)
{
        return p->of == 1;
}

static void copy_in_sql(const Part *p, const char *encoding, Sql *q)
{
        const Table *t = p->table;
        sql_add(q, "COPY ");
        if (t->root_name)
                names(t->root_schema, t->root_name, t, q);
        else
                names(t->schema, t->name, t, q);
        sql_add(q, " FROM STDIN ");
        options(encoding, t->ours_alone && whole(p), q);
}

/* ---- loading ---- */

static bool load_begin(const PartSink *s, const Part *p, const char *encoding, Err *err)
{
        Pg *to = s->to;
        AUTO_SQL begin = { 0 };
        AUTO_SQL copy = { 0 };
        sql_add(&begin, "BEGIN");
        if (p->table->ours_alone && whole(p)) {
                sql_add(&begin, "; TRUNCATE ONLY ");
                sql_qname(&begin, p->table->schema, p->table->name);
        }
        copy_in_sql(p, encoding, &copy);
        if (s->inside)
                return pg_copy_in_begin(to, &copy, err);
        if (pg_exec(to, &begin, err) && pg_copy_in_begin(to, &copy, err))
                return true;
        AUTO_ERR ignored = { 0 };
        AUTO_SQL end = { 0 };
        sql_add(&end, "ROLLBACK");
        (void)!pg_exec(to, &end, &ignored);
        return false;
}

/* What the target thinks of the rows comes to light when more are sent, or here. */
static bool load_end(const PartSink *s, const Part *p, bool good, Err *err)
{
        Pg *to = s->to;
        AUTO_SQL end = { 0 };
        AUTO_ERR ignored = { 0 };
        int64_t taken = 0;
        if (!good)
                (void)!pg_copy_in_end(to, "the other side failed", NULL, &ignored);
        else if (!pg_copy_in_end(to, NULL, &taken, err))
                good = false;
        else if (taken != p->rows)
                good = err_set(err, ERR_SERVER, "%lld rows were read, the target took %lld",
                               (long long)p->rows, (long long)taken);
        if (s->inside)
                return good;
        if (good) {
                sql_add(&end, "COMMIT");
                return pg_exec(to, &end, err);
        }
        sql_add(&end, "ROLLBACK");
        (void)!pg_exec(to, &end, &ignored);
        return false;
}

/* Ends the load; the target's own words about a failure come first. */
static bool loaded(const PartSink *s, const Part *p, bool ok, Err *err)
{
        AUTO_ERR target = { 0 };
        if (!s->to)
                return ok;
        bool good = load_end(s, p, ok, &target);
        if (ok && !good)
                err_move(err, &target);
        return ok && good;
}

/* ---- rows on their way ---- */

#define NEWS (64 * 1024)

typedef struct Flow {
        const PartSink *s;
        Part           *p;
        BundleStream   *keep;
        int64_t         told_bytes, told_rows;
} Flow;

static bool tell(Flow *f, Err *err)
{
        Part *p = f->p;
        if (f->s->moved && p->bytes > f->told_bytes)
                f->s->moved(f->s->moved_arg, p->bytes - f->told_bytes, p->rows - f->told_rows);
        f->told_bytes = p->bytes;
        f->told_rows = p->rows;
        return !transfer_stopped(f->s->t, err);
}

static bool stream(Flow *f, Pg *from, Err *err)
{
        const PartSink *s = f->s;
        Part *p = f->p;
        for (;;) {
                char *row;
                size_t len;
                if (!pg_copy_read(from, &row, &len, err))
                        return err_wrap(err, "reading");
                if (!row)
                        return tell(f, err);
                p->rows++;
                p->bytes += (int64_t)len;
                p->hash += row_hash(row, len);
                bool ok = (!s->to || pg_copy_write(s->to, row, len, err)) &&
                          (!f->keep || bundle_stream_write(f->keep, row, len, err));
                pg_copy_free(row);
                if (!ok || (p->bytes - f->told_bytes >= NEWS && !tell(f, err)))
                        return false;
        }
}

/* Reads the rest of a COPY nobody wants any more, so that the connection can be used again. */
static void abandon(Pg *from)
{
        AUTO_ERR ignored = { 0 };
        pg_cancel(from);
        for (;;) {
                char *row;
                size_t len;
                if (!pg_copy_read(from, &row, &len, &ignored) || !row)
                        return;
                pg_copy_free(row);
        }
}

static char *member_dir(const PartSink *s, const Table *t)
{
        AUTO_FREE char *name = bundle_table_dir(t->schema, t->name);
        return xasprintf("%s/data/%s", s->bundle_dir, name);
}

bool part_copy(const PartSink *s, Pg *from, Part *p, Err *err)
{
        AUTO_BUNDLESTREAM keep = NULL;
        AUTO_SQL out = { 0 };
        copy_out_sql(p, s->encoding, &out);
        if (s->bundle) {
                AUTO_FREE char *dir = member_dir(s, p->table);
                keep = bundle_stream_new(s->bundle, "data", dir, ".copy.zst");
        }
        if (s->to && !load_begin(s, p, s->encoding, err))
                return false;
        Flow f = { .s = s, .p = p, .keep = keep };
        bool reading = pg_copy_out_begin(from, &out, err);
        bool ok = reading && stream(&f, from, err);
        if (reading && !ok)
                abandon(from);
        return loaded(s, p, ok, err) && (!keep || bundle_stream_end(keep, &p->members, err));
}

/* ---- out of a bundle: the same bytes, hashed again on their way ---- */

typedef struct Stored {
        Flow f;
        Buf  rest;                      /* of a row that a piece cut */
} Stored;

static bool stored_bytes(void *arg, const void *bytes, size_t n, Err *err)
{
        Stored *r = arg;
        Part *part = r->f.p;
        const char *p = bytes, *end = p + n;
        for (const char *nl; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
                if (r->rest.len) {
                        buf_add(&r->rest, p, (size_t)(nl + 1 - p));
                        part->hash += row_hash(r->rest.data, r->rest.len);
                        buf_reset(&r->rest);
                } else {
                        part->hash += row_hash(p, (size_t)(nl + 1 - p));
                }
                part->rows++;
        }
        buf_add(&r->rest, p, (size_t)(end - p));
        part->bytes += (int64_t)n;
        return tell(&r->f, err) && pg_copy_write(r->f.s->to, bytes, n, err);
}

static bool as_recorded(int64_t rows, uint64_t hash, const json_t *record, Err *err)
{
        char hex[32];
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)hash);
        if (rows != jx_int(record, "rows", -1))
                return err_set(err, ERR_USER, "the bundle holds %lld rows, its manifest says %lld",
                               (long long)rows, (long long)jx_int(record, "rows", -1));
        return str_eq(hex, jx_str(record, "hash", "")) ||
               err_set(err, ERR_USER, "the rows in the bundle are not those its manifest describes");
}

bool table_as_recorded(const Table *t, const json_t *record, Err *err)
{
        return as_recorded(t->rows, t->hash, record, err);
}

bool part_restore(const PartSink *s, const Bundle *b, const json_t *record, Part *p, Err *err)
{
        AUTO_JSON members = bundle_parts(b, jx_str(record, "dir", "?"));
        Stored r = { .f = { .s = s, .p = p }, .rest = buf_init(1u << 31) };     /* one row */
        if (!load_begin(s, p, jx_str(record, "encoding", "UTF8"), err))
                return false;
        bool ok = bundle_read_parts(b, members, stored_bytes, &r, err) &&
                  (!whole(p) || as_recorded(p->rows, p->hash, record, err));
        buf_done(&r.rest);
        return loaded(s, p, ok, err);
}

/* ---- parts and their table ---- */

static size_t one_part(Table *t, Arena *a, Part **ret)
{
        *ret = arena_new_array(a, Part, 1);
        **ret = (Part){ .table = t, .end = -1, .of = 1 };
        return 1;
}

size_t parts_plan(Table *t, int64_t work, int jobs, Arena *a, Part **ret)
{
        return one_part(t, a, ret);
}

size_t parts_plan_stored(Table *t, const Bundle *b, const json_t *record, int64_t work, int jobs,
                         Arena *a, Part **ret)
{
        return one_part(t, a, ret);
}

void part_add(const Part *p)
{
        p->table->rows += p->rows;
        p->table->bytes += p->bytes;
        p->table->hash += p->hash;
        p->table->members += p->members;
}

json_t *table_record(const PartSink *s, const Table *t)
{
        json_t *j = json_object(), *columns = json_array();
        char hash[32];
        AUTO_FREE char *dir = member_dir(s, t);
        AUTO_FREE char *stem = xasprintf("%s/", dir);
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)t->hash);
        jx_set_str(j, "schema", t->schema);
        jx_set_str(j, "name", t->name);
        jx_set_str(j, "dir", stem);
        jx_set_str(j, "format", "text");
        jx_set_str(j, "encoding", s->encoding);
        for (size_t i = 0; i < t->n_columns; i++)
                jx_append_str(columns, t->columns[i]);
        jx_set(j, "columns", columns);
        jx_set_int(j, "rows", t->rows);
        jx_set_int(j, "bytes", t->bytes);
        jx_set_str(j, "hash", hash);
        jx_set_int(j, "parts", t->members);
        jx_set_bool(j, "fresh", t->ours_alone);
        if (t->root_name) {
                json_t *root = json_object();
                jx_set_str(root, "schema", t->root_schema);
                jx_set_str(root, "name", t->root_name);
                jx_set(j, "via_root", root);
        }
        return j;
}
