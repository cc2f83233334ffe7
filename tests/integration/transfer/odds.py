"""odds.py: databases with what is odd about the two servers, not about their tables.

Each move works and the deep proof is equal, or it stops with a clear error and leaves nothing."""
import os
import subprocess
import sys
import tempfile

import moves

M = moves.MARK


def move(name, source, target, sql, options=""):
    """(the copy's database, its words)"""
    db, into = moves.make(source, f"{M}_{name}", options), f"{M}_{name}_to"
    moves.psql(source, db, sql)
    out, _ = moves.copy(source, db, target, into)
    moves.equal(source, db, target, into, "--deep")
    print(f"{name}: {source} -> {target}: equal", flush=True)
    return into, out


def refused(name, source, target, sql, *words, options=""):
    db, into = moves.make(source, f"{M}_{name}", options), f"{M}_{name}_to"
    moves.psql(source, db, sql)
    roles = moves.psql(target, "postgres", f"select rolname from pg_roles where rolname ~ '^{M}'")
    before = databases(target)
    _, err = moves.run("copy", *moves.ends(source, db, target, into), "--roles", "--quiet", code=None)
    for w in words:
        assert w in err, f"{w!r} is not said in {err}"
    assert databases(target) <= before, f"left behind: {databases(target) - before}"
    assert moves.psql(target, "postgres", f"select rolname from pg_roles where rolname ~ '^{M}'") == roles
    print(f"{name}: {source} -> {target}: {err.splitlines()[0]}", flush=True)


def databases(major):
    return set(moves.psql(major, "postgres", f"select datname from pg_database where datname ~ '^{M}'").split("\n"))


def test_an_empty_database():
    move("empty", 15, 17, "select 1")
    move("emptier", 18, 13, "drop schema public; drop extension plpgsql")


def unsubscribe(major, db, name):
    if db in databases(major):
        moves.psql(major, db, f'alter subscription "{name}" disable; alter subscription "{name}" set (slot_name = none); '
                              f'drop subscription "{name}"', check=False)


def test_a_subscription_arrives_disabled_and_is_told():
    name, db = f"{M} sub", f"{M}_sub"
    sql = f"""create table t (a int primary key); insert into t values (1);
        create subscription "{name}" connection 'host=127.0.0.1 port=1 dbname=x' publication p with (connect = false, slot_name = '{M}_slot');
        alter subscription "{name}" enable"""
    try:
        into, out = move("sub", 15, 17, sql)
        assert f'look at: subscription "{name}": subscription: is made disabled' in out, out
        assert moves.psql(17, into, "select subenabled, subslotname from pg_subscription where subdbid = (select oid "
                                    "from pg_database where datname = current_database())") == f"f|{M}_slot"
        # A copy that fails after it was made leaves nothing.
        moves.psql(15, db, superusers())
        before = databases(17)
        _, err = moves.run("copy", *moves.ends(15, db, 17, f"{db}_again"), "--roles", "--quiet", code=1)
        assert "OWNER of EVENT TRIGGER" in err and "not everything" not in err, err
        assert databases(17) == before and not left("pgsherpa_cli"), left("pgsherpa_cli")
    finally:
        unsubscribe(15, db, name)
        unsubscribe(17, f"{db}_to", name)


def left(begins):
    """Databases with subscriptions whose name begins so: those of ours, nobody else makes any."""
    return moves.psql(17, "postgres", "select datname from pg_database where oid in (select subdbid from "
                                      f"pg_subscription where subname ~ '^{M}') and datname ~ '^{begins}'")


def superusers():
    """What only a superuser may own, and roles arrive as plain ones."""
    role = f"{M}_su"
    if role not in moves.ROLES:
        moves.psql(15, "postgres", f'create role "{role}" superuser')
        moves.ROLES.append(role)
    return f"""create function f() returns event_trigger language plpgsql as $$begin end$$;
        set role "{role}"; create event trigger "{M}_evt" on ddl_command_end execute function f()"""


def test_what_only_superusers_own_needs_one_there():
    sql = superusers()
    refused("evt", 15, 17, sql, f"OWNER of EVENT TRIGGER {M}_evt", "must be a superuser")
    moves.psql(17, "postgres", f'create role "{M}_su" superuser')
    into, _ = move("evt2", 15, 17, sql)
    assert moves.psql(17, into, f"select evtowner::regrole::text from pg_event_trigger where evtname = '{M}_evt'") == f"{M}_su"


def test_tablespaces_that_are_not_there():
    """What lay in them goes to the default one; settings that name them are kept as they are."""
    space = f"{M}_ts"
    moves.psql(15, "postgres", f"set allow_in_place_tablespaces = on; create tablespace {space} location ''")
    try:
        move("ts", 15, 17, f"""create table t (a int primary key) tablespace {space}; insert into t values (1);
            create index i on t (a) tablespace {space}; create materialized view mv tablespace {space} as select * from t;
            create table p (a int) partition by range (a) tablespace {space};
            create table p1 partition of p for values from (1) to (5); insert into p values (2);
            alter database {M}_ts set default_tablespace = {space};
            alter database {M}_ts set temp_tablespaces = {space}, "not there"; set default_tablespace = {space};
            create table u (a int unique); alter table t add unique (a) using index tablespace {space}""")
        move("inside", 15, 18, "create table t (a int); insert into t values (1)", f"tablespace {space}")
    finally:
        for db in (f"{M}_ts", f"{M}_inside"):
            moves.psql(15, "postgres", f"drop database if exists {db}", check=False)
        moves.psql(15, "postgres", f"drop tablespace {space}")


def test_names_with_control_characters():
    t = r'U&"s\0009\000d\000a".U&"t\0009\000d\000a\005c\0001\007f"'
    move("names", 13, 18, rf"""create schema U&"s\0009\000d\000a"; create sequence U&"q\000d\000a"; select nextval('U&"q\000d\000a"');
        create table {t} (U&"c\0009\000d\000a" int primary key, U&"\0001\001f\007f" text default E'\r\n'); insert into {t} values (1, E'\r\n\t');
        create index U&"i\000d\000a" on {t} (U&"\0001\001f\007f"); create view U&"v\000d\000a" as select * from {t};
        create type U&"e\000d\000a" as enum (E'a\r\n\t', ''); create table U&"in\000d\000a" (e U&"e\000d\000a" default E'a\r\n\t');
        insert into U&"in\000d\000a" default values; comment on table {t} is E'c\r\n\t\\';
        create function U&"f\000d\000a"() returns text language sql as E'select ''a\r\nb'' -- \r\n'""".replace("nextval('U&\"q\\000d\\000a\"')", "nextval(E'\"q\\r\\n\"')"))


ASCII = "encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'"
RAW = "convert_from('\\xe4fc'::bytea, 'SQL_ASCII')"


def test_bytes_without_an_encoding():
    """SQL_ASCII: rows are bytes, whatever they mean; names and comments have to be UTF8, or it is said."""
    move("ascii", 15, 18, f"create table t (a text, b int primary key); insert into t values ({RAW}, 1), ('ä', 2)", ASCII)
    refused("ascii2", 15, 18, f"do $$begin execute format('create table %I (a int)', {RAW}); end$$",
            "holding the source's tables: invalid byte sequence", options=ASCII)
    refused("ascii3", 15, 18, f"do $$begin execute format('comment on schema public is %L', {RAW}); end$$",
            "comparing objects (comment): invalid byte sequence", options=ASCII)


def test_an_extension_in_a_schema_of_its_own():
    into, _ = move("ext", 17, 13, """create schema "My Ext"; create extension hstore schema "My Ext"; create extension pg_trgm schema "My Ext";
        create table t (h "My Ext".hstore default 'a=>1', t text); insert into t values (default, 'word'), ('b=>NULL', null);
        create index on t using gin (t "My Ext".gin_trgm_ops); create view v as select h operator("My Ext".->) 'a' as a from t""")
    assert moves.psql(13, into, "select count(*) from pg_extension e join pg_namespace n on n.oid = extnamespace where nspname = 'My Ext'") == "2"


def test_bootstrap_superusers_with_different_names():
    """postgres owns the source; the target was made by admin and has no postgres."""
    lab = os.path.join(os.path.dirname(moves.SQL), "../../../lab/cluster.sh")
    base = tempfile.mkdtemp(prefix="pgsherpa-test-")
    os.chmod(base, 0o711)
    where = os.path.join(base, "s")
    try:
        port = subprocess.run([lab, "start", "17", where, "auto", "--user", "admin", "--password-file", moves.PASSWORD_FILE],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip().splitlines()[-1]
        db = moves.make(15, f"{M}_boot")
        moves.psql(15, db, "create schema s; create table s.t (a int primary key); insert into s.t values (1); grant select on s.t to postgres; "
                           "alter default privileges grant select on tables to postgres; create event trigger e on sql_drop execute function suppress_redundant_updates_trigger()"
                           .replace("; create event trigger e on sql_drop execute function suppress_redundant_updates_trigger()", "")
                           + f"; alter role postgres in database {M}_boot set work_mem = '9MB'")
        ends = ["--from", moves.at(15, db), "--from-password-file", moves.PASSWORD_FILE,
                "--to", f"host={moves.HOST},port={port},user=admin,db={db}", "--to-password-file", moves.PASSWORD_FILE]
        _, err = moves.run("copy", *ends, "--quiet", code=3)
        assert "the target has no role" in err and "postgres" in err and "--roles makes them" in err, err
        out, _ = moves.run("copy", *ends, "--roles", "--quiet")
        moves.run("compare", *ends, "--deep", "--quiet")
        print("boot:", out.splitlines()[-1], flush=True)
    finally:
        subprocess.run([lab, "destroy", where], check=False)
        os.rmdir(base)


def main():
    moves.need(13, 15, 17, 18)
    for name, test in sorted(globals().items()):
        if name.startswith("test_") and (len(sys.argv) < 2 or name in sys.argv):
            test()


main()
