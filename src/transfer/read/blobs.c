/* blobs.c: large objects, in batches.
 *
 * One round trip a large object takes 56 s for 200 000 of them, a COPY of their pages and one
 * lo_put() over all of it 1.4 s. Made in batches of BATCH, by their owners; what needs a statement
 * for each (GRANT, COMMENT) in transactions of BLOB_STATEMENTS, because each holds a lock to the
 * end. */
#include "transfer/read/blobs.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/rowhash.h"
#include "transfer/choose/content.h"
#include "transfer/read/part.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"

#define BATCH 5000                /* large objects made by one statement */
#define FLUSH ((int64_t)32 << 20) /* bytes of pages that wait in the temporary table */

typedef struct Blobs {
        const PartSink *s;
        Pg *from;
        BundleStream *sql, *pages;
        BlobPages to;
        int64_t n, rows, bytes;
        uint64_t hash;
        int64_t waiting, waiting_rows; /* of pages, in the temporary table */
} Blobs;

/* ---- making them ---- */

static void grant(const json_t *g, const char *oid, Sql *q)
{
        const char *role = jx_str(g, "grantee", NULL);
        sql_add(q, "GRANT ");
        if (str_eq(jx_str(g, "privilege", ""), "UPDATE"))
                sql_add(q, "UPDATE");
        else
                sql_add(q, "SELECT");
        sql_add(q, " ON LARGE OBJECT ");
        sql_int(q, atoll(oid));
        sql_add(q, " TO ");
        if (role)
                sql_ident(q, role);
        else
                sql_add(q, "PUBLIC");
        if (jx_bool(g, "grantable", false))
                sql_add(q, " WITH GRANT OPTION");
        sql_add(q, ";\n");
}

/* lo_create() makes the current role the owner: one statement makes all that belong to one role,
 * where an ALTER for each would take twenty times as long. */
static int create_sql(const PgRes *r, int first, Sql *q)
{
        const char *owner = pg_cell(r, first, 1);
        AUTO_BUF oids = buf_init(LIMIT_SQL);
        int row = first;
        for (; row < pg_rows(r) && str_eq(pg_cell(r, row, 1), owner); row++)
                buf_printf(&oids, "%s%s", row == first ? "{" : ",", pg_cell(r, row, 0));
        buf_addc(&oids, '}');
        sql_add(q, "SET ROLE ");
        sql_ident(q, owner);
        sql_add(q, ";\nSELECT pg_catalog.count(pg_catalog.lo_create(o)) FROM pg_catalog.unnest(");
        sql_value(q, buf_str(&oids));
        sql_add(q, "::pg_catalog.oid[]) o;\nRESET ROLE;\n");
        return row;
}

/* What one large object has besides its owner and bytes: most have nothing. */
static bool words_sql(const PgRes *r, int row, Sql *q, Err *err)
{
        const char *oid = pg_cell(r, row, 0), *acl = pg_cell(r, row, 2);
        if (acl) {
                AUTO_JSON list = jx_parse(acl, strlen(acl), err);
                size_t i;
                json_t *g;
                if (!list)
                        return false;
                sql_add(q, "REVOKE ALL ON LARGE OBJECT ");
                sql_int(q, atoll(oid));
                sql_add(q, " FROM ");
                sql_ident(q, pg_cell(r, row, 1));
                sql_add(q, ";\n");
                json_array_foreach(list, i, g)
                        grant(g, oid, q);
        }
        if (pg_cell(r, row, 3)) {
                sql_add(q, "COMMENT ON LARGE OBJECT ");
                sql_int(q, atoll(oid));
                sql_add(q, " IS ");
                sql_value(q, pg_cell(r, row, 3));
                sql_add(q, ";\n");
        }
        return true;
}

static bool batch_of(Pg *from, const char *after, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select m.oid, pg_get_userbyid(m.lomowner), "
                    "case when m.lomacl is not null then (select coalesce(json_agg("
                    "json_build_object('grantee', case x.grantee when 0 then null "
                    "else pg_get_userbyid(x.grantee) end, 'privilege', x.privilege_type, "
                    "'grantable', x.is_grantable)), '[]') from aclexplode(m.lomacl) x) end, "
                    "obj_description(m.oid, 'pg_largeobject') "
                    "from pg_largeobject_metadata m where m.oid > ");
        sql_value(&q, after);
        sql_add(&q, "::oid order by m.oid limit ");
        sql_int(&q, BATCH);
        return pg_query(from, &q, ret, err);
}

/* The same words to both sides, in one transaction of the target. */
static bool blobs_say(Blobs *b, Sql *q, Err *err)
{
        bool ok = true;
        if (q->n == 0)
                return true;
        if (b->sql) {
                AUTO_FREE char *text = plain_sql(q);
                ok = bundle_stream_write(b->sql, text, strlen(text), err);
        }
        ok = ok && (!b->s->to || pg_exec(b->s->to, q, err));
        sql_free(q);
        return ok;
}

static bool blobs_make(Blobs *b, const PgRes *r, Err *err)
{
        AUTO_SQL q = { 0 };
        for (int row = 0; row < pg_rows(r);) {
                row = create_sql(r, row, &q);
                if (!blobs_say(b, &q, err))
                        return false;
        }
        for (int row = 0; row < pg_rows(r); row++)
                if (!words_sql(r, row, &q, err) ||
                    (row % BLOB_STATEMENTS == BLOB_STATEMENTS - 1 && !blobs_say(b, &q, err)))
                        return false;
        return blobs_say(b, &q, err);
}

/* ---- filling them ---- */

/* Into the objects with what has gathered; and on. */
static bool blobs_flush(Blobs *b, Err *err)
{
        int64_t rows = b->waiting_rows;
        b->waiting = b->waiting_rows = 0;
        return !b->s->to || (blob_pages_end(&b->to, rows, err) && blob_pages_begin(&b->to, err));
}

static bool pages(Blobs *b, Err *err)
{
        AUTO_PGROWS r = { 0 };
        for (;;) {
                uint32_t start = 0;
                if (transfer_stopped(b->s->t, err) || !pg_copy_read_rows(b->from, &r, err))
                        return false;
                if (r.rows == 0)
                        return true;
                for (size_t i = 0; i < r.rows; start = r.ends[i], i++)
                        b->hash += row_hash(b->s->seed, r.bytes + start, r.ends[i] - start);
                b->rows += (int64_t)r.rows;
                b->bytes += start;
                b->waiting += start;
                b->waiting_rows += (int64_t)r.rows;
                if ((b->s->to && !pg_copy_write(b->s->to, r.bytes, start, err)) ||
                    (b->pages && !bundle_stream_write(b->pages, r.bytes, start, err)) ||
                    (b->waiting >= FLUSH && !blobs_flush(b, err)))
                        return false;
        }
}

static bool blobs_fill(Blobs *b, const char *first, const char *last, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "copy (select loid, pageno, data from pg_largeobject where loid between ");
        sql_value(&q, first);
        sql_add(&q, "::oid and ");
        sql_value(&q, last);
        sql_add(&q, "::oid order by 1, 2) to stdout");
        b->waiting = b->waiting_rows = 0;
        if (b->s->to && !blob_pages_begin(&b->to, err))
                return false;
        if (!pg_copy_out_begin(b->from, &q, err)) {
                if (str_eq(err->sqlstate, "42501"))
                        err_hint(err, "reading pg_largeobject needs a superuser");
                return false;
        }
        return pages(b, err) && (!b->s->to || blob_pages_end(&b->to, b->waiting_rows, err));
}

static bool blobs_all(Blobs *b, Err *err)
{
        AUTO_FREE char *after = xstrdup("0");
        for (;;) {
                AUTO_PGRES PgRes *r = NULL;
                if (transfer_stopped(b->s->t, err) || !batch_of(b->from, after, &r, err))
                        return false;
                int n = pg_rows(r);
                if (n == 0)
                        return true;
                const char *last = pg_cell(r, n - 1, 0);
                if (!blobs_make(b, r, err) || !blobs_fill(b, pg_cell(r, 0, 0), last, err))
                        return false;
                b->n += n;
                if (b->s->moved)
                        b->s->moved(b->s->moved_arg, 0, n);
                free(after);
                after = xstrdup(last);
        }
}

bool blobs_copy(const PartSink *s, Pg *from, Content *c, json_t *ret_record, Err *err)
{
        Blobs b = { .s = s, .from = from };
        int64_t block;
        AUTO_BUNDLESTREAM sql = NULL;
        AUTO_BUNDLESTREAM pages = NULL;
        jx_set_int(ret_record, "count", c->large_objects);
        if (c->large_objects == 0)
                return true;
        if (s->bundle) {
                AUTO_FREE char *dir = xasprintf("%s/large-objects", s->bundle_dir);
                b.sql = sql = bundle_stream_new(s->bundle, "large-objects", dir, ".sql.zst");
                b.pages = pages = bundle_stream_new(s->bundle, "large-objects", dir, ".copy.zst");
        }
        if (!blobs_block_size(from, &block, err) ||
            (s->to && !blob_pages_way(s->to, block, &b.to, err)) || !blobs_all(&b, err) ||
            (sql && !bundle_stream_end(sql, NULL, err)) ||
            (pages && !bundle_stream_end(pages, NULL, err)))
                return err_wrap(err, "large objects");
        if (b.n != c->large_objects)
                return err_set(err, ERR_SERVER,
                               "%lld large objects are in the source, %lld were read",
                               (long long)c->large_objects, (long long)b.n);
        char hash[32];
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)b.hash);
        jx_set_int(ret_record, "count", b.n);
        jx_set_int(ret_record, "pages", b.rows);
        jx_set_int(ret_record, "bytes", b.bytes);
        jx_set_str(ret_record, "hash", hash);
        jx_set_int(ret_record, "block_size", block);
        return true;
}
