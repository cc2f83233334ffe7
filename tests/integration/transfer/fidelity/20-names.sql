-- Names that break tools, and tables of odd shapes.
create schema "Odd ""; drop";
set search_path = "Odd ""; drop";
create table "$(rm -rf /)" ("`id`" int, "new
line" text default 'x', "''; --" int, "emoji 😀" text, "\" text, " " int, "%s%n" int, "a,b" int);
insert into "$(rm -rf /)" values (1, 'x', 2, '😀', '\', 3, 4, 5);
create index "idx ""on"" it" on "$(rm -rf /)" ("new
line", ("emoji 😀" || '\'));
create table "new
line -- \. drop" ("select" int primary key, "from" int unique, "user" int references "new
line -- \. drop" ("select"));
insert into "new
line -- \. drop" values (1, 1, null), (2, 2, 1);
create table "63_bytes_äöü_____________________________________________63" ("63_bytes_col_äöü_________________________________________63" serial primary key);
insert into "63_bytes_äöü_____________________________________________63" default values;
create view "v""iew" as select "new
line" as "l", 'it''s; -- "' as "; drop" from "$(rm -rf /)";
create function "f""n ;"("a b" int, out "o;" text) language sql as $$select '$1 ; "' || "a b"$$;
create sequence "s""eq";
select setval('"s""eq"', 42);
create table same (same int, id int); insert into same values (1, 2);
create table x (x text, "(x.*)" text); insert into x values ('one', 'two');
create table "a.b" (c int); insert into "a.b" values (1);
create schema "a"; create table "a"."b.c" (d int); insert into "a"."b.c" values (2);
create table upper (); create table "UPPER" (); create table "Upper" ();
insert into upper default values; insert into upper default values; insert into upper default values;
comment on table "$(rm -rf /)" is E'one''s\ncomment; -- \\. $$ "';
comment on column "$(rm -rf /)"."new
line" is 'a "column';
create table empty (id int primary key, t text);
create table no_columns ();
create table dropped (a int, b text, c int, d text); insert into dropped values (1, 'gone', 3, 'd'); alter table dropped drop b, drop c;
alter table dropped add e int default 7;
reset search_path;
create schema wide;
do $$ begin
execute 'create table wide.t1600 (' || (select string_agg('c' || n || ' int', ', ' order by n) from generate_series(1, 1600) n) || ')';
execute 'insert into wide.t1600 (c1, c800, c1600) values (1, 800, 1600), (null, null, null)'; end $$;
