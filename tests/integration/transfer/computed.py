"""computed.py: generated columns are not carried but computed: what the target computes otherwise is proved to be what its
expression gives there, counted and said; anything else about them is a difference."""
import json

import moves

# A word of which the two majors make two lexemes, and its language (Snowball came anew with 18 and 19).
MOVES = ((17, 18, "german", "Bildhauerin"), (18, 17, "german", "Bildhauerin"), (18, 19, "dutch", "bomen"))
HOSTILE = '"; drop $(rm)'


def ident(name):
    return '"' + name.replace('"', '""') + '"'


def page(source, target, language, word):
    db = moves.make(source, f"{moves.MARK}_computed_{source}_{target}")
    moves.psql(source, db, f"""
        create table public.d (id int primary key, t text, v tsvector generated always as (to_tsvector('{language}', t)) stored);
        insert into public.d (id, t) select g, case when g % 3 = 0 then '{word}' else 'x' || g end from generate_series(1, 300) g;
        create table public.{ident(HOSTILE)} (a text, {ident(HOSTILE)} tsvector generated always as (to_tsvector('{language}', a)) stored, n int);
        insert into public.{ident(HOSTILE)} (a, n) values ('{word}', 1), ('{word}', 1), ('x', 2), (null, null);
        create table public.same (t text, u text generated always as (upper(t)) stored); insert into public.same values ('a');
        create table public.only_computed (one int generated always as (1) stored); insert into public.only_computed default values;""")
    return db


def compared(source, db, target, into, *more, code=0):
    out, err = moves.run("compare", *moves.ends(source, db, target, into), "--quiet", *more, "--format", "json", code=code)
    return json.loads(out)


def test_what_was_computed_is_counted(source, target, language, word):
    db, into = page(source, target, language, word), f"{moves.MARK}_computed_{source}_to_{target}"
    out, _ = moves.copy(source, db, target, into)
    assert "another value now, as this version computes it: v of table public.d: 100 rows" in out, out
    for more in ((), ("--deep",)):
        report = compared(source, db, target, into, *more)
        changed = sorted((r["table"], r["columns"], r["rows"]) for r in report["recomputed"])
        assert changed == [(f'public.{ident(HOSTILE)}', [HOSTILE], 2), ("public.d", ["v"], 100)], changed
        assert report["equal"] and report["rules"]["recomputed"]["n"] == 2, report
    return db, into


def test_what_is_no_expression_is_found(source, target, db, into):
    """A target that was meddled with: a carried value, and a computed one that is not what its expression gives."""
    moves.psql(target, into, "update public.d set t = 'y' where id = 3")
    report = compared(source, db, target, into, code=1)
    (d,) = report["differences"]
    assert (d["object"], d["what"]) == ("public.d", "content"), d
    assert [r["columns"] for r in d["rows"]] == [["t"]] and d["rows"][0]["key"] == "(3)", d
    moves.psql(target, into, "update public.d set t = (select t from public.d where id = 6) where id = 3")
    assert compared(source, db, target, into)["equal"]
    moves.psql(target, into, "update pg_attribute set attgenerated = '' where attrelid = 'public.d'::regclass and attname = 'v'; "
               "update public.d set v = 'planted' where id in (1, 2); "
               "update pg_attribute set attgenerated = 's' where attrelid = 'public.d'::regclass and attname = 'v'")
    for more in ((), ("--deep",)):
        report = compared(source, db, target, into, *more, code=1)
        (d,) = report["differences"]
        assert (d["object"], d["what"]) == ("public.d", "generated columns") and d["target"].startswith("2 rows"), d


def test_nobody_borrows_our_rights(source, target):
    """A generated column may call a function of a role that may less than we: it is not run here again."""
    role = f"{moves.MARK}_generates"
    for major in {source, target}:
        moves.psql(major, "postgres", f"create role {role}", check=False)
    moves.ROLES.append(role)
    sql = f"""create schema little authorization {role}; set role {role};
              create function little.f(int) returns int language plpgsql immutable as $$ begin
                if current_setting('server_version_num')::int / 10000 = {target} then return $1 + 1; end if; return $1; end $$;
              create table little.t (n int, m int generated always as (little.f(n)) stored);
              insert into little.t values (1), (2);"""
    db, into = moves.make(source, f"{moves.MARK}_little_{source}_{target}"), moves.make(target, f"{moves.MARK}_little_{source}_to_{target}")
    for major, name in ((source, db), (target, into)):
        moves.psql(major, name, sql)
    report = compared(source, db, target, into, code=1)
    (d,) = report["differences"]
    assert d["what"] == "generated columns" and 'not computed here: function "little"."f"' in d["target"], d
    moves.psql(target, into, f"alter table little.t owner to {moves.USER}; alter function little.f owner to {moves.USER}")
    report = compared(source, db, target, into, code=1)         # the owners, and nothing of the rows
    assert {d["what"] for d in report["differences"]} == {"owner", "acl"} and report["recomputed"][0]["rows"] == 2, report


for source, target, language, word in MOVES:
    moves.need(source, target)
    pair = test_what_was_computed_is_counted(source, target, language, word)
    test_what_is_no_expression_is_found(source, target, *pair)
    test_nobody_borrows_our_rights(source, target)
    print(f"ok: {source} to {target}", flush=True)
