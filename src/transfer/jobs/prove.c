/* prove.c: does a server hold what a bundle's manifest describes?
 *
 * Every table is read back out of the restored database, the way it was read out of the source,
 * and its rows and their hash are those of the manifest or it is named. Rows of a partition
 * that went in through the root may lie in another partition now: those are added up by root. */
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "pg/extension.h"
#include "transfer/choose/content.h"
#include "transfer/read/blobs.h"
#include "transfer/read/part.h"
#include "transfer/read/source.h"
#include "transfer/read/spelling.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

typedef struct Prove {
        Transfer *t;
        Arena *a;
        Pg *pg;
        char *snapshot;
        uint64_t seed; /* of the bundle */
        Content there;
        json_t *sums; /* "schema\1table" -> [rows, hash] left to be found */
        int64_t done;
        int tables;
} Prove;

static void prove_close(Prove *p)
{
        transfer_disconnect(p->t, &p->pg);
        content_done(&p->there);
        json_decref(p->sums);
        free(p->snapshot);
        arena_free(p->a);
}

/* Quoted: a."b.c" and "a.b".c are two tables. */
static const char *key_of(Arena *a, const char *schema, const char *name)
{
        AUTO_SQL q = { 0 };
        sql_qname(&q, schema, name);
        AUTO_FREE char *text = plain_sql(&q);
        AUTO_FREE char *clean = text_clean_str(text);
        return arena_strdup(a, clean);
}

/* The hash as two's complement: JSON has no unsigned numbers. Wrapping around is meant. */
static void prove_add(json_t *sums, const char *key, int64_t rows, uint64_t hash)
{
        json_t *old = json_object_get(sums, key);
        rows += json_integer_value(json_array_get(old, 0));
        hash += (uint64_t)json_integer_value(json_array_get(old, 1));
        json_t *sum = json_array();
        json_array_append_new(sum, json_integer(rows));
        json_array_append_new(sum, json_integer((json_int_t)hash));
        json_object_set_new(sums, key, sum);
}

static const Table *prove_find(const Content *c, const json_t *record)
{
        for (size_t i = 0; i < c->n_tables; i++)
                if (str_eq(c->tables[i].name, jx_str(record, "name", "")) &&
                    str_eq(c->tables[i].schema, jx_str(record, "schema", "")))
                        return &c->tables[i];
        return NULL;
}

/* Rows that wait for the database's name wait as the text they were read as (pg/extension.h). */
static const Table *find_waiting(const Content *c, const json_t *record)
{
        AUTO_FREE char *name =
                xasprintf("%s.%s", jx_str(record, "schema", ""), jx_str(record, "name", ""));
        for (size_t i = 0; i < c->n_tables; i++)
                if (str_eq(c->tables[i].schema, PG_LATER) && str_eq(c->tables[i].name, name))
                        return &c->tables[i];
        return NULL;
}

static void prove_moved(void *arg, int64_t bytes, int64_t rows)
{
        Prove *p = arg;
        p->done += bytes;
        progress_set(p->t, p->done, p->tables, NULL);
}

static bool prove_one(Prove *p, const json_t *record, Err *err)
{
        const json_t *root = jx_get(record, "via_root");
        const char *name = key_of(p->a, jx_str(record, "schema", ""), jx_str(record, "name", ""));
        const char *key =
                root ? key_of(p->a, jx_str(root, "schema", ""), jx_str(root, "name", "")) : name;
        const Table *there = prove_find(&p->there, record);
        if (!there)
                there = find_waiting(&p->there, record);
        if (!there)
                return err_set(err, ERR_USER, "table %s is not in the restored database", name);
        Table mine = *there;
        mine.binary = str_eq(jx_str(record, "format", "text"), "binary");
        if (mine.binary)
                mine.before = mine.after = NULL;
        PartSink s = { .t = p->t,
                       .encoding = jx_str(record, "encoding", "UTF8"),
                       .moved = prove_moved,
                       .moved_arg = p,
                       .seed = p->seed };
        Part part = { .table = &mine, .end = -1, .of = 1 };
        if (!part_copy(&s, p->pg, &part, err))
                return err_wrap(err, "reading table %s back", name);
        uint64_t hash = strtoull(jx_str(record, "hash", "0"), NULL, 16);
        prove_add(p->sums, key, part.rows - jx_int(record, "rows", -1), part.hash - hash);
        p->tables++;
        return true;
}

static bool large_objects(Prove *p, const json_t *db, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        const json_t *record = jx_get(db, "large_objects");
        int64_t want = jx_int(record, "count", 0);
        BlobSums sums;
        const char *why_not;
        if (!pg_ask(p->pg, "select count(*) from pg_largeobject_metadata", &r, err))
                return false;
        if (pg_cell_int(r, 0, 0) != want)
                return err_set(err, ERR_USER,
                               "%lld large objects are in the restored database, "
                               "the "
                               "manifest "
                               "says "
                               "%lld",
                               (long long)pg_cell_int(r, 0, 0), (long long)want);
        if (want == 0)
                return true;
        if (!blobs_sums(p->pg, p->seed, record, &sums, &why_not, err))
                return err_wrap(err, "reading the large objects back");
        if (why_not)
                transfer_say(p->t, "the large objects were counted, not compared: %s", why_not);
        return why_not || blobs_as_recorded(&sums, record) ||
               err_set(err, ERR_USER,
                       "the large objects are as many as the manifest says, but other ones");
}

bool transfer_prove(Transfer *t, const Bundle *b, const char *database, const PgParams *target,
                    const char *into, int64_t *ret_tables, Err *err)
{
        Prove CLEANUP(prove_close) p = { .t = t,
                                         .a = arena_new(),
                                         .sums = json_object(),
                                         .seed = bundle_row_seed(bundle_manifest_of(b)) };
        const json_t *db = bundle_database(b, database, err), *tables = jx_get(db, "tables");
        int64_t total = 0;
        size_t i;
        json_t *j;
        const char *key;
        PgParams params = *target;
        params.statement_timeout_ms = 0;
        if (!db || !transfer_connect(t, &params, into, &p.pg, err) ||
            !source_begin(p.pg, NULL, &p.snapshot, err) ||
            !source_content(p.pg, p.a, &p.there, err) ||
            !spelling_of(p.pg, spelling_major(bundle_manifest_of(b)), &p.there, p.a, err))
                return err_wrap(err, "looking at the restored database");
        json_array_foreach(tables, i, j)
                total += jx_int(j, "bytes", 0);
        progress_stage(t, "comparing with the manifest", "bytes", total,
                       (int)json_array_size(tables));
        json_array_foreach(tables, i, j)
                if (!prove_one(&p, j, err))
                        return false;
        json_object_foreach(p.sums, key, j) {
                int64_t rows = json_integer_value(json_array_get(j, 0));
                if (rows)
                        return err_set(
                                err, ERR_USER, "table %s: %lld rows %s than the manifest says", key,
                                (long long)(rows > 0 ? rows : -rows), rows > 0 ? "more" : "fewer");
                if (json_integer_value(json_array_get(j, 1)))
                        return err_set(err, ERR_USER,
                                       "table %s: as many rows as the manifest "
                                       "says, but other ones",
                                       key);
        }
        *ret_tables = p.tables;
        return large_objects(&p, db, err);
}
