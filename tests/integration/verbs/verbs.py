"""verbs.py: backup, restore, copy and compare on real servers, with names that bite."""
import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

BINARY = os.path.join(os.environ["PGSHERPA_BUILD"], "src/app/pgsherpa")
HOST = os.environ.get("PGSHERPA_LAB_HOST", "")
USER = os.environ.get("PGSHERPA_LAB_USER", "postgres")
PASSWORD_FILE = os.environ.get("PGSHERPA_LAB_PASSWORD_FILE", "")
MARK = f"test_{os.getpid()}"
EVIL = ['"; drop', "$(rm)", "new\nline", "\U0001f418 emoji", "x" * 63, "host=evil dbname=x",
        "a,port=1,b", "'; --", "\x1b[2J", "%s%n"]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


for major in ("13", "17"):
    if major not in os.environ.get("PGSHERPA_LAB_MAJORS", "").split():
        skip(f"PostgreSQL {major} of the lab does not run (./dev lab up)")


def port(major):
    return os.environ[f"PGSHERPA_LAB_{major}_PORT"]


def psql(major, db, sql, check=True):
    """psql of the newest major reads every server; the name goes in escaped."""
    escaped = db.replace("\\", "\\\\").replace("'", "\\'")
    with open(PASSWORD_FILE, encoding="ascii") as f:
        env = dict(os.environ, PGPASSWORD=f.readline().strip())
    r = subprocess.run(
        [os.path.join(os.environ["PGSHERPA_PG_BIN_17"], "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d",
         f"dbname='{escaped}' host={HOST} port={port(major)} user={USER}"],
        input=sql, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, check=False)
    if check and r.returncode:
        raise AssertionError(f"psql on {major}: {r.stderr}")
    return r.stdout.strip()


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


MADE = []


@contextlib.contextmanager
def alive(major, name):
    """Somebody is connected under that name, to another database, as a load is."""
    with open(PASSWORD_FILE, encoding="ascii") as f:
        env = dict(os.environ, PGPASSWORD=f.readline().strip(), PGAPPNAME=name)
    with subprocess.Popen([os.path.join(os.environ["PGSHERPA_PG_BIN_17"], "psql"), "-XAtq", "-h", HOST, "-p",
                           port(major), "-U", USER, "-d", "postgres"], stdin=subprocess.PIPE, text=True, env=env) as p:
        until(lambda: psql(major, "postgres", "select count(*) from pg_stat_activity where application_name = "
                                              f"'{name}'") == "1")
        yield
        p.communicate("")


def make(major, name):
    psql(major, "postgres", f"create database {quoted(name)}")
    MADE.append((major, name))
    return name


def later(major, name):
    """A database that pgsherpa will make: remembered, to be dropped at the end."""
    MADE.append((major, name))
    return name


def clean_up():
    for major, name in MADE:
        psql(major, "postgres", f"drop database if exists {quoted(name)} with (force)", check=False)


def at(major, db=None, user=USER):
    return f"host={HOST},port={port(major)},user={user}" + (f",db={db}" if db else "")


PIDS = []


def run(*argv, code=0, env=None):
    with subprocess.Popen([BINARY, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL,
                          start_new_session=True) as p:
        PIDS.append(p.pid)
        out, err = p.communicate()
    assert p.returncode == code, f"{argv}: exit {p.returncode}, not {code}\n{out}{err}"
    return out, err


def from_(major, db=None):
    return ["--from", at(major, db), "--from-password-file", PASSWORD_FILE]


def to(major, db=None):
    return ["--to", at(major, db), "--to-password-file", PASSWORD_FILE]


def backup(root, db, *more):
    out, _ = run("backup", "create", *from_(13, db), "--root", root, "--json", *more)
    return json.loads(out)["path"]


SCHEMA = """
create table users (id int primary key, name text not null, born date);
insert into users select n, 'user ' || n, date '1970-01-01' + n from generate_series(1, 20000) n;
create sequence ids start 77;
select nextval('ids');
create view young as select * from users where born > '2000-01-01';
create index on users (name);
"""


def left_behind(major):
    """Temporary databases of the processes this test started; others work here too."""
    mine = "|".join(map(str, PIDS))
    return psql(major, "postgres", "select string_agg(datname, ' ') from pg_database where datname ~ "
                                   f"'^pgsherpa_[a-z]+({mine})_'")


def test_backup_verify_restore(root):
    db = make(13, f"{MARK}_shop")
    psql(13, db, SCHEMA)
    path = backup(root, db, "--jobs", "1")
    assert oct(os.stat(path).st_mode & 0o777) == "0o600"
    out, _ = run("backup", "verify", path)
    assert "every byte is as it was written" in out and "not evaluated" in out and "--restore does that" in out, out
    assert json.loads(run("backup", "verify", path, "--json")[0])["evaluated"] is False
    out, _ = run("backup", "list", root)
    assert path in out and "verified 2" in out, out
    out, _ = run("backup", "show", path)
    assert re.search(r"20,000 rows .*public\.users", out), out
    copy = later(17, f"{MARK}_again")
    out, _ = run("restore", path, *to(17, copy), "--jobs", "3")
    assert "20,000 rows" in out, out
    out, _ = run("compare", *from_(13, db), *to(17, copy), "--quiet")
    assert out.startswith("equal: 1 table, 20,000 rows"), out
    out, _ = run("compare", "--from", path, *to(17, copy), "--quiet")
    assert out.startswith("not compared: objects") and "\nequal: 1 table, 20,000 rows" in out, out
    # A second time: the name is taken, and what is there stays.
    _, err = run("restore", path, *to(17, copy), code=3)
    assert "is not empty: it has relation" in err, err
    assert psql(17, copy, "select count(*) from users") == "20000"
    # An empty one may be replaced.
    empty = make(17, f"{MARK}_empty")
    out, _ = run("restore", path, *to(17, empty))
    assert "an empty database was in its place" in out, out
    assert psql(17, empty, "select count(*) from users") == "20000"
    return db, copy, path


def test_compare_finds_one_value(db, copy, bundle):
    psql(17, copy, "update users set name = 'mallory' where id = 4711")
    out, _ = run("compare", "--from", bundle, *to(17, copy), "--quiet", code=1)
    assert "DIFFERENT table public.users, content" in out, out
    for more in ([], ["--deep"], ["--table", "public.users", "--jobs", "1"]):
        out, _ = run("compare", *from_(13, db), *to(17, copy), "--quiet", *more, code=1)
        assert "    row (4711) differs in name\n" in out, out
    with tempfile.TemporaryDirectory() as scratch:
        file = os.path.join(scratch, "report.md")
        out, _ = run("compare", *from_(13, db), *to(17, copy), "--quiet", "--format", "md", "-o", file, code=1)
        assert out.startswith("1 difference") and out.count("\n") == 1, out
        with open(file, encoding="utf-8") as f:
            assert "(4711) differs in name" in f.read()
    run("compare", *from_(13, db), *to(17, copy), "--table", "public.nosuch", code=4)
    out, _ = run("compare", *from_(13, db), *to(17, copy), "--quiet", code=1)
    assert "DIFFERENT table public.users" in out and "1 difference" in out, out
    out, _ = run("compare", *from_(13, db), *to(17, copy), "--json", code=1)
    assert json.loads(out)["differences"][0]["object"] == "public.users"
    out, _ = run("compare", *from_(13, db), *to(17, copy), "--format", "md", code=1)
    assert "| table | public.users |" in out, out


def test_no_environment_misdirects(db, copy, bundle):
    """Nothing listens at PGHOSTADDR: whoever followed it would not answer, or answer for another."""
    evil = {"PGHOSTADDR": "127.99.99.99", "PGSERVICE": "nowhere", "PGSSLMODE": "require", "PGHOST": "evil",
            "PGPORT": "1", "PGDATABASE": "evil", "PGUSER": "evil", "PGREQUIREPEER": "evil",
            "PGOPTIONS": "-c default_transaction_read_only=on", "PGTARGETSESSIONATTRS": "standby"}
    for name, value in evil.items():
        out, _ = run("compare", *from_(13, db), *to(17, copy), "--quiet", env={name: value})
        assert out.startswith("equal: 1 table,"), (name, out)
    run("restore", bundle, *to(17, later(17, f"{MARK}_env")), "--quiet", env=evil)


def test_damage_is_named(path):
    """Every member in turn would be the soak's; here one byte in the rows, one in the manifest."""
    manifest = json.loads(run("backup", "show", path, "--json")[0])
    name, member = next(m for m in manifest["members"].items()
                        if m[0].endswith((".copy.zst", ".bin.zst")))
    with open(path, "rb") as f:
        whole = bytearray(f.read())
    for at_byte, names in ((member["offset"] + member["size"] // 2, name),
                           (whole.rindex(b'"rows"'), "manifest")):
        bad = path.replace(".pgs.tar", "x.pgs.tar")
        broken = bytearray(whole)
        broken[at_byte] ^= 1
        with open(bad, "wb") as f:
            f.write(broken)
        out = subprocess.run([BINARY, "backup", "verify", bad], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, check=False)
        assert out.returncode == 1 and names in out.stdout, (out.returncode, out.stdout)
        target = later(17, f"{MARK}_damaged")
        run("restore", bad, *to(17, target), code=1)
        assert psql(17, "postgres", f"select count(*) from pg_database where datname = '{target}'") == "0"
        assert not left_behind(17), left_behind(17)
        os.unlink(bad)


def test_copy(db):
    name = later(17, f"{MARK}_copy")
    # What a killed one left, in a container: process 1 lives here, too. And what another machine loads.
    old, busy = (make(17, f"pgsherpa_cli1_{os.getpid():08x}_{n}") for n in (1, 2))
    with alive(17, busy):
        out, err = run("copy", *from_(13, db), *to(17, name))
    assert re.search(rf"left on the server .*{old} \(.*drop it", err) and busy not in err, err
    assert psql(17, "postgres", f"drop database {old}; select 1") == "1", "it is only told"
    assert "equal: 1 table," in out and "is there" in out, out
    assert psql(17, name, "select nextval('ids')") == "78"
    run("copy", *from_(13, db), *to(17, name), code=3)


def test_copy_and_backup_in_one_pass(root, db):
    """The bundle of a copy is one like any other; without the proof the copy says so."""
    live, back = later(17, f"{MARK}_live"), later(17, f"{MARK}_back")
    out, _ = run("copy", *from_(13, db), *to(17, live), "--backup", root, "--no-proof")
    assert "not compared with its source" in out and "equal" not in out, out
    path = re.search(r"^(/.*\.pgs\.tar)$", out, re.M).group(1)
    run("backup", "verify", path)
    run("restore", path, *to(17, back))
    for name in (live, back):
        out, _ = run("compare", *from_(13, db), *to(17, name), "--quiet")
        assert out.startswith("equal: 1 table,"), out


def test_copy_needs_roles(db):
    role = f"{MARK}_owner"
    psql(13, "postgres", f"create role {role} login password 'geheim'")
    psql(13, db, f"alter table users owner to {role}")
    name = later(17, f"{MARK}_roles")
    try:
        _, err = run("copy", *from_(13, db), *to(17, name), code=3)
        assert role in err and "--roles" in err, err
        assert not left_behind(17), left_behind(17)
        run("copy", *from_(13, db), *to(17, name), "--roles")
        assert psql(17, name, "select relowner::regrole from pg_class where relname = 'users'") == role
    finally:
        psql(17, "postgres", f"drop database if exists {name}", check=False)
        psql(17, "postgres", f"drop role if exists {role}", check=False)
        psql(13, db, f"alter table users owner to {USER}; drop role {role}", check=False)


def test_copy_tells_which_roles_came_as_less(db):
    md5, boss = f"{MARK}_md5", f"{MARK}_boss"
    psql(13, "postgres", f"set password_encryption = 'md5'; create role {md5} login password 'old'; create role {boss} superuser")
    psql(13, db, f"grant select on users to {md5}, {boss}")
    name = later(17, f"{MARK}_less")
    try:
        out, err = run("copy", *from_(13, db), *to(17, name), "--roles", "--json")
        assert f"role {md5} has an md5 password" in err, err
        assert f"role {boss}: superuser is true there and false, a plain owner, here" in err, err
        roles = json.loads(out)["roles"]
        assert roles["md5"] == [md5] and sorted(roles["created"]) == sorted([md5, boss]) and roles["without_password"] == [], roles
    finally:
        psql(17, "postgres", f"drop database if exists {name}", check=False)
        psql(17, "postgres", f"drop role if exists {md5}; drop role if exists {boss}", check=False)
        psql(13, db, f"revoke all on users from {md5}, {boss}; drop role {md5}; drop role {boss}", check=False)


def test_hostile_names(root):
    for evil in EVIL:
        psql(13, "postgres", f"drop database if exists {quoted(evil)}")
        make(13, evil)
        psql(13, evil, "create table t (n int); insert into t values (42)")
        psql(17, "postgres", f"drop database if exists {quoted(evil)}")
        later(17, evil)
        path = backup(root, evil, "--no-globals")
        assert os.path.dirname(path) == root, path
        for out in run("restore", path, *to(17)):
            assert "\x1b" not in out, out
        assert psql(17, evil, "select n from t") == "42", evil
        out, _ = run("compare", *from_(13, evil), *to(17, evil), "--quiet")
        assert out.startswith("equal"), out
        _, err = run("restore", path, *to(17), code=3)
        assert "\x1b" not in err and "is not empty" in err, err
    _, err = run("copy", *from_(13, "y" * 64), *to(17), code=2)
    assert "63 bytes" in err, err


def test_wrong_password(tmp):
    wrong = os.path.join(tmp, "wrong")
    with open(wrong, "w", encoding="ascii") as f:
        f.write("nonsense\n")
    os.chmod(wrong, 0o600)
    _, err = run("backup", "create", "--from", at(17, "postgres"), "--from-password-file", wrong,
                 "--root", tmp, code=4)
    assert "hint:" in err and "password" in err and "nonsense" not in err, err
    _, err = run("backup", "create", "--from", at(17, "postgres"), "--root", tmp, code=4,
                 env={"PGPASSWORD": "ignored"})
    assert "--from-password-file" in err, err
    os.chmod(wrong, 0o644)
    _, err = run("backup", "create", "--from", at(17, "postgres"), "--from-password-file", wrong,
                 code=2)
    assert "can be read by others" in err, err
    _, err = run("backup", "create", "--from", at(17) + ",password=x,db=y", code=2)
    assert "/proc" in err, err
    for n in ("0", "33", "two", "", "1x"):
        for verb in (["copy"], ["backup", "create"], ["restore", "x"]):
            _, err = run(*verb, "--jobs", n, code=2)
            assert "--jobs is a number from 1 to 32" in err, err
    _, err = run("compare", "--from", "postgres://u:p@h/d", "--to", at(17, "x"), code=2)
    assert "URL" in err, err
    _, err = run("backup", "create", "--from", "host=127.0.0.1,port=1,db=x", "--root", tmp, code=4)
    assert "hint:" in err, err
    assert os.listdir(tmp) == ["wrong"], os.listdir(tmp)


def test_full_disk(tmp, db):
    psql(13, db, "create table big as select md5(n::text || m::text) as a from "
                 "generate_series(1, 500) n, generate_series(1, 500) m")
    disk = os.path.join(tmp, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False).returncode:
        print("not tried: a full disk (a tmpfs cannot be mounted here)")
        return
    try:
        _, err = run("backup", "create", *from_(13, db), "--root", disk, code=1)
        assert "No space left" in err and "--root" in err, err
        assert os.listdir(disk) == [], os.listdir(disk)
    finally:
        subprocess.run(["umount", disk], check=True)
        psql(13, db, "drop table big")


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_ctrl_c(db):
    """On a terminal: a line of progress; ctrl-C: exit 130, no database, no connection is left."""
    psql(13, db, "create table slow (a text); insert into slow select repeat(md5(n::text), 40) from "
                 "generate_series(1, 300000) n")
    name = later(17, f"{MARK}_stopped")
    pid, tty = pty.fork()
    if pid == 0:
        os.execv(BINARY, [BINARY, "copy", *from_(13, db), *to(17, name)])
    PIDS.append(pid)
    seen, pressed, end = b"", False, time.monotonic() + 120
    while time.monotonic() < end:
        if select.select([tty], [], [], 0.2)[0]:
            try:
                chunk = os.read(tty, 4096)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
        if not pressed and b"copying" in seen:
            os.write(tty, b"\x03")
            pressed = True
    _, status = os.waitpid(pid, 0)
    os.close(tty)
    assert pressed, f"no line of progress: {seen[-300:]}"
    assert os.waitstatus_to_exitcode(status) == 130, (os.waitstatus_to_exitcode(status), seen[-500:])
    assert re.search(rb"copying  [0-9.]+ \w+ of ", seen), seen[-300:]
    assert psql(17, "postgres", f"select count(*) from pg_database where datname = '{name}'") == "0"
    assert not left_behind(17), left_behind(17)
    for major in (13, 17):
        until(lambda m=major: psql(m, "postgres", "select count(*) from pg_stat_activity where "
                                   f"application_name = 'pgsherpa' and datname ~ '{MARK}'") == "0")
    psql(13, db, "drop table slow")


def test_a_signal_while_backing_up(root, db):
    psql(13, db, "create table slow (a text); insert into slow select repeat(md5(n::text), 40) from "
                 "generate_series(1, 300000) n")
    before = sorted(os.listdir(root))
    p = subprocess.Popen([BINARY, "backup", "create", *from_(13, db), "--root", root],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: any(f.endswith(".part") for f in os.listdir(root)))
    p.send_signal(signal.SIGTERM)
    assert p.wait(60) == 130, p.returncode
    assert sorted(os.listdir(root)) == before, os.listdir(root)
    psql(13, db, "drop table slow")


def main():
    with tempfile.TemporaryDirectory(prefix=f"pgsherpa-test-{os.getpid()}-") as tmp:
        root = os.path.join(tmp, "backups")
        locked = os.path.join(tmp, "locked")
        os.mkdir(locked)
        try:
            db, copy, path = test_backup_verify_restore(root)
            for name, test in (("environment", lambda: test_no_environment_misdirects(db, copy, path)),
                               ("one changed value", lambda: test_compare_finds_one_value(db, copy, path)),
                               ("damage", lambda: test_damage_is_named(path)),
                               ("copy 13 to 17", lambda: test_copy(db)),
                               ("copy and backup in one pass", lambda: test_copy_and_backup_in_one_pass(root, db)),
                               ("roles", lambda: test_copy_needs_roles(db)),
                               ("roles_less", lambda: test_copy_tells_which_roles_came_as_less(db)),
                               ("passwords", lambda: test_wrong_password(locked)),
                               ("full disk", lambda: test_full_disk(tmp, db)),
                               ("ctrl-C", lambda: test_ctrl_c(db)),
                               ("SIGTERM", lambda: test_a_signal_while_backing_up(root, db)),
                               ("hostile names", lambda: test_hostile_names(root))):
                begun = time.monotonic()
                test()
                print(f"ok: {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        finally:
            clean_up()


if __name__ == "__main__":
    main()
