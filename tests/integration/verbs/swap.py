"""swap.py: the moment in which a database gets its name: who was faster, and who hung up."""
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time

from verbs import (BINARY, HOST, MARK, PASSWORD_FILE, USER, backup, clean_up, from_, later, make, port, psql, run, to,
                   until)

SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Deaf:
    """A wire on which the answer to the COMMIT of a rename gets lost: the server did it, nobody hears."""

    def __init__(self, server, deaf_for_ever=False):
        self.server, self.lost, self.for_ever = server, 0, deaf_for_ever
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            if self.lost and self.for_ever:
                near.close()
                continue
            far = socket.create_connection((HOST, self.server))
            threading.Thread(target=self._up, args=(near, far), daemon=True).start()
            threading.Thread(target=self._down, args=(far, near), daemon=True).start()

    def _up(self, near, far):
        renamed = False
        try:
            while chunk := near.recv(1 << 16):
                if chunk == SSL_REQUEST:
                    near.sendall(b"N")
                    continue
                renamed = renamed or b"alter database" in chunk
                if renamed and b"commit\0" in chunk:
                    self.lost += 1
                    near.shutdown(socket.SHUT_RDWR)
                far.sendall(chunk)
        except OSError:
            pass
        far.shutdown(socket.SHUT_WR)

    @staticmethod
    def _down(far, near):
        try:
            while chunk := far.recv(1 << 16):
                near.sendall(chunk)
        except OSError:
            pass


def through(wire, db):
    return ["--to", f"host=127.0.0.1,port={wire.port},user={USER},db={db}", "--to-password-file", PASSWORD_FILE]


def number_of(db):
    """It stays the same when the database is moved aside; others' tests move theirs meanwhile."""
    return psql(17, "postgres", f"select oid from pg_database where datname = '{db}'")


def called(number):
    """What the database of that number is called now; "": it is gone."""
    return psql(17, "postgres", f"select datname from pg_database where oid = {number}")


def remember_aside(number):
    name = called(number)
    assert name.endswith("_aside"), name
    return later(17, name)


def test_somebody_was_faster(path):
    """Connected while it is looked into, so the rename waits; writes, and leaves: not a row is lost."""
    db = make(17, f"{MARK}_faster")
    empty = number_of(db)
    with open(PASSWORD_FILE, encoding="ascii") as f:
        env = dict(os.environ, PGPASSWORD=f.readline().strip())
    with subprocess.Popen([os.path.join(os.environ["PGSHERPA_PG_BIN_17"], "psql"), "-XAtq", "-h", HOST, "-p",
                           port(17), "-U", USER, "-d", db], stdin=subprocess.PIPE, text=True, env=env) as guest:
        until(lambda: psql(17, "postgres", f"select count(*) from pg_stat_activity where datname = '{db}'") != "0")
        p = subprocess.Popen([BINARY, "restore", path, *to(17, db)], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        until(lambda: psql(17, "postgres", "select count(*) from pg_stat_activity where query ~* "
                                           f"'^alter database .*{db}'") != "0")
        # A load that lives is connected under its database's name, which two of one pid do not share.
        assert psql(17, "postgres", "select count(*) from pg_stat_activity a join pg_database d on d.datname = "
                                    f"application_name and d.datname ~ '^pgsherpa_cli{p.pid}_[0-9a-f]{{8}}_1$'") == "1"
        guest.communicate("create table precious (n int); insert into precious values (42)")
    out, err = p.communicate(timeout=120)
    assert p.returncode == 0, (out, err)
    kept = remember_aside(empty)
    assert kept in err and "it has relation public.precious" in err, err
    assert psql(17, kept, "select n from precious") == "42"
    assert psql(17, db, "select count(*) from t") == "1000"


def test_the_empty_one_cannot_go(path):
    """The work is done: a complaint with a name, and the exit status of a whole restore."""
    db = make(17, f"{MARK}_template")
    empty = number_of(db)
    psql(17, "postgres", f"alter database {db} is_template true")
    out, err = run("restore", path, *to(17, db))
    kept = remember_aside(empty)
    psql(17, "postgres", f"alter database {kept} is_template false")
    assert kept in err and "could not be dropped" in err and "nothing of it is left" not in err, err
    assert f"database {db}" in out and psql(17, db, "select count(*) from t") == "1000", out


def test_the_last_word_is_lost(db, path):
    wire = Deaf(int(port(17)))
    for name, verb in (("c", ["copy", *from_(13, db)]), ("r", ["restore", path])):
        new, lost = make(17, f"{MARK}_deaf_{name}"), wire.lost
        empty = number_of(new)
        out, err = run(*verb, *through(wire, new))
        assert wire.lost == lost + 1, wire.lost
        assert new in out and "nothing of it is left" not in err, (out, err)
        assert psql(17, new, "select count(*) from t") == "1000"
        assert not called(empty), called(empty)


def test_nobody_can_be_asked(path):
    """What is said is true of both: it is there, or it is not; and nothing is taken away."""
    wire, new = Deaf(int(port(17)), deaf_for_ever=True), later(17, f"{MARK}_dark")
    begun = time.monotonic()
    _, err = run("restore", path, *through(wire, new), code=4)
    assert wire.lost == 1 and time.monotonic() - begun < 60, wire.lost
    assert f'when database "{new}" is there' in err and "nothing of it is left" not in err, err
    assert psql(17, new, "select count(*) from t") == "1000"


def main():
    with tempfile.TemporaryDirectory(prefix="pgsherpa-swap-") as root:
        try:
            db = make(13, f"{MARK}_swapped")
            psql(13, db, "create table t as select n from generate_series(1, 1000) n")
            path = backup(root, db, "--no-globals")
            for name, test in (("somebody was faster", lambda: test_somebody_was_faster(path)),
                               ("the empty one cannot go", lambda: test_the_empty_one_cannot_go(path)),
                               ("the last word is lost", lambda: test_the_last_word_is_lost(db, path)),
                               ("nobody can be asked", lambda: test_nobody_can_be_asked(path))):
                begun = time.monotonic()
                test()
                print(f"ok: {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        finally:
            clean_up()


if __name__ == "__main__":
    main()
