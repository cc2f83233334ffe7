#include "pg/compare.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/rowhash.h"
#include "pg/catalog.h"
#include "pg/compare/compare_objects.h"
#include "pg/extension.h"
#include "pg/extension_rows.h"
#include "pg/facts.h"
#include "pg/compare/recomputed.h"
#include "pg/compare/rowdiff.h"
#include "pg/tabledata.h"

#define TABLES_NAMED 20 /* tables of which the differing rows are looked for */

/* ---- what both ways to compare share ---- */

static bool null_or_absent(const json_t *j)
{
        return !j || json_is_null(j);
}

json_t *compare_table_records(Report *r, const char *name, const json_t *s, const json_t *t)
{
        const json_t *why = jx_get(s, "error"), *there = jx_get(t, "error");
        const json_t *a = jx_get(s, "hash"), *b = jx_get(t, "hash");
        report_table(r, name, t);
        if (why || there) {
                report_differ(r, "table", name, "could not be read", why, there);
                return NULL;
        }
        if (!json_equal(jx_get(s, "rows"), jx_get(t, "rows")))
                return report_differ(r, "table", name, "rows", jx_get(s, "rows"),
                                     jx_get(t, "rows"));
        if (!null_or_absent(a) && !json_equal(a, b))
                return report_differ(r, "table", name, "content", a, b);
        return NULL;
}

void compare_lone_table(Report *r, const char *name, const json_t *s, const json_t *t)
{
        const json_t *one = s ? s : t, *rows = jx_get(one, "rows");
        if (jx_bool(one, "of_extension", false) &&
            (jx_get(one, "error") || json_integer_value(rows)))
                report_differ(r, "table", name, s ? "missing" : "only on the target",
                              s ? rows : NULL, s ? NULL : rows);
}

static json_t *side_record(const json_t *inventory)
{
        const json_t *facts = jx_get(inventory, "facts");
        json_t *d = json_object();
        jx_set_str(d, "database", jx_str(facts, "database", ""));
        jx_set_str(d, "version", jx_str(facts, "version", ""));
        jx_set_str(d, "made_at", jx_str(inventory, "made_at", ""));
        return d;
}

/* The migration tool's table is among the tables; its revision is told by itself. */
void compare_sides(Report *r, const json_t *source, const json_t *target)
{
        size_t i;
        json_t *m;
        AUTO_BUF b = buf_init(4096);
        json_array_foreach(jx_get(target, "migrations"), i, m)
                if (jx_str(m, "revision", NULL))
                        buf_printf(&b, "%s%s", b.len ? "; " : "", jx_str(m, "revision", ""));
        jx_set_str(r->json, "revision", buf_str(&b));
        jx_set_int(r->json, "tables", jx_int(jx_get(target, "counts"), "table", 0));
        jx_set(r->json, "source", side_record(source));
        jx_set(r->json, "target", side_record(target));
}

void report_scope(Report *r, const TableScope *scope)
{
        json_t *list = json_array();
        if (scope->schemas)
                json_array_extend(list, (json_t *)scope->schemas);
        if (scope->tables)
                json_array_extend(list, (json_t *)scope->tables);
        if (json_array_size(list))
                report_limit(r, "everything outside of what was asked for (see the scope)");
        jx_set(r->json, "scope", list);
}

/* ---- two live servers ---- */

typedef struct Side {
        Pg *pg;
        Arena *arena;
        TableRef *tables;
        int n;
        char *snapshot;
        json_t *summary; /* like an inventory without its objects */
        TableReader *reader;
        bool begun;
} Side;

typedef struct Live {
        const CompareOptions *o;
        Side side[2]; /* source, target */
        TableScope scope;
        const char *method;
        uint64_t seed; /* of the rows' hashes, drawn anew each time */
        bool same_encoding;
        const char *encoding; /* both sides' rows are read in */
        Report report;
        ObjectsCompare objects;
} Live;

static bool choose_method(Live *l, Err *err)
{
        AUTO_PGRES PgRes *a = NULL;
        AUTO_PGRES PgRes *b = NULL;
        Pg *source = l->side[0].pg, *target = l->side[1].pg;
        if (!pg_ask(source, "show server_encoding", &a, err) ||
            !pg_ask(target, "show server_encoding", &b, err))
                return false;
        const char *from = pg_cell(a, 0, 0), *to = pg_cell(b, 0, 0);
        l->same_encoding = str_eq(from, to);
        /* Not converted when both are one; SQL_ASCII says nothing of its bytes: as they are. */
        bool ascii = str_eq(from, "SQL_ASCII") || str_eq(to, "SQL_ASCII");
        l->encoding = ascii              ? "SQL_ASCII"
                      : l->same_encoding ? arena_strdup(l->side[0].arena, from)
                                         : "UTF8";
        l->method = l->o->method ? l->o->method
                    : l->o->deep ? "stream"
                                 : table_data_method(l->same_encoding);
        return true;
}

/* From here on everything of this side is one moment. */
static bool side_begin(Side *s, const TableScope *scope, Err *err)
{
        char iso[32];
        InventoryOptions io = { .migrations = true };
        if (!pg_begin_reading(s->pg, NULL, err))
                return false;
        s->begun = true;
        if (!pg_do(s->pg, "set local quote_all_identifiers = on", err) ||
            !table_data_snapshot(s->pg, &s->snapshot, err))
                return false;
        s->summary = json_object();
        jx_set_str(s->summary, "made_at", clock_iso(clock_wall_ms(), iso));
        return pg_inventory_summary(s->pg, &io, s->summary, err) &&
               table_list(s->pg, s->arena, scope, &s->tables, &s->n, err);
}

static void side_end(Side *s)
{
        AUTO_ERR ignored = { 0 };
        if (s->begun)
                (void)!pg_do(s->pg, "rollback", &ignored);
        s->arena = arena_free(s->arena);
        json_decref(s->summary);
        free(s->snapshot);
}

static bool scope_is_there(const Live *l, Err *err)
{
        if (!table_scope_narrow(&l->scope) || l->side[0].n || l->side[1].n)
                return true;
        err_set(err, ERR_USER, "no table on either side is in what is to be compared");
        return err_hint(err, "write --table as schema.table, without quotes");
}

static bool start_readers(Live *l, Err *err)
{
        table_list_shared(l->side[0].tables, l->side[0].n, l->side[1].tables, l->side[1].n);
        for (int i = 0; i < 2; i++) {
                Side *s = &l->side[i];
                TableReadOptions o = { .method = l->method,
                                       .seed = l->seed,
                                       .snapshot = s->snapshot,
                                       .jobs = l->o->jobs,
                                       .large_objects = !table_scope_narrow(&l->scope) };
                bool utf8 = l->same_encoding && str_eq(l->encoding, "UTF8");
                for (int k = 0; k < s->n; k++) {
                        s->tables[k].encoding = l->encoding;
                        s->tables[k].binary = utf8 && table_binary_says_all(&s->tables[k]);
                }
                if (!table_reader_start(s->pg, s->tables, s->n, &o, &s->reader, err))
                        return false;
        }
        return true;
}

static void show(Live *l)
{
        TableReadState a, b;
        if (!l->o->progress)
                return;
        table_reader_state(l->side[0].reader, &a);
        table_reader_state(l->side[1].reader, &b);
        l->o->progress(l->o->progress_arg, *b.table ? b.table : a.table, MIN(a.tables, b.tables),
                       b.tables_total, a.bytes + b.bytes, a.bytes_total + b.bytes_total);
}

/* One side that cannot go on ends the other: no use in half of a comparison. */
static bool wait_readers(Live *l, Err *err)
{
        TableReader *a = l->side[0].reader, *b = l->side[1].reader;
        for (;;) {
                bool one = table_reader_poll(a, 25), two = table_reader_poll(b, 25);
                show(l);
                if ((one && table_reader_failed(a)) || (two && table_reader_failed(b)) ||
                    (l->o->cancel && flag_up(l->o->cancel))) {
                        table_reader_stop(a);
                        table_reader_stop(b);
                }
                if (one && two)
                        break;
        }
        AUTO_ERR other = { 0 };
        bool ok = table_reader_finish(b, err);
        if (!table_reader_finish(a, &other)) {
                if (ok || err->kind == ERR_CANCELLED)
                        err_move(err, &other);
                ok = false;
        }
        return ok;
}

/* ---- rows ---- */

static bool name_rows(Live *l, json_t *entry, const TableRef *source, const TableRef *target,
                      Err *err)
{
        json_t *rows = NULL;
        const char *why = NULL;
        TableRef carried[2] = { *source, *target }, *s = &carried[0], *t = &carried[1];
        s->n_columns -= s->n_computed;
        t->n_columns -= t->n_computed;
        if (s->condition || t->condition)
                why = "only a part of an extension's table is compared";
        else if (!l->same_encoding)
                why = "the two sides have different encodings";
        else if (!rowdiff_find(l->side[0].pg, l->side[1].pg, s, t, &rows, &why, err))
                return err_wrap(err, "looking for the rows that differ in %s", s->key);
        if (rows)
                jx_set(entry, "rows", rows);
        else
                jx_set_str(entry, "rows_unnamed", why);
        return true;
}

/* Both are there. */
static bool compare_one(Live *l, TableRef *s, TableRef *t, const json_t *source,
                        const json_t *target, int *named, Err *err)
{
        json_t *entry = compare_table_records(&l->report, s->key, source, target);
        s->estimate = jx_int(source, "rows", 0);
        t->estimate = jx_int(target, "rows", 0);
        if (entry)
                return (*named)++ >= TABLES_NAMED || name_rows(l, entry, s, t, err);
        bool fine = true;
        Recomputed c = { .source = l->side[0].pg,
                         .target = l->side[1].pg,
                         .s = s,
                         .t = t,
                         .seed = l->seed,
                         .countable = l->same_encoding };
        return !recomputed_differs(source, target) || recomputed_judge(&c, &l->report, &fine, err);
}

static bool compare_rows(Live *l, Err *err)
{
        Side *a = &l->side[0], *b = &l->side[1];
        const TableResult *x = table_reader_results(a->reader),
                          *y = table_reader_results(b->reader);
        int named = 0;
        for (int i = 0, j = 0; i < a->n || j < b->n;) {
                TableRef *s = &a->tables[i], *t = &b->tables[j];
                int order = i == a->n ? 1 : j == b->n ? -1 : strcmp(s->key, t->key);
                AUTO_JSON source = order <= 0 ? table_data_record(s, &x[i], l->method) : NULL;
                AUTO_JSON target = order >= 0 ? table_data_record(t, &y[j], l->method) : NULL;
                if (order == 0) {
                        if (!compare_one(l, s, t, source, target, &named, err))
                                return false;
                } else { /* a missing table is told among the objects, but for an extension's */
                        compare_lone_table(&l->report, order < 0 ? s->key : t->key, source, target);
                }
                i += order <= 0;
                j += order >= 0;
        }
        return true;
}

/* What of the source is no table of its own. */
static bool say_unread(Live *l, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        int64_t views = 0, foreign = 0;
        if (!pg_ask(l->side[0].pg,
                    "select n.nspname, c.relname, c.relkind = 'm' from pg_class c "
                    "join pg_namespace n on n.oid = c.relnamespace where c.relkind "
                    "in ('m', 'f') and " CAT_USER_SCHEMA("n") " and " CAT_NOT_EXT("pg_class",
                                                                                  "c.oid"),
                    &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                bool in = table_scope_has(&l->scope, pg_cell(r, i, 0), pg_cell(r, i, 1));
                views += in && pg_cell_bool(r, i, 2);
                foreign += in && !pg_cell_bool(r, i, 2);
        }
        objects_report_unread(&l->report, views, foreign);
        return true;
}

/* What an extension brought is nobody's object, and a changed row of it nobody's difference:
 * said. */
static bool say_brought(Live *l, Err *err)
{
        AUTO_JSON changed = NULL;
        size_t i;
        json_t *line;
        if (table_scope_narrow(&l->scope))
                return true;
        if (!pg_extension_rows_changed(l->side[0].pg, l->side[1].pg, &changed, err))
                return false;
        AUTO_JSON words = pg_extension_rows_words(changed);
        json_array_foreach(words, i, line)
                report_limit(&l->report, json_string_value(line));
        return true;
}

/* ---- all of it ---- */

static bool both(Live *l, Err *err)
{
        if (!choose_method(l, err) || !side_begin(&l->side[0], &l->scope, err) ||
            !side_begin(&l->side[1], &l->scope, err) || !scope_is_there(l, err) ||
            !start_readers(l, err))
                return false;
        show(l);
        for (int i = 0; i < 2; i++)
                l->objects.snapshots[i] = l->side[i].snapshot;
        if (!objects_compare_live(&l->objects, l->side[0].pg, l->side[1].pg, err) ||
            !wait_readers(l, err) || !compare_rows(l, err) || !say_unread(l, err) ||
            !say_brought(l, err))
                return false;
        const json_t *s = table_reader_large_objects(l->side[0].reader);
        if (s)
                objects_compare_large(&l->objects, s,
                                      table_reader_large_objects(l->side[1].reader));
        compare_sides(&l->report, l->side[0].summary, l->side[1].summary);
        return true;
}

bool pg_compare(Pg *source, Pg *target, const CompareOptions *o, json_t **ret, Err *err)
{
        int64_t began = clock_boot_ms();
        Live l = { .o = o,
                   .seed = row_hash_seed(),
                   .scope = { .schemas = o->schemas, .tables = o->tables },
                   .report = report_new(o->ignore),
                   .side = { { .pg = source, .arena = arena_new() },
                             { .pg = target, .arena = arena_new() } } };
        l.objects = (ObjectsCompare){ .report = &l.report,
                                      .scope = &l.scope,
                                      .map_roles = o->map_roles,
                                      .reprinter = o->reprinter,
                                      .source_major = pg_major(source),
                                      .target_major = pg_major(target) };
        report_scope(&l.report, &l.scope);
        bool ok = pg_later_waits(target, false, &l.report.waits, err) && both(&l, err);
        /* Both stand still before anything goes that either of them reads. */
        l.side[0].reader = table_reader_free(l.side[0].reader);
        l.side[1].reader = table_reader_free(l.side[1].reader);
        side_end(&l.side[0]);
        side_end(&l.side[1]);
        if (ok) {
                jx_set_int(l.report.json, "ms", clock_boot_ms() - began);
                *ret = report_take(&l.report, str_eq(l.method, "stream") ? "deep" : "quick",
                                   l.method);
        }
        report_done(&l.report);
        json_decref(l.objects.pending);
        json_decref(l.report.waits);
        return ok;
}
