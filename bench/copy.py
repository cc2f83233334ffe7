#!/usr/bin/env python3
"""copy.py [ROWS [ROUNDS]]: the same database moved by pgsherpa and by PostgreSQL's own tools.

Ours is the step `copy` of local-upgrade: rows into the new server and into a bundle in one
pass, hashed. Theirs is what gives the same two things: pg_dump -Fc into a file, and
pg_restore --jobs=2 out of it. Machines are noisy: A B A B in one run, medians, and the ratio.
"""
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e"))
os.environ.setdefault("PGSHERPA_BUILD", os.path.join(HERE, "..", os.environ.get("BUILD", "build-bench")))

from control import Operator, yes_to_all                        # noqa: E402
from lab import need_majors                                     # noqa: E402
from move import Move                                           # noqa: E402

OLD, NEW = 13, 17
BULK = """create table app.bulk as select g id, md5(g::text) a, md5((g * 7)::text) b, now() as at
          from generate_series(1, %d) g; alter table app.bulk add primary key (id)"""


def ours(move):
    run = move.start()
    with Operator(run, yes_to_all, timeout=900) as operator:
        done = operator.follow(lambda e: e["ev"] in ("step.done", "run.close") and
                               e.get("step", "copy") == "copy")
        if done["ev"] != "step.done":
            raise SystemExit("the run ended before its copy did")
        begun = next(e for e in operator.events if e["ev"] == "step.intent" and e.get("step") == "copy")
        operator.command(cmd="abort")
    for name in move.psql(NEW, "postgres", "-c",
                          "select datname from pg_database where datname like 'pgsherpa\\_%'").split():
        move.psql(NEW, "postgres", "-c", f'drop database if exists "{name}" with (force)')
    return (done["bt"] - begun["bt"]) / 1000


def theirs(move):
    dump, name = os.path.join(move.base, "x.dump"), f"{move.db}_theirs"
    with open(move.password, encoding="utf-8") as f:
        env = {**os.environ, "PGPASSWORD": f.read().strip(), "PGUSER": "postgres", "PGHOST": "127.0.0.1"}
    tools = os.environ[f"PGSHERPA_PG_BIN_{NEW}"]
    move.psql(NEW, "postgres", "-c", f"create database {name} template template0")
    begun = time.monotonic()
    subprocess.run([f"{tools}/pg_dump", "-Fc", "-Z1", "-f", dump, "-p", os.environ[f"PGSHERPA_LAB_{OLD}_PORT"],
                    move.db], env=env, check=True)
    subprocess.run([f"{tools}/pg_restore", "-j2", "--no-owner", "--no-acl", "-d", name, "-p",
                    os.environ[f"PGSHERPA_LAB_{NEW}_PORT"], dump], env=env, check=True)
    seconds = time.monotonic() - begun
    move.psql(NEW, "postgres", "-c", f"drop database {name}")
    os.unlink(dump)
    return seconds


def main():
    need_majors(OLD, NEW)
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with Move(OLD, NEW) as move:
        move.psql(OLD, move.db, "-c", BULK % rows)
        size = int(move.psql(OLD, "postgres", "-c", f"select pg_database_size('{move.db}')"))
        a, b = [], []
        for _ in range(rounds):
            a.append(ours(move))
            b.append(theirs(move))
    print(json.dumps({"ours": a, "theirs": b}), file=sys.stderr)
    print(f"database, MB: {size / 1e6:.0f}")
    print(f"pgsherpa copy and bundle, median s: {statistics.median(a):.2f}")
    print(f"pg_dump then pg_restore -j2, median s: {statistics.median(b):.2f}")
    print(f"ours over theirs: {statistics.median(a) / statistics.median(b):.2f}")


main()
