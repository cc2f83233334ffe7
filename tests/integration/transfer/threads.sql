-- Some of everything that workers do at the same time.
create table parent (id int primary key, name text unique, body jsonb);
insert into parent select g, md5(g::text), jsonb_build_object('a', g, 'b', md5((g * 3)::text))
  from generate_series(1, 40000) g;
create index on parent using gin (body);
create table child (id int primary key, parent int references parent, note text);
insert into child select g, g % 40000 + 1, repeat(md5(g::text), 2) from generate_series(1, 60000) g;
create index on child (parent);
create index on child (note);
create table root (id int, k int, primary key (id, k)) partition by range (k);
create table root_1 partition of root for values from (0) to (5);
create table root_2 partition of root for values from (5) to (10);
insert into root select g, g % 10 from generate_series(1, 20000) g;
select format('create table small_%s (id int primary key, parent int references parent); '
  'insert into small_%s select g, g from generate_series(1, 20) g', n, n) from generate_series(1, 60) n \gexec
create materialized view one as select count(*) from child;
create materialized view two as select count(*) from parent;
select lo_from_bytea(0, decode(repeat(md5(g::text), 16), 'hex')) from generate_series(1, 300) g
  \g /dev/null
