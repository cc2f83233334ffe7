create schema since19;
create table since19.a (i int primary key, ip inet, n int); insert into since19.a values (1, '10.0.0.1', 2), (2, '::1', 3); create table since19."b ;--" (i int primary key);
create index on since19.a using gist (ip); create index on since19.a using gist (ip gist_inet_ops, n); alter table since19.a add constraint apart exclude using gist (ip with =, n with =);
create publication since19_sequences for all sequences; create publication "since19; but" for all tables except (table since19."b ;--");
create function since19.f() returns int language sql set search_path to null set enable_eager_aggregate to off as 'select 1';
create procedure since19.p() language sql set search_path to null as 'select 1';
alter database :"db" set search_path to null; alter role :"app" in database :"db" set wal_receiver_timeout to '7s';
