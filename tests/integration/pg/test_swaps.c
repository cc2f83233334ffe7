/* Values that change places must change the sum that stands for a table: 10 000 plants, none
 * missed.
 *
 * Every plant is six rows, twice: as they were, and with one change. The servers hash both with the
 * very SQL of the quick proof, so that one statement says which plants it would have missed. */
#include <stdio.h>

#include "base/rowhash.h"
#include "pg/catalog.h"
#include "pg/compare.h"
#include "pg/tablelist.h"
#include "lab.h"

enum { PLANTS = 10000 };

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 13, 15, 17, 18, 0 });
}

/* "p.k" is the kind of the plant, "p.after" says which of its two sides; r is the row. */
#define BETWEEN(column)                                                                            \
        "update plants a set " column " = b." column                                               \
        " from plants b where a.after and not b.after and "                                        \
        "a.k = %d and b.p = a.p and (a.r, b.r) in ((1, 2), (2, 1))"
static const char *const kinds[] = {
        BETWEEN("a"),
        BETWEEN("b"),
        BETWEEN("balance"),
        BETWEEN("t"),
        BETWEEN("v"),
        BETWEEN("at"),
        BETWEEN("flag"),
        BETWEEN("doc"),
        BETWEEN("bytes"),
        BETWEEN("id"),
        BETWEEN("f"),
        BETWEEN("list"),
        BETWEEN("day"),
        BETWEEN("span"),
        BETWEEN("mood"),
        BETWEEN("ip"),
        BETWEEN("hour"),
        BETWEEN("c"),
        BETWEEN("dom"),
        BETWEEN("lsn"),
        /* a NULL moves to another row */
        BETWEEN("maybe"),
        /* three rows in a circle */
        "update plants a set balance = b.balance from plants b where a.after and not b.after and "
        "a.k = %d and b.p = a.p and (a.r, b.r) in ((1, 2), (2, 3), (3, 1))",
        /* columns of one row; of all rows; of two rows */
        "update plants set a = b, b = a where after and k = %d and r = 1",
        "update plants set a = b, b = a where after and k = %d",
        "update plants set t = v, v = t where after and k = %d and r = 4",
        "update plants x set a = y.b from plants y where x.after and not y.after and x.k = %d and "
        "y.p = x.p and (x.r, y.r) in ((1, 2))",
        /* a column that was NULL gets the value of its neighbour */
        "update plants set maybe = sure, sure = maybe where after and k = %d and r = 2",
        /* one row twice, another one not at all */
        "update plants x set (a, b, big, balance, t, v, at, flag, doc, bytes, id, f, list, day, "
        "span, mood, ip, hour, c, dom, lsn, maybe, sure, small) = (select a, b, big, balance, t, "
        "v, at, flag, doc, bytes, id, f, list, day, span, mood, ip, hour, c, dom, lsn, maybe, "
        "sure, small from plants y where y.p = x.p and y.r = 5 and not y.after) where x.after and "
        "x.k = %d and x.r = 6",
        /* money moves */
        "update plants set balance = balance + case r when 1 then 5 else -5 end where after and k "
        "= %d and r in (1, 2)",
        "update plants set big = big + case r when 1 then 1 else -1 end where after and k = %d and "
        "r in (3, 4)",
        /* halves of a number: -1 and 4294967295 have one hash of 32 bits, and so have these */
        "update plants set big = case when after then 4294967295 else -1 end where k = %d and r = "
        "1",
        "update plants set big = case when after then p::bigint << 32 else p end where k = %d and "
        "r = 1",
        "update plants set at = case when after then timestamptz '2000-01-01 00:00:00+00' + "
        "interval '4294.967295 s' - p * interval '1 us' else timestamptz '1999-12-31 "
        "23:59:59.999999+00' - p * interval '1 us' end where k = %d and r = 1",
        "update plants set lsn = case when after then '1/0'::pg_lsn else '0/1'::pg_lsn end where k "
        "= %d and r = 2",
        /* what `=` calls equal */
        "update plants set balance = case when after then 1.00 else 1.0 end where k = %d and r = 1",
        "update plants set f = case when after then '-0'::float8 else 0 end where k = %d and r = 1",
        "update plants set span = case when after then interval '24 hours' else interval '1 day' "
        "end where k = %d and r = 1",
        "update plants set t = case when after then '' end where k = %d and r = 3",
        "update plants set t = case when after then 'ab' else 'a' end, v = case when after then "
        "'c' else 'bc' end where k = %d and r = 1",
        "update plants set t = case when after then 'x' || r else 'x' || (7 - r) end where k = %d "
        "and r in (2, 5)",
};

static void make(Pg *pg)
{
        lab_do(pg, "set search_path = public; create type mood as enum ('sad', 'ok', 'fine', "
                   "'glad', 'happy', 'gone', 'more'); create domain amount as bigint check (value "
                   ">= 0); create table plants (p int, k int, after bool, r int, a int, b int, "
                   "small smallint, big bigint, balance numeric, t text, v varchar(40), at "
                   "timestamptz, flag bool, doc jsonb, bytes bytea, id uuid, f float8, list int[], "
                   "day date, span interval, mood mood, ip inet, hour time, c char(9), dom amount, "
                   "lsn pg_lsn, maybe text, sure text)");
        AUTO_FREE char *fill = xasprintf(
                "insert into plants select p, p %% %zu, s = 1, r, p * 7 + r, p * 11 + r + 900000, "
                "r, p * 100 + r, (p %% 97) + r / 4.0, 'user ' || r || ' of ' || p, 'mail' || r || "
                "'@' || p, timestamptz '2024-03-01 00:00+00' + p * interval '1 min' + r * interval "
                "'1 s', r %% 2 = 0, jsonb_build_object('n', r, 'p', p), decode(md5(r || 'b' || p), "
                "'hex'), md5(r || 'u' || p)::uuid, p + r / 8.0, array[p, r, null], date "
                "'2020-01-01' + p %% 999 + r, r * interval '1 day' + p * interval '1 s', "
                "(enum_range(null::mood))[r], ('10.0.' || r || '.' || p %% 200)::inet, time "
                "'10:00' + r * interval '1 min', 'c' || r, p * 6 + r, ('0/' || to_hex(p * 8 + "
                "r))::pg_lsn, case when r <> 1 then 'm' || r || p end, 's' || r || p from "
                "generate_series(1, %d) p, generate_series(0, 1) s, generate_series(1, 6) r",
                LEN(kinds), PLANTS);
        lab_do(pg, fill);
        lab_do(pg, "create index on plants (k, p); analyze plants");
        for (size_t i = 0; i < LEN(kinds); i++) {
                AUTO_FREE char *k = xasprintf("%zu", i);
                const char *mark = strstr(kinds[i], "%d");
                AUTO_FREE char *whole =
                        xasprintf("%.*s%s%s", (int)(mark - kinds[i]), kinds[i], k, mark + 2);
                lab_do(pg, whole);
        }
}

/* Without what only tells the plants apart. */
static TableRef only_data(const TableRef *t, TableColumn *kept)
{
        static const char *const ours[] = { "p", "k", "after", "r", NULL };
        TableRef ret = *t;
        ret.columns = kept;
        ret.n_columns = 0;
        for (int i = 0; i < t->n_columns; i++) {
                bool mine = false;
                for (int j = 0; ours[j]; j++)
                        mine = mine || str_eq(ours[j], t->columns[i].name);
                if (!mine)
                        kept[ret.n_columns++] = t->columns[i];
        }
        return ret;
}

static void plants_of(int major)
{
        AUTO_ERR err = { 0 };
        AUTO_ARENA arena = arena_new();
        AUTO_FREE char *name = lab_database(major, "swaps");
        AUTO_PG Pg *pg = lab_open(major, name);
        TableColumn kept[64];
        TableRef *tables;
        int n;
        make(pg);
        cr_assert(table_list(pg, arena, NULL, &tables, &n, &err), "%s", err.message);
        cr_assert_eq(n, 1);
        TableRef t = only_data(&tables[0], kept);
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *missed = NULL;
        uint64_t seed = row_hash_seed();
        sql_add(&q, "select k, count(*) from (select k, p, sum(");
        table_hash_sql(&q, &t, t.n_columns, seed);
        sql_add(&q, ") filter (where after) = sum(");
        table_hash_sql(&q, &t, t.n_columns, seed);
        sql_add(&q, ") filter (where not after) as same from plants pgsherpa_row group by k, p) x "
                    "where same group by 1");
        cr_assert(pg_query(pg, &q, &missed, &err), "%s", err.message);
        for (int i = 0; i < pg_rows(missed); i++)
                cr_expect(false, "%s plants missed: %s", pg_cell(missed, i, 1),
                          kinds[pg_cell_int(missed, i, 0)]);
        lab_drop(major, name);
}

/* Neighbours among times and floats, where doubles are dense and where they are not: each has a
 * hash of its own. */
static const char *const neighbours[] = {
        "create table neighbours as select s + n * interval '1 us' as v from "
        "unnest(array['0044-03-15 BC', '0001-01-01', '1829-12-31 23:59:59.99', '1969-12-31 "
        "23:59:59.99', '1999-12-31 23:59:59.99', '2024-03-01', '2109-12-31 23:59:59.99', "
        "'9999-01-01', '294276-12-31 23:59:59.9']::timestamptz[]) s, generate_series(1, 20000) n",
        "create table neighbours as select s + n * interval '1 us' as v from "
        "unnest(array['0044-03-15 BC', '1829-12-31 23:59:59.99', '2109-12-31 23:59:59.99', "
        "'5000-01-01']::timestamp[]) s, generate_series(1, 20000) n",
        "create table neighbours as select v from (values ('0'::float8), ('-0'), ('1'), ('-1'), "
        "('NaN'), ('Infinity'), ('-Infinity'), ('5e-324'), ('-5e-324'), "
        "('2.2250738585072014e-308'), ('1.7976931348623157e308'), (null), ('0.1'), "
        "('0.10000000000000002'), ('0.30000000000000004'), ('0.3'), ('1e15'), "
        "('1000000000000000.1')) x(v)",
        "create table neighbours as select v from (values ('0'::float4), ('-0'), ('1'), ('-1'), "
        "('NaN'), ('Infinity'), ('-Infinity'), ('1e-45'), ('-1e-45'), ('3.4028235e38'), (null), "
        "('0.1'), ('0.10000001')) x(v)",
};

static void told_apart(Pg *pg, const char *made)
{
        AUTO_ERR err = { 0 };
        AUTO_ARENA arena = arena_new();
        AUTO_SQL q = { 0 };
        AUTO_FREE char *same = NULL;
        TableRef *tables;
        int n;
        lab_do(pg, made);
        cr_assert(table_list(pg, arena, NULL, &tables, &n, &err) && n == 1, "%s", err.message);
        sql_add(&q, "select count(*) - count(distinct ");
        table_hash_sql(&q, &tables[0], tables[0].n_columns, row_hash_seed());
        sql_add(&q, ") from neighbours pgsherpa_row");
        cr_assert(pg_query_value(pg, &q, &same, &err), "%s", err.message);
        cr_expect_str_eq(same, "0", "%s have the hash of another one: %s", same, made);
        lab_do(pg, "drop table neighbours");
}

Test(swaps, neighbours_are_told_apart)
{
        static const int majors[] = { 13, 15, 17, 18 };
        for (size_t m = 0; m < LEN(majors); m++) {
                AUTO_FREE char *name = lab_database(majors[m], "neighbours");
                AUTO_PG Pg *pg = lab_open(majors[m], name);
                lab_do(pg, "set search_path = public");
                for (size_t i = 0; i < LEN(neighbours); i++)
                        told_apart(pg, neighbours[i]);
                lab_drop(majors[m], name);
        }
}

static char *content(Pg *pg)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON large = NULL;
        cr_assert(table_data_large_objects(pg, 5, &large, &err), "%s", err.message);
        return xstrdup(jx_str(large, "content", ""));
}

/* Pages of the same size, exchanged between objects and between places of one. */
Test(swaps, pages_of_large_objects_that_change_places_are_seen)
{
        static const int majors[] = { 13, 15, 17, 18 };
        static const char *const swaps[] = {
                "select lo_put(101, 0, lo_get(102, 0, 2048)), lo_put(102, 0, lo_get(101, 0, 2048))",
                "select lo_put(101, 0, lo_get(101, 2048, 2048)), lo_put(101, 2048, lo_get(101, 0, "
                "2048))",
                "select lo_put(101, 2048, lo_get(102, 0, 2048)), lo_put(102, 0, lo_get(101, 2048, "
                "2048))"
        };
        for (size_t m = 0; m < LEN(majors); m++) {
                AUTO_FREE char *name = lab_database(majors[m], "swaps_lo");
                AUTO_PG Pg *pg = lab_open(majors[m], name);
                lab_do(pg, "select lo_from_bytea(o, convert_to(repeat(md5(o::text), 64) || "
                           "repeat(md5(o || 'b'), 64), 'UTF8')) from generate_series(101, 103) o");
                for (size_t i = 0; i < LEN(swaps); i++) {
                        AUTO_FREE char *before = content(pg);
                        lab_do(pg, swaps[i]);
                        AUTO_FREE char *after = content(pg);
                        cr_expect(!str_eq(before, after), "%d: %s", majors[m], swaps[i]);
                }
                lab_drop(majors[m], name);
        }
}

Test(swaps, none_is_missed_on_13)
{
        plants_of(13);
}
Test(swaps, none_is_missed_on_15)
{
        plants_of(15);
}
Test(swaps, none_is_missed_on_17)
{
        plants_of(17);
}
Test(swaps, none_is_missed_on_18)
{
        plants_of(18);
}
