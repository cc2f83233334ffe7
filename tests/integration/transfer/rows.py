"""rows.py: what only rows can break is said before anything is moved, with the query that finds them."""
import re

import moves

MOVES = ((13, 17), (15, 18), (18, 18))
HOSTILE = '"; drop $(rm)'


def refused(source, db, target, *words, deep=False):
    into = f"{moves.MARK}_never"
    _, err = moves.copy(source, db, target, into, "--check", *(["--deep"] if deep else []), code=3)
    for w in words:
        assert any(w in line for line in err.splitlines() if line.startswith("cannot go: ")), f"{w} is not among\n{err}"
    assert moves.psql(target, "postgres", f"select count(*) from pg_database where datname = '{into}'") == "0"
    return err


def goes(source, db, target, *more):
    out, _ = moves.copy(source, db, target, f"{moves.MARK}_never", "--check", *more)
    assert "it can go there" in out, out


def found_by(source, db, err):
    """The query that is given finds the rows, or fails as the load would."""
    q = re.search(r"look at them with: (.*)", err).group(1)
    return moves.psql(source, db, q, check=False)


def test_functions_that_changed_their_mind(source, target):
    db = moves.make(source, f"{moves.MARK}_mind_{source}")
    moves.psql(source, db, """
        create function public.fine(int) returns bool language sql immutable as 'select true';
        create function public.twice(int) returns int language sql immutable as 'select $1 * 2';
        create table public.checked (n int constraint "is fine" check (public.fine(n)));
        create table public.made (n int, m int generated always as (public.twice(n)) stored);
        insert into public.checked select generate_series(1, 10);
        insert into public.made select generate_series(1, 5);""")
    goes(source, db, target)
    moves.psql(source, db, """
        create or replace function public.fine(int) returns bool language sql immutable as 'select $1 > 3';
        create or replace function public.twice(int) returns int language sql immutable as 'select $1 * 2 + ($1 > 3)::int';""")
    err = refused(source, db, target, 'is fine', "do not satisfy it any more: 3", "column m of table", "another value in it than its expression gives now: 2")
    assert "NOT VALID" in err and found_by(source, db, err.split("cannot go: ")[1]), err
    # The way on that was named.
    moves.psql(source, db, 'alter table public.checked drop constraint "is fine"; alter table public.checked add constraint '
                           '"is fine" check (public.fine(n)) not valid; update public.made set n = n')
    goes(source, db, target)
    moves.copy(source, db, target, f"{moves.MARK}_mind_there_{source}")


def test_what_needs_a_search_path(source, target):
    db = moves.make(source, f"{moves.MARK}_path_{source}")
    moves.psql(source, db, """
        create schema app; set search_path = app;
        create function app.inner_one(text) returns text language sql immutable as 'select upper($1)';
        create function app.outer_one(text) returns text language plpgsql immutable as 'begin return upper($1); end';
        create table app.c (t text check (app.outer_one(t) <> 'X'));
        create table app.g (t text, u text generated always as (app.outer_one(t)) stored);
        create table app.i (t text); create index on app.i (app.outer_one(t));
        create table app.p (t text); create index on app.p (t) where app.outer_one(t) = 'A';
        create domain app.dom as text check (app.outer_one(value) <> 'Y'); create table app.d (t app.dom);
        create materialized view app.m as select app.outer_one(t) as x from app.i;
        insert into app.c values ('a'); insert into app.g values ('a'); insert into app.i values ('a');
        insert into app.p values ('a'); insert into app.d values ('a'); refresh materialized view app.m;
        create or replace function app.outer_one(text) returns text language plpgsql immutable as 'begin return inner_one($1); end';
        """)
    err = refused(source, db, target, "table app.c", "column u of table app.g", "index app.i_outer_one_idx",
                  "index app.p_t_idx", "column t of table app.d", "materialized view app.m", "finds what it needs only by a search_path")
    assert err.count("cannot go: ") == 6 and "function app.outer_one(text)" in err, err
    moves.psql(source, db, "alter function app.outer_one(text) set search_path = app")
    goes(source, db, target)
    moves.copy(source, db, target, f"{moves.MARK}_path_there_{source}")


def test_checks_that_read_other_tables(source, target):
    """They hold on the source, and fail whenever their table is loaded first."""
    db = moves.make(source, f"{moves.MARK}_other_tables_{source}")
    moves.psql(source, db, '''
        create table public.z_kinds (k text primary key); insert into public.z_kinds values ('a');
        create function public.known(text) returns bool language sql stable as 'select exists (select from public.z_kinds where k = $1)';
        create table public."a; drop" (k text references public.z_kinds check (public.known(k))); insert into public."a; drop" values ('a');
        create function public.short(text) returns bool language sql immutable as 'select length($1) < 5';
        create table public.fine (k text references public.z_kinds check (public.short(k))); insert into public.fine values ('a');''')
    err = refused(source, db, target, 'table public."a; drop": its rows are not taken while other tables are empty')
    assert "public.fine" not in err and "NOT VALID" in err, err
    moves.psql(source, db, 'alter table public."a; drop" drop constraint "a; drop_k_check"; alter table public."a; drop" add '
                           'check (public.known(k)) not valid')
    goes(source, db, target)
    moves.copy(source, db, target, f"{moves.MARK}_other_tables_there_{source}")


def test_every_row_when_asked(source, target):
    """A corrupt index, and a foreign key somebody went around; only the second kind of look reads all rows."""
    db = moves.make(source, f"{moves.MARK}_every_{source}")
    evil = HOSTILE.replace('"', '""')
    moves.psql(source, db, f"""
        create table public.p (id int primary key); create table public."{evil}" (id int unique, p int references public.p);
        insert into public.p values (1), (2); insert into public."{evil}" values (1, 1), (2, 2), (null, null);
        create table public.pair (a int, b text, primary key (a, b)); insert into public.pair values (1, 'x'), (2, 'y');
        set session_replication_role = replica; delete from public.p where id = 2;
        update pg_index set indisready = false, indislive = true where indexrelid = 'public.pair_pkey'::regclass;
        insert into public.pair values (1, 'x'); update pg_index set indisready = true where indexrelid = 'public.pair_pkey'::regclass;""")
    goes(source, db, target)
    err = refused(source, db, target, "rows that point to one that is not there: 1", "pair_pkey", "rows that share their key (a corrupt index let them in): 2", deep=True)
    for one in err.split("cannot go: ")[1:]:
        assert found_by(source, db, one), one
    moves.psql(source, db, "set session_replication_role = replica; insert into public.p values (2); delete from public.pair where "
                           "ctid = (select max(ctid) from public.pair)")
    goes(source, db, target, "--deep")


def test_keys_compare_as_their_index_does(source, target):
    """What is one key to a column's collation is two to an index with another one, and the other way round."""
    db = moves.make(source, f"{moves.MARK}_collations_{source}")
    moves.psql(source, db, """
        create collation public.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        create table public.ci_c (t text collate public.ci); create unique index on public.ci_c (t collate "C");
        create table public.pattern (t text); create unique index on public.pattern (t text_pattern_ops);
        create table public.lowered (t text); create unique index on public.lowered (lower(t) collate "POSIX", length(t));
        insert into public.ci_c values ('word'), ('Word'); insert into public.pattern values ('a'), ('A');
        insert into public.lowered values ('a'), ('ä');
        create table public.c_ci (t text collate "C"); create unique index c_ci_key on public.c_ci (t collate public.ci);
        insert into public.c_ci values ('one');
        create table public.parent (t text collate "C" primary key); create table public.child (t text collate public.ci);
        insert into public.parent values ('x'); insert into public.child values ('x'), (null);
        create type public.same as (a int); create operator class public.odd for type int using btree as operator 1 <, operator 2 <=,
            operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);
        create table public.opclass (n int); create unique index on public.opclass (n public.odd); insert into public.opclass values (1);""")
    moves.psql(source, db, "alter table public.child alter t type text collate \"POSIX\"; alter table public.child add foreign key (t) references public.parent")
    goes(source, db, target, "--deep")
    moves.psql(source, db, """
        update pg_index set indisready = false where indexrelid = 'public.c_ci_key'::regclass;
        insert into public.c_ci values ('One'); update pg_index set indisready = true where indexrelid = 'public.c_ci_key'::regclass;""")
    err = refused(source, db, target, "c_ci_key", "rows that share their key (a corrupt index let them in): 2", deep=True)
    assert found_by(source, db, err), err


def test_reading_is_all_it_does(source, target):
    """A function that writes, and one of an owner who may little, say nothing and change nothing."""
    db = moves.make(source, f"{moves.MARK}_only_reads_{source}")
    moves.psql(source, db, """
        create table public.log (n int);
        create function public.writes(int) returns bool language plpgsql as 'begin insert into public.log values ($1); return true; end';
        create table public.w (n int check (public.writes(n)));
        insert into public.w values (1);""")
    before = moves.psql(source, db, "select count(*) from public.log")
    goes(source, db, target)
    assert moves.psql(source, db, "select count(*) from public.log") == before


def test_nobody_borrows_our_rights(source, target):
    """A function may RESET ROLE: that of a role which may less than we do is not run on the source."""
    db = moves.make(source, f"{moves.MARK}_rights_{source}")
    role = f"{moves.MARK}_little"
    moves.psql(source, "postgres", f"create role {role}")
    try:
        moves.psql(source, db, f"""
            create schema little authorization {role}; set role {role};
            create function little.who(int) returns bool language plpgsql as
                $$ begin perform set_config('role', 'none', true); raise exception 'I am %', current_user; end $$;
            create function little.yes(int) returns bool language sql as 'select true';
            create table little.t (n int check (little.yes(n))); insert into little.t values (1);
            create or replace function little.yes(n int) returns bool language sql as 'select little.who(n)';""")
        out, err = moves.copy(source, db, target, f"{moves.MARK}_never", "--check", code=None)
        assert "not tried on its rows: it calls function little.yes" in out and "I am" not in out + err, out + err
    finally:
        moves.psql(source, db, f"drop owned by {role}", check=False)
        moves.psql(source, "postgres", f"drop role {role}", check=False)


for pair in MOVES:
    moves.need(*pair)
    for test in (test_functions_that_changed_their_mind, test_what_needs_a_search_path,
                 test_checks_that_read_other_tables, test_every_row_when_asked, test_keys_compare_as_their_index_does,
                 test_reading_is_all_it_does, test_nobody_borrows_our_rights):
        test(*pair)
        print(f"ok: {test.__name__} {pair}", flush=True)
