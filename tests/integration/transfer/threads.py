"""threads.py: everything that many threads do at once, for a build with TSan (./dev tsan).

A table big enough to be cut into parts (by its key on 13, by ctid on 15), keys, partitions, views and
large objects: copied with two workers and with four, with a backup in the same pass, proved deep,
restored from the bundle and from dumps, and stopped in the middle. The verdict about races is
sanitized.sh's; here the work must have been done, and the sides be equal."""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time

import moves

HERE = os.path.dirname(os.path.abspath(__file__))
BIG = """create table big (id bigint primary key, body text);
alter table big alter body set storage plain;
insert into big select n, repeat(md5(n::text), 32) from generate_series(1, 200000) n;
create index on big (md5(body));
analyze;"""
SIZE = 200 << 20                # what it must at least have, so that parts_plan.c cuts it for two workers


def interrupted(argv, after):
    p = subprocess.Popen([moves.BINARY, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, start_new_session=True)
    time.sleep(after)
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=120)
    assert p.returncode in (0, 130, -signal.SIGINT), (p.returncode, err)


def journey(source, target, jobs, work):
    db = moves.make(source, f"{moves.MARK}_threads")
    with open(os.path.join(HERE, "threads.sql"), encoding="utf-8") as f:
        moves.psql(source, db, f.read() + BIG)
    assert int(moves.psql(source, db, "select pg_table_size('big')")) > SIZE
    to = {n: f"{moves.MARK}_{n}" for n in ("copy", "bundle", "archive", "directory", "text", "stopped")}
    moves.MADE.extend((target, n) for n in to.values())

    moves.copy(source, db, target, to["copy"], "--jobs", jobs, "--backup", work)
    moves.equal(source, db, target, to["copy"], "--deep", "--jobs", jobs)
    bundle, = glob.glob(os.path.join(work, "*.pgs.tar"))
    moves.run("backup", "verify", bundle)
    dump = {}
    for name, options in (("archive", ["-Fc", "-Z1"]), ("directory", ["-Fd", "-j2", "-Z1"]), ("text", ["-Fp"])):
        dump[name] = os.path.join(work, name)
        moves.client("pg_dump", *options, "-f", dump[name], "-h", moves.HOST, "-p", moves.port(source), "-U",
                     moves.USER, "-d", f"dbname='{db}'", major=source)
    for name, path in {"bundle": bundle, **dump}.items():
        moves.run("restore", path, "--to", moves.at(target, to[name]), "--to-password-file", moves.PASSWORD_FILE,
                  *(["--jobs", jobs] if name == "bundle" else []))
        moves.equal(source, db, target, to[name])
        moves.psql(target, "postgres", f'drop database "{to[name]}" with (force)')
    moves.run("compare", "--from", bundle, "--to", moves.at(target, to["copy"]), "--to-password-file",
              moves.PASSWORD_FILE, "--deep", "--jobs", jobs)
    interrupted(["copy", *moves.ends(source, db, target, to["stopped"]), "--jobs", jobs], 3)
    moves.drop_all()


moves.need(13, 15, 17, 18)
signal.signal(signal.SIGINT, signal.default_int_handler)        # a shell's `&` has it ignored, and so would the verb
for ends in ((13, 17, "2"), (15, 18, "4")):
    folder = tempfile.mkdtemp(prefix="pgsherpa-threads-", dir="/var/tmp")
    try:
        journey(*ends, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
