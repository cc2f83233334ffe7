-- What runs: functions, procedures, triggers, rules, views, aggregates, operators, casts.
create schema code; create schema evil;
create function evil.lower(text) returns text language sql immutable as $$select 'evil'::text$$;
create function evil.plus(int, int) returns int language sql immutable as $$select 666$$;
create operator evil.+ (leftarg = int, rightarg = int, function = evil.plus);
create function code.body(a int default 1 + 1, inout d text default 'it''s', out c text, variadic b text[] default '{}') returns setof record language plpgsql stable strict security definer
        cost 7 rows 13 parallel safe leakproof set search_path = evil, "$user", pg_temp, "Odd ""; drop" set work_mem = '8MB' set datestyle = 'SQL, DMY' as $f$
begin -- $$ not the end; "
        c := a + 1; return next; /* ; */ end $f$;
create function code.hostile(t text) returns text language sql immutable as $$select lower($1)$$; -- resolves where it runs
create function code.relies(i int) returns int language plpgsql immutable as $$begin return code.twice(i); end$$;
create function code.twice(i int) returns int language sql immutable called on null input parallel restricted as 'select 2 * $1';
create table code.uses (a int, b text, check (code.relies(a) > 0), c text default code.hostile('X'));
insert into code.uses values (1, 'B', 'c');
create index on code.uses (code.relies(a)); create index on code.uses (code.hostile(b));
create function code.tables() returns table (x int, "Y" text) language sql as $$select 1, 'a'$$;
create function code.poly(anyelement, anyarray) returns anyelement language sql as $$select $1$$;
create function code.shell() returns trigger language plpgsql as $$begin new.b := new.b || tg_argv[0]; return new; end$$;
create procedure code.proc(in a int, inout b int default 3) language plpgsql as $$begin b := a; commit; end$$;
create function code.c_lang(text) returns text language internal immutable strict as 'upper';
create trigger "before ""it" before insert or update of a, b on code.uses for each row when (new.a > 0 and new.b is distinct from 'quo''te') execute function code.shell('arg ''1''', E'\\n', '');
create function code.after() returns trigger language plpgsql as $$begin return null; end$$;
create trigger stmt after delete or truncate on code.uses for each statement execute function code.after();
create trigger trans after update on code.uses referencing old table as olds new table as news for each statement execute function code.after();
create constraint trigger late after insert on code.uses from tab.parent deferrable initially deferred for each row execute function code.after();
alter table code.uses disable trigger stmt; alter table code.uses enable always trigger trans; alter table code.uses enable replica trigger late;
create trigger part_row after insert on part.list for each row execute function code.after();
create table code.ruled (a int, b text); insert into code.ruled values (1, 'x');
create rule log as on insert to code.ruled where new.a > 5 do also (insert into code.uses (a) values (new.a); update code.ruled set b = 'y;' where false);
create rule noted as on update to code.ruled do also notify ruled; create rule none as on delete to code.ruled do instead nothing; alter table code.ruled disable rule none;
create view code.v1 with (security_barrier, check_option = cascaded) as select a, b from code.ruled where a > 0;
create view code.v2 as with recursive r (n) as (select 1 union all select n + 1 from r where n < 5), w as (select v1.a, row_number() over (partition by b order by a rows between 1 preceding and current row) rn from code.v1)
        select r.n, w.rn, case when r.n > 1 then 'x' else null end as c, (select max(a) from code.uses u where u.a = r.n) as m, array[1, 2]::int[] as arr, row(1, 'a', null)::types.pair as p, 'a' collate "C" as col,
        date_part('epoch', timestamp '2000-01-01') as e, 1 = any (array[r.n]) as anyv, coalesce(w.rn, 0)::numeric(5, 2) as num, interval '1 day' as iv, grouping(r.n) as g from r left join w on w.rn = r.n group by grouping sets ((r.n, w.rn), ()) having count(*) >= 0;
create view code.v3 as select v2.*, t.* from code.v2, lateral (select v2.n + 1 as nn) t where exists (select from code.ruled) order by 1 desc nulls last limit 5;
alter view code.v1 alter column b set default 'vdefault'; create view code.insteadof as select 1 as a; create trigger io instead of insert on code.insteadof for each row execute function code.after();
create view code.circular as select 1 as x; create view code.circular2 as select * from code.circular; create or replace view code.circular as select 2 as x;
create materialized view code.mv1 as select a, count(*) as n from code.uses group by a; create unique index on code.mv1 (a); create materialized view code.mv2 as select * from code.mv1 where n > 0; create materialized view code.mv_empty as select 1 as one with no data;
create materialized view code.mv_by_hostile with (fillfactor = 50) as select code.relies(a) as r from code.uses;
create function code.acc(numeric, int) returns numeric language sql immutable as 'select $1 + coalesce($2, 0)'; create function code.fin(numeric) returns text language sql immutable as 'select $1::text';
create aggregate code.total(int) (sfunc = code.acc, stype = numeric, initcond = '0', finalfunc = code.fin, combinefunc = numeric_add, parallel = safe, sspace = 64);
create aggregate code.moving(int) (sfunc = code.acc, stype = numeric, initcond = '0', msfunc = code.acc, minvfunc = code.acc, mstype = numeric, minitcond = '0');
create aggregate code.pct(float8 order by anyelement) (sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra); create aggregate code.nothing(*) (sfunc = int8inc, stype = int8, initcond = '0');
create view code.agg as select code.total(a) from code.uses;
create type code.c; create function code.c_in(cstring) returns code.c language internal immutable strict as 'textin'; create function code.c_out(code.c) returns cstring language internal immutable strict as 'textout'; create type code.c (input = code.c_in, output = code.c_out, like = text, category = 'S', default = 'dflt', delimiter = ';', collatable = true);
create table code.base (c code.c, cs code.c[]); insert into code.base values ('abc', '{a;b}'), (null, null);
create function code.pair_lt(types.pair, types.pair) returns bool language sql immutable as 'select $1.a < $2.a'; create function code.pair_cmp(types.pair, types.pair) returns int language sql immutable as 'select coalesce($1.a, 0) - coalesce($2.a, 0)'; create function code.pair_eq(types.pair, types.pair) returns bool language sql immutable as 'select $1.a = $2.a';
create operator code.<<< (leftarg = types.pair, rightarg = types.pair, function = code.pair_lt, commutator = operator(code.>>>), restrict = scalarltsel, join = scalarltjoinsel); create operator code.>>> (leftarg = types.pair, rightarg = types.pair, function = code.pair_lt, commutator = operator(code.<<<)); create operator code.=== (leftarg = types.pair, rightarg = types.pair, function = code.pair_eq, commutator = operator(code.===), merges, hashes); create function code.neg(types.pair) returns int language sql immutable as 'select -$1.a'; create operator code.!! (rightarg = types.pair, function = code.neg);
create operator family code.fam using btree; create operator class code.pair_ops for type types.pair using btree family code.fam as operator 1 code.<<<, operator 3 code.===, operator 5 code.>>>, function 1 code.pair_cmp(types.pair, types.pair);
create index pair_idx on types.made (p code.pair_ops);
create function code.to_pair(int) returns types.pair language sql immutable as $$select row($1, '', null)::types.pair$$; create cast (int as types.pair) with function code.to_pair(int) as assignment; create cast (types.mood as types.email) with inout;
comment on function code.body(int, text, text[]) is 'function'; comment on procedure code.proc(int, int) is 'procedure'; comment on aggregate code.total(int) is 'aggregate'; comment on operator code.<<< (types.pair, types.pair) is 'operator'; comment on operator class code.pair_ops using btree is 'opclass'; comment on operator family code.fam using btree is 'family'; comment on cast (int as types.pair) is 'cast';
comment on trigger stmt on code.uses is 'trigger'; comment on rule log on code.ruled is 'rule'; comment on view code.v1 is 'view'; comment on column code.v1.b is 'view column'; comment on materialized view code.mv1 is 'matview';
-- Words that are no keywords to the server that prints them, and are to the one that reads them.
create function code.words("json" int, "json_array" int default 3) returns int language sql as 'select 1';
create function code.words_back("json" json, "merge_action" int) returns table ("json" json, "json_scalar" int) language sql as $$ select '1'::json, 2 $$;
create function code.table_of() returns table (x "json") language sql as $$ select '1'::json $$;
create type code.words_type as ("json" int, "json_object" text);
create aggregate code.words_sum("json" int) (sfunc = int4pl, stype = int);
create domain code.json_exists as int;
create function code.set_of(a code.json_exists default 3) returns setof code.json_exists language sql as 'select 1::code.json_exists';
comment on function code.words(int, int) is 'json';
create table code.words_table ("json" int, "json_array" int default 3 check ("json_array" > 0), "json_table" int);
create index on code.words_table using gin ((array["json"]));
create view code.words_view as select "json" as "json_value", "json_table" from code.words_table "json_query";
