"""A copy that loses a table's rows must end the run as failed, and name the table.

`pg_upgradecluster` of Debian 12 and 13 says "Success" there and exits with 0: its restore's status
is never looked at. Two ways to lose rows, each through a whole run of the journey:

* the restore of a table fails (its CHECK calls a function that looks for another table by an
  unqualified name, which the empty search_path of a restore does not find). The rehearsal says so
  before anything is moved; only who makes such a table after it sees the copy itself fail;
* they are gone without any error: the test takes them away between copy and comparison.

Each is stopped at the failure's question. Then exit codes, `status` and every form of the log.
"""
import os
import subprocess

from control import Operator, yes_to_all
from lab import need_majors, own_servers
from move import Move, pgsherpa

TABLE = "public.orders_e1"
TRAP = """create table public.allowed_e1 (id int); insert into allowed_e1 select generate_series(1, 9);
create function public.ok_e1(int) returns bool language sql as 'select $1 in (select id from allowed_e1)';
create table public.orders_e1 (id int check (public.ok_e1(id)));
insert into public.orders_e1 select 1 + n % 9 from generate_series(1, 50000) n"""


def stop_at_failure(gate):
    return {"answer": "a"} if gate["kind"] == "error" else yes_to_all(gate)


def verb(move, *argv):
    r = subprocess.run([pgsherpa(), *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       env={**os.environ, **move.environment()}, check=False)
    return r.returncode, r.stdout


def databases(move):
    return move.psql(move.new, "postgres", "-c", "select datname from pg_database").split("\n")


def back(move, run_dir):
    """`status` says how to get rid of what is left; done so, nothing of the run is."""
    run = os.path.basename(run_dir)
    with open(os.path.join(run_dir, "tag"), encoding="utf-8") as f:
        ours = f"pgsherpa_{f.read().strip()}_"
    assert any(name.startswith(ours) for name in databases(move)), f"no {ours}*: {databases(move)}"
    code, out = verb(move, "status", run)
    assert f"pgsherpa rollback {run}" in out, out
    secrets = [w for s in ("from_password", "to_password") for w in ("--secret", f"{s}=file:{move.password}")]
    code, out = verb(move, "rollback", run, "--detach", *secrets)
    assert code == 0, out
    with Operator(run_dir) as op:
        end = op.follow(lambda e: e["ev"] == "run.close" and e["status"] == "undone")
    assert not any(name.startswith(ours) for name in databases(move)), databases(move)
    code, out = verb(move, "ctl", run, "abort", run)
    assert code == 3 and "closed (undone)" in out and "rollback" not in out, (code, out)
    code, out = verb(move, "rollback", run, "--to", "copy")
    assert code == 3 and "it can only go back whole" in out, (code, out)
    return end


def names_it(move, run_dir, end, step, table):
    run = os.path.basename(run_dir)
    assert end["status"] == "failed" and table in end["reason"], end
    code, out = verb(move, "status", run)
    assert code == 12 and "failed" in out and table in out, (code, out)
    for form in ("txt", "md", "json"):
        code, out = verb(move, "log", run, "--format", form)
        assert code == 0 and table in out and "failed" in out, f"{form}: {out[-2000:]}"
    code, out = verb(move, "attach", run, "--plain")
    assert code == 1 and table in out, (code, out[-500:])
    code, out = verb(move, "resume", run)
    assert code == 3 and "closed (failed)" in out, (code, out)
    code, out = verb(move, "ctl", run, "abort", run)
    assert code == 3 and "closed (failed)" in out and f"pgsherpa rollback {run}" in out, (code, out)
    assert move.db not in databases(move), "a database that was not proved has the real name"
    back(move, run_dir)
    print(f"{step}: {end['reason'][:150]}", flush=True)


def failed_at(op):
    return [e["step"] for e in op.events if e["ev"] == "step.failed"]


def the_rehearsal_says_it():
    with Move(15, 17) as move:
        move.psql(15, move.db, "-c", TRAP)
        with Operator(move.start(), stop_at_failure) as op:
            end = op.follow(lambda e: e["ev"] == "run.close")
        assert failed_at(op) == ["rehearse"] and TABLE in end["reason"], (failed_at(op), end)
        assert move.db not in databases(move), databases(move)
        print(f"rehearse: {end['reason'][:150]}", flush=True)


def the_restore_fails():
    with Move(15, 17) as move:
        def trap_at_the_cut(gate):
            if gate["step"] == "cut":
                move.psql(15, move.db, "-c", TRAP)
            return stop_at_failure(gate)

        run_dir = move.start()
        with Operator(run_dir, trap_at_the_cut) as op:
            end = op.follow(lambda e: e["ev"] == "run.close")
        assert failed_at(op) == ["copy"], failed_at(op)
        names_it(move, run_dir, end, "copy", TABLE)


def rows_go_without_an_error():
    with Move(15, 17) as move:
        run_dir = move.start()
        with Operator(run_dir, stop_at_failure) as op:
            op.follow(lambda e: e["ev"] == "step.intent" and e["step"] == "copy")
            assert op.command(cmd="pause")["ok"]
            op.follow(lambda e: e["ev"] == "run.pause")
            done = [e for e in op.events if e["ev"] == "step.done"]
            assert done[-1]["step"] == "copy", "the pause came too late to take rows away"
            copy = [e for e in op.events if e["ev"] == "fact" and e["name"] == "copy.database"]
            move.psql(17, copy[-1]["value"], "-c", "set session_replication_role = replica; "
                      "delete from app.posts")
            assert op.command(cmd="continue")["ok"]
            end = op.follow(lambda e: e["ev"] == "run.close")
        assert failed_at(op) == ["compare"], failed_at(op)
        names_it(move, run_dir, end, "compare", "app.posts")


need_majors(15, 17)
with own_servers(15, 17):
    the_rehearsal_says_it()
    the_restore_fails()
    rows_go_without_an_error()
