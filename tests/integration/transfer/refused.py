"""refused.py: what cannot go down is said before anything is made, and nothing is left behind."""
import time

import moves

EXPECTED = {
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


moves.need(13, 15, 17, 18)
test_every_feature_is_named()
test_a_function_that_does_not_parse_there_is_found_by_the_rehearsal()
test_what_stays_behind_is_said_before()
