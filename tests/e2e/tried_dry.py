"""What a step of the downtime would stumble over is said in preflight, and may be put right while the run waits.

Two failures are planted in case A's journey that only its last steps would meet: a volume that has the new one's
name, and a service to be started that there is not. Both are said at once, with the titles of their steps; one is
put right, tried again, then the run is begun anew without the other. Nothing was stopped meanwhile.
"""
import json
import os

import journey
from journey import closed
from lab import Project, need_docker, need_majors, sh

FROM, TO = 15, 17
ENTRY = '[{"name": "api\\"; drop $(rm)", "health": "container", "within": "60s"}]'


def log_of(run):
    with open(os.path.join(run, "output", "try_all.log"), encoding="utf-8") as f:
        return f.read()


def result(op):
    done = [e for e in op.events if e["ev"] == "step.done" and e["step"] == "try_all"]
    assert done, "it was never done"
    return done[-1]


def policy(gate):
    """Everything is answered with yes but what is wrong, and the begin of the downtime."""
    if gate["kind"] == "error" or gate.get("step") == "begin":
        return None
    return journey.yes_to_all(gate)


def until(op, want):
    return op.follow(lambda e: closed(e) or e["ev"] == "gate.open" and want(e))


def planted(p):
    volume = f"{p.name}_taken"
    sh("docker", "volume", "create", volume)
    run = journey.start(p, TO, stop_order="", start_order=ENTRY, volume=volume)
    with journey.Operator(run, policy, 240) as op:
        gate = until(op, lambda e: e["kind"] == "error")
        assert gate.get("step") == "try_all", gate
        log = log_of(run)
        assert f"Start a new server on a new volume: volume {volume} exists already" in log, log
        assert 'Start api"; drop $(rm): ' in log, log
        assert not [e for e in op.events if e["ev"] == "downtime.begin"]
        words = " ".join(str(e) for e in op.events if e["ev"] == "step.failed" or e["ev"] == "check")
        assert volume in words and "drop $(rm)" in words, words
        sh("docker", "volume", "rm", volume)
        assert op.answer(gate, "r")["ok"]
        again = until(op, lambda e: e["kind"] == "error" and e["seq"] > gate["seq"])
        assert again.get("step") == "try_all", again
        tail = log_of(run)[len(log):]
        assert f"{volume} exists already" not in tail and "drop $(rm)" in tail, tail
        assert op.answer(again, "a")["ok"]
        assert op.follow(closed)["status"] in ("failed", "undone", "aborted")
    assert p.sql("select 1") == "1"
    print("both were said at once, and what was put right is not said again", flush=True)


def clean(p):
    """Of the same journey without them nothing stands in the way, and what is not known is said."""
    run = journey.start(p, TO, stop_order="", start_order="[]", volume=f"{p.name}_free")
    with journey.Operator(run, policy, 240) as op:
        gate = until(op, lambda e: e.get("step") == "begin")
        assert gate["kind"] == "yes", gate
        note = result(op)["note"]
        log = log_of(run)
        assert "nothing stands in the way" in note and "only as far as known now" in note, note
        assert "error dry" not in log, log
        assert "new: an earlier step starts this server" in log, log
        assert p.env_value("DB_PASSWORD") not in log + json.dumps(op.events)
        assert op.command(cmd="rollback", to="")["ok"]
        assert op.follow(closed)["status"] == "undone"
    assert not sh("docker", "ps", "-aq", "--filter", f"label=pgsherpa.project={p.name}").strip()
    print("without them nothing stands in the way", flush=True)


def main():
    need_docker()
    need_majors(FROM, TO)
    with Project(FROM, "--up=db") as p:
        planted(p)
        clean(p)


main()
