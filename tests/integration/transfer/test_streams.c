/* Rows by every road: binary and text, whole and in parts, over the wire and through a bundle. */
#include "../pg/lab.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "transfer/choose/content.h"
#include "transfer/read/format.h"
#include "transfer/read/part.h"
#include "transfer/read/parts_plan.h"
#include "transfer/read/source.h"
#include "transfer/state/transfer_state.h"
#include "tests/fakes/scratch.h"

#define OK(call) cr_assert((call), "%s", err.message ? err.message : "")

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 15, 17, 18, 0 });
}

/* clang-format off */
/* Edge values of every core type that has a binary form; `%s` in the table's name. */
#define EDGES                                                                                      \
        "create type mood as enum ('sad', '\"ok\", \\ ''happy''');"                                  \
        "create domain small as int check (value < 100);"                                          \
        "create type pair as (a int, b text);"                                                     \
        "create type nest as (m mood, s small[]);"                                                 \
        "create type span as range (subtype = float8);"                                            \
        "create table \"Evil \"\"t\"\" 1\" (\"a b\" bool, b bytea, c \"char\", n name, i2 int2, i4 int4, "  \
        "i8 int8, o oid, f4 float4, f8 float8, nu numeric, nu2 numeric(10,2), mo money, t text, "    \
        "vc varchar(5), ch char(5), bi bit(3), vb varbit, j json, jb jsonb, jp jsonpath, u uuid, "   \
        "d date, ti time, tz timetz, ts timestamp, tstz timestamptz, pt point, ls lseg, li line, "   \
        "bx box, pa path, po polygon, ci circle, ine inet, cid cidr, ma macaddr, m8 macaddr8, "      \
        "tv tsvector, tq tsquery, lsn pg_lsn, sn pg_snapshot, x8 xid8, tid tid, ov oidvector, "      \
        "iv int2vector, ai int[], at text[], ats timestamptz[], sm small, mo_ mood, ir int4range, "  \
        "nr numrange, tr tstzrange, sp span);"                                                     \
        "insert into \"Evil \"\"t\"\" 1\" default values;"                                               \
        "insert into \"Evil \"\"t\"\" 1\" values (true, '\\x00ff0a0d5c', '\\', 'näme', -32768, -2147483648, "\
        "-9223372036854775808, 4294967295, '-0', 'NaN', 'NaN', -99999999.99, '-92233720368547758.08', "\
        "E'tab\\tnl\\nbs\\\\ \\\\N end', 'ä', 'a', '101', '', '{\"a\" : 1.0,  \"a\":2}', '{\"b\": [1e400]}', "  \
        "'$.a[*] ? (@ > 1)', '00000000-0000-0000-0000-000000000000', '4713-01-01 BC', '24:00', "     \
        "'23:59:60+15:59', '-infinity', 'infinity', '(-0,Infinity)', '((0,0),(1,1))', '{1,-1,0}', "   \
        "'((1,1),(0,0))', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0,0),1e-300>', '::1/64', "      \
        "'10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'a:1A fat:2B,4C', "           \
        "'fat & (rat | !cat:*)', 'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', '18446744073709551615', "    \
        "'(4294967295,65535)', '1 2 3', '1 -2', '[0:1][-1:0]={{1,NULL},{3,4}}', "                  \
        "'{\"a,b\",NULL,\"NULL\",\"\"}', '{infinity,NULL}', 99, '\"ok\", \\ ''happy''', 'empty', "           \
        "'(,1.50]', '[-infinity,infinity]', '[-Infinity,NaN]');"                                   \
        "insert into \"Evil \"\"t\"\" 1\" (f4, f8, nu, nu2, t, d, ts, ai) values ('Infinity', "             \
        "'4.9406564584124654e-324', '-0.000000000000000000000000000001', 0.00, repeat(E'\\n', 200000), "\
        "'infinity', '294276-12-31 23:59:59.999999', '{}');"                                       \
        "create table with_interval (i interval); insert into with_interval values "              \
        "('178000000 years -5 days 12:00:00.000001'), ('-1 mon +1 day -0.000001'), (null);"         \
        "create table of_users (a mood[], b pair, c nest, d pair[]); insert into of_users values "  \
        "('{sad,NULL}', '(1,\"x,\\\"y\")', '(sad,\"{1,NULL}\")', '{\"(2,)\",NULL}');"                     \
        "create table with_reg (r regclass, p regproc[], x xml); insert into with_reg values "      \
        "('pg_class', '{pg_catalog.now}', '<?xml version=\"1.0\" encoding=\"latin1\"?><a>ä</a>');"      \
        "create table no_columns (); insert into no_columns default values;"                        \
        "create table empty_one (a int);"                                                          \
        "create table pg_temp_like (pg_temp_like int, ctid_ text); "                               \
        "insert into pg_temp_like select g, repeat('x', g % 700) from generate_series(1, 60000) g;"
/* clang-format on */

typedef struct Sides {
        int a, b;
        char *x, *y;
        Pg *from, *to;
        Arena *arena;
        Content c;
        Transfer *t;
} Sides;

/* The same name again, with an encoding of its own. */
static void encode(int major, const char *database, const char *encoding)
{
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *drop = xasprintf("drop database \"%s\"", database);
        AUTO_FREE char *make =
                xasprintf("create database \"%s\" encoding '%s' lc_collate 'C' lc_ctype 'C' "
                          "template template0",
                          database, encoding);
        lab_do(pg, drop);
        lab_do(pg, make);
}

static void sides_open(Sides *s, int a, int b, const char *encoding, const char *schema)
{
        AUTO_ERR err = { 0 };
        *s = (Sides){ .a = a,
                      .b = b,
                      .x = lab_database(a, "from"),
                      .y = lab_database(b, "to"),
                      .arena = arena_new(),
                      .t = transfer_new(&(TransferHooks){ 0 }) };
        if (encoding) {
                encode(a, s->x, encoding);
                encode(b, s->y, encoding);
        }
        s->from = lab_open(a, s->x);
        s->to = lab_open(b, s->y);
        lab_do(s->from, "set search_path = public");
        lab_do(s->from, schema);
        lab_do(s->to, "set search_path = public; set xmloption = content");
        lab_do(s->to, schema);
        AUTO_FREE char *all =
                lab_value(s->to, "select string_agg(format('truncate %s', c.oid::regclass), "
                                 "';') from pg_class c where relkind = 'r' and "
                                 "relnamespace = 'public'::regnamespace");
        lab_do(s->to, all);
        lab_do(s->from, "set search_path = pg_catalog");
        lab_do(s->from, "analyze");
        OK(source_content(s->from, s->arena, &s->c, &err));
}

static void sides_close(Sides *s)
{
        content_done(&s->c);
        transfer_free(s->t);
        arena_free(s->arena);
        pg_close(s->from);
        pg_close(s->to);
        lab_drop(s->a, s->x);
        lab_drop(s->b, s->y);
        free(s->x);
        free(s->y);
}

/* What a person would see of every row of a table, in one number. */
static char *seen(Pg *pg, const Table *t)
{
        AUTO_FREE char *name = xasprintf("select quote_ident('%s')", t->name);
        AUTO_FREE char *quoted = lab_value(pg, name);
        AUTO_FREE char *q =
                xasprintf("select count(*) || ' ' || coalesce(md5(string_agg(v, '|' order by v "
                          "collate \"C\")), '-') from (select (zz.*)::text collate \"C\" as v "
                          "from public.%s zz) y",
                          quoted);
        return lab_value(pg, q);
}

static void same(Sides *s)
{
        for (size_t i = 0; i < s->c.n_tables; i++) {
                AUTO_FREE char *a = seen(s->from, &s->c.tables[i]);
                AUTO_FREE char *b = seen(s->to, &s->c.tables[i]);
                cr_assert_str_eq(a, b, "%d -> %d, %s (%s)", s->a, s->b, s->c.tables[i].name,
                                 s->c.tables[i].binary ? "binary" : "text");
        }
}

static Table *table(Sides *s, const char *name)
{
        for (size_t i = 0; i < s->c.n_tables; i++)
                if (str_eq(s->c.tables[i].name, name))
                        return &s->c.tables[i];
        cr_assert(false, "no table %s", name);
        return NULL;
}

static void copy_all(Sides *s)
{
        AUTO_ERR err = { 0 };
        PartSink sink = { .t = s->t, .to = s->to, .encoding = content_encoding(&s->c) };
        for (size_t i = 0; i < s->c.n_tables; i++) {
                Part p = { .table = &s->c.tables[i], .end = -1, .of = 1 };
                OK(part_copy(&sink, s->from, &p, &err));
        }
        same(s);
}

static void there(int a, int b, bool portable)
{
        AUTO_ERR err = { 0 };
        Sides s;
        sides_open(&s, a, b, NULL, EDGES);
        OK(format_choose(s.from, s.to, false, portable, &s.c, &err));
        cr_assert_eq(table(&s, "Evil \"t\" 1")->binary, !portable);
        cr_assert_eq(table(&s, "pg_temp_like")->binary, !portable);
        cr_assert_eq(table(&s, "with_interval")->binary, !portable && !(a >= 17 && b < 17));
        cr_assert_eq(table(&s, "of_users")->binary, !portable && b >= 14);
        cr_assert_not(table(&s, "with_reg")->binary);
        copy_all(&s);
        sides_close(&s);
}

Test(streams, edge_values_arrive_from_13_on_18_in_binary)
{
        there(13, 18, false);
}
Test(streams, edge_values_arrive_from_18_on_13_in_binary)
{
        there(18, 13, false);
}
Test(streams, edge_values_arrive_from_15_on_17_in_binary)
{
        there(15, 17, false);
}
Test(streams, edge_values_arrive_from_13_on_18_as_text)
{
        there(13, 18, true);
}
Test(streams, edge_values_arrive_from_18_on_13_as_text)
{
        there(18, 13, true);
}

/* In parts out of the source, into the target and a bundle at once; then out of the bundle. */
static void in_parts(int a, int b, bool portable, const char *key)
{
        AUTO_ERR err = { 0 };
        Sides s;
        AUTO_FREE char *dir = scratch_on_disk();
        BundleDone done = { 0 };
        enum { N = 3 };
        sides_open(&s, a, b, NULL,
                   EDGES "alter table pg_temp_like add unique (pg_temp_like); "
                         "insert into pg_temp_like values (null, 'no key'), (null, null);");
        OK(format_choose(s.from, s.to, true, portable, &s.c, &err));
        Table *t = table(&s, "pg_temp_like");
        t->key = key;
        /* rows before and behind of what was known when it was cut, and a part without rows */
        Part parts[N] = { { t, key ? 100 : 0, key ? 5000 : 9, 0, N },
                          { t, key ? 5000 : 9, key ? 5000 : 9, 1, N },
                          { t, key ? 5000 : 9, key ? 50000 : 20, 2, N } };
        AUTO_FREE char *path = xasprintf("%s/x.pgs.tar", dir);
        AUTO_BUNDLEWRITER w = NULL;
        OK(bundle_create(path, &(BundleOptions){ .chunk = 100000 }, &w, &err));
        PartSink sink = {
                .t = s.t, .to = s.to, .bundle = w, .encoding = "UTF8", .bundle_dir = "db"
        };
        for (int i = N - 1; i >= 0; i--) {
                OK(part_copy(&sink, s.from, &parts[i], &err));
                part_add(&parts[i]);
        }
        cr_assert_eq(t->rows, 60002);
        cr_assert_gt(parts[0].rows, 0);
        cr_assert_eq(parts[1].rows, 0);
        AUTO_FREE char *source = seen(s.from, t);
        AUTO_FREE char *target = seen(s.to, t);
        cr_assert_str_eq(source, target);
        AUTO_JSON record = table_record(&sink, t);
        jx_set(bundle_manifest(w), "databases",
               json_pack("[{s:s, s:s, s:[O]}]", "name", "db", "dir", "db", "tables", record));
        OK(bundle_finish(w, &done, &err));

        AUTO_BUNDLE bundle = NULL;
        OK(bundle_open(path, &bundle, &err));
        Table stored = *t;
        Part *back;
        lab_do(s.to, "truncate pg_temp_like");
        stored.size = (int64_t)1 << 40;
        stored.rows = stored.bytes = 0;
        stored.hash = 0;
        size_t n = parts_plan_stored(&stored, bundle, record, 1, 4, s.arena, &back);
        cr_assert_gt(n, 4);
        PartSink in = { .t = s.t, .to = s.to };
        for (size_t i = n; i-- > 0;) {
                OK(part_restore(&in, bundle, record, &back[i], &err));
                part_add(&back[i]);
        }
        OK(table_as_recorded(&stored, record, &err));
        AUTO_FREE char *restored = seen(s.to, t);
        cr_assert_str_eq(source, restored);

        lab_do(s.to, "truncate pg_temp_like");
        Part whole = { .table = &stored, .end = -1, .of = 1 };
        OK(part_restore(&in, bundle, record, &whole, &err));
        AUTO_FREE char *again = seen(s.to, t);
        cr_assert_str_eq(source, again);
        /* a row that is not as the manifest says takes the whole table back */
        jx_set_int(record, "rows", 60003);
        whole = (Part){ .table = &stored, .end = -1, .of = 1 };
        lab_do(s.to, "truncate pg_temp_like");
        cr_assert_not(part_restore(&in, bundle, record, &whole, &err));
        AUTO_FREE char *none = lab_value(s.to, "select count(*) from pg_temp_like");
        cr_assert_str_eq(none, "0");
        free(done.path);
        sides_close(&s);
        AUTO_ERR ignored = { 0 };
        cr_assert(io_remove_tree(dir, &ignored));
}

Test(streams, parts_by_block_are_one_stream_in_binary)
{
        in_parts(18, 17, false, NULL);
}
Test(streams, parts_by_block_are_one_stream_as_text)
{
        in_parts(18, 17, true, NULL);
}
Test(streams, parts_by_key_are_one_stream_in_binary)
{
        in_parts(13, 18, false, "pg_temp_like");
}

/* ---- encodings ---- */

/* Bytes as they are in the source's files: no session may convert them on their way. */
static void encoded(const char *encoding, const char *bytes, const char *clients)
{
        AUTO_ERR err = { 0 };
        Sides s;
        sides_open(&s, 15, 18, encoding, "create table t (a text, n name, b int)");
        AUTO_FREE char *fill = xasprintf("insert into public.t select convert_from('%s', '%s'), "
                                         "convert_from('%s', '%s'), 1",
                                         bytes, encoding, bytes, encoding);
        AUTO_FREE char *client = xasprintf("set client_encoding = '%s'", clients);
        lab_do(s.from, fill);
        lab_do(s.from, client);
        OK(format_choose(s.from, s.to, true, false, &s.c, &err));
        cr_assert_not(s.c.tables[0].binary, "%s goes as text", encoding);
        copy_all(&s);
        AUTO_FREE char *want =
                lab_value(s.from, "select encode(a::bytea, 'hex') || encode(n::text::bytea, "
                                  "'hex') from public.t");
        AUTO_FREE char *got =
                lab_value(s.to, "select encode(a::bytea, 'hex') || encode(n::text::bytea, "
                                "'hex') from public.t");
        cr_assert_str_eq(want, got);
        sides_close(&s);
}

Test(streams, latin1_keeps_its_bytes)
{
        encoded("LATIN1", "\\x61e4ff0a", "UTF8");
}
/* Two codes of NEC and IBM for one character: through Unicode one of them would be lost. */
Test(streams, euc_jp_keeps_its_bytes)
{
        encoded("EUC_JP", "\\xade2a4a2a2cc", "UTF8");
}
Test(streams, sql_ascii_keeps_bytes_that_are_no_text)
{
        encoded("SQL_ASCII", "\\xff8041fe", "SQL_ASCII");
}

Test(streams, binary_rows_are_refused_when_a_session_would_convert_them)
{
        AUTO_ERR err = { 0 };
        Sides s;
        sides_open(&s, 15, 18, NULL, "create table t (a text)");
        OK(format_choose(s.from, s.to, false, false, &s.c, &err));
        cr_assert(s.c.tables[0].binary);
        lab_do(s.to, "set client_encoding = latin1");
        PartSink sink = { .t = s.t, .to = s.to, .encoding = "UTF8" };
        Part p = { .table = &s.c.tables[0], .end = -1, .of = 1 };
        cr_assert_not(part_copy(&sink, s.from, &p, &err));
        cr_assert_not_null(strstr(err.message, "LATIN1"), "%s", err.message);
        sides_close(&s);
}
