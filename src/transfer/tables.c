/* tables.c: rows, from COPY to COPY, and into the bundle on the way.
 *
 * A table this run made itself is truncated and loaded frozen in one transaction: no WAL where
 * the server allows that, and no rewrite by the first vacuum. Three numbers must agree for
 * every table: rows read, rows sent, rows the target says it has taken. */
#include "transfer/internal.h"

#include <stdio.h>

#include "base/rowhash.h"
#include "base/text.h"

static void column_list(const Table *t, Sql *q)
{
        if (t->n_columns == 0)
                return;                 /* a table without columns still has rows */
        sql_add(q, "(");
        for (size_t i = 0; i < t->n_columns; i++) {
                if (i > 0)
                        sql_add(q, ", ");
                sql_ident(q, t->columns[i]);
        }
        sql_add(q, ") ");
}

void table_copy_sql(const Table *t, const char *encoding, bool out, bool freeze, Sql *q)
{
        sql_add(q, "COPY ");
        if (out && t->condition) {
                sql_add(q, "(SELECT ");
                for (size_t i = 0; i < t->n_columns; i++) {
                        if (i > 0)
                                sql_add(q, ", ");
                        sql_ident(q, t->columns[i]);
                }
                sql_add(q, " FROM ONLY ");
                sql_qname(q, t->schema, t->name);
                sql_add(q, " ");
                sql_rendered(q, t->condition);  /* pg_extension.extcondition */
                sql_add(q, ") ");
        } else {
                bool root = !out && t->root_name;
                sql_qname(q, root ? t->root_schema : t->schema, root ? t->root_name : t->name);
                sql_add(q, " ");
                column_list(t, q);
        }
        if (out)
                sql_add(q, "TO STDOUT (ENCODING ");
        else
                sql_add(q, "FROM STDIN (ENCODING ");
        sql_value(q, encoding);
        if (freeze)
                sql_add(q, ", FREEZE true");
        sql_add(q, ")");
}

bool table_load_begin(Pg *to, const Table *t, const char *encoding, Err *err)
{
        AUTO_SQL begin = { 0 };
        AUTO_SQL copy = { 0 };
        sql_add(&begin, "BEGIN");
        if (t->ours_alone) {
                sql_add(&begin, "; TRUNCATE ONLY ");
                sql_qname(&begin, t->schema, t->name);
        }
        table_copy_sql(t, encoding, false, t->ours_alone, &copy);
        return pg_exec(to, &begin, err) && pg_copy_in_begin(to, &copy, err);
}

bool table_load_end(Pg *to, const Table *t, bool good, Err *err)
{
        AUTO_SQL end = { 0 };
        int64_t taken = 0;
        if (!good) {
                AUTO_ERR ignored = { 0 };
                (void)!pg_copy_in_end(to, "the other side failed", NULL, &ignored);
        } else if (pg_copy_in_end(to, NULL, &taken, err)) {
                if (taken != t->rows)
                        good = err_set(err, ERR_SERVER, "%lld rows were read, the target took %lld",
                                       (long long)t->rows, (long long)taken);
        } else {
                good = false;
        }
        if (good) {
                sql_add(&end, "COMMIT");
                return pg_exec(to, &end, err);
        }
        AUTO_ERR ignored = { 0 };
        sql_add(&end, "ROLLBACK");
        (void)!pg_exec(to, &end, &ignored);
        return false;
}

typedef struct Tables {
        const TableSink *s;
        Content         *c;
        int64_t          done;          /* of the total size, tables that are finished */
        int              finished;
} Tables;

static void show(Tables *w, const Table *t, const char *name)
{
        int64_t part = MIN(t->bytes, t->size);
        progress_set(w->s->t, w->done + part, w->finished,
                     &(TransferRow){ .name = name, .done = part, .total = t->size });
}

/* What the target thinks of the rows comes to light when more are sent, or at the end: its
 * words are better than "could not send". */
static bool stream(Tables *w, Pg *from, Table *t, BundleStream *keep, const char *name, Err *err)
{
        for (uint64_t n = 0;; n++) {
                char *row;
                size_t len;
                if (!pg_copy_read(from, &row, &len, err))
                        return err_wrap(err, "reading");
                if (!row)
                        return true;
                t->rows++;
                t->bytes += (int64_t)len;
                t->hash += row_hash(row, len);
                bool ok = (!w->s->to || pg_copy_write(w->s->to, row, len, err)) &&
                          (!keep || bundle_stream_write(keep, row, len, err));
                pg_copy_free(row);
                if (!ok || (n % 1024 == 0 && transfer_stopped(w->s->t, err)))
                        return false;
                if (n % 256 == 0)
                        show(w, t, name);
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

static void record(Tables *w, const Table *t, const char *dir, int parts)
{
        json_t *j = json_object(), *columns = json_array();
        char hash[32];
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)t->hash);
        jx_set_str(j, "schema", t->schema);
        jx_set_str(j, "name", t->name);
        jx_set_str(j, "dir", dir);
        jx_set_str(j, "format", "text");
        jx_set_str(j, "encoding", w->s->encoding);
        for (size_t i = 0; i < t->n_columns; i++)
                jx_append_str(columns, t->columns[i]);
        jx_set(j, "columns", columns);
        jx_set_int(j, "rows", t->rows);
        jx_set_int(j, "bytes", t->bytes);
        jx_set_str(j, "hash", hash);
        jx_set_int(j, "parts", parts);
        jx_set_bool(j, "fresh", t->ours_alone);
        if (t->root_name) {
                json_t *root = json_object();
                jx_set_str(root, "schema", t->root_schema);
                jx_set_str(root, "name", t->root_name);
                jx_set(j, "via_root", root);
        }
        json_array_append_new(w->s->records, j);
}

static bool one_table(Tables *w, Pg *from, Table *t, const char *name, Err *err)
{
        const TableSink *s = w->s;
        AUTO_BUNDLESTREAM keep = NULL;
        AUTO_FREE char *part = bundle_table_dir(t->schema, t->name);
        AUTO_FREE char *dir = s->bundle ? xasprintf("%s/data/%s", s->bundle_dir, part) : NULL;
        AUTO_SQL out = { 0 };
        table_copy_sql(t, s->encoding, true, false, &out);
        if (s->bundle)
                keep = bundle_stream_new(s->bundle, "data", dir, ".copy.zst");
        if (s->to && !table_load_begin(s->to, t, s->encoding, err)) {
                AUTO_ERR ignored = { 0 };
                AUTO_SQL q = { 0 };
                sql_add(&q, "ROLLBACK");
                (void)!pg_exec(s->to, &q, &ignored);
                return false;
        }
        bool reading = pg_copy_out_begin(from, &out, err);
        bool ok = reading && stream(w, from, t, keep, name, err);
        if (reading && !ok)
                abandon(from);
        if (s->to) {
                AUTO_ERR target = { 0 };
                bool loaded = table_load_end(s->to, t, ok, &target);
                if (ok && !loaded)
                        err_move(err, &target);
                ok = ok && loaded;
        }
        int parts = 0;
        if (ok && keep)
                ok = bundle_stream_end(keep, &parts, err);
        if (ok && keep) {
                AUTO_FREE char *stem = xasprintf("%s/", dir);
                record(w, t, stem, parts);
        }
        return ok;
}

bool tables_copy(const TableSink *s, Pg *from, Content *c, Err *err)
{
        Tables w = { .s = s, .c = c };
        for (size_t i = 0; i < c->n_tables; i++) {
                Table *t = &c->tables[i];
                AUTO_FREE char *whole = xasprintf("%s.%s", t->schema, t->name);
                AUTO_FREE char *name = text_clean_str(whole);
                if (transfer_stopped(s->t, err))
                        return false;
                if (!one_table(&w, from, t, name, err))
                        return err_wrap(err, "table %s", name);
                w.done += t->size;
                w.finished++;
                show(&w, &(Table){ 0 }, name);
        }
        progress_set(s->t, c->total_size, (int)c->n_tables, NULL);
        return true;
}
