-- What an older major is told in other words, and keeps.
create schema older;
create table older.v (a int, b text, c int generated always as (a + 1) virtual, "d, (" text generated always as (upper(b) || ')') virtual not null, e int generated always as (a) stored, n int constraint named not null);
insert into older.v (a, b, n) select g, 'row ' || g, g from generate_series(1, 50) g; create index on older.v (a);
create table older.packed (t text compression pglz); insert into older.packed values (repeat('x', 9999)); create unlogged table older.u (id int generated always as identity, s serial); create unlogged sequence older.s; create view older.over as select c, "d, (" from older.v;
grant select, maintain on older.v to :"app" with grant option; grant maintain on older.packed to :"odd"; alter default privileges in schema older grant insert, maintain on tables to :"app"; create publication older_pub for table older.packed; create type older.r as range (subtype = text, multirange_type_name = older.mr); create table older.rs (r older.r); insert into older.rs values ('[a,z)');
create table older.p1 (a int not null, b int); create table older.c1 () inherits (older.p1); alter table older.c1 alter b set not null; create table older.c2 (a int constraint mine not null) inherits (older.p1); alter database :"db" set transaction_timeout = '9h'; alter database :"db" set event_triggers = on;
