"""dumps.py SOURCE-TARGET: what pg_dump, pg_dumpall and gzip wrote, restored by pgsherpa and compared
with where it came from; and what was cut, bent, forged or is not a dump at all, refused by name."""
import bz2
import gzip
import lzma
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import moves

SOURCE, TARGET = (int(m) for m in sys.argv[1].split("-"))
DB = f"{moves.MARK}_dump"
WORK = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")


def at(name):
    return os.path.join(WORK, name)


def write(name, data):
    with open(at(name), "wb") as f:
        f.write(data)
    return at(name)


def read(name):
    with open(at(name), "rb") as f:
        return f.read()


def pg_dump(name, *options, db=DB, program="pg_dump", major=SOURCE):
    which = ["-d", f"dbname='{db}'"] if program == "pg_dump" else []
    moves.client(program, *options, "-f", at(name), "-h", moves.HOST, "-p", moves.port(SOURCE), "-U",
                 moves.USER, *which, major=major)
    return at(name)


def count(major, where):
    return moves.psql(major, "postgres", f"select count(*) from pg_database where {where}")


def restore(path, into, *more, code=0):
    if code == 0:
        moves.MADE.append((TARGET, into))
    return moves.run("restore", path, "--to", moves.at(TARGET, into), "--to-password-file",
                     moves.PASSWORD_FILE, *more, code=code)


def refused(path, words, *more, code=1, db=f"{moves.MARK}_never"):
    """Ends with that code, says these words, and leaves the server as it was."""
    process = subprocess.Popen([moves.BINARY, "restore", path, "--to", moves.at(TARGET, db), "--to-password-file",
                                moves.PASSWORD_FILE, *more], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, (path, process.returncode, err)
    for w in [words] if isinstance(words, str) else words:
        assert re.search(w, err), f"{path}: `{w}` is not in: {err}"
    assert "\x1b" not in err, err
    left = count(TARGET, f"datname = '{db}' or datname ~ '^pgsherpa_cli{process.pid}_'")
    assert left == "0", f"{left} databases are left: {err}"
    return err


def roles_on_target():
    if SOURCE == TARGET:
        return
    names = moves.psql(SOURCE, "postgres", f"select quote_ident(rolname) from pg_roles where rolname like '{moves.MARK}%'")
    for name in names.splitlines():
        moves.psql(TARGET, "postgres", f"create role {name}", check=False)


def compared(path, name, db=None):
    into = f"{moves.MARK}_{name}"
    out, _ = restore(path, into, "--quiet")
    moves.equal(SOURCE, db or DB, TARGET, into)
    moves.psql(TARGET, "postgres", f'drop database "{into}"')
    print(f"ok {name}: {out.strip()}")


# Hash partitions of enums and collated text do not fit on another server, and pg_dump knows a way.
ROOT = "--load-via-partition-root"


def fixtures():
    pg_dump("plain.sql", "--no-owner", db=SIMPLE)
    pg_dump("c.sql", "-C", ROOT)
    for letter in "cdt":
        pg_dump(f"x.{letter}", f"-F{letter}", ROOT)


def formats():
    sql = at("c.sql")
    compared(sql, "sql")
    with open(sql, "rb") as f, gzip.open(at("c.sql.gz"), "wb") as z:
        shutil.copyfileobj(f, z)
    compared(at("c.sql.gz"), "sql_gz")
    subprocess.run(["zstd", "-q", sql, "-o", at("c.sql.zst")], check=True)
    compared(at("c.sql.zst"), "sql_zst")
    os.rename(at("c.sql.zst"), at("named_otherwise"))
    compared(at("named_otherwise"), "any_name")
    compared(pg_dump("clean.sql", "-C", "-c", "--if-exists", ROOT), "clean")
    # Of everything PostgreSQL has, INSERTs of pg_dump lose a -0: unquoted it is an integer.
    compared(pg_dump("inserts.sql", "-C", "--inserts", "--rows-per-insert=7", db=SIMPLE), "inserts", SIMPLE)
    compared(pg_dump("column_inserts.dump", "-Fc", "--column-inserts", db=SIMPLE), "column_inserts", SIMPLE)
    for letter in "cdt":
        compared(at(f"x.{letter}"), f"F{letter}")
    if SOURCE >= 17:
        compared(pg_dump("z.d", "-Fd", "-j2", "--compress=zstd:1", ROOT), "Fd_zstd")
    subprocess.run(["gzip", "-k", at("x.t")], check=True)
    compared(at("x.t.gz"), "Ft_gz")


def simple_source(name):
    moves.make(SOURCE, name)
    moves.psql(SOURCE, name, """
        create table a (n int primary key, t text);
        insert into a select n, 'row ' || n from generate_series(1, 1000) n;
        insert into a values (0, E'\\\\.\n\\\\.\n\\\\! touch /tmp/x\t\\\\N');
        create table b (n int references a, u text);
        insert into b select n, 'it''s' from generate_series(1, 100) n;
        create function f() returns text language sql as $$ select 'a;b' $$;
        select lo_from_bytea(0, '\\x00ff5c2e0a');""")
    return name


def names_of_their_own():
    """Without -C a dump does not say its name, nor what is set on the database."""
    into = f"{moves.MARK}_plain"
    plain = at("plain.sql")
    _, err = moves.run("restore", plain, "--to", moves.at(TARGET), "--to-password-file", moves.PASSWORD_FILE,
                       code=2)
    assert "does not say what its database is called" in err and "db=NAME" in err, err
    out, _ = restore(plain, into)
    assert "2 tables, 1,101 rows, every one counted" in out, out
    moves.equal(SOURCE, SIMPLE, TARGET, into)
    refused_there = restore(plain, into, code=3)[1]
    assert "is not empty" in refused_there, refused_there
    again = pg_dump("clean_without_if.sql", "-c", db=SIMPLE)
    moves.psql(TARGET, "postgres", f'drop database "{into}"; create database "{into}"')
    out, err = restore(again, into)
    assert "an empty database was in its place" in out and "were to be removed first" in err, out + err
    moves.equal(SOURCE, SIMPLE, TARGET, into)
    # The name it had, when nobody gives another; odd ones too.
    odd = f"{moves.MARK} Odd 'n\\ame\""
    moves.psql(SOURCE, "postgres", 'create database "' + odd.replace('"', '""') + f'" template "{SIMPLE}"')
    moves.MADE.append((SOURCE, odd.replace('"', '""')))
    moves.MADE.append((TARGET, odd.replace('"', '""')))
    escaped = odd.replace("\\", "\\\\").replace("'", "\\'")
    path = pg_dump("odd.sql", "-C", db=escaped)
    archive = pg_dump("odd.dump", "-Fc", db=escaped)
    if SOURCE != TARGET:
        for p in (path, archive):
            moves.run("restore", p, "--to", moves.at(TARGET), "--to-password-file", moves.PASSWORD_FILE)
            moves.run("compare", *moves.ends(SOURCE, odd, TARGET, odd), "--quiet")
            moves.psql(TARGET, "postgres", 'drop database "' + odd.replace('"', '""') + '"')
    moves.psql(SOURCE, "postgres", 'drop database "' + odd.replace('"', '""') + '"')
    print("ok names")


def latin1():
    name = moves.make(SOURCE, f"{moves.MARK}_latin", "encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'")
    moves.psql(SOURCE, name, "create table \"caf\u00e9\" (t text); insert into \"caf\u00e9\" values ('na\u00efve \u00fc')")
    for n, path in enumerate((pg_dump("latin.sql", "-C", "-E", "LATIN1", db=name), pg_dump("latin1.sql", "-E", "LATIN1", db=name),
                              pg_dump("latin.dump", "-Fc", db=name))):
        into = f"{moves.MARK}_latin_{n}"
        restore(path, into)
        assert moves.psql(TARGET, into, 'select t, pg_encoding_to_char(encoding) from "caf\u00e9", pg_database '
                          "where datname = current_database()") == "na\u00efve \u00fc|LATIN1"
    print("ok latin1")


def settings_of_the_file():
    """Backslashes count in a dump of a server with standard_conforming_strings off; 19 has no such setting."""
    if SOURCE >= 19:
        return
    name = moves.make(SOURCE, f"{moves.MARK}_slash")
    moves.psql(SOURCE, name, f"alter database \"{name}\" set standard_conforming_strings = off")
    moves.psql(SOURCE, name, "set standard_conforming_strings = on;\ncreate table t (a text default 'x\\''; y');\n"
               "insert into t values ('a\\'), ('''; drop table t; --\\')")
    path = pg_dump("slash.sql", "--inserts", db=name)
    if SOURCE < 18:
        assert b"standard_conforming_strings = off" in read("slash.sql")
    into = f"{moves.MARK}_slash_to"
    restore(path, into)
    assert moves.psql(TARGET, into, "set standard_conforming_strings = on;\nselect string_agg(a, '|' order by a) from t") == \
        moves.psql(SOURCE, name, "set standard_conforming_strings = on;\nselect string_agg(a, '|' order by a) from t")
    print("ok settings")


def all_of_a_server():
    """pg_dumpall of a whole shared server is large: two databases out of it make the same text."""
    whole = b""
    one, two = pg_dump("one.sql", "-C", db=SIMPLE), pg_dump("two.sql", "-C", db=DB)
    whole = b"--\n-- PostgreSQL database cluster dump\n--\n\nSET default_transaction_read_only = off;\n" + \
        b"CREATE ROLE somebody;\nALTER ROLE somebody WITH NOSUPERUSER PASSWORD 'SCRAM-SHA-256$secret';\n" + \
        b"GRANT somebody TO postgres GRANTED BY postgres;\n" + b"\\connect template1\n\n" + \
        b"--\n-- PostgreSQL database dump\n--\nSET statement_timeout = 0;\n" + \
        b"--\n-- PostgreSQL database dump complete\n--\n\n" + read("one.sql") + read("two.sql") + \
        b"--\n-- PostgreSQL database cluster dump complete\n--\n\n"
    path = write("all.sql", whole)
    err = refused(path, [f"holds 2 databases: {SIMPLE}, {DB}", "--database NAME"])
    assert "secret" not in err
    refused(path, "has no database nonsense; it has", "--database", "nonsense")
    into = f"{moves.MARK}_of_all"
    _, err = restore(path, into, "--database", SIMPLE)
    assert re.search(r"statements about roles, tablespaces .* were not run.*roles in the file: 1", err), err
    assert "secret" not in err
    assert moves.psql(TARGET, "postgres", "select count(*) from pg_roles where rolname = 'somebody'") == "0"
    moves.equal(SOURCE, SIMPLE, TARGET, into)
    refused(write("all_cut.sql", whole[:whole.rindex(b"--\n-- PostgreSQL database cluster")]),
            "its last line is not `-- PostgreSQL database cluster dump complete`", "--database", SIMPLE)
    refused(write("glued.sql", read("plain.sql") + read("plain.sql")),
            r"line \d+: a second dump is in it")
    real = pg_dump("real_all.sql", "--globals-only", program="pg_dumpall")
    refused(real, "makes nothing but roles")
    del one, two
    print("ok pg_dumpall")


def whole(name, databases, globals_):
    """What pg_dumpall writes of a server that has only these."""
    files = [pg_dump(f"whole_{n}.sql", "-C", db=db.replace("\\", "\\\\").replace("'", "\\'")) for n, db in enumerate(databases)]
    start = b"--\n-- PostgreSQL database dump\n--\nSET statement_timeout = 0;\n--\n-- PostgreSQL database dump complete\n--\n\n"
    return write(name, b"--\n-- PostgreSQL database cluster dump\n--\n\nSET default_transaction_read_only = off;\n" + globals_.encode() +
                 b"\\connect template1\n\n" + start + b"".join(map(read, files)) +
                 b"--\n-- PostgreSQL database cluster dump complete\n--\n\n")


def all_with_its_roles():
    """restore --all: roles first, made or compared; then every database under its own name."""
    new, old, group = f"{moves.MARK}_new \"; drop $(rm)", f"{moves.MARK}_old", f"{moves.MARK}_group"
    odd = f"{moves.MARK} all; drop $(rm)"
    q = lambda name: '"' + name.replace('"', '""') + '"'
    names = [f"{moves.MARK}_all_a", odd]
    for n in names:
        moves.make(SOURCE, n)
        moves.MADE.append((TARGET, n))
        moves.psql(SOURCE, n, "create table t as select n from generate_series(1, 100) n")
    verifier = "SCRAM-SHA-256$4096:c2FsdA==$" + "A" * 43 + "=:" + "B" * 43 + "="
    roles = f"""CREATE ROLE {q(group)};
ALTER ROLE {q(group)} WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE {q(new)};
ALTER ROLE {q(new)} WITH NOSUPERUSER INHERIT NOCREATEROLE CREATEDB LOGIN NOREPLICATION NOBYPASSRLS PASSWORD '{verifier}';
CREATE ROLE {q(old)};
ALTER ROLE {q(old)} WITH NOSUPERUSER INHERIT NOCREATEROLE CREATEDB LOGIN NOREPLICATION NOBYPASSRLS PASSWORD '{verifier}';
ALTER ROLE {q(new)} SET work_mem TO '7MB';
GRANT {q(group)} TO {q(new)} GRANTED BY nobody_here;
CREATE TABLESPACE elsewhere OWNER postgres LOCATION '/nowhere';
"""
    path = whole("whole.sql", names, roles)
    moves.psql(TARGET, "postgres", f"create role {q(old)} login password 'other'")
    count_of = f"select count(*) from pg_roles where rolname in ('{group}', '{new}', '{old}')"
    try:
        if SOURCE == TARGET:            # they are there: nothing is made, no role either
            _, err = moves.run("restore", path, "--all", "--to", moves.at(TARGET), "--to-password-file", moves.PASSWORD_FILE, code=3)
            assert "is not empty" in err and "one by one" in err, err
            assert moves.psql(TARGET, "postgres", count_of) == "1"
            return
        moves.run("restore", path, "--all", "--to", moves.at(TARGET, "x"), "--to-password-file", moves.PASSWORD_FILE, code=2)
        out, err = moves.run("restore", path, "--all", "--to", moves.at(TARGET), "--to-password-file", moves.PASSWORD_FILE)
        assert "roles: 2 made" in out and "1 were there" in out, out
        assert f"role {old} is there and stays as it is; the file has it CREATEDB" in err and "with another password" in err, err
        assert "SCRAM" not in out + err and "CREATE TABLESPACE elsewhere" in err, err
        assert moves.psql(TARGET, "postgres", f"select rolcreatedb, rolpassword = '{verifier}', pg_has_role(rolname, '{group}', "
                          f"'member') from pg_authid where rolname = '{new}'") == "t|t|t"
        assert moves.psql(TARGET, "postgres", f"select rolcreatedb from pg_roles where rolname = '{old}'") == "f"
        for n in names:
            assert moves.psql(TARGET, n, "select count(*) from t") == "100"
        _, err = moves.run("restore", path, "--all", "--to", moves.at(TARGET), "--to-password-file", moves.PASSWORD_FILE, code=3)
        assert "is not empty" in err, err
    finally:
        for n in names:
            moves.psql(TARGET, "postgres", f"drop database if exists {q(n)} with (force)", check=False)
        moves.psql(TARGET, "postgres", f"drop role if exists {q(group)}, {q(new)}, {q(old)}", check=False)
    print("ok all with its roles")


def line_of(data, needle):
    return data[:data.index(needle)].count(b"\n") + 1


def hostile():
    plain = read("plain.sql")
    create = plain.index(b"CREATE TABLE")
    for command in (b"\\! touch /tmp/pgsherpa_was_here", b"\\copy a from '/etc/passwd'", b"\\i /etc/passwd",
                    b"\\o /tmp/x", b"\\set x `id`", b"\\gexec", b"\\\x1b[2Jx", b"\\"):
        bad = write("bad.sql", plain[:create] + command + b"\n" + plain[create:])
        word = re.escape(command.split()[0].decode().replace("\x1b", "\\x1b"))
        refused(bad, [f"line {line_of(plain, b'CREATE TABLE')}: the psql command {word}"])
    for statement, why in ((b"COPY a FROM PROGRAM 'id';", "runs a program"), (b"copy/**/a\nto '/tmp/x';", "a file"),
                           (b"COPY (select 1) TO STDOUT;", "a file"), (b"ALTER /* */ SYSTEM SET work_mem = 1;", "whole server"),
                           (b"LOAD 'x';", "a file")):
        bad = write("bad.sql", plain[:create] + statement + b"\n" + plain[create:])
        refused(bad, [f"line {line_of(plain, b'CREATE TABLE')}: ", why])
    refused(write("bad.sql", plain.replace(b"CREATE TABLE", b"CREATE \\! id\nTABLE", 1)),
            "a psql command in the middle of a statement")
    refused(write("bad.sql", plain.replace(b"CREATE TABLE", b"CREATE \0TABLE", 1)), "a zero byte")
    restricted = b"\\restrict abc\n\\connect other\n"
    refused(write("bad.sql", plain[:create] + restricted + plain[create:]), r"the psql command \\connect")
    # Roles and databases of others are neither made nor dropped.
    victim = moves.make(TARGET, f"{moves.MARK}_victim")
    reach = f'DROP DATABASE "{victim}";\nCREATE ROLE {moves.MARK}_evil SUPERUSER;\n' \
            f'ALTER DATABASE "{victim}" SET work_mem = 64;\n'.encode()
    into = f"{moves.MARK}_reach"
    path = write("reach.sql", plain[:create] + reach + plain[create:])
    out, err = restore(path, into)
    assert "were not run" in err, err
    assert count(TARGET, f"datname = '{victim}'") == "1"
    assert moves.psql(TARGET, "postgres", f"select count(*) from pg_roles where rolname = '{moves.MARK}_evil'") == "0"
    assert moves.psql(TARGET, "postgres", f"select count(*) from pg_db_role_setting s join pg_database d on "
                      f"d.oid = s.setdatabase where datname in ('{victim}', '{into}')") == "0", out + err
    assert not os.path.exists("/tmp/pgsherpa_was_here")
    print("ok hostile")


def damaged():
    sql = read("plain.sql")
    rows = sql.index(b"COPY public.a")
    for cut in (1, 10, 200, sql.index(b"CREATE TABLE") + 20, sql.index(b"$$"), rows + 10, rows + 60,
                sql.index(b"\\.\n", rows) - 3, sql.index(b"\\.\n", rows), len(sql) // 2,
                sql.index(b"-- PostgreSQL database dump complete")):
        refused(write("cut.sql", sql[:cut]), "cut off|not what pg_dump writes|ends in the middle|ends at line|is empty")
    refused(write("cut.sql", sql[:rows + 200]), [r"within the rows of TABLE DATA public\.a, which begin at line \d+"])
    packed = gzip.compress(read("c.sql"))
    for cut in (5, 30, len(packed) // 3, len(packed) - 9, len(packed) - 1):
        refused(write("cut.sql.gz", packed[:cut]), "was cut off: it ends at byte")
    for place in (len(packed) // 3, len(packed) - 6):
        refused(write("bent.sql.gz", packed[:place] + bytes([packed[place] ^ 4]) + packed[place + 1:]),
                "gzip data is damaged|cut off")
    refused(write("more.sql.gz", packed + b"garbage"), "something that is not gzip follows")
    subprocess.run(["zstd", "-qf", at("c.sql")], check=True)
    packed = read("c.sql.zst")
    refused(write("cut.sql.zst", packed[:-5]), "was cut off")
    refused(write("more.sql.zst", packed + b"garbage"), "zstd data is damaged")
    place = len(packed) // 2
    refused(write("bent.sql.zst", packed[:place] + bytes([packed[place] ^ 4]) + packed[place + 1:]), "zstd data is damaged")
    archive = read("x.c")
    for cut in (9, 500, len(archive) // 2, len(archive) - 20):
        refused(write("cut.dump", archive[:cut]), "pg_restore|format|not what|cut")
    # The contents of an archive have no sum, its rows have: the last block of rows, bit by bit.
    pg_dump("rows.c", "-Fc", "-t", "a", db=SIMPLE)
    archive = read("rows.c")
    for place in range(len(archive) - 2000, len(archive) - 40, 173):
        bent = bytearray(archive)
        bent[place] ^= 0x10
        refused(write("bent.dump", bytes(bent)), "pg_restore|rows of public.a")
    tar = read("x.t")
    refused(write("cut.tar", tar[:len(tar) // 2]), "the tar was cut off")
    gone = at("gone.d")
    shutil.copytree(at("x.d"), gone)
    biggest = max((f for f in os.listdir(gone) if f != "toc.dat"), key=lambda f: os.path.getsize(os.path.join(gone, f)))
    os.unlink(os.path.join(gone, biggest))
    refused(gone, biggest.split(".")[0])
    print("ok damaged")


def packed_and_carried():
    """Containers people send dumps in; every one of them also cut off and bent."""
    sql, archive = read("c.sql"), read("x.c")
    for name, data in (("in.sql", sql), ("in.dump", archive)):
        write(name, data)

    def tar(mode, name, *members):
        with tarfile.open(at(name), mode) as t:
            for member in members:
                t.add(at(member), arcname=member)
        return at(name)

    def packed_zip(name, *members):
        with zipfile.ZipFile(at(name), "w", zipfile.ZIP_DEFLATED) as z:
            for member in members:
                z.write(at(member), arcname=f"backups/{member}")
        return at(name)
    os.makedirs(at("sub"), exist_ok=True)
    shutil.copy(at("in.sql"), at("sub/in.sql"))
    good = [write("p.sql.xz", lzma.compress(sql)), write("p.sql.bz2", bz2.compress(sql)), packed_zip("p.zip", "in.sql"),
            tar("w:gz", "p.tgz", "in.sql"), tar("w:xz", "p.txz", "in.dump"), tar("w", "p.tar", "in.dump"),
            tar("w:gz", "p2.tgz", "sub"), write("p.dump.xz", lzma.compress(archive))]
    for n, path in enumerate(good):
        into = f"{moves.MARK}_packed_{n}"
        restore(path, into)
        assert moves.psql(TARGET, into, "select count(*) from pg_tables where schemaname !~ '^pg_|^information_schema'") != "0", path
        moves.psql(TARGET, "postgres", f"drop database {into}")
    for path in good:
        data = open(path, "rb").read()
        # A zip ends with a list of what was in it, a tar with zeros: nothing is lost there.
        for cut in (len(data) // 3, len(data) // 2 if path.endswith((".zip", ".tar")) else len(data) - 40):
            refused(write("cut" + path[path.rindex("."):], data[:cut]), "")
        if path.endswith(".tar"):
            continue                    # a tar has no sum: what is in it must have one
        for place in (len(data) // 3, len(data) // 2):
            refused(write("bent" + path[path.rindex("."):], data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1:]), "")
    for path in (packed_zip("two.zip", "in.sql", "in.dump"), tar("w:gz", "two.tgz", "in.sql", "in.dump")):
        refused(path, ["it holds several files", "in.sql", "in.dump"])
    refused(tar("w:gz", "fd.tgz", "x.d"), "a tar around what pg_dump -Fd wrote")
    refused(write("twice.gz", gzip.compress(gzip.compress(sql))), "packed twice: with gzip inside")
    print("ok packed")


def through_a_terminal():
    """What `docker exec -t` and PowerShell make of a dump: CR LF everywhere; stderr in the middle."""
    name = moves.make(SOURCE, f"{moves.MARK}_crlf")
    moves.psql(SOURCE, name, r"""create table t (a int, b text); comment on table t is E'two\nlines';
        insert into t values (1, E'a\nb'), (2, E'c\r\nd'), (3, E'e\r'), (4, E'\\r\\n'), (5, null);
        create function f() returns text language sql as E'select ''x\n'' -- one\n|| ''y''';
        create view v as select 'p' || E'\n' || 'q' as w;""")
    for n, options in enumerate(((), ("--inserts",), ("-C",))):
        data = read(os.path.basename(pg_dump(f"lf{n}.sql", *options, db=name)))
        into = f"{moves.MARK}_crlf_{n}"
        _, err = restore(write(f"crlf{n}.sql", data.replace(b"\n", b"\r\n")), into)
        assert "CR LF" in err, err
        moves.equal(SOURCE, name, TARGET, into)
        moves.psql(TARGET, "postgres", f"drop database {into}")
        wide = write("wide.sql", b"\xff\xfe" + data.replace(b"\n", b"\r\n").decode().encode("utf-16-le"))
        subprocess.run(["iconv", "-f", "UTF-16", "-t", "UTF-8", "-o", at("hinted.sql"), wide], check=True)
        restore(at("hinted.sql"), into)
        moves.equal(SOURCE, name, TARGET, into)
        moves.psql(TARGET, "postgres", f"drop database {into}")
    # Somewhere a window of the reader ends between CR and LF.
    big = b"--\r\n-- PostgreSQL database dump\r\n--\r\n\r\nCREATE TABLE public.w (t text);\r\n" \
          b"COPY public.w (t) FROM stdin;\r\n" + (b"x" * 61 + b"\r\n") * 30000 + \
          b"\\.\r\n\r\n--\r\n-- PostgreSQL database dump complete\r\n--\r\n"
    into = f"{moves.MARK}_crlf_w"
    for shift in range(3):
        restore(write("w.sql", b"-- " + b"y" * shift + b"\r\n" + big), into, "--quiet")
        assert moves.psql(TARGET, into, "select count(*), min(length(t)), max(length(t)) from w") == "30000|61|61"
        moves.psql(TARGET, "postgres", f"drop database {into}")
    plain = read("lf0.sql")
    create = plain.index(b"CREATE TABLE")
    words = b"pg_dump: warning: there isn't a pg_dump: error; of that server\n"
    refused(write("said.sql", plain[:create] + words + plain[create:]),
            [f"line {line_of(plain, b'CREATE TABLE')}: `pg_dump: warning: there isn't", "is what pg_dump said"])
    refused(write("said.sql", words + plain), "line 1: `pg_dump: warning")
    print("ok through a terminal")


def paths_people_write():
    """Applications' documentation has people edit the search_path line: what psql loads is loaded."""
    name = moves.make(SOURCE, f"{moves.MARK}_path")
    moves.psql(SOURCE, name, """create table t (a int primary key); insert into t select generate_series(1, 9);
        create function twice(n int) returns int language sql immutable as 'select n * 2'; create index on t (twice(a));
        create view v as select twice(a) from t;""")
    data = read(os.path.basename(pg_dump("path.sql", db=name)))
    line = b"SELECT pg_catalog.set_config('search_path', '', false);\n"
    assert data.count(line) == 1, data[:600]
    bare = data.replace(b"public.", b"")
    for n, edited in enumerate((bare.replace(line, b""), data.replace(line, b""),
                                bare.replace(line, line.replace(b"'', false", b"'public, pg_catalog', true")),
                                bare.replace(line, b"SET search_path = public, pg_catalog;\n"))):
        into = f"{moves.MARK}_path_{n}"
        restore(write("edited.sql", edited), into)
        moves.equal(SOURCE, name, TARGET, into)
        moves.psql(TARGET, "postgres", f"drop database {into}")
    print("ok search paths")


def of_another_kind():
    for name, data, words in (("my.sql", b"-- MySQL dump 10.13  Distrib 8\n\nCREATE TABLE `x` (a int);\n", "a dump of MySQL"),
                              ("lite.sql", b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "a dump of SQLite"),
                              ("notes.txt", b"hello, this is no dump\n", "is not what pg_dump writes"),
                              ("empty", b"", "is empty"), ("zero", b"\0" * 5000, "manifest|bundle"),
                              ("utf16.sql", b"\xff\xfe" + "-- PostgreSQL database dump\n".encode("utf-16-le"), "UTF-16"),
                              ("x.xz", b"\xfd7zXZ\0\0", "damaged, or was cut off"), ("x.zip", b"PK\x03\x04xxxx", "damaged, or was cut off"),
                              ("x.7z", b"7z\xbc\xaf\x27\x1cxx", "packed with 7-Zip"),
                              ("talk.sql", b"-- about a PostgreSQL database dump\nselect 1;\n", "not what pg_dump writes"),
                              ("new.dump", b"PGDMP\x01\x19\x00\x04\x08\x01" + b"\0" * 100, "format 1.25")):
        refused(write(name, data), words)
    os.mkdir(at("dir"))
    refused(at("dir"), "without toc.dat")
    refused(at("absent"), "No such file", code=4)
    refused("-", "a pipe cannot be restored from", code=2)
    os.mkfifo(at("fifo"))
    refused(at("fifo"), "a pipe cannot be restored from")
    tar = at("other.tar")
    subprocess.run(["tar", "-C", WORK, "-cf", tar, "my.sql"], check=True)
    refused(tar, "manifest|bundle")
    print("ok other kinds")


def one_table_loses_its_rows():
    """A CHECK whose function reads another table by its unqualified name: pg_upgradecluster lost the
    rows and said Success (running-runbooks, E1)."""
    name = moves.make(SOURCE, f"{moves.MARK}_check")
    moves.psql(SOURCE, name, """create table limits (most int); insert into limits values (1000);
        create function fits(n int) returns bool language plpgsql as
            $$ begin return n <= (select most from limits); end $$;
        create table orders (n int check (fits(n)));
        insert into orders select generate_series(1, 500);
        create table after_it (n int); insert into after_it values (1);""")
    for path in (pg_dump("check.sql", db=name), pg_dump("check.dump", "-Fc", db=name),
                 pg_dump("check.d", "-Fd", db=name), pg_dump("check_i.sql", "--inserts", db=name)):
        refused(path, [r"rows of public\.orders", r'relation "limits" does not exist'])
    data = read("check.sql")
    # The line is the first row's.
    err = refused(at("check.sql"), "line ")
    wanted = line_of(data, b"COPY public.orders") + 1
    assert f"line {wanted}: rows of public.orders" in err, (wanted, err)
    bent = data.replace(b"CHECK (public.fits(n))", b"").replace(b"CONSTRAINT orders_n_check ", b"").replace(b"\n250\n", b"\nx\n", 1)
    bent = re.sub(rb"n integer,\s*\n\s*\n", b"n integer\n", bent)
    row = bent[:bent.index(b"\nx\n")].count(b"\n") + 2
    err = refused(write("row.sql", bent), "rows of public.orders|near|orders")
    assert f"line {row}: rows of public.orders" in err or "syntax" in err, (row, err)
    print("ok a table's rows")


def big_sql(path, megabytes):
    """A dump with that much COPY data in one table; fast to make."""
    line = b"%d\t" + b"0123456789abcdef" * 60 + b"\n"
    block = b"".join(line % n for n in range(1000))
    with gzip.open(path, "wb", compresslevel=1) as f:
        f.write(b"--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n"
                b"CREATE TABLE public.big (n integer, t text);\nALTER TABLE public.big ALTER COLUMN t SET STORAGE PLAIN;\n"
                b"COPY public.big (n, t) FROM stdin;\n")
        for _ in range(megabytes * 1000000 // len(block)):
            f.write(block)
        f.write(b"\\.\n\n--\n-- PostgreSQL database dump complete\n--\n")


def memory_and_cancel():
    path = at("big.sql.gz")
    big_sql(path, int(os.environ.get("PGSHERPA_BIG_DUMP_MB", "150")))
    into = f"{moves.MARK}_big"
    process = subprocess.Popen([moves.BINARY, "restore", path, "--to", moves.at(TARGET, into), "--to-password-file",
                                moves.PASSWORD_FILE], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)
    while count(TARGET, f"datname ~ '^pgsherpa_cli{process.pid}_'") == "0":
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(0.3)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (process.returncode, out, err)
    assert time.monotonic() - asked < (30 if moves.SANITIZED else 5), time.monotonic() - asked
    assert count(TARGET, f"datname = '{into}' or datname ~ '^pgsherpa_cli{process.pid}_'") == "0"
    started = time.monotonic()
    process = subprocess.Popen([moves.BINARY, "restore", path, "--quiet", "--to", moves.at(TARGET, into),
                                "--to-password-file", moves.PASSWORD_FILE], stdout=subprocess.PIPE)
    moves.MADE.append((TARGET, into))
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, (status, out)
    peak = usage.ru_maxrss / 1024
    print(f"ok memory: {os.path.getsize(path)} bytes packed, peak {peak:.1f} MiB, {time.monotonic() - started:.1f} s, {out.decode().strip()}")
    assert moves.SANITIZED or peak < 48, f"{peak} MiB"


def main():
    global SIMPLE
    moves.need(SOURCE, TARGET)
    moves.build(SOURCE, DB, min(SOURCE, TARGET), max(SOURCE, TARGET))
    if SOURCE < 15:     # pg_dump of those majors leaves out what is said of public
        moves.psql(SOURCE, DB, "comment on schema public is 'standard public schema'")
    roles_on_target()
    SIMPLE = simple_source(f"{moves.MARK}_simple")
    fixtures()
    only = sys.argv[2:]
    # Memory first: what this process holds when it starts a child counts as the child's.
    for part in (memory_and_cancel, formats, names_of_their_own, latin1, settings_of_the_file, all_of_a_server, all_with_its_roles, hostile, damaged, packed_and_carried, through_a_terminal, paths_people_write,
                 of_another_kind, one_table_loses_its_rows):
        if not only or part.__name__ in only:
            part()


SIMPLE = None
try:
    main()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
