"""More and fewer workers while a real copy runs, asked for on the control socket and by `pgsherpa ctl`.

Eight tables of 20 rows; each row takes a tenth of a second to arrive, because a check sleeps. The
copy begins with one worker; what the target is busy with is read from its pg_stat_activity.
"""
import os
import time

from control import Operator
from lab import need_majors, own_servers, sh
from move import Move, pgsherpa

OLD, NEW = 13, 17
SLOW = """
create function slow() returns bool language plpgsql as $$ begin return true; end $$;
do $$ begin for i in 1..8 loop
  execute format('create table t%s (id int check (slow()))', i);
  execute format('insert into t%s select generate_series(1, 20)', i);
end loop; end $$;
create or replace function slow() returns bool language plpgsql as
  $$ begin perform pg_sleep(0.1); return true; end $$;
analyze;
"""
RUNBOOK = """api: pgsherpa/v1
runbook: workers
title: A copy with workers
version: 1
vars:
  db: {type: string, ask: Which database?}
secrets:
  pw: {from: prompt, ask: Password}
targets:
  here: {kind: host}
  old:
    kind: postgres
    via: {host: 127.0.0.1, port: %s}
    user: postgres
    database: "${vars.db}"
    password: secrets.pw
    identity: {other_system_than: new}
  new:
    kind: postgres
    via: {host: 127.0.0.1, port: %s}
    user: postgres
    database: postgres
    password: secrets.pw
    identity: {other_system_than: old}
defaults: {timeout: 10m}
phases:
  - id: copy
    title: Copy
    users_see: writes made from here on are not copied
    fence: {targets: [old]}
    steps:
      - id: disk
        title: Space
        do: host.disk
        on: here
        with: {need: [{path: /tmp, free: 1MB}]}
      - id: cut
        title: Nobody else is connected
        do: pg.fence
        on: old
      - id: copy
        title: Copy
        do: pg.copy
        on: new
        with: {from: old, database: "${vars.db}", jobs: 1}
        undo: auto
      - id: rest
        title: Rest
        do: wait
        with: {for: 3s}
"""


class Slow(Move):
    def __enter__(self):
        self.psql(OLD, "postgres", "-c", f"create database {self.db} template template0")
        try:
            self.psql(OLD, self.db, "-f", "-", input=SLOW)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_copy(self):
        path = os.path.join(self.base, "workers.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(RUNBOOK % tuple(os.environ[f"PGSHERPA_LAB_{m}_PORT"] for m in (OLD, NEW)))
        out = sh(pgsherpa(), "run", path, "--detach", "--yes", "--var", f"db={self.db}", "--secret",
                 f"pw=file:{self.password}", env={**os.environ, **self.environment()})
        return out.strip().splitlines()[-1]

    def busy(self, run):
        """Connections of this run that load rows at this moment."""
        return int(self.psql(NEW, "postgres", "-c",
                             "select count(*) from pg_stat_activity where state = 'active' and query ~ 'COPY .*FROM STDIN' "
                             f"and application_name ~ '^pgsherpa' and datname ~ '^pgsherpa_{run}_'"))

    def until_busy(self, run, n, seconds=30):
        seen, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            seen.append(self.busy(run))
            if seen[-1] == n:
                return
            time.sleep(0.1)
        raise AssertionError(f"never {n} at once: {seen}")

    def ctl(self, run, *words, code=0):
        out = sh("sh", "-c", '"$@" 2>&1; echo "exit $?"', "sh", pgsherpa(), "ctl", run, *words,
                 env={**os.environ, **self.environment()})
        assert out.rstrip().endswith(f"exit {code}"), out
        return out


def main():
    need_majors(OLD, NEW)
    with own_servers(OLD, NEW), Slow(OLD, NEW) as m:
        run_dir = m.start_copy()
        run = os.path.basename(run_dir)
        with open(os.path.join(run_dir, "tag"), encoding="utf-8") as f:
            tag = f.read().strip()
        with Operator(run_dir) as op:
            op.follow(lambda e: e["ev"] == "progress" and e.get("workers") == 1)
            m.until_busy(tag, 1)
            most = max(m.busy(tag) for _ in range(8))
            assert most == 1, f"{most} at once, and one was asked for"
            r = op.command(cmd="jobs", delta=1)
            assert r["ok"] and r["jobs"] == 2, r
            assert "3 workers" in m.ctl(run, "jobs", "+1")
            m.until_busy(tag, 3)
            op.wait(lambda e: e["ev"] == "progress" and e.get("workers") == 3)
            print("three at once, after one", flush=True)
            assert "1 worker\n" in m.ctl(run, "jobs", "-2")
            assert "that is the fewest" in m.ctl(run, "jobs", "-1", code=3)
            m.ctl(run, "jobs", "1", code=2)
            m.until_busy(tag, 1)
            more = [m.busy(tag) for _ in range(6)]
            assert max(more) == 1, f"still {more} at once"
            op.wait(lambda e: e["ev"] == "progress" and e.get("workers") == 1 and e["things_done"] > 2)
            print("one again, the others rest", flush=True)
            op.follow(lambda e: e["ev"] == "step.intent" and e.get("step") == "rest")
            r = op.command(cmd="jobs", delta=1)
            assert not r["ok"] and "no workers" in r["error"], r
            end = op.follow(lambda e: e["ev"] == "run.close")
        assert end["status"] == "done", end
        with open(os.path.join(run_dir, "output/copy.log"), encoding="utf-8") as f:
            said = f.read()
        assert "2 workers from now on, 1 before" in said and "1 worker from now on, 3 before" in said, said
        rows = m.psql(NEW, f"pgsherpa_{tag}_1", "-c", "select count(*) from t1, t8").strip()
        assert rows == "400", rows
        print("every row is there")


main()
