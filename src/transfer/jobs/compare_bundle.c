/* compare_bundle.c: what a bundle's manifest says of a database against a server that should
 * hold the same.
 *
 * Every table is read as the stream read it (its columns, its encoding), by several connections
 * under one snapshot, and its rows and hash are those of the manifest or it is named; sequences
 * and extensions likewise. Rows of a partition that went in through its root may lie in another
 * partition now: those are added up by root. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/rowhash.h"
#include "pg/extension.h"
#include "pg/tablereader.h"
#include "transfer/choose/content.h"
#include "transfer/read/blobs.h"
#include "transfer/read/source.h"
#include "transfer/read/spelling.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

typedef struct Against {
        const CompareOptions *o;
        const json_t *db; /* the database's record in the manifest */
        uint64_t seed;    /* of the bundle's hashes */
        int written_by;   /* major of the bundle's server; 0: not known */
        TableScope scope;
        Pg *pg;
        Arena *a;
        char *snapshot;
        Content there;
        TableRef *tables;       /* those of the manifest that are there */
        const json_t **records; /* of each */
        int n;
        TableReader *reader;
        Report report;
} Against;

static const char *compare_quoted(Arena *a, const char *schema, const char *name)
{
        AUTO_SQL q = { 0 };
        if (schema)
                sql_qname(&q, schema, name);
        else
                sql_ident(&q, name);
        AUTO_FREE char *text = plain_sql(&q);
        return arena_strdup(a, text);
}

static const Table *compare_find(const Content *c, const char *schema, const char *name)
{
        for (size_t i = 0; i < c->n_tables; i++)
                if (str_eq(c->tables[i].name, name) && str_eq(c->tables[i].schema, schema))
                        return &c->tables[i];
        return NULL;
}

/* Rows that wait for the database's name wait as the text they were read as (pg/extension.h). */
static const Table *find_waiting(const Content *c, const char *schema, const char *name)
{
        AUTO_FREE char *mine = xasprintf("%s.%s", schema, name);
        return compare_find(c, PG_LATER, mine);
}

/* ---- which tables ---- */

static void compare_respell(TableColumn *c, const Table *there)
{
        for (size_t i = 0; i < there->n_columns; i++)
                if (str_eq(there->columns[i], c->name)) {
                        c->before = there->before[i];
                        c->after = there->after[i];
                }
}

static void give_columns(Arena *a, TableRef *t, const json_t *columns, const Table *there)
{
        size_t i;
        json_t *name;
        t->columns = arena_new_array(a, TableColumn, json_array_size(columns) + 1);
        json_array_foreach(columns, i, name) {
                TableColumn *c = &t->columns[t->n_columns++];
                c->name = json_string_value(name);
                if (there->before && !t->binary)
                        compare_respell(c, there);
        }
}

static void compare_choose(Against *g)
{
        const json_t *list = jx_get(g->db, "tables");
        AUTO_JSON kept = json_object();
        size_t i;
        json_t *j;
        g->tables = arena_new_array(g->a, TableRef, json_array_size(list) + 1);
        g->records = arena_new_array(g->a, const json_t *, json_array_size(list) + 1);
        json_array_foreach(list, i, j) {
                const char *schema = jx_str(j, "schema", ""), *name = jx_str(j, "name", "");
                const char *key = compare_quoted(g->a, schema, name);
                const Table *t = compare_find(&g->there, schema, name);
                if (!t)
                        t = find_waiting(&g->there, schema, name);
                jx_set_bool(kept, key, true);
                if (!table_scope_has(&g->scope, schema, name))
                        continue;
                if (!t) {
                        report_differ(&g->report, "table", key, "missing", NULL, NULL);
                        continue;
                }
                g->records[g->n] = j;
                g->tables[g->n] = (TableRef){ .key = key,
                                              .schema = t->schema,
                                              .name = t->name,
                                              .only = true,
                                              .bytes = t->size,
                                              .condition = t->condition,
                                              .encoding = jx_str(j, "encoding", "UTF8"),
                                              .binary = str_eq(jx_str(j, "format", ""), "binary") };
                give_columns(g->a, &g->tables[g->n++], jx_get(j, "columns"), t);
        }
        for (i = 0; i < g->there.n_tables; i++) {
                const Table *t = &g->there.tables[i];
                const char *key = compare_quoted(g->a, t->schema, t->name);
                if (table_scope_has(&g->scope, t->schema, t->name) && !jx_get(kept, key) &&
                    !str_eq(t->schema, PG_LATER))
                        report_differ(&g->report, "table", key, "only on the target", NULL, NULL);
        }
}

/* ---- rows ---- */

static bool compare_read_rows(Against *g, Err *err)
{
        const CompareOptions *o = g->o;
        TableReadOptions ro = {
                .method = "stream", .seed = g->seed, .snapshot = g->snapshot, .jobs = o->jobs
        };
        if (!table_reader_start(g->pg, g->tables, g->n, &ro, &g->reader, err))
                return false;
        for (bool over = false; !over;) {
                TableReadState s;
                over = table_reader_poll(g->reader, 50);
                table_reader_state(g->reader, &s);
                if (o->cancel && flag_up(o->cancel))
                        table_reader_stop(g->reader);
                if (o->progress)
                        o->progress(o->progress_arg, s.table, s.tables, s.tables_total, s.bytes,
                                    s.bytes_total);
        }
        return table_reader_finish(g->reader, err);
}

/* Adds rows and hash to those under `key`; wrapping around is meant. */
static void compare_sum(json_t *sums, const char *key, int64_t rows, uint64_t hash)
{
        json_t *to = jx_get(sums, key);
        char hex[32];
        if (!to) {
                to = json_object();
                jx_set(sums, key, to);
        }
        hash += strtoull(jx_str(to, "hash", "0"), NULL, 16);
        snprintf(hex, sizeof hex, "%016" PRIx64, hash);
        jx_set_int(to, "rows", jx_int(to, "rows", 0) + rows);
        jx_set_str(to, "hash", hex);
        jx_set_str(to, "method", "stream");
}

static void compare_rows(Against *g)
{
        AUTO_JSON source = json_object();
        AUTO_JSON target = json_object();
        const TableResult *r = table_reader_results(g->reader);
        for (int i = 0; i < g->n; i++) {
                const json_t *j = g->records[i], *root = jx_get(j, "via_root");
                const char *key = root ? compare_quoted(g->a, jx_str(root, "schema", ""),
                                                        jx_str(root, "name", ""))
                                       : g->tables[i].key;
                compare_sum(source, key, jx_int(j, "rows", -1),
                            strtoull(jx_str(j, "hash", "0"), NULL, 16));
                /* a row without columns is an empty line, or a count of none; it was only
                 * counted */
                uint64_t empty = g->tables[i].binary ? row_hash(g->seed, "\0", 2)
                                                     : row_hash(g->seed, "\n", 1);
                compare_sum(target, key, r[i].rows,
                            r[i].hash ? strtoull(r[i].hash, NULL, 16)
                                      : (uint64_t)r[i].rows * empty);
                json_t *to = jx_get(target, key);
                jx_set_int(to, "ms", jx_int(to, "ms", 0) + r[i].ms);
                if (r[i].error)
                        jx_set_str(to, "error", r[i].error);
        }
        const char *key;
        json_t *s;
        json_object_foreach(source, key, s) {
                json_t *d = compare_table_records(&g->report, key, s, jx_get(target, key));
                if (d)
                        jx_set_str(d, "rows_unnamed", "a bundle has one hash for the whole table");
        }
}

/* ---- the rest ---- */

static void compare_sequences(Against *g)
{
        const json_t *list = jx_get(g->db, "sequences");
        size_t i;
        json_t *j;
        json_array_foreach(list, i, j) {
                const char *schema = jx_str(j, "schema", ""), *name = jx_str(j, "name", "");
                const char *key = compare_quoted(g->a, schema, name);
                const Sequence *s = NULL;
                for (size_t k = 0; k < g->there.n_sequences && !s; k++)
                        if (str_eq(g->there.sequences[k].name, name) &&
                            str_eq(g->there.sequences[k].schema, schema))
                                s = &g->there.sequences[k];
                if (!table_scope_has(&g->scope, schema, name))
                        continue;
                g->report.sequences++;
                AUTO_JSON value = s ? json_string(s->value) : NULL;
                AUTO_JSON called = s ? json_boolean(s->is_called) : NULL;
                if (!s)
                        report_differ(&g->report, "sequence", key, "missing", NULL, NULL);
                else if (!str_eq(s->value, jx_str(j, "value", "")))
                        report_differ(&g->report, "sequence", key, "last_value", jx_get(j, "value"),
                                      value);
                else if (s->is_called != jx_bool(j, "is_called", false))
                        report_differ(&g->report, "sequence", key, "is_called",
                                      jx_get(j, "is_called"), called);
        }
}

static bool compare_blobs(Against *g, Err *err)
{
        const json_t *record = jx_get(g->db, "large_objects");
        AUTO_JSON want = json_integer(jx_int(record, "count", 0));
        AUTO_JSON have = json_integer(g->there.large_objects);
        BlobSums sums;
        const char *why_not;
        if (!json_equal(want, have))
                report_differ(&g->report, "large objects", "all", "count", want, have);
        if (!json_equal(want, have) || !json_integer_value(want))
                return true;
        if (!blobs_sums(g->pg, g->seed, record, &sums, &why_not, err))
                return false;
        AUTO_FREE char *counted =
                xasprintf("large objects: only counted: %s", why_not ? why_not : "");
        if (why_not)
                report_limit(&g->report, counted);
        else if (!blobs_as_recorded(&sums, record))
                report_differ(&g->report, "large objects", "all", "content", NULL, NULL);
        return true;
}

static bool compare_others(Against *g, Err *err)
{
        size_t i, k;
        json_t *e, *there;
        if (table_scope_narrow(&g->scope))
                return true;
        json_array_foreach(jx_get(g->db, "extensions"), i, e) {
                bool found = false;
                json_array_foreach(g->there.extensions, k, there)
                        found = found || json_equal(jx_get(e, "name"), jx_get(there, "name"));
                g->report.objects++;
                if (!found)
                        report_differ(&g->report, "extension",
                                      compare_quoted(g->a, NULL, jx_str(e, "name", "")), "missing",
                                      jx_get(e, "version"), NULL);
        }
        return compare_blobs(g, err);
}

static bool both(Against *g, json_t *source, json_t *target, Err *err)
{
        InventoryOptions io = { .migrations = true };
        char iso[32];
        jx_set_str(target, "made_at", clock_iso(clock_wall_ms(), iso));
        if (!source_begin(g->pg, NULL, &g->snapshot, err) ||
            !pg_inventory_summary(g->pg, &io, target, err) ||
            !source_content(g->pg, g->a, &g->there, err) ||
            !spelling_of(g->pg, g->written_by, &g->there, g->a, err) ||
            !pg_later_waits(g->pg, false, &g->report.waits, err))
                return false;
        compare_choose(g);
        if (table_scope_narrow(&g->scope) && !g->n && !g->report.total)
                return err_set(err, ERR_USER,
                               "no table of the bundle is in what is to be compared");
        if (!compare_read_rows(g, err))
                return false;
        compare_rows(g);
        compare_sequences(g);
        if (!compare_others(g, err))
                return false;
        compare_sides(&g->report, source, target);
        report_limit(&g->report,
                     "objects of the catalog: a bundle keeps the schema as pg_dump wrote it");
        if (g->seed == ROW_HASH_OLDER)
                report_limit(&g->report, "rows: " BUNDLE_OLDER_HASH);
        return true;
}

/* The manifest's words for who it was, as an inventory has them. */
static json_t *source_words(const Bundle *b, const json_t *db)
{
        json_t *source = json_object(), *facts = json_object();
        jx_set(source, "facts", facts);
        jx_set_str(facts, "database", jx_str(db, "name", ""));
        jx_set_str(facts, "version",
                   jx_str(jx_get(bundle_manifest_of(b), "server"), "version", ""));
        jx_set_str(source, "made_at", jx_str(db, "snapshot_time", ""));
        return source;
}

bool transfer_compare(const Bundle *b, const char *database, Pg *target, const CompareOptions *o,
                      json_t **ret, Err *err)
{
        int64_t began = clock_boot_ms();
        AUTO_ERR ignored = { 0 };
        AUTO_JSON there = json_object();
        const json_t *db = bundle_database(b, database, err);
        if (!db)
                return false;
        Against g = { .o = o,
                      .db = db,
                      .seed = bundle_row_seed(bundle_manifest_of(b)),
                      .written_by = spelling_major(bundle_manifest_of(b)),
                      .pg = target,
                      .a = arena_new(),
                      .scope = { .schemas = o->schemas, .tables = o->tables },
                      .report = report_new(o->ignore) };
        AUTO_JSON source = source_words(b, db);
        bool ok = both(&g, source, there, err);
        g.reader = table_reader_free(g.reader);
        if (g.snapshot)
                (void)!pg_do(target, "rollback", &ignored);
        if (ok) {
                report_scope(&g.report, &g.scope);
                jx_set_int(g.report.json, "ms", clock_boot_ms() - began);
                *ret = report_take(&g.report, "deep", "stream");
        }
        json_decref(g.report.waits);
        report_done(&g.report);
        content_done(&g.there);
        free(g.snapshot);
        arena_free(g.a);
        return ok;
}
