"""settings.py: settings that a database, a role or a function has, and the other major not, or otherwise.

Each is said by --check, left out or renamed on the way, and the copy is equal; what would change what a
function's text means is refused by name; what no table knows (a value) is found by the rehearsal."""
import os
import sys
import tempfile

import moves

M = moves.MARK
# Setting, its value, where it is: 'b' both on a database and a role in it, and on a function.
OF_15 = {"force_parallel_mode": "on", "escape_string_warning": "off"}
OF_13 = {"operator_precedence_warning": "on", "vacuum_cleanup_index_scale_factor": "0.3", "force_parallel_mode": "off"}
OF_18 = {"vacuum_truncate": "off", "md5_password_warnings": "off", "transaction_timeout": "1h",
         "debug_parallel_query": "on", "escape_string_warning": "off"}
OF_19 = {"enable_eager_aggregate": "off", "wal_receiver_timeout": "1min", "debug_print_raw_parse": "off",
         "vacuum_truncate": "on"}


def hostile(name):
    return f'{M} "{name};\'--'


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def planted(major, settings, db):
    role = hostile(f"role{len(moves.ROLES)}")
    moves.ROLES.append(role.replace('"', '""'))
    sets = " ".join(f"set {k} to '{v}'" for k, v in settings.items())
    sql = (f"create role {quoted(role)}; create function public.f(int) returns int language sql set search_path to "
           f"pg_catalog, 'odd \"; SET x' {sets} as 'select $1';\n")
    for k, v in settings.items():
        sql += (f"alter database {quoted(db)} set {k} to '{v}'; alter role {quoted(role)} in database {quoted(db)} set "
                f"{k} to '{v}'; alter role {quoted(role)} set {k} to '{v}';\n")
    sql += (f"alter database {quoted(db)} set search_path to public, 'odd \"'; alter role {quoted(role)} set role to "
            f"{quoted(role)};\n"
            f"create table public.t (a int primary key); alter table public.t owner to {quoted(role)};")
    moves.psql(major, db, sql)
    return role


def had(major, db, role):
    """Everything that is set there, in one text."""
    return moves.psql(major, db, "select coalesce(r.rolname, '-'), s.setdatabase <> 0, c from pg_db_role_setting s left join "
                      "pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase, unnest(s.setconfig) "
                      f"c where (d.datname = current_database() or s.setdatabase = 0 and r.rolname = :'role') order by 1, 2, 3;"
                      "select c from pg_proc, unnest(proconfig) c where proname = 'f' order by 1", f"role={role}")


def moved(source, target, settings, gone=(), renamed=()):
    moves.need(source, target)
    db, into = moves.make(source, f"{M} set;--{source}-{target}"), f"{M}_set{source}_{target}"
    role = planted(source, settings, db)
    before = had(source, db, role)
    options = ["--roles", "--quiet"]
    out, _ = moves.run("copy", *moves.ends(source, db, target, into), *options, "--check")
    for name in gone:
        assert out.count(f"setting {name}") == 3, f"{source} -> {target}: {name}\n{out}"
    for old, new in renamed:
        assert out.count(f"setting {old}") == 3 and out.count(f"is called {new} there") == 3, out
    moves.MADE.append((target, into))
    _, err = moves.run("copy", *moves.ends(source, db, target, into), *options)
    moves.run("compare", *moves.ends(source, db, target, into), "--quiet")
    want = before
    for name in gone:
        want = "\n".join(line for line in want.split("\n") if f"{name}=" not in line)
    for old, new in renamed:
        want = want.replace(f"{old}=", f"{new}=")
    got = had(target, into, role)
    assert sorted(got.split("\n")) == sorted(want.split("\n")), f"{source} -> {target}\nwas\n{want}\nis\n{got}"
    assert all(f"setting {n}" in err or n in err for n in gone), err
    print(f"settings: {source} -> {target}: equal", flush=True)
    moves.psql(target, "postgres", f'drop database "{into}"; drop role {quoted(role)}')


def test_settings_go_in_the_words_of_the_other_major():
    moved(13, 17, OF_13, gone=["operator_precedence_warning", "vacuum_cleanup_index_scale_factor"],
          renamed=[("force_parallel_mode", "debug_parallel_query")])
    moved(15, 18, OF_15, renamed=[("force_parallel_mode", "debug_parallel_query")])
    moved(18, 15, OF_18, gone=["vacuum_truncate", "md5_password_warnings", "transaction_timeout"],
          renamed=[("debug_parallel_query", "force_parallel_mode")])
    if "19" in moves.HAVE:
        moved(18, 19, OF_18, gone=["escape_string_warning"])
        moved(19, 18, OF_19, gone=["enable_eager_aggregate", "wal_receiver_timeout", "debug_print_raw_parse"])


def test_strings_that_are_not_standard_are_left_out_and_told_but_never_in_a_function():
    if "19" not in moves.HAVE:
        return
    db, into = moves.make(18, f"{M}_strings"), f"{M}_strings_19"
    moves.psql(18, db, f"""alter database {quoted(db)} set standard_conforming_strings to off;
        create table t (a int primary key, v text default E'a\\nb'); insert into t values (1);
        create function public.tells() returns text language sql as $f$select 'a\\nb'::text$f$;
        create function public.own() returns text language sql set standard_conforming_strings to off as
        $f$select 'a\\nb'::text$f$;""")
    out, err = moves.copy(18, db, 19, into, "--check", code=3)
    assert "cannot go: function public.own(): setting standard_conforming_strings=off (of 19)" in err, err
    assert f"look at: database {db}: setting standard_conforming_strings=off (of 19): left out" in out, out
    assert "look at: function public.tells(): a backslash in its text (of 19)" in out and "own(): a backslash" not in out, out
    moves.psql(18, db, "drop function public.own()")
    moves.copy(18, db, 19, into)
    assert moves.psql(19, into, "select count(*) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase "
                                "where d.datname = current_database()") == "0"
    moves.equal(18, db, 19, into)


def test_a_value_that_the_server_does_not_take_is_found_by_the_rehearsal():
    """No table knows the locales of a machine; at the end of a copy it would be in the downtime."""
    db, into = moves.make(15, f"{M}_value"), f"{M}_value_17"
    moves.psql(15, db, "create table t (a int)")
    # planted where no check is made: as a backup of another machine has it
    moves.psql(15, db, f"""alter database {quoted(db)} set lc_messages to 'C';
        set allow_system_table_mods = on; update pg_db_role_setting set setconfig = '{{lc_messages=xx_YY.utf8}}' where
        setdatabase = (select oid from pg_database where datname = current_database())""")
    _, err = moves.copy(15, db, 17, into, "--check", code=3)
    assert "cannot go: ALTER DATABASE SET lc_messages" in err, err


def empty(major):
    """An empty list, which is not a list of one empty name."""
    return "alter database :\"db\" set search_path to null" if major >= 19 else \
        "select set_config('search_path', '', false); alter database :\"db\" set search_path from current"


def paths(major, db):
    return moves.psql(major, db, "select s.setconfig from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase "
                      f"where d.datname = '{db}'; select proconfig from pg_proc where proname = 'g'")


def test_an_empty_search_path_arrives_empty():
    for source, target in ((15, 17), (18, 18), (19, 19), (18, 19), (19, 15), (17, 15)):
        if str(source) not in moves.HAVE or str(target) not in moves.HAVE:
            continue
        db, into = moves.make(source, f"{M}_empty_{source}_{target}"), f"{M}_empty_{source}_{target}_to"
        moves.psql(source, db, empty(source), f"db={db}")
        moves.psql(source, db, "create table public.t (a int); select set_config('search_path', '', false); create function "
                   "public.g() returns int language sql set search_path from current as 'select 1'")
        want = paths(source, db)
        assert want == "{search_path=}\n{search_path=}", want
        moves.copy(source, db, target, into)
        assert paths(target, into) == want, f"{source} -> {target}: {paths(target, into)}"
        moves.equal(source, db, target, into)
        bundle(source, db, target, want)


def bundle(source, db, target, want):
    """And through a file of its own, and by the SQL in it."""
    into = f"{db}_back"
    with tempfile.TemporaryDirectory() as tmp:
        moves.run("backup", "create", "--from", moves.at(source, db), "--from-password-file", moves.PASSWORD_FILE,
                  "--root", tmp, "--quiet")
        path = os.path.join(tmp, next(f for f in os.listdir(tmp) if f.endswith(".pgs.tar")))
        moves.MADE.append((target, into))
        moves.run("restore", path, "--to", moves.at(target, into), "--to-password-file", moves.PASSWORD_FILE, "--quiet")
        assert paths(target, into) == want, f"{source} -> {target}, a bundle: {paths(target, into)}"


def test_a_dump_says_them_in_its_own_words():
    """pg_dump -C and pg_dumpall of a newer server into an older one, and the other way."""
    for source, target, sets in ((15, 18, {"force_parallel_mode": "on"}), (18, 15, {"debug_parallel_query": "on",
                                                                                   "vacuum_truncate": "off"})):
        db, into = moves.make(source, f"{M}_file_{source}"), f"{M}_file_{source}_{target}"
        moves.psql(source, db, "create table t (a int); " + "; ".join(
            f"alter database {quoted(db)} set {k} to '{v}'" for k, v in sets.items()))
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "one.sql")
            with open(path, "w", encoding="utf-8") as f:
                f.write(moves.client("pg_dump", "-C", "-d", f"host={moves.HOST} port={moves.port(source)} user={moves.USER} "
                                     f"dbname={db}", major=source))
            moves.MADE.append((target, into))
            _, err = moves.run("restore", path, "--to", moves.at(target, into), "--to-password-file", moves.PASSWORD_FILE)
        got = moves.psql(target, into, "select c from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase, "
                                       "unnest(setconfig) c where d.datname = current_database() order by 1")
        assert got == ("debug_parallel_query=on" if target == 18 else "force_parallel_mode=on"), got
        assert source == 15 or "left out, PostgreSQL 15 does not take it" in err, err


if __name__ == "__main__":
    moves.need(13, 15, 17, 18)
    wanted = sys.argv[1:]
    for name, test in list(globals().items()):
        if name.startswith("test_") and (not wanted or name in wanted):
            test()
            print(f"ok {name}", flush=True)
