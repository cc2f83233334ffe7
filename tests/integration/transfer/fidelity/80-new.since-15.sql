-- What 15 brought.
create schema since15;
create table since15.t (a int, b int, unique nulls not distinct (a, b)); insert into since15.t values (1, null), (null, null); create unique index on since15.t (b, a) nulls not distinct where a > 0;
create table since15.parent (a int, b int, primary key (a, b)); create table since15.child (a int, b int, foreign key (a, b) references since15.parent on delete set null (b));
create view since15.invoker with (security_invoker = true, security_barrier = false) as select * from since15.t;
create unlogged sequence since15.s; create unlogged table since15.u (id int generated always as identity);
create publication since15_schema for tables in schema since15; create publication since15_rows for table tab.parent (id, k) where (k > 5 and id is not null), table since15.t;
create function since15.merges() returns void language plpgsql as $$begin merge into since15.t using (values (1)) v (x) on a = x when matched then update set b = 1 when not matched then insert values (x, 0); end$$;
create function since15.atomic() returns void language sql begin atomic merge into since15.t using (values (1)) v (x) on a = x when matched then do nothing when not matched then insert values (x, 0); end;
create table since15.scales (a numeric(3, -2), b numeric(3, 5), c numeric(5, 2)[]); insert into since15.scales values (12345, 0.00999, '{1.50}');
