#include <stdio.h>

#include "base/rowhash.h"
#include "transfer/read/blobs.h"

bool blobs_block_size(Pg *pg, int64_t *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *size = NULL;
        sql_add(&q, "select pg_catalog.current_setting('block_size')");
        if (!pg_query_value(pg, &q, &size, err))
                return false;
        *ret = atoll(size);
        return true;
}

/* ---- into a server ---- */

bool blob_pages_way(Pg *to, int64_t block, BlobPages *ret, Err *err)
{
        AUTO_SQL ask = { 0 };
        AUTO_SQL make = { 0 };
        AUTO_FREE char *superuser = NULL;
        int64_t here;
        sql_add(&ask, "select pg_catalog.current_setting('is_superuser')");
        if (!pg_query_value(to, &ask, &superuser, err) || !blobs_block_size(to, &here, err))
                return false;
        block = block ? block : here;
        *ret = (BlobPages){ .to = to,
                            .direct = str_eq(superuser, "on") && block == here,
                            .page = block / 4 };
        sql_add(&make, "create temporary table pgsherpa_lo (loid oid, pageno int, data bytea)");
        return ret->direct || pg_exec(to, &make, err);
}

bool blob_pages_begin(const BlobPages *p, Err *err)
{
        AUTO_SQL q = { 0 };
        if (p->direct)
                sql_add(&q, "copy pg_catalog.pg_largeobject (loid, pageno, data) from stdin");
        else
                sql_add(&q, "copy pgsherpa_lo from stdin");
        return pg_copy_in_begin(p->to, &q, err);
}

bool blob_pages_end(const BlobPages *p, int64_t want, Err *err)
{
        AUTO_SQL q = { 0 };
        int64_t taken;
        if (!pg_copy_in_end(p->to, NULL, &taken, err))
                return false;
        if (taken != want)
                return err_set(err, ERR_SERVER, "%lld pages were read, the target took %lld",
                               (long long)want, (long long)taken);
        sql_add(&q, "select pg_catalog.count(pg_catalog.lo_put(loid, pageno::bigint * ");
        sql_int(&q, p->page);
        sql_add(&q, ", data)) from pgsherpa_lo; truncate pgsherpa_lo");
        return p->direct || pg_exec(p->to, &q, err);
}

/* ---- what is there ---- */

bool blobs_as_recorded(const BlobSums *s, const json_t *record)
{
        char hex[32];
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)s->hash);
        return s->pages == jx_int(record, "pages", -1) && str_eq(hex, jx_str(record, "hash", ""));
}

static bool why_not(Pg *pg, const json_t *record, const char **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *may = NULL;
        int64_t here;
        sql_add(&q, "select pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'select')");
        if (!pg_query_value(pg, &q, &may, err) || !blobs_block_size(pg, &here, err))
                return false;
        *ret = !jx_str(record, "hash", NULL) ? "the manifest has no hash of them"
               : jx_int(record, "block_size", here) != here
                       ? "the servers have blocks of different size"
               : !str_eq(may, "t") ? "reading pg_largeobject needs a superuser"
                                   : NULL;
        return true;
}

bool blobs_sums(Pg *pg, uint64_t seed, const json_t *record, BlobSums *ret,
                const char **ret_why_not, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGROWS r = { 0 };
        *ret = (BlobSums){ 0 };
        if (!why_not(pg, record, ret_why_not, err))
                return false;
        if (*ret_why_not)
                return true;
        sql_add(&q, "copy (select loid, pageno, data from pg_catalog.pg_largeobject) to stdout");
        if (!pg_copy_out_begin(pg, &q, err))
                return false;
        for (;;) {
                uint32_t start = 0;
                if (!pg_copy_read_rows(pg, &r, err))
                        return false;
                if (r.rows == 0)
                        return true;
                for (size_t i = 0; i < r.rows; start = r.ends[i], i++)
                        ret->hash += row_hash(seed, r.bytes + start, r.ends[i] - start);
                ret->pages += (int64_t)r.rows;
        }
}
