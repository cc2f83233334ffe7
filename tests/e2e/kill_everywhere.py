"""kill -9 of the engine at events of case A's journey on a real Docker engine; resume; proof.

One journey is killed six times at places spread over it (soak: several journeys, other places
each time, so at least 60). It must end in the same proof as an undisturbed one, with every step
done once and nothing made twice. A second journey is killed in the middle of what steps do, and
on its way back: everything must then be as it was before.

    kill_everywhere.py [forward|back]           (neither: both)
"""
import collections
import os
import signal
import sys
import time

import journey
from journey import Gone, Operator, closed, yes_to_all
from lab import Project, need_docker, need_majors

FROM, TO = 13, 17
WHERE = ["before-write", "after-write", "after-fsync"]
SOAK = bool(os.environ.get("PGSHERPA_SOAK"))
ROUNDS, KILLS, GAP = (4, 17, 13) if SOAK else (1, 6, 40)
# In the middle of a step's work, so long after its intent: where no event is near.
MIDDLE = [("new_server", 0.3), ("new_server", 2), ("roles", 0.1), ("copy.makapix", 0.5), ("swap.makapix", 0.1),
          ("stop_old", 0.4), ("image", 0.2), ("volume", 0.4), ("start_db", 1.0),
          ("start_services.api", 0.6)]
BACK = [("undo.intent", "start_db", 0.3), ("undo.intent", "stop_old", 0.5)]


def policy(gate):
    """A step in an unknown state asks; a person would look and let it run again."""
    if gate["kind"] == "unknown":
        keys = [c["key"] for c in gate.get("choices") or []]
        print(f"  asks: {gate['title']}: {gate.get('lines')}", flush=True)
        return {"answer": next(k for k in ("r", "w", "y") if k in keys)}
    return yes_to_all(gate)


def last_seq(run_dir):
    with open(os.path.join(run_dir, "journal.jsonl"), "rb") as f:
        return f.read().count(b"\n")


def carry_until_dead_or_closed(run_dir, until=closed):
    """The event waited for, or None when the engine died on the way."""
    try:
        with Operator(run_dir, policy) as op:
            return op.follow(until)
    except Gone:
        return None


def where_it_was(project, run_dir):
    last = project.journal(run_dir)[-1]
    return f"{last['seq']} {last['ev']} {last.get('step') or ''}"


def journey_with_kills(project, gaps):
    """Each kill comes `gap` events after the last one that the journal holds by then; twice as
    many when two kills met the same step: one with more facts than that would never end."""
    run_dir, killed, steps = None, 0, []
    for i, gap in enumerate(gaps):
        gap *= 2 if len(steps) > 1 and steps[-1] and steps[-1] == steps[-2] else 1
        seq = (last_seq(run_dir) if run_dir else 0) + gap
        env = {"PGSHERPA_FAIL": f"{seq}:{WHERE[(i + gap) % 3]}:kill"}
        try:
            if run_dir is None:
                run_dir = journey.start(project, TO, env=env)
            else:
                journey.resume(project, run_dir, env=env)
        except AssertionError:          # killed before it could answer its starter
            run_dir = run_dir or project.runs()[-1]
        if carry_until_dead_or_closed(run_dir):
            return run_dir, killed
        journey.engine_gone(run_dir)
        killed += 1
        steps.append(project.journal(run_dir)[-1].get("step"))
        print(f"  killed {WHERE[(i + gap) % 3]} of {seq}; last: {where_it_was(project, run_dir)}",
              flush=True)
    journey.resume(project, run_dir)
    assert carry_until_dead_or_closed(run_dir), "the undisturbed resume did not close the run"
    return run_dir, killed


def kill_engine(run_dir):
    for pid in journey.engine_pids(run_dir):
        os.kill(pid, signal.SIGKILL)
    journey.engine_gone(run_dir)


def kill_in_the_middle(project, run_dir, ev, step, delay):
    """Kills so long after that event; False when the engine was not there any more."""
    at = carry_until_dead_or_closed(run_dir, lambda e: closed(e) or
                                    e["ev"] == ev and e.get("step") == step)
    assert at and not closed(at), f"the run ended before {ev} of {step}: {at}"
    time.sleep(delay)
    kill_engine(run_dir)
    print(f"  killed {delay} s into {ev} {step}; last: {where_it_was(project, run_dir)}", flush=True)


def once(events, ev, key):
    seen = collections.Counter(e[key] for e in events if e["ev"] == ev)
    twice = [k for k, n in seen.items() if n > 1]
    assert not twice, f"{ev} twice: {twice}"


def check_end(project, start, run_dir):
    volume = journey.wait_up(project, TO)
    assert f"pgdata{TO}" in volume, volume
    start.assert_content("at the end", moved=True)
    events = project.journal(run_dir)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1)), "a hole in the journal"
    once(events, "step.done", "step")
    once(events, "decision.answer", "id")
    answered = {e["gate"] for e in events if e["ev"] == "gate.answer"}
    once([e for e in events if e["ev"] == "gate.open" and e["gate"] in answered and
          e["kind"] in ("yes", "word", "manual")], "gate.open", "title")
    for ev in ("downtime.begin", "downtime.end", "run.close"):
        assert sum(e["ev"] == ev for e in events) == 1, ev
    assert events[-1]["status"] == "done", events[-1]
    now = start.ours()
    assert not now["containers"] and not now["databases"] and not now["unfinished files"], now
    assert now["volumes"] == [volume.strip()], f"volumes: {now['volumes']}"


def forward():
    total = 0
    for r in range(ROUNDS):
        with Project(FROM) as p:
            start = journey.Start(p)
            # The first within the plan, which is then written down again.
            gaps = [20 + 3 * r, 50 + GAP] + [GAP + (k * 5 + r * 2) % 7 for k in range(2, KILLS)]
            run_dir, killed = journey_with_kills(p, gaps)
            check_end(p, start, run_dir)
            total += killed
            print(f"round {r + 1}: killed {killed} times, ended in the same proof", flush=True)
    print(f"{total} kills at events")
    assert total >= (60 if SOAK else 6), f"only {total} kills took place"


def back():
    """To the first application's start, through kills in the middle; then back, through kills."""
    killed = 0
    with Project(FROM) as p:
        start = journey.Start(p)
        run_dir = journey.start(p, TO)
        for step, delay in MIDDLE if SOAK else MIDDLE[3:4] + MIDDLE[7:9]:
            kill_in_the_middle(p, run_dir, "step.intent", step, delay)
            journey.resume(p, run_dir)
            killed += 1
        step = "start_services.api"
        carry_until_dead_or_closed(run_dir, lambda e: closed(e) or
                                   e["ev"] == "step.done" and e["step"] == step)
        with Operator(run_dir, policy) as op:
            op.read()
            assert op.command(cmd="rollback", to="")["ok"]
        for ev, step, delay in BACK:
            kill_in_the_middle(p, run_dir, ev, step, delay)
            killed += 1
            journey.resume(p, run_dir)
        kill_engine(run_dir)
        for i in range(12 if SOAK else 3):
            seq = last_seq(run_dir) + 2 + (i if i < 3 else 1)
            try:
                journey.resume(p, run_dir, env={"PGSHERPA_FAIL": f"{seq}:{WHERE[i % 3]}:kill"})
            except AssertionError:
                pass
            if carry_until_dead_or_closed(run_dir):
                break
            journey.engine_gone(run_dir)
            killed += 1
            print(f"  killed {WHERE[i % 3]} of {seq}; last: {where_it_was(p, run_dir)}", flush=True)
        if p.journal(run_dir)[-1]["ev"] != "run.close":
            journey.resume(p, run_dir)
            assert carry_until_dead_or_closed(run_dir), "the last resume did not close the run"
        journey.engine_gone(run_dir)
        events = p.journal(run_dir)
        assert events[-1]["status"] == "undone", events[-1]
        once([e for e in events if not e.get("left")], "undo.done", "step")
        start.assert_as_before(f"after {killed} kills forward and back")
    print(f"{killed} kills in the middle of steps and on the way back: as before")


def main():
    need_docker()
    need_majors(FROM, TO)
    which = sys.argv[1] if len(sys.argv) > 1 else "both"
    if which in ("forward", "both"):
        forward()
    if which in ("back", "both"):
        back()


main()
