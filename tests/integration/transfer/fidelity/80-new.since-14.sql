-- What 14 brought.
create schema since14;
create table since14.t (id int primary key, m int4multirange, d datemultirange[], f types.floatmultirange, c text compression pglz);
insert into since14.t values (1, '{[1,3),[5,7)}', array['{}', '{[2000-01-01,infinity]}']::datemultirange[], '{[-0,1.5]}', repeat('x', 9000)), (2, '{}', null, '{}', null), (3, '{(,)}', '{}', null, '');
create statistics since14.st (ndistinct) on (m is null), lower(c) from since14.t; create statistics since14.expr on (length(c)) from since14.t;
create function since14.atomic(a int, out b int) language sql begin atomic select case when a > 0 then a else 0 end; select a; end;
create function since14.ret(a text) returns text language sql immutable return upper(a) || ';';
create procedure since14.outs(a int, out b int, out c text) language plpgsql as $$begin b := a; end$$;
create view since14.rec as with recursive r (n) as (select 1 union all select n + 1 from r where n < 3) search depth first by n set ord cycle n set is_c using path select n, is_c from r;
create view since14.sub as select ('{"a":1}'::jsonb)['a'] as s, id from since14.t group by distinct grouping sets ((id), (id));
create type since14.range as range (subtype = text, multirange_type_name = since14."many ""ranges"); create table since14.uses (r since14.range, m since14."many ""ranges"); insert into since14.uses values ('[a,b]', '{[a,b],[x,y]}');
create view since14.ex as select extract(epoch from now()) as e;
create table since14.endless (id int primary key, n numeric, ns numeric[]); insert into since14.endless values (1, 'infinity', '{-infinity,NaN}'), (2, '-infinity', null);
