"""clients.py: which pg_dump, pg_restore and server are taken, on a machine that has only the newest ones."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import moves

M = moves.MARK
NEWEST = max(map(int, moves.HAVE or [0]))


TOOLS = tempfile.TemporaryDirectory()


def without_docker():
    """What the lab's own wrappers of clients need, and no more."""
    for name in ("sh", "unshare", "mount", "id", "env", "setpriv"):
        path = os.path.join(TOOLS.name, name)
        if not os.path.lexists(path):
            os.symlink(shutil.which(name), path)
    return TOOLS.name


def only(major):
    """No other client than of this major, and no Docker whose images have some."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PGSHERPA_PG_BIN_")}
    return dict(env, PATH=without_docker(), **{f"PGSHERPA_PG_BIN_{major}": os.environ[f"PGSHERPA_PG_BIN_{major}"]})


def run(*argv, env, code=0, before=()):
    r = subprocess.run([*before, moves.BINARY, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, env=env, check=False)
    assert r.returncode == code, f"{argv}: exit {r.returncode}, not {code}\n{r.stdout[-3000:]}{r.stderr[-3000:]}"
    return r.stdout + r.stderr


def to(major, db):
    moves.MADE.append((major, db))
    return ["--to", moves.at(major, db), "--to-password-file", moves.PASSWORD_FILE, "--quiet"]


def test_archives_of_every_format_are_read_by_the_newest():
    """13 and 15 write 1.14, 17 and 18 1.16; what the machine has is the newest alone."""
    with tempfile.TemporaryDirectory() as tmp:
        for major in (13, 15, 17, 18):
            db = moves.make(major, f"{M}_from{major}")
            moves.psql(major, db, "create table t as select g from generate_series(1, 10) g")
            path = os.path.join(tmp, f"{major}.dump")
            moves.client("pg_dump", "-Fc", "-f", path, "-d", f"host={moves.HOST} port={moves.port(major)} "
                         f"user={moves.USER} dbname={db}", major=major)
            run("restore", path, *to(NEWEST, f"{db}_to"), env=only(NEWEST))
            assert moves.psql(NEWEST, f"{db}_to", "select count(*) from t") == "10"


def backup(major, db, tmp, *more):
    moves.psql(major, db, "create table t as select g from generate_series(1, 10) g")
    run("backup", "create", "--from", moves.at(major, db), "--from-password-file", moves.PASSWORD_FILE, "--root", tmp,
        "--quiet", *more, env=os.environ)
    return os.path.join(tmp, next(f for f in os.listdir(tmp) if f.endswith(".pgs.tar")))


def test_verify_reads_a_dump_with_the_newest():
    with tempfile.TemporaryDirectory() as tmp:
        path = backup(17, moves.make(17, f"{M}_verified"), tmp, "--dump")
        out = run("backup", "verify", path, env=only(NEWEST))
        assert f"by pg_restore {NEWEST}" in out, out


def in_root(major, tmp):
    """The command that runs our binary where that major's Debian is /usr: its own libraries are brought along."""
    with open(os.path.join(os.environ[f"PGSHERPA_PG_BIN_{major}"], "psql"), encoding="utf-8") as f:
        found = re.search(r"exec (\S+/in-root) (\S+) ", f.read())
    if not found or os.geteuid() != 0:
        return None
    libs = os.path.join(tmp, "libs")
    os.mkdir(libs)
    for lib in re.findall(r"=> (/\S+)", subprocess.run(["ldd", moves.BINARY], stdout=subprocess.PIPE, text=True,
                                                        check=True).stdout):
        if not re.search(r"/(libc|libm|libpthread|libdl|librt|libresolv)\.so", lib):
            with open(lib, "rb") as a, open(os.path.join(libs, os.path.basename(lib)), "wb") as b:
                b.write(a.read())
    os.chmod(tmp, 0o755)
    return [found[1], found[2], "/lib64/ld-linux-x86-64.so.2", "--library-path", libs]


def test_verify_restores_into_a_server_of_the_newest():
    """initdb and postgres of the newest major, beside nothing newer; what it has is its Debian's."""
    with tempfile.TemporaryDirectory() as tmp:
        before = in_root(NEWEST, tmp)
        if not before:
            print("no root of its own: not tried")
            return
        path = backup(NEWEST, moves.make(NEWEST, f"{M}_again"), tmp)
        env = {k: v for k, v in os.environ.items() if not k.startswith("PGSHERPA_PG_BIN_")}
        out = run("backup", "verify", "--restore", path, env=env, before=before)
        assert f"PostgreSQL {NEWEST}" in out and "rows and hashes are those of the manifest" in out, out


if __name__ == "__main__":
    moves.need(13, 15, 17, 18)
    wanted = sys.argv[1:]
    for name, test in list(globals().items()):
        if name.startswith("test_") and (not wanted or name in wanted):
            test()
            print(f"ok {name}", flush=True)
