"""plants.py: changes of a copy's catalog, each of which the comparison must find: under this kind, this object, this word.

A row is (since which major, the change, kind, object, what); None: found with the row before. One change of a text each, as small as a person would overlook: another
literal, < for <=, AND for OR, two columns exchanged, a cast left out. All are made at once; what is told must be exactly these."""
import json

import data_plants
import moves

# (column or constraint expressions of chk.words, one constraint each)
CHECKS = [
    ("words_e_check", "e in ('a', 'c')"), ("words_e2_check", "e2 not in ('x', 'its')"), ("words_c_check", "c in ('abc', 'de', 'f')"),
    ("words_one_check", "one = 'b'"), ("words_t_check", "t in ('b', 'a')"), ("words_n_check", "n in (1, 2.50)"), ("words_i_check", "i in (1, 3)"),
    ("words_big_check", "big between 1 and 2::int"), ("words_d_check", "d between '2000-01-01' and date '2100-01-01' + 2"),
    ("words_f_check", "f >= 1.5 and f <> all (array[2, 3])"), ("words_m_check", "m <@ array['a', 'b', 'b']::varchar[]"),
    ("words_l_check", "l like any (array['a%', 'b%'])"), ("words_s_check", "length(s) > 2 and s ~* '^[a-z]+$' and s similar to '(a|b)+'"),
    ("words_j_check", "j -> 'a' is not null"), ("words_jb_check", "jb ? 'k' or not jb @> '{\"json\": \"json\"}'"), ("words_x_check", "x is not document or true"),
    ("words_b_check", "b in (b'101', b'001')"), ("words_ts_check", "ts at time zone 'utc' > '2000-01-01'"), ("words_iv_check", "iv < interval '1' day * 4"),
    ("words_User_check", "\"User\" <> session_user and \"User\" in ('a', 'b')"), ("words_order_check", "\"order\" in ('asc', 'desc') or coalesce(\"order\", '') <> ''"),
    ("wide", "(e, e2) in (('a', 'y'), ('b', 'y')) or (id, n) = any (array[row(1, 1::numeric(5, 2))]) or id is distinct from 3"),
    ("casts", "n::int::text::varchar(4) <> 'x' and t::varchar::bpchar <> 'y' and -id::bigint < 0 and (- 5)::smallint < id"),
    ("cases", "case e when 'a' then true when 'b' then t is not null else not (e > 'c') end"), ("nulls", "nullif(e, 'q') is not null and greatest(i, 1) > 0 and (e is null) is true and (t = 'a') is not unknown or true"),
    ("whole", "words is not null or words.* is null"), ("dotted", "id >= 0"),
    ("called", "chk.only_small(e, j) and lower(t) = 'evil' and lower(t) = 'a' and substring(t from 1 for 1) = 'a' and position('a' in t) = 1 and trim(both 'x' from t) = 'a' and overlay(t placing 'b' from 1) = 'b' or true"),
]

DEFAULTS = [
    ("a", "'a '"), ("b", "'b' || 'd'"), ("c", "'y'"), ("d", "1.0"), ("e", "1.50"), ("f", "'Infinity'"), ("g", "5"), ("h", "now() + interval '2 days'"), ("i", "localtimestamp"),
    ("j", "'{\"json\":1}'"), ("k", "'[]'::jsonb"), ("l", "'{2,1}'"), ("m", "array['a', 'c']"), ("n", "session_user"), ("o", "'f'"), ("p", r"'\x01'"), ("q", r"E'back\\slash\n line'"),
    ("r", "'91 minutes'"), ("s", "'new'"), ("u", "'X' collate \"C\""), ("v", "current_timestamp(2)"), ("w", "(array['p', 'q'])[2]"), ("x", "case when 1 in (1, 3) then 3 end"),
    ("y", "substr('abcdefg', 1, 2 * 1)"), ("z", "row('r', null)"), ("aa", "b'010'"), ("bb", "'chk.pol'::regclass"), ("cc", "current_user"),
]

VIEWS = [
    ("swapped", "select a.s from vw.a, vw.b where b.x > 5 and a.x < 9"), ("used", "select x, b.s, t, j, a.s as s2, u from vw.a join vw.b using (x)"),
    ("used2", "select x, s, a.t, b.u from vw.a left join vw.b using (x, s) where x > 1 and b.x is not null"), ("used3", "select x, b.s, q.z as y from vw.a full join vw.b using (x) join (select c.x, c.z from vw.c) q using (x)"),
    ("natural_", "select a.x, a.s, a.t, a.j, b.u from vw.a left join vw.b using (x, s)"), ("self", "select r.x as left_x, l.x as right_x from vw.a l join vw.a r on l.x = r.x and l.s in ('a', 'b') or r.s not in ('c', 'd')"),
    ("keyed", "select w.id, w.t from chk.words w"), ("dist", "select distinct on (s) s, x from vw.a order by s, x desc"), ("locked", "select x from vw.a order by x for update of a nowait"), ("sampled", "select * from vw.a tablesample bernoulli (11) repeatable (1)"), ("only_", "select * from vw.a"),
    ("vals", "select v.a, v.b from (values (1, 'x'::varchar), (2, 'z')) as v (a, b)"), ("colls", "select s collate \"C\" as c, s collate \"C\" < 'b' as p, max(s collate \"C\") over () as m from vw.a order by s collate \"C\""),
    ("checked", "select x, s from vw.a where s in ('a', 'b', 'c')"), ("over_views", "select v.x, w.s from vw.used v join vw.swapped w on w.s = v.t where v.u in ('b', 'a')"), ("rec", "with recursive rec(n) as (select 1 union all select rec.n + 1 from rec where rec.n < 4) select n from rec"),
    ("sets", "(select x, s from vw.a union all select x, s from vw.b) except all (select x, 'z'::varchar from vw.c) intersect select 1, 'a' order by 1 desc nulls last, 2 limit 5 offset 1"),
    ("composite", "select (q.p).a, (q.p).b from (select row('r', null)::chk.pair as p) q"), ("dropped", "select d.x, d.w, a.s from vw.d left join vw.a using (x)"),
]


def view_checked(v):
    """Options stay as they were."""
    return "with (security_barrier = true) " if v == "checked" else ""


def rows():
    for name, text in CHECKS:
        yield 0, f'alter table chk.words drop constraint "{name}"; alter table chk.words add constraint "{name}" check ({text}) not valid; update pg_constraint set convalidated = true where conname = \'{name}\' and conrelid = \'chk.words\'::regclass', \
            "constraint", f"chk.words.{name}" if name.islower() else f'chk.words."{name}"', "definition"
    for column, text in DEFAULTS:
        yield 0, f"alter table chk.defaults alter column {column} set default {text}", "column", f"chk.defaults.{column}", "default"
    for view, text in VIEWS:
        tail = " with local check option" if view == "checked" else ""
        yield 0, f"create or replace view vw.{view} {view_checked(view)}as {text}{tail}", "table", f"vw.{view}", "definition"
    yield from OTHERS


OTHERS = [
    (0, "alter table chk.words drop constraint alone; alter table chk.words add constraint alone check (e2 in ('y', 'z'))", "constraint", "chk.words.alone", "definition"),
    (0, "alter table chk.words validate constraint later", "constraint", "chk.words.later", "validated"),
    (0, None, "constraint", "chk.words.later", "definition"),       # it ends in NOT VALID
    (0, "alter table chk.words drop constraint excl; alter table chk.words add constraint excl exclude using gist (int4range(id, id + 1) with &&) where (e in ('a', 'q'))", "constraint", "chk.words.excl", "definition"),
    (0, None, "index", "chk.excl", "definition"),
    (0, "drop index chk.words_expr_idx; create index words_expr_idx on chk.words (evil.lower(e), (e is null), (e in ('a', 'c')), ((id)::text), (date_part('year', d)))", "index", "chk.words_expr_idx", "definition"),
    (0, None, "index", "chk.words_expr_idx", "opclasses"),
    (0, "alter domain chk.state drop constraint named; alter domain chk.state add constraint named check (value <> 'y' and length(value) between 1 and 9)", "domain constraint", "chk.state.named", "definition"),
    (0, "alter domain chk.pos drop not null", "type", "chk.pos", "notnull"),
    (0, "alter domain chk.doc set default '[]'", "type", "chk.doc", "default"),
    (0, "alter policy seen on chk.pol using (e in ('a', 'b') and owner = session_user)", "policy", "chk.pol.seen", "using"),
    (0, "alter policy made on chk.pol with check (e in ('c', 'e') or e like any (array['x%', 'y%']))", "policy", "chk.pol.made", "check"),
    (0, "alter policy two_ways on chk.pol using (id between 1 and 8)", "policy", "chk.pol.two_ways", "using"),
    (0, "drop trigger on_words on chk.words; create trigger on_words after update of e, e2 on chk.words for each row when (old.e is distinct from new.e and new.e in ('a', 'c') and old.* is distinct from new.*) execute function chk.fire('in (''a'')', 'x')", "trigger", "chk.words.on_words", "definition"),
    (0, "drop trigger on_insert on chk.words; create trigger on_insert before insert on chk.words for each row when (new.j ->> 'a' in ('1', '3') and pg_trigger_depth() = 0) execute function chk.fire()", "trigger", "chk.words.on_insert", "definition"),
    (0, "drop trigger jt on js.t; create trigger jt before insert on js.t for each row when (js.eq(new.j, '{\"json\": 1}')) execute function js.trig('json', '\"json\"')", "trigger", "js.t.jt", "definition"),
    (0, "create or replace rule ins as on insert to chk.target where new.e in ('a', 'c') do also nothing", "rule", "chk.target.ins", "definition"),
    (0, "create or replace rule upd as on update to chk.target where old.e <> all (array['a', 'y']) do instead nothing", "rule", "chk.target.upd", "definition"),
    (0, "create or replace rule del as on delete to chk.target do instead delete from chk.log using chk.words w where w.id = log.id and log.id = old.id and w.e in ('a', 'c') returning log.id, log.e, null::json", "rule", "chk.target.del", "definition"),
    (0, "drop statistics chk.plain; create statistics chk.plain (dependencies) on e, e2 from chk.words", "statistics", "chk.plain", "definition"),
    (0, "drop index js.t_to_int_idx; create index t_to_int_idx on js.t (js.to_int(j)) where js.f(j) is null", "index", "js.t_to_int_idx", "definition"),
    (0, "alter table js.t drop constraint jc; alter table js.t add constraint jc check (js.eq(j, j) or j operator(js.===) '{\"json\": 2}'::json)", "constraint", "js.t.jc", "definition"),
    (0, "create or replace function js.args(a varchar default 'b', b varchar(5) default 'it''s' || 'x', c int default 1 + 1, d numeric default -1, e timestamptz default now() - interval '1 day', f js.json default row(1), g int[] default '{1}', h bool default 1 in (1, 2), i text default current_user, j varchar default (array['a', 'b'])[1]) returns int language sql as 'select 1'",
     "function", "js.args(character varying,character varying,integer,numeric,timestamp with time zone,js.json,integer[],boolean,pg_catalog.text,character varying)", "arguments"),
    (0, "create or replace function js.f(j json) returns json language sql as $$ select j; $$", "function", "js.f(json)", "source"),
    (0, "create or replace function js.step(json, json) returns json language sql volatile as $$ select $2 $$", "function", "js.step(json,json)", "volatile"),
    (0, "drop cast (json as int)", "cast", "(json AS integer)", "missing"),
    (0, None, "comment", "cast (json AS integer)", "missing"),
    (0, "update pg_aggregate set aggfinalextra = true where aggfnoid = 'js.last(json)'::regprocedure", "function", "js.last(json)", "aggregate"),
    (0, "comment on function js.f(js.json) is 'of json'", "comment", "function js.f(js.json)", "text"),
    (0, "drop transform for integer language plpgsql cascade", "transform", "for integer language plpgsql", "missing"),
    (0, None, "function", "js.transformed(json,integer)", "missing"),
    (0, "alter operator js.<<< (json, json) set (restrict = scalarltsel)", "operator", "js.<<<(json,json)", "restrict"),
    (0, "create collation js.more (provider = icu, locale = 'de-u-co-eor')", "collation", "js.more", "only on the target"),
    (0, "update pg_collation set {colllocale} = 'de-u-co-eor' where collname = 'phone'", "collation", "js.phone", "locale"),
    (0, "grant select on chk.pol to current_user; grant references on chk.log to :app", "table", "chk.log", "acl"),
    (17, "grant maintain on chk.target to :app", "table", "chk.target", "acl"),
    (0, "alter table chk.days detach partition chk.d1; alter table chk.days attach partition chk.d1 for values from ('2000-01-02') to ('2001-01-01 00:00+02')", "table", "chk.d1", "bound"),
    (0, "alter table chk.p2 detach partition chk.p21; alter table chk.p2 attach partition chk.p21 for values in ('x', 'y')", "table", "chk.p21", "bound"),
    (0, "drop table js.broken", "table", "js.broken", "missing"),
    (0, None, "column", "js.broken.a", "missing"), (0, None, "comment", "table js.broken", "missing"),
    (14, "drop statistics s14.one; create statistics s14.one on (j ->> 'b') from s14.t", "statistics", "s14.one", "definition"),
    (14, "create or replace function s14.ret(a varchar, b json) returns text language sql immutable return case when a in ('a', 'c') then b ->> 'k' else coalesce(a, 'z') end", "function", "s14.ret(character varying,json)", "body"),
    (14, "create or replace view s14.sub as select ('{\"a\": {\"b\": 1}}'::jsonb)['a']['c'] as s, (array[1, 2])[1] as a", "table", "s14.sub", "definition"),
    (15, "alter publication rp_pub2 set table s15.t (id, e) where (((e = 'a' or e = 'b') and id between 1 and 9 and e <> all (array['x', 'z']))), chk.pol where (id > 0::smallint and e is not null)", "publication", "rp_pub2", "filters"),
    (15, "alter view s15.inv reset (security_invoker)", "table", "s15.inv", "options"),
    (17, "create or replace view s17.xs as select xmlserialize(content x as text indent) as i, xmlserialize(content x as text indent) as n, xmltext(e) as t from s17.t", "table", "s17.xs", "definition"),
    (18, "alter table s18.renamed rename constraint own_name to other_name", "column", "s18.renamed.a", "notnull_name"), (18, None, "column", "s18.inh.a", "notnull_name"),
]


def expected(lowest):
    plants = [r for r in rows() if r[0] <= lowest]
    return [r[1] for r in plants if r[1]], {(r[2], r[3], r[4]) for r in plants}


def found(a, db, b, into, compared):
    changes, want = expected(min(a, b))
    data, tables = data_plants.changes(min(a, b))
    changes += data
    want |= {("table", t, "content") for t in tables}
    # where the majors keep the locale of an ICU collation
    locale = "collcollate" if b < 15 else "colliculocale" if b < 17 else "colllocale"
    app = f'"{moves.MARK}_app"'
    for change in changes:
        moves.psql(b, into, "set client_min_messages = warning; set search_path = public; set timezone = 'UTC';\n" + change.replace(":app", app).replace("{colllocale}", locale) + ";")
    report = compared(a, db, b, into, code=1)
    told = {(d["kind"], d["object"], d["what"]) for d in report["differences"]}
    assert not want - told, f"{a} to {b}, not found: " + json.dumps(sorted(want - told), indent=1)
    more = {t for t in told - want if t[2] != "refers_to"}
    assert not more, f"{a} to {b}, never planted: " + json.dumps(
        [d for d in report["differences"] if (d["kind"], d["object"], d["what"]) in more], indent=1)
    assert report["differences_total"] == len(report["differences"])
    return len(want)
