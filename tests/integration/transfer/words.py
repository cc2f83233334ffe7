"""words.py: what a dump says in words that its target's major never had, or has no more: said in others that mean the same."""
import itertools
import os
import tempfile

import moves

FORMS = (("plain",), ("plain", "--inserts"), ("custom",), ("custom", "--inserts"), ("directory",), ("plain", "--column-inserts", "--disable-dollar-quoting"))
TEXT = r"a\b 'c' \\ \n $x$ ""E'"


def dump(source, db, where, *more):
    path = os.path.join(where, f"d{len(os.listdir(where))}")
    moves.client("pg_dump", "-h", moves.HOST, "-p", moves.port(source), "-U", moves.USER, "-d", db, "-f", path, *more, major=source)
    return path


def restored(path, target, name):
    """A new database of the dump; what its server then says is asked of it."""
    moves.psql(target, "postgres", f'drop database if exists "{name}"')
    moves.MADE.append((target, name))
    moves.run("restore", path, "--to", moves.at(target, name), "--to-password-file", moves.PASSWORD_FILE, "--quiet")
    return name


def everywhere(source, sql, targets, forms, asked, *more):
    """Each dump into each target: what is asked there is what the source answers."""
    db = moves.make(source, f"{moves.MARK}_words_{source}_{len(moves.MADE)}")
    moves.psql(source, db, sql)
    moves.psql(source, "postgres", *[f'alter database "{db}" {m}' for m in more] or ["select 1"])
    want = moves.psql(source, db, asked)
    assert want
    with tempfile.TemporaryDirectory() as where:
        for form, target in itertools.product(forms, targets):
            moves.need(source, target)
            path = dump(source, db, where, "-F", *form)
            there = restored(path, target, f"{moves.MARK}_words_to")
            assert moves.psql(target, there, asked) == want, (form, target, moves.psql(target, there, asked), want)
            print(f"ok: {source} {form} into {target}", flush=True)
    return db


def test_statistics():
    everywhere(19, """create table public.t (a int, b int, c int); insert into public.t select g, g % 10, g % 5 from generate_series(1, 1000) g;
                      create statistics public.st on a, b from public.t; create statistics public.ex on (a + b), (b - c) from public.t; analyze public.t""",
               (14, 15, 17, 18, 19), (("plain", "--statistics"), ("custom", "--statistics")), "select count(*), sum(a), (select count(*) from pg_statistic_ext) from public.t")


def test_virtual_columns():
    everywhere(18, """create table public.t (a int, v int generated always as (a * 2) virtual, "w)" text generated always as ('(' || a) virtual);
                      insert into public.t (a) select generate_series(1, 100)""",
               (12, 17, 19), (("plain",), ("custom",), ("plain", "--inserts")), 'select count(*), sum(v), max("w)") from public.t')


def test_unlogged_roots():
    sql = """create unlogged table public.t (a int, b text) partition by range (a); create unlogged table public.t1 partition of public.t for values from (0) to (100);
             create unlogged table public.u partition of public.t for values from (100) to (200) partition by list (b);
             create unlogged table public.u1 partition of public.u for values in ('x'); insert into public.t select g, 'x' from generate_series(1, 150) g;
             create unlogged table public.plain ("PARTITION BY" int); create table public.logged (n int) partition by hash (n)"""
    asked = "select count(*), (select string_agg(relname, ' ' order by relname) from pg_class where relpersistence = 'u' and relkind = 'r' and relnamespace = 'public'::regnamespace) from public.t"
    db = everywhere(17, sql, (15, 17, 18, 19), (("plain",), ("custom",)), asked)
    for target in (18, 19):
        out, _ = moves.copy(17, db, target, f"{moves.MARK}_words_root_{target}")
        assert "UNLOGGED of a partitioned table" in out or "unlogged-partitioned (2)" in out, out
        moves.equal(17, db, target, f"{moves.MARK}_words_root_{target}", "--deep")
        out, _ = moves.copy(17, db, target, f"{moves.MARK}_never", "--check")
        assert out.count("UNLOGGED of a partitioned table") == 2, out


def test_strings_with_backslashes():
    q = TEXT.replace("'", "''")
    sql = f"""create table public.t (n int, b text, y bytea, d text default '{q}'); insert into public.t (n, b, y) values (1, '{q}', '\\x5c00ff'), (2, '', null), (3, '\\', '');
              create view public.v as select '{q}'::text as x, 'plain'::text as p; comment on table public.t is '{q}'; comment on view public.v is 'it''s';
              create function public.f() returns text language sql as $f$ select 'fx'::text $f$; alter table public.t add check (b <> 'no\\t');
              create type public.e as enum ('{q.replace("$x$", "")}')"""
    asked = """select string_agg(concat_ws('|', n, b, encode(y, 'hex'), d), '; ' order by n), (select x || p from public.v), obj_description('public.t'::regclass), obj_description('public.v'::regclass),
               public.f(), (select string_agg(enumlabel, '') from pg_enum), (select string_agg(pg_get_expr(conbin, conrelid), '') from pg_constraint where contype = 'c' and conrelid = 'public.t'::regclass) from public.t"""
    everywhere(18, sql, (17, 19), FORMS, "set standard_conforming_strings = on; " + asked, "set standard_conforming_strings = off")


test_statistics()
test_virtual_columns()
test_unlogged_roots()
test_strings_with_backslashes()
