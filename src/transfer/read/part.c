#include "transfer/read/part.h"

#include "base/copyrow.h"
#include "base/rowhash.h"
#include "transfer/choose/content.h"
#include "transfer/read/format.h"
#include "transfer/read/part_sql.h"
#include "transfer/state/transfer_state.h"

/* ---- loading ---- */

/* One round trip. */
static bool load_begin(const PartSink *s, const Part *p, const char *encoding, Err *err)
{
        const Table *t = p->table;
        bool freeze = t->ours_alone && part_whole(p) && !s->inside;
        AUTO_SQL q = { 0 };
        if (!s->inside)
                sql_add(&q, "BEGIN; ");
        if (freeze) {
                sql_add(&q, "TRUNCATE ONLY ");
                sql_qname(&q, t->schema, t->name);
                sql_add(&q, "; ");
        }
        part_in_sql(p, encoding, freeze, &q);
        if (pg_copy_in_begin(s->to, &q, err))
                return !t->binary || pg_copy_write(s->to, COPY_HEADER, COPY_HEADER_LEN, err);
        if (s->inside)
                return false;
        AUTO_ERR ignored = { 0 };
        AUTO_SQL end = { 0 };
        sql_add(&end, "ROLLBACK");
        (void)!pg_exec(s->to, &end, &ignored);
        return false;
}

/* Rows that went into others by an extension's trigger are not counted by COPY: they are there all
 * the same. */
static bool merged(Pg *to, const Table *t, int64_t rows, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *there = NULL;
        sql_add(&q, "select count(*) from only ");
        sql_qname(&q, t->schema, t->name);
        sql_add(&q, " ");
        sql_rendered(&q, t->condition ? t->condition : ""); /* pg_extension.extcondition */
        return pg_query_value(to, &q, &there, err) &&
               (atoll(there) >= rows ||
                err_set(err, ERR_SERVER, "%lld rows were read, the target has %s", (long long)rows,
                        there));
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
        else if (p->table->binary && !pg_copy_write(to, COPY_TRAILER, COPY_TRAILER_LEN, err))
                good = false;
        else if (!pg_copy_in_end(to, NULL, &taken, err))
                good = false;
        else if (taken != p->rows && p->table->merges)
                good = merged(to, p->table, p->rows, err);
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

typedef struct Flow {
        const PartSink *s;
        Part *p;
        BundleStream *keep;
} Flow;

/* Whole rows, many at once: hashed, and to wherever they go. */
static bool rows_move(Flow *f, const char *bytes, const uint32_t *ends, size_t rows, Err *err)
{
        Part *p = f->p;
        uint32_t start = 0;
        for (size_t i = 0; i < rows; start = ends[i], i++)
                p->hash += row_hash(f->s->seed, bytes + start, ends[i] - start);
        p->rows += (int64_t)rows;
        p->bytes += start;
        if (f->s->to && !pg_copy_write(f->s->to, bytes, start, err))
                return false;
        if (f->keep && !bundle_stream_write(f->keep, bytes, start, err))
                return false;
        if (f->s->moved)
                f->s->moved(f->s->moved_arg, start, (int64_t)rows);
        return !transfer_stopped(f->s->t, err);
}

/* The members of all parts, laid end to end, are one stream of COPY: the first begins with the
 * header, the last ends with the trailer. An empty table needs neither. */
static bool keep_copy_frame(Flow *f, bool header, Err *err)
{
        const Part *p = f->p;
        if (!f->keep || !p->table->binary)
                return true;
        return header ? bundle_stream_write(f->keep, COPY_HEADER, COPY_HEADER_LEN, err)
                      : bundle_stream_write(f->keep, COPY_TRAILER, COPY_TRAILER_LEN, err);
}

static bool stream(Flow *f, Pg *from, Err *err)
{
        const Part *p = f->p;
        AUTO_PGROWS r = { .binary = p->table->binary };
        if (!part_whole(p) && p->index == 0 && !keep_copy_frame(f, true, err))
                return false;
        for (bool first = part_whole(p);; first = false) {
                if (!pg_copy_read_rows(from, &r, err))
                        return err_wrap(err, "reading");
                if (r.rows == 0)
                        break;
                if ((first && !keep_copy_frame(f, true, err)) ||
                    !rows_move(f, r.bytes, r.ends, r.rows, err))
                        return false;
        }
        bool last = part_whole(p) ? p->rows > 0 : p->index == p->of - 1;
        return !last || keep_copy_frame(f, false, err);
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

static BundleStream *members_new(const PartSink *s, const Part *p)
{
        AUTO_FREE char *dir = table_member_dir(s, p->table);
        int room = BUNDLE_NUMBERS / p->of;
        return bundle_stream_new_part(s->bundle, "data", dir,
                                      p->table->binary ? ".bin.zst" : ".copy.zst", p->index * room,
                                      room);
}

bool part_copy(const PartSink *s, Pg *from, Part *p, Err *err)
{
        AUTO_BUNDLESTREAM keep = s->bundle ? members_new(s, p) : NULL;
        AUTO_SQL out = { 0 };
        part_out_sql(p, s->encoding, &out);
        if (!format_sessions(p->table, from, s->to, err) ||
            (s->to && !load_begin(s, p, s->encoding, err)))
                return false;
        Flow f = { .s = s, .p = p, .keep = keep };
        bool reading = pg_copy_out_begin(from, &out, err);
        bool ok = reading && stream(&f, from, err);
        if (reading && !ok)
                abandon(from);
        return loaded(s, p, ok, err) && (!keep || bundle_stream_end(keep, &p->members, err));
}

/* ---- out of a bundle: the same rows, hashed again on their way ---- */

typedef struct Stored {
        Flow f;
        RowFeed feed;
} Stored;

static bool stored_rows(void *arg, const char *bytes, const uint32_t *ends, size_t rows, Err *err)
{
        return rows_move(arg, bytes, ends, rows, err);
}

static bool stored_bytes(void *arg, const void *bytes, size_t n, Err *err)
{
        Stored *r = arg;
        return rowfeed_add(&r->feed, bytes, n, stored_rows, &r->f, err);
}

/* Binary: the first part has the header and the last one the trailer, whatever was cut since. */
static bool has_copy_frame(const RowFeed *f, const Part *p, size_t members, Err *err)
{
        bool first = p->index == 0, last = p->index == p->of - 1;
        return !p->table->binary || members == 0 || (f->header == first && f->over == last) ||
               err_set(err, ERR_USER, "the bundle's rows have no beginning, or no end");
}

static bool read_members(const PartSink *s, const Bundle *b, const json_t *members, Part *p,
                         Err *err)
{
        size_t n = json_array_size(members), end = part_whole(p) ? n : (size_t)p->end;
        Stored r = { .f = { .s = s, .p = p }, .feed = rowfeed_init(p->table->binary) };
        bool ok = true;
        for (size_t i = (size_t)p->first; ok && i < end && i < n; i++)
                ok = bundle_read(b, json_string_value(json_array_get(members, i)), stored_bytes, &r,
                                 err);
        ok = ok && rowfeed_end(&r.feed, err) && has_copy_frame(&r.feed, p, n, err);
        rowfeed_done(&r.feed);
        return ok;
}

bool part_restore(const PartSink *s, const Bundle *b, const json_t *record, Part *p, Err *err)
{
        AUTO_JSON members = bundle_parts(b, jx_str(record, "dir", "?"));
        if (!format_sessions(p->table, NULL, s->to, err) ||
            !load_begin(s, p, jx_str(record, "encoding", "UTF8"), err))
                return false;
        bool ok = read_members(s, b, members, p, err) &&
                  (!part_whole(p) || rows_as_recorded(p->rows, p->hash, record, err));
        return loaded(s, p, ok, err);
}

/* ---- parts and their table ---- */

void part_add(const Part *p)
{
        p->table->rows += p->rows;
        p->table->bytes += p->bytes;
        p->table->hash += p->hash;
        p->table->members += p->members;
}
