-- Every core type, each with the values at its edges; one row of NULLs at the end.
create schema types;
create table types.numbers (id int primary key, i2 smallint, i4 integer, i8 bigint, n numeric, n52 numeric(5,2),
        f4 real, f8 double precision, m money, o oid);
insert into types.numbers values
        (1, -32768, -2147483648, -9223372036854775808, 'NaN', 1.0, 'NaN', 'NaN', '-92233720368547758.08', 0),
        (2, 32767, 2147483647, 9223372036854775807, 1.00, 1.00, '-0', '-0', '92233720368547758.07', 4294967295),
        (3, 0, 0, 0, 1.0, -999.99, 'infinity', '-infinity', '0.01', 1),
        (4, 1, 1, 1, 1e-1000, 0, 1.17549435e-38, 2.2250738585072014e-308, '1', 2),
        (5, 1, 1, 1, 1e1000 + 1, 0.01, 3.4028235e38, 1.7976931348623157e308, '1', 2),
        (6, 1, 1, 1, -0.000, 0.1, 0.1, 0.1, '1', 2),
        (7, null, null, null, null, null, null, null, null, null);
create table types.texts (id int primary key, c char(5), c1 "char", v varchar(7), t text, nm name, b bytea, u uuid);
insert into types.texts values
        (1, 'ab', 'x', 'ab   ', E'a\tb\\n\n\r\b\f\v', 'name', '\x00ff5c0a', '00000000-0000-0000-0000-000000000000'),
        (2, '', '', '', '', '', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
        (3, '    x', E'\\', 'äöü€😀', E'\\N', repeat('n', 63)::name, decode(repeat('5c2e0a', 999), 'hex'), null),
        (4, '\.', '.', '\.', E'\u0001\u001f\u007f\ufeff', '"; drop', '\x', null),
        (5, null, null, null, null, null, null, null);
insert into types.texts (id, t) values (6, repeat('a long value ', 20000));
alter table types.texts alter t set storage external;
create table types.times (id int primary key, d date, t time, tt timetz, ts timestamp, tz timestamptz, i interval);
insert into types.times values
        (1, '4713-01-01 BC', '00:00', '00:00+15:59', '4713-01-01 00:00 BC', '4713-01-02 00:00+00 BC', '-178000000 years'),
        (2, '5874897-12-31', '24:00', '24:00-15:59', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59+00', '178000000 years'),
        (3, 'infinity', '23:59:59.999999', '12:00+00', 'infinity', 'infinity', '1 mon -1 day +1 us'),
        (4, '-infinity', '00:00:00.000001', '12:00:00.5-03:30', '-infinity', '-infinity', '-1 mon +30 days -24:00:00'),
        (5, '0001-01-01', '12:00', '12:00+00', '0001-12-31 00:00 BC', '2025-03-30 01:30+01', '24:00:00'),
        (6, '2000-02-29', '12:00', '12:00+00', '1582-10-10', '2025-10-26 02:30+02', '1 day'),
        (7, null, null, null, null, null, null);
create table types.nets (id int primary key, i inet, c cidr, m macaddr, m8 macaddr8);
insert into types.nets values (1, '0.0.0.0/0', '10.0.0.0/8', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'),
        (2, '::ffff:1.2.3.4', '::/0', 'ff:ff:ff:ff:ff:ff', '00:11:22:33:44:55:66:77'), (3, '10.1.2.3/8', 'fe80::/64', null, null),
        (4, null, null, null, null);
create table types.shapes (id int primary key, p point, l line, s lseg, b box, pa path, po polygon, c circle);
insert into types.shapes values
        (1, '(0,-0)', '{1,-1,0}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),1>'),
        (2, '(Infinity,NaN)', '{0,-1,3}', '[(1e300,0),(-1e300,1)]', '(1e-300,1),(0,0)', '((0,0),(1,1))', '((0.1,0.2))', '<(0.1,0.2),0>'),
        (3, null, null, null, null, null, null, null);
create table types.bits (id int primary key, b bit(3), v bit varying(9), bb boolean);
insert into types.bits values (1, '101', '', true), (2, '000', '111111111', false), (3, null, null, null);
create table types.documents (id int primary key, j json, jb jsonb, jp jsonpath, x xml, tv tsvector, tq tsquery);
insert into types.documents values
        (1, '{"b":1, "a":  2, "a":3, "n": 1.00}', '{"b":1,"a":2,"n":1.00,"z":1e-7}', '$.a[*] ? (@ > 1)', '<a b="c">&lt;</a>', $$'a b':1A,2B 'it''s':3$$, $$'a b' & !c:*A$$),
        (2, 'null', 'null', '$', 'text only', '', ''),
        (3, '"\ud83d\ude00 \\u0000"', '"\ud83d\ude00"', 'strict $."odd key"', '<x/>', 'x', 'a <-> b <3> c'),
        (4, '[]', '[1e400, -0, 1.0]', null, null, null, null);
create table types.catalogs (id int primary key, rc regclass, rt regtype, rp regproc, ro regoperator, rr regrole, l pg_lsn, s txid_snapshot, ti tid);
insert into types.catalogs values (1, 'types.bits', 'int4[]', 'pg_catalog.now', '-(int4,int4)', 'postgres', '16/B374D848', '10:20:10,14,15', '(0,1)'),
        (2, null, null, null, null, null, '0/0', null, null);
create table types.arrays (id int primary key, i int[], t text[], n numeric[][], ts timestamptz[], j jsonb[], b bytea[]);
insert into types.arrays values (1, '{}', '{}', '{}', '{}', '{}', '{}'),
        (2, '[-2:0]={1,2,3}', '{NULL,"NULL","","{}","a,b","q\"q","b\\s"}', '[0:1][5:6]={{1.0,1.00},{NaN,-1}}', '{infinity,"2000-01-01 00:00+00"}', '{"{}","[1]"}', '{"\\x00",""}'),
        (3, '{{1,2},{3,4}}', array[repeat('x', 5000)], null, null, null, null), (4, array_fill(7, array[300]), null, null, null, null, null);
create table types.ranges (id int primary key, i int4range, b int8range, n numrange, d daterange, ts tsrange, tz tstzrange);
insert into types.ranges values (1, 'empty', 'empty', 'empty', 'empty', 'empty', 'empty'),
        (2, '(,)', '[,5)', '(1.0,1.00]', '[-infinity,infinity]', '[2000-01-01,infinity]', '(,2000-01-01 00:00+00]'),
        (3, '[1,1]', '[-9223372036854775808,9223372036854775806]', '[NaN,NaN]', null, null, null);
create type types.mood as enum ('sad', 'it''s "ok"', 'häppy 😀', '');
alter type types.mood add value 'first' before 'sad';
create domain types.email as text collate "C" default 'a@b' not null constraint looks_right check (value ~ '@') constraint short check (length(value) < 99);
create domain types.emails as types.email[] check (array_length(value, 1) < 9);
create type types.pair as (a int, "B b" text collate "POSIX", m types.mood);
create type types.nested as (p types.pair, ps types.pair[], e types.email);
create type types.floatrange as range (subtype = float8, subtype_diff = float8mi);
create table types.made (id int primary key, m types.mood, e types.email, es types.emails, p types.pair, n types.nested, f types.floatrange, ms types.mood[], pd types.pair[]);
insert into types.made values
        (1, 'häppy 😀', 'x@y', '{a@b,c@d}', '(1,"a,b(""q"")",sad)', '("(2,,)","{""(3,x,first)""}",n@n)', '[-0,infinity)', '{sad,""}', array[(1, '', '')::types.pair]),
        (2, '', default, null, '(,,)', null, 'empty', '{}', '{}');
create table types.typed of types.pair (a with options primary key, constraint typed_check check ("B b" <> 'no'));
insert into types.typed values (1, 'yes', 'sad');
comment on type types.mood is 'a mood';
comment on domain types.email is 'a domain';
comment on constraint looks_right on domain types.email is 'of a domain';
comment on column types.pair."B b" is 'of a composite';
create table types.inner_ones (id int primary key, x xid, c cid, ov oidvector, iv int2vector, rc refcursor, ac aclitem, acs aclitem[], rn regnamespace, rf regconfig, rd regdictionary, rt tid[], bx box[]);
insert into types.inner_ones values (1, '4294967295', '1', '1 2 3', '-1 2', 'a "cursor"', 'postgres=arw*/postgres', '{=r/postgres,postgres=a*/postgres}', 'types', 'pg_catalog.simple', 'pg_catalog.simple', '{"(0,1)","(4294967295,65535)"}', '{(1,1),(0,0);(2,2),(1,1)}'),
        (2, '0', '0', '', '', '', null, '{}', null, null, null, '{}', '{}');
\if :since13
create table types.inner_ones_of_13 (id int primary key, x8 xid8, s pg_snapshot, rl regcollation);
insert into types.inner_ones_of_13 values (1, '18446744073709551615', '10:20:10,14,15', '"C"'), (2, '0', '10:10:', null);
\endif
create domain types.pair_of as types.pair check ((value).a > 0); create domain types.short_email as types.email check (length(value) < 20); create domain types.days as daterange check (not isempty(value));
create table types.over (id int primary key, p types.pair_of, e types.short_email, es types.short_email[], ps types.pair_of[], d types.days, ds types.days[]);
insert into types.over values (1, '(1,x,sad)', 's@t', '{a@b}', array['(2,"y,",first)'::types.pair_of], '[2000-01-01,infinity)', '{"[2000-01-01,2000-02-01)","(,)"}'), (2, null, 'n@n', null, '{}', null, '{}');
create table types.recursive (id int primary key, of_all types.numbers, many types.texts[]); insert into types.recursive select 1, row(n.*)::types.numbers, (select array_agg(row(t.*)::types.texts order by t.id) from types.texts t where t.id < 5) from types.numbers n where n.id = 1;
create type types.altered as (a int, gone text, b numeric(5,1)); create table types.of_altered (x types.altered); insert into types.of_altered values ('(1,t,2.5)'); alter type types.altered add attribute c types.mood; alter type types.altered drop attribute gone; insert into types.of_altered values ('(2,3.5,sad)');
