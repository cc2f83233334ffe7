/* blobs_restore.c: large objects out of a bundle. */
#include "transfer/make/blobs_restore.h"

#include "base/copyrow.h"
#include "base/limits.h"
#include "base/rowhash.h"
#include "dumps/sqltext.h"
#include "transfer/read/blobs.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

typedef struct Pages {
        const BlobPages *way;
        RowFeed feed;
        uint64_t seed;
        int64_t here;  /* rows of this member */
        BlobSums sums; /* of all */
} Pages;

static bool blobs_rows(void *arg, const char *bytes, const uint32_t *ends, size_t n, Err *err)
{
        Pages *p = arg;
        uint32_t start = 0;
        for (size_t i = 0; i < n; start = ends[i], i++)
                p->sums.hash += row_hash(p->seed, bytes + start, ends[i] - start);
        p->here += (int64_t)n;
        return true;
}

static bool into_copy(void *arg, const void *bytes, size_t n, Err *err)
{
        Pages *p = arg;
        return rowfeed_add(&p->feed, bytes, n, blobs_rows, p, err) &&
               pg_copy_write(p->way->to, bytes, n, err);
}

/* The statements of one member, BLOB_STATEMENTS of them at a time. */
static bool run_statements(Transfer *t, Pg *to, const char *sql, Err *err)
{
        AUTO_BUF batch = buf_init(LIMIT_SQL);
        int in_batch = 0;
        for (const char *p = sql;;) {
                size_t n = sqltext_next(p, NULL);
                if (n > 0) {
                        buf_add(&batch, p, n);
                        in_batch++;
                        p += n;
                }
                if (in_batch == BLOB_STATEMENTS || (n == 0 && in_batch > 0)) {
                        if (transfer_stopped(t, err) || !pg_exec_dumped(to, buf_str(&batch), err))
                                return false;
                        buf_reset(&batch);
                        in_batch = 0;
                }
                if (n == 0)
                        return true;
        }
}

static bool pages_of(const Bundle *b, const char *name, Pages *p, Err *err)
{
        if (!blob_pages_begin(p->way, err))
                return false;
        p->here = 0;
        p->feed = rowfeed_init(false);
        bool ok = bundle_read(b, name, into_copy, p, err) && rowfeed_end(&p->feed, err);
        rowfeed_done(&p->feed);
        if (!ok) {
                AUTO_ERR ignored = { 0 };
                (void)!pg_copy_in_end(p->way->to, "damaged", NULL, &ignored);
                return false;
        }
        p->sums.pages += p->here;
        return blob_pages_end(p->way, p->here, err);
}

static bool statements_of(Transfer *t, const Bundle *b, const char *name, Pg *to, Err *err)
{
        AUTO_FREE char *sql = NULL;
        size_t n;
        return bundle_read_all(b, name, LIMIT_SQL, &sql, &n, err) &&
               run_statements(t, to, sql, err);
}

/* First they are made, then filled. */
static bool blobs_all(Transfer *t, const Bundle *b, const json_t *parts, Pages *p, Err *err)
{
        size_t i;
        json_t *part;
        for (int filling = 0; filling < 2; filling++) {
                json_array_foreach(parts, i, part) {
                        const char *name = json_string_value(part);
                        if (str_ends(name, ".sql.zst") != (filling == 0))
                                continue;
                        if (transfer_stopped(t, err) ||
                            !(filling ? pages_of(b, name, p, err)
                                      : statements_of(t, b, name, p->way->to, err)))
                                return false;
                }
        }
        return true;
}

static bool blobs_count(Pg *to, int64_t *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *n = NULL;
        sql_add(&q, "select count(*) from pg_catalog.pg_largeobject_metadata");
        if (!pg_query_value(to, &q, &n, err))
                return false;
        *ret = atoll(n);
        return true;
}

bool blobs_restore(Transfer *t, const Bundle *b, const json_t *database, Pg *to, int64_t *ret_n,
                   Err *err)
{
        AUTO_FREE char *stem = xasprintf("%s/large-objects/", jx_str(database, "dir", ""));
        AUTO_JSON parts = bundle_parts(b, stem);
        const json_t *record = jx_get(database, "large_objects");
        int64_t want = jx_int(record, "count", 0);
        BlobPages way;
        Pages p = { .way = &way, .seed = bundle_row_seed(bundle_manifest_of(b)) };
        *ret_n = 0;
        if (json_array_size(parts) == 0 && want == 0)
                return true;
        if (!blob_pages_way(to, jx_int(record, "block_size", 0), &way, err) ||
            !blobs_all(t, b, parts, &p, err) || !blobs_count(to, ret_n, err))
                return err_wrap(err, "large objects");
        if (*ret_n != want)
                return err_set(err, ERR_USER,
                               "%lld large objects were made of the bundle, its manifest says %lld",
                               (long long)*ret_n, (long long)want);
        return !jx_str(record, "hash", NULL) || blobs_as_recorded(&p.sums, record) ||
               err_set(err, ERR_USER,
                       "the large objects in the bundle are not those its manifest describes");
}
