"""data_plants.py: changes of a copy's rows, one to a table, each of which the comparison must find; and as many tables left alone, of which it must say nothing.

Every plant keeps the number of rows: what a count would find is no test of a hash. Values are those that `=` calls equal, that a
lossy reader or writer makes of each other, or that add up to the same; and such that only change places."""

# (since which major, type, as it was, as it becomes), of the middle one of three rows
VALUES = [
    (0, "int", "7", "8"), (0, "int", "0", "null"), (0, "int", "-1", "2147483647"), (0, "smallint", "256", "1"),
    (0, "bigint", "-1", "4294967295"), (0, "bigint", "1", "4294967296"), (0, "bigint", "9007199254740993", "9007199254740992"),
    (0, "numeric", "1.0", "1.00"), (0, "numeric", "1e30", "1e30 + 1"), (0, "numeric", "'NaN'", "0"), (0, "numeric(12,2)", "10.10", "10.01"),
    (0, "real", "0", "'-0'"), (0, "real", "0.1", "0.10000002"), (0, "double precision", "0", "'-0'"),
    (0, "double precision", "0.1", "0.1::float8 + 1.4e-17"), (0, "double precision", "'NaN'", "'Infinity'"), (0, "double precision", "0.3", "0.1::float8 + 0.2::float8"),
    (0, "money", "5", "5.01"), (0, "boolean", "false", "null"), (0, "boolean", "true", "false"),
    (0, "text", "''", "null"), (0, "text", "'a'", "'a '"), (0, "text", "'ä'", "U&'a\\0308'"), (0, "text", "E'a\\nb'", "E'a\\r\\nb'"), (0, "text", r"'\N'", "null"),
    (0, "text", "E'a\\tb'", "'a\tb '"), (0, "text", "repeat('x', 3000000)", "overlay(repeat('x', 3000000) placing 'y' from 2999999)"), (0, "varchar(5)", "'abc'", "'abC'"),
    (0, "char(5)", "'ab'", "'ab c'"), (0, "\"char\"", "'a'", "'b'"), (0, "name", "'a'", "'A'"), (0, "bytea", r"'\x00'", r"'\x0000'"), (0, "bytea", r"''", "null"),
    (0, "date", "'2024-02-29'", "'2024-03-01'"), (0, "date", "'infinity'", "'-infinity'"), (0, "date", "'0044-03-15 BC'", "'0044-03-15'"),
    (0, "time", "'12:00'", "'12:00:00.000001'"), (0, "time", "'24:00'", "'00:00'"), (0, "timetz", "'12:00+00'", "'13:00+01'"),
    (0, "timestamp", "'2024-03-31 02:30'", "'2024-03-31 03:30'"), (0, "timestamp", "'infinity'", "'294276-12-31 23:59:59.999999'"),
    (0, "timestamptz", "'2024-10-27 02:30+01'", "'2024-10-27 02:30+02'"), (0, "timestamptz", "'2024-01-01 00:00+00'", "'2024-01-01 00:00:00.000001+00'"),
    (0, "timestamptz", "'2000-01-01 00:00+00'", "'2000-01-01 01:11:34.967297+00'"), (0, "interval", "'1 day'", "'24 hours'"), (0, "interval", "'1 month'", "'30 days'"),
    (0, "timestamptz", "'2109-12-31 23:59:59.999998+00'", "'2109-12-31 23:59:59.999999+00'"), (0, "timestamptz", "'9999-12-31 23:59:59.999998+00'", "'9999-12-31 23:59:59.999999+00'"),
    (0, "timestamp", "'1830-01-01 00:00:00.000001'", "'1830-01-01 00:00:00.000002'"), (0, "timestamp", "'0044-03-15 BC'", "'0044-03-15 00:00:00.000001 BC'"), (0, "timestamptz", "'infinity'", "'-infinity'"),
    (0, "timestamp", "null", "'1970-01-01'"), (0, "double precision", "null", "0"), (0, "real", "'NaN'", "0"), (0, "real", "'Infinity'", "'-Infinity'"),
    (0, "double precision", "'Infinity'", "1.7976931348623157e308"), (0, "interval", "'-1 mon +1 day'", "'-29 days'"), (0, "uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0100-000000000000'"),
    (0, "inet", "'10.0.0.1'", "'10.0.0.1/24'"), (0, "inet", "'::ffff:10.0.0.1'", "'10.0.0.1'"), (0, "cidr", "'10.0.0.0/8'", "'10.0.0.0/9'"),
    (0, "macaddr", "'08:00:2b:01:02:03'", "'08:00:2b:01:03:02'"), (0, "macaddr8", "'08:00:2b:01:02:03:04:05'", "'08:00:2b:01:02:03:05:04'"),
    (0, "json", "'{\"a\":1}'", "'{\"a\": 1}'"), (0, "json", "'{\"a\":1,\"a\":2}'", "'{\"a\":2}'"), (0, "json", "'null'", "null"), (0, "jsonb", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"),
    (0, "jsonb", "'null'", "null"), (0, "jsonb", "'{}'", "'[]'"), (0, "jsonb", "'[[1], 2]'", "'[1, [2]]'"), (0, "jsonb", "'[1, \"1\"]'", "'[\"1\", 1]'"),
    (0, "jsonb", "(select jsonb_agg(n) from generate_series(0, 99) n)", "(select jsonb_agg(case n when 0 then 32 when 32 then 0 else n end) from generate_series(0, 99) n)"),
    (0, "xml", "'<a/>'", "'<a></a>'"), (0, "int[]", "'{1,2}'", "'[0:1]={1,2}'"), (0, "int[]", "'{}'", "null"), (0, "int[]", "'{{1,2},{3,4}}'", "'{{1,2,3,4}}'"),
    (0, "text[]", "'{NULL}'", "'{\"NULL\"}'"), (0, "text[]", "'{\"a,b\"}'", "'{a,b}'"), (0, "bit(8)", "b'00000001'", "b'10000000'"), (0, "varbit", "b'1'", "b'10'"),
    (0, "point", "'(1,2)'", "'(2,1)'"), (0, "box", "'(2,2),(1,1)'", "'(2,2),(0,1)'"), (0, "circle", "'<(1,1),1>'", "'<(1,1),1.0000001>'"), (0, "path", "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"),
    (0, "polygon", "'((0,0),(1,1),(1,0))'", "'((1,1),(1,0),(0,0))'"), (0, "lseg", "'[(0,0),(1,1)]'", "'[(1,1),(0,0)]'"), (0, "line", "'{1,-1,0}'", "'{-1,1,0}'"),
    (0, "tsvector", "'a:1'", "'a:1A'"), (0, "tsvector", "'a b'", "'a'"), (0, "tsquery", "'a & b'", "'a <-> b'"), (0, "int4range", "'empty'", "'[1,2)'"), (0, "numrange", "'[1,2)'", "'[1.0,2)'"),
    (0, "tstzrange", "'[,2024-01-01 00:00+00)'", "'[-infinity,2024-01-01 00:00+00)'"), (14, "int4multirange", "'{[1,3)}'", "'{[1,2),[3,4)}'"), (0, "pg_lsn", "'0/1'", "'1/0'"),
    (0, "pg_lsn[]", "'{0/16B3748,NULL}'", "'{0/16B3748,0/0}'"), (0, "d.at", "row('0/1', 'a/1')", "row('0/1', 'a/00000001')"), (0, "d.lsns", "'[0/1,1/0]'", "'[0/1,1/1]'"), (0, "\"char\"[]", "'{a,b}'", "'{b,a}'"),
    (0, "oid", "4294967295", "0"), (0, "xid", "'3'", "'4'"), (0, "regclass", "'pg_class'", "'pg_type'"), (0, "jsonpath", "'$.a'", "'$.\"a b\"'"),
    (0, "d.mood", "'sad'", "'ok'"), (0, "d.pair", "row(1, 2.0)", "row(1, 2.00)"), (0, "d.pair", "row(null, null)", "null"), (0, "d.price", "1.0", "1.00"), (0, "text collate d.ci", "'word'", "'Word'"),
]

# (columns, rows, the change)
MOVES = [
    ("a int, b int", "(1, 2), (3, 4)", "a = 4 - a"), ("a int, b int", "(1, 2), (3, 4)", "a = b, b = a"), ("a text, b text", "('x', 'y'), ('y', 'x')", "a = 'x', b = 'y'"),
    ("a bigint, b bigint", "(1, 2), (2, 1)", "a = 1, b = 2"), ("a numeric, b text", "(10, 'p'), (20, 'q')", "a = 30 - a"), ("a text, b text", "('ab', 'c'), ('a', 'bc')", "a = 'ab', b = 'bc'"),
    ("a text, b text", "(null, 'x'), ('x', null)", "a = b, b = a where a is null"), ("a int", "(1), (1), (2)", "a = case when ctid = (select min(ctid) from @) then 2 else a end"),
    ("a int", "(1), (4), (5)", "a = case a when 1 then 2 when 4 then 3 else 5 end"), ("a timestamptz, b int", "('2024-01-01 00:00+00', 1), ('2024-01-02 00:00+00', 2)", "b = 3 - b"),
    ("a uuid, b bool", "('00000000-0000-0000-0000-00000000000a', true), ('00000000-0000-0000-0000-00000000000b', false)", "b = not b"),
    ("a jsonb, b int", "('1', 1), ('2', 2)", "a = to_jsonb(3 - (a #>> '{}')::int)"), ("a text, b bytea", "('p', 'x'), ('q', 'y')", "b = case b when 'x' then 'y'::bytea else 'x' end"),
    ("\"; drop\" int, \"$(rm)\" int", "(1, 2), (2, 1)", "\"; drop\" = 1, \"$(rm)\" = 2"), ("a float8, b float8", "(0.5, 1.5), (1.5, 0.5)", "a = 0.5, b = 1.5"),
    ("a int primary key, b text", "(1, 'x'), (2, 'y')", "b = case b when 'x' then 'y' else 'x' end"), ("a date, b date", "('2024-01-01', '2024-01-02')", "a = b, b = a"),
    ("a int, b int generated always as (a % 2) stored", "(1), (3)", "a = a + 2 where a = 1"), ("a inet, b inet", "('10.0.0.1', '10.0.0.2')", "a = b, b = a"),
]


def since(lowest):
    return [v for v in VALUES if v[0] <= lowest]


def made(lowest):
    """Every table twice: one to be changed, one to be left alone."""
    sql = ["create schema d; create type d.mood as enum ('sad', 'ok'); create type d.pair as (a int, b numeric); create domain d.price as numeric; create type d.at as (l pg_lsn, t text); create type d.lsns as range (subtype = pg_lsn);"
           "create collation d.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"]
    for twin in ("plant", "same"):
        for n, (_, kind, was, _) in enumerate(since(lowest)):
            sql.append(f"create table d.{twin}_value_{n} (id int, v {kind}); insert into d.{twin}_value_{n} select 1, null union all select 2, ({was})::{kind} union all select 3, null;")
        for n, (columns, rows, _) in enumerate(MOVES):
            sql.append(f"create table d.{twin}_move_{n} ({columns}); insert into d.{twin}_move_{n} values {rows};")
    return "\n".join(sql)


def changes(lowest):
    """What is done to the copy, and the tables it is done to."""
    sql, tables = [], []
    for n, (_, kind, _, becomes) in enumerate(since(lowest)):
        tables.append(f"d.plant_value_{n}")
        sql.append(f"update {tables[-1]} set v = ({becomes})::{kind} where id = 2")
    for n, (_, _, change) in enumerate(MOVES):
        tables.append(f"d.plant_move_{n}")
        sql.append(f"update {tables[-1]} set {change.replace('@', tables[-1])}")
    return sql, tables
