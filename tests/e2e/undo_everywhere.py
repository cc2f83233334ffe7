"""Rollback after a step of case A's journey, after each of them (soak) or after two.

The two: a database was copied into the new server; the old server stopped and the compose file edited.
From a failure of the new server ui_killed.py goes back, from later on lost_writes.py.

After each: the compose file is byte-identical, the old server is up on its old volume, the
database's content equals the start, all services are healthy, and nothing of ours is left.

    undo_everywhere.py 13 17 [STEP...]      (no step named: the sample, or all with PGSHERPA_SOAK)
"""
import json
import os
import sys

import journey
from journey import Operator, closed
from lab import Project, need_docker, need_majors, sh

FROM, TO = (int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (13, 17)
SAMPLE = ["copy", "volume"]
VERDICTS = ("step.done", "step.already", "step.skipped")


def steps_of(project):
    out = sh(journey.pgsherpa(), "plan", "compose-upgrade", "--json",
             *journey.options(project, TO), env={**os.environ, **project.environment()})
    return [s["id"] for s in json.loads(out)["steps"] if not s.get("cleanup")]


def roll_back_after(project, step):
    """Returns the step that really was the last one: a pause comes at the end of the running one,
    and the shortest are over before it was heard; so it is asked for at the step's gate already."""
    run_dir = journey.start(project, TO)
    with Operator(run_dir) as op:
        op.follow(lambda e: e["ev"] in ("gate.open", "step.intent", *VERDICTS) and
                  e.get("step", "").split(".")[0] == step.split(".")[0])
        assert op.command(cmd="pause")["ok"]
        op.follow(lambda e: e["ev"] == "run.pause" or closed(e))
        last = [e["step"] for e in op.events if e["ev"] in VERDICTS][-1]
        r = op.command(cmd="rollback", to="")
        assert r["ok"], r
        end = op.follow(closed)
        left = [e["step"] for e in op.events if e["ev"] == "undo.done" and e.get("left")]
    assert end["status"] == "undone", end
    journey.engine_gone(run_dir)
    assert not {s.split(".")[0] for s in left} - {"pull", "analyze", "up", "bundle_new"}, f"not put back: {left}"
    return last


def main():
    need_docker()
    need_majors(FROM, TO)
    with Project(FROM) as p:
        all_steps = steps_of(p)
        chosen = sys.argv[3:] or (all_steps if os.environ.get("PGSHERPA_SOAK") else SAMPLE)
        assert set(chosen) <= set(all_steps), f"steps that are gone: {chosen}, of {all_steps}"
        start = journey.Start(p)
        tried = set()
        for step in chosen:
            last = roll_back_after(p, step)
            start.assert_as_before(f"after {last}")
            tried.add(last)
            print(f"rolled back after {last}: as before", flush=True)
    print(f"{len(tried)} of {len(all_steps)} steps tried")
    assert len(tried) >= len(chosen) - 1, f"asked for {chosen}, tried {sorted(tried)}"


main()
