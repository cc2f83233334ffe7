"""refused.py: what cannot go down is said before anything is made, and nothing is left behind."""
import json
import os
import tempfile
import time

import moves

EXPECTED = {
    18: ["publication since19_sequences: publication of all sequences", "publication since19; but: publication of all sequences"],
    17: ["WITHOUT OVERLAPS", "NOT ENFORCED", "NOT NULL that is not valid", "RETURNING OLD",
         "comment on a NOT NULL", "publication of generated columns",
         "default privileges on large objects"],
    15: ["JSON_TABLE", "IS JSON", "builtin provider", "ICU rules", "identity column of a partitioned",
         "EXCLUDE constraint of a partitioned", "for logins",
         'table "since17"."endless": infinite interval'],
    13: ["BEGIN ATOMIC", "OUT arguments", "multirange", "statistics on an expression", "SEARCH or CYCLE",
         "EXTRACT", "NULLS NOT DISTINCT", "security_invoker", "ON DELETE SET NULL", "whole schemas",
         "column a of table \"since15\".\"scales\": numeric with a scale", "column b of table \"since15\".\"scales\": numeric",
         'table "since14"."endless": infinite numeric'],
}


def databases(major):
    return set(moves.psql(major, "postgres", "select datname from pg_database where datname ~ "
                                             "'^pgsherpa_cli'").split())


def nothing_left(major, before):
    """Other tests have databases of their own there, for a while: ours would stay."""
    end = time.monotonic() + 90
    new = databases(major) - before
    while new & databases(major):
        assert time.monotonic() < end, f"left behind on {major}: {new & databases(major)}"
        time.sleep(0.5)


def test_every_feature_is_named():
    db = f"{moves.MARK}_all"
    moves.build(18, db, 18)
    wanted = []
    for target in (17, 15, 13):
        wanted += EXPECTED[target]
        before = databases(target)
        _, err = moves.copy(18, db, target, f"{moves.MARK}_never", code=3)
        for words in wanted:
            assert any(words in line for line in err.splitlines() if line.startswith("cannot go: ")), \
                f"{target}: {words} is not among\n{err}"
        for finite in ('column c of table "since15"."scales"', 'table "types"."numbers": infinite', 'table "types"."times": infinite'):
            assert finite not in err, err
        nothing_left(target, before)
        assert moves.psql(target, "postgres",
                          f"select count(*) from pg_database where datname = '{moves.MARK}_never'") == "0"


def test_nobody_fills_the_place_where_things_wait():
    """What waits there is run when a load ends: a schema of that name in a source, whoever made it, goes nowhere."""
    role, db, proof = f"{moves.MARK}_waits", f"{moves.MARK}_waits", f"{moves.MARK}_was_run"
    moves.ROLES.append(role)
    moves.ROLES.append(proof)
    for major in (17, 18):
        moves.psql(major, "postgres", f"create role {role}")
    moves.make(17, db)
    moves.psql(17, db, f"""create schema pgsherpa_later authorization {role}; set role {role};
        create table pgsherpa_later.statements (n serial primary key, first bool not null, kind text not null, object text not null, sql text not null);
        insert into pgsherpa_later.statements (first, kind, object, sql) values (true, '', 'x', 'create role {proof} superuser')""")
    for more in ((), ("--check",)):
        _, err = moves.copy(17, db, 18, f"{moves.MARK}_never", *more, code=3)
        assert "cannot go: schema pgsherpa_later" in err, err
    with tempfile.TemporaryDirectory() as where:
        moves.run("backup", "create", "--from", moves.at(17, db), "--from-password-file", moves.PASSWORD_FILE, "--root", where, "--quiet")
        files = [os.path.join(where, f) for f in os.listdir(where) if "verify" not in f]
        for form in ("plain", "custom"):
            files.append(os.path.join(where, form))
            moves.client("pg_dump", "-h", moves.HOST, "-p", moves.port(17), "-U", moves.USER, "-d", db, "-F", form, "-f", files[-1], major=17)
        for f in files:
            _, err = moves.run("restore", f, "--to", moves.at(18, f"{moves.MARK}_never"), "--to-password-file", moves.PASSWORD_FILE, "--quiet", code=None)
            assert "has a schema pgsherpa_later" in err and "rename it first" in err, (f, err)
    for major in (17, 18):
        assert moves.psql(major, "postgres", f"select count(*) from pg_roles where rolname = '{proof}'") == "0"
        assert moves.psql(major, "postgres", f"select count(*) from pg_database where datname = '{moves.MARK}_never'") == "0"


def test_what_19_brought_is_named():
    if "19" not in moves.HAVE:
        return
    db = f"{moves.MARK}_brought"
    moves.build(19, db, 19)
    before = databases(18)
    _, err = moves.copy(19, db, 18, f"{moves.MARK}_never", code=3)
    for words in EXPECTED[18]:
        assert any(words in line for line in err.splitlines() if line.startswith("cannot go: ")), f"{words} is not among\n{err}"
    nothing_left(18, before)


def test_a_function_that_does_not_parse_there_is_found_by_the_rehearsal():
    """Its text is only text to CREATE FUNCTION; MERGE in it would fail on the first call."""
    db = moves.make(15, f"{moves.MARK}_merge")
    moves.psql(15, db, "create table t (a int primary key);"
               "create function public.f() returns void language plpgsql as $$begin merge into t using "
               "(values (1)) v (x) on a = x when not matched then insert values (x); end$$;"
               "create function public.says() returns text language sql as $$select 'merge into it'$$;")
    out, err = moves.copy(15, db, 13, f"{moves.MARK}_merged", "--check", code=3)
    assert "cannot go: function" in err and "f()" in err and "says" not in err, err
    assert "look at: function" in out, out
    moves.psql(15, db, "drop function public.f()")
    out, _ = moves.copy(15, db, 13, f"{moves.MARK}_merged", "--check")
    assert "it can go there" in out, out
    assert moves.psql(13, "postgres",
                      f"select count(*) from pg_database where datname = '{moves.MARK}_merged'") == "0"


def test_what_stays_behind_is_said_before():
    """A name of a NOT NULL goes where there are none; what no dump carries is no difference afterwards."""
    db, into = moves.make(18, f"{moves.MARK}_behind"), f"{moves.MARK}_behind_17"
    moves.psql(18, db, "create table t (a int constraint \"own; name\" not null, b int not null);"
               "insert into t values (1, 1), (1, 1);"
               "create function f(int, text) returns bool language sql as 'select true';"
               "create operator <~ (leftarg = int, rightarg = text, function = f, commutator = ~>);"
               "drop operator <~ (int, text);")
    moves.psql(18, db, "create unique index concurrently broken on t (a);", check=False)
    out, _ = moves.copy(18, db, 17, into, "--check")
    for words in ("own; name", "name of its own of a NOT NULL", "index public.broken: index that is not valid",
                  "operator without a function"):
        assert words in out, f"{words} is not said in\n{out}"
    assert "t_b_not_null" not in out, f"a name that nobody gave is told:\n{out}"
    moves.copy(18, db, 17, into)
    out, _ = moves.run("compare", *moves.ends(18, db, 17, into), "--quiet")
    for rule in ("invalid-index (1)", "shell-operator (1)", "unknown-before"):
        assert rule in out, out


def followed(db):
    """A table with something the direction's look does not know, and all that hangs on it."""
    moves.psql(17, db, """
        create table public.first (a int primary key, b float8 default random_normal());
        create index by_b on public.first (b); comment on table public.first is 'x'; grant select on public.first to public;
        create view public.over as select * from public.first; create view public.over_that as select a from public.over;
        create table public.child (a int references public.first); create table public.unharmed (a int);""")


def test_what_hangs_on_a_refused_table_is_told_once():
    db = moves.make(17, f"{moves.MARK}_followed")
    followed(db)
    out, err = moves.copy(17, db, 15, f"{moves.MARK}_never", "--check", "--json", code=3)
    cannot = [line for line in err.splitlines() if "cannot go: " in line]
    assert len(cannot) == 1 and "TABLE public.first" in cannot[0] and "random_normal" in cannot[0], err
    for follower in ("by_b", "VIEW public.over", "VIEW public.over_that", "COMMENT public", "GRANT", "child_a_fkey"):
        assert follower in cannot[0], f"{follower} is not in\n{cannot[0]}"
    answer = json.loads(out)
    assert answer["possible"] is False and len(answer["direction"]) == 1, answer
    assert "VIEW public.over_that" in answer["direction"][0]["followers"], answer


def test_whoever_reads_json_is_answered_when_it_is_refused():
    """Also before anything was made: the catalogs alone said no."""
    db = moves.make(18, f"{moves.MARK}_json")
    moves.psql(18, db, "create table t (a int unique nulls not distinct)")
    for more in (["--check"], []):
        out, _ = moves.copy(18, db, 13, f"{moves.MARK}_never", "--json", *more, code=3)
        answer = json.loads(out)
        assert answer["possible"] is False and "NULLS NOT DISTINCT" in answer["direction"][0]["what"], answer


def test_a_dump_says_what_in_it_is_newer():
    """What has older words is said in them; what has none is named, with its object."""
    db = moves.make(18, f"{moves.MARK}_newer")
    moves.psql(18, db, 'create table public."v; drop" (a int, twice int generated always as (a * 2));'
                       'insert into public."v; drop" values (1), (2); create role "' + moves.MARK + '_reader";'
                       'grant select, maintain on public."v; drop" to "' + moves.MARK + '_reader"')
    moves.psql(15, "postgres", f'create role "{moves.MARK}_reader"')
    try:
        with tempfile.TemporaryDirectory(prefix="pgsherpa-newer-") as root:
            for name, options in (("new.dump", ["-Fc"]), ("new.sql", [])):
                path, into = os.path.join(root, name), f"{moves.MARK}_{name.replace('.', '_')}"
                moves.client("pg_dump", *options, "-f", path, "-h", moves.HOST, "-p", moves.port(18), "-U", moves.USER, db)
                moves.MADE.append((15, into))
                out, err = moves.run("restore", path, "--to", moves.at(15, into), "--to-password-file", moves.PASSWORD_FILE)
                assert "said in older words: TABLE public.v; drop, which has a virtual generated column" in err, err
                assert moves.psql(15, into, 'select string_agg(twice::text, \' \' order by a) from public."v; drop"') == "2 4"
            moves.psql(18, db, "create table public.k (a int unique nulls not distinct)")
            path = os.path.join(root, "never.dump")
            moves.client("pg_dump", "-Fc", "-f", path, "-h", moves.HOST, "-p", moves.port(18), "-U", moves.USER, db)
            _, err = moves.run("restore", path, "--to", moves.at(13, f"{moves.MARK}_never"), "--to-password-file",
                               moves.PASSWORD_FILE, code=1)
            for words in ("CONSTRAINT public.k k_a_key", "it has NULLS NOT DISTINCT, which is of PostgreSQL 15; this server is 13"):
                assert words in err, err
    finally:
        for major, where in ((18, db), (15, f"{moves.MARK}_new_dump"), (15, f"{moves.MARK}_new_sql")):
            moves.psql(major, where, f'drop owned by "{moves.MARK}_reader"', check=False)
        for major in (15, 18):
            moves.psql(major, "postgres", f'drop role if exists "{moves.MARK}_reader"', check=False)


moves.need(13, 15, 17, 18)
for test in (test_every_feature_is_named, test_what_19_brought_is_named, test_nobody_fills_the_place_where_things_wait, test_a_function_that_does_not_parse_there_is_found_by_the_rehearsal,
             test_what_stays_behind_is_said_before, test_what_hangs_on_a_refused_table_is_told_once,
             test_whoever_reads_json_is_answered_when_it_is_refused, test_a_dump_says_what_in_it_is_newer):
    test()
