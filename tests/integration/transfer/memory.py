"""memory.py: a server whose /dev/shm is full, as in a container: an index build that wants several
processes fails there (53100), is built once more by one, and both is said. The first words of a
build that fails twice are kept.

The server is a cluster of its own in a mount namespace with a small /dev/shm, filled up."""
import os
import subprocess
import tempfile

import moves

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
CLUSTER = os.path.join(ROOT, "lab/cluster.sh")
SHM = "could not resize shared memory segment"
DB = f"{moves.MARK}_memory"

# In its own namespace the server's /dev/shm is this one: the lab's programs see mounts made before.
START = 'mount --make-rprivate / && mount -t tmpfs -o size=1536k tmpfs /dev/shm && exec "$@"'
FILL = "cat /dev/zero >/dev/shm/fill 2>/dev/null; chmod 644 /dev/shm/fill"

SCHEMA = """
create table t (n int, a text);
insert into t select n, md5(n::text) from generate_series(1, 300000) n;
create index t_a on t (a, md5(a), md5(a || n));
create table other (n int primary key);
analyze;
"""


def start(there):
    if subprocess.run(["unshare", "-m", "sh", "-c", START, "sh", "true"], check=False).returncode:
        moves.skip("no mount namespace of one's own here")
    for _ in range(5):          # somebody else may take the port that was just free
        r = subprocess.run(["unshare", "-m", "sh", "-c", START, "sh", CLUSTER, "start", "17", there, "auto", "--user",
                            moves.USER, "--password-file", moves.PASSWORD_FILE, "--set",
                            "max_parallel_maintenance_workers=2"], text=True, stdout=subprocess.PIPE, check=False)
        if r.returncode == 0:
            break
    assert r.returncode == 0, "the server does not start"
    with open(f"{there}/data/postmaster.pid", encoding="ascii") as f:
        pid = f.readline().strip()
    subprocess.run(["nsenter", "-t", pid, "-m", "sh", "-c", FILL], check=True)
    return r.stdout.strip()


def sherpa(*argv, code=0):
    r = subprocess.run([moves.BINARY, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, check=False)
    assert r.returncode == code, f"{argv}: {r.returncode}\n{r.stdout}{r.stderr}"
    return r.stdout, r.stderr


def to(port, db):
    return ["--to", f"host=127.0.0.1,port={port},user={moves.USER},db={db}", "--to-password-file",
            moves.PASSWORD_FILE]


def ask(port, db, sql):
    with open(moves.PASSWORD_FILE, encoding="ascii") as f:
        env = dict(os.environ, PGPASSWORD=f.readline().strip(), PGOPTIONS="-c max_parallel_workers_per_gather=0")
    return subprocess.run([os.path.join(os.environ["PGSHERPA_PG_BIN_17"], "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1",
                           "-h", "127.0.0.1", "-p", port, "-U", moves.USER, "-d", db, "-c", sql], env=env, text=True,
                          stdout=subprocess.PIPE, check=True).stdout.strip()


VALID = "select count(*) from pg_index where indexrelid = 't_a'::regclass and indisvalid"


def copied_live(port, source):
    _, err = sherpa("copy", *source, *to(port, "live"), "--jobs", "1")
    assert f"once more with less memory: {SHM}" in err.replace("ERROR:  ", ""), err
    assert ask(port, "live", VALID) == "1"


def restored_into(port, path):
    """In one transaction: what had begun before the failure is still there, and the settings come back."""
    ask(port, "postgres", "create database part")
    _, err = sherpa("restore", path, *to(port, "part"), "--table", "public.t")
    assert f"once more with less memory: {SHM}" in err.replace("ERROR:  ", ""), err
    assert ask(port, "part", VALID) == "1" and ask(port, "part", "select count(*) from t") == "300000"


def failed_twice(port, path):
    """The second try is refused by an event trigger: both reasons are in the message."""
    ask(port, "postgres", "create database twice")
    ask(port, "twice", """create function no() returns event_trigger language plpgsql as $$ begin
        if current_setting('max_parallel_maintenance_workers') = '0' then raise 'not twice'; end if; end $$;
        create event trigger no on ddl_command_start when tag in ('CREATE INDEX') execute function no()""")
    _, err = sherpa("restore", path, *to(port, "twice"), "--table", "public.t", code=1)
    assert SHM in err.split("pgsherpa: ")[1] and "not twice" in err and "SQLSTATE 53100" in err, err
    assert ask(port, "twice", "select to_regclass('t') is null") == "t"


def main():
    with tempfile.TemporaryDirectory(prefix=f"pgsherpa-test-{os.getpid()}-") as tmp:
        os.chmod(tmp, 0o755)
        moves.make(13, DB)
        server = f"{tmp}/server"
        try:
            moves.psql(13, DB, SCHEMA)
            source = ["--from", moves.at(13, DB), "--from-password-file", moves.PASSWORD_FILE]
            port = start(server)
            copied_live(port, source)
            out, _ = sherpa("backup", "create", *source, "--root", f"{tmp}/backups", "--quiet")
            path = out.splitlines()[0]
            restored_into(port, path)
            failed_twice(port, path)
        finally:
            moves.drop_all()
            subprocess.run([CLUSTER, "destroy", server], check=False, stdout=subprocess.DEVNULL)


main()
