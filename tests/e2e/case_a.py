"""Case A through the wizard, keys only, at 80x24: every row of the case is asked for.

    case_a.py 13 17        case_a.py 15 18   (the changed volume layout)

The rows A1 to A21 are those of the case; each `row()` below is one of them, asserted on the
journal, the screen, Docker, or the log that the run itself wrote.
"""
import datetime
import os
import re
import sys

import journey
import wizard
from control import Operator
from journey import closed
from lab import Project, need_docker, need_majors, sh
from tui import Tui

FROM, TO = (int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (13, 17)


def row(name, ok, what):
    assert ok, f"{name}: {what}"
    print(f"{name}: {what}", flush=True)


def at_of(events, which):
    """Seconds since 1970 of the last such event."""
    t = [x["t"] for x in events if which(x)][-1]
    return datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp()


class Evidence:
    def __init__(self, project, run_dir, events, screens, plan_screen):
        self.p, self.dir, self.events = project, run_dir, events
        self.screens, self.plan_screen = screens, plan_screen
        self.log = self.export("md")

    def export(self, form):
        return sh(journey.pgsherpa(), "log", os.path.basename(self.dir), "--format", form,
                  env={**os.environ, **self.p.environment()})

    def of(self, ev, step=None):
        return [e for e in self.events if e["ev"] == ev and (step is None or e.get("step") == step)]

    def seq(self, ev, step):
        found = self.of(ev, step)
        assert found, f"no {ev} of {step}"
        return found[-1]["seq"]

    def note(self, step):
        return self.of("step.done", step)[-1].get("note", "")

    def fact(self, name):
        return [e for e in self.events if e["ev"] == "fact" and e["name"] == name][-1].get("value")


def before_the_cut(e, log):
    row("A1", e.fact("src.makapix.tables") == 38 and e.fact("src.makapix.alembic") and
        "38 tables" in e.note("src.makapix"), f"facts: {e.note('src.makapix')}")
    ok = [c for c in e.of("check", "compare.makapix") if c["verdict"] == "ok"]
    row("A1", len(ok) >= 3, "facts became the expected values of the comparison")
    row("A2", "free for" in e.note("disk"), e.note("disk"))
    row("A3", e.fact("healthy.running") and e.of("step.done", "all_back"), "all containers are back")
    row("A4", "objects" in e.note("bundle") and "every byte" in e.note("verify"), e.note("bundle"))
    members = sh("tar", "-tf", e.fact("bundle.path"))
    row("A4", "makapix.dump" in members and "globals.sql.zst" in members and
        "pre-data.sql.zst" in members, "custom dump, plain SQL and roles in one bundle")
    row("A6", e.seq("step.done", "pull") < e.of("downtime.begin")[0]["seq"],
        "the image was there before the downtime")
    stops = [e.seq("step.done", s) for s in ("stop_services.web", "stop_services.api", "stop_old")]
    row("A7", stops == sorted(stops), "most dependent first, the database last")


def the_cut(e, original):
    now = e.p.compose_bytes().decode()
    changed = [a for a, b in zip(original.decode().splitlines(), now.splitlines()) if a != b]
    row("A5", f"postgres:{TO}" in now and "wiki" in now and "keep the comments" in now and changed,
        "image edited, comments kept")
    saved = os.path.join(e.dir, "saved")
    kept = [open(os.path.join(b, f), "rb").read() for b, _, fs in os.walk(saved) for f in fs]
    row("A5", original in kept, "the original was kept")
    row("A9", e.seq("step.done", "start_db") < e.seq("step.done", "start_services.api"),
        "the database first, alone")
    row("A10", f"pgdata{TO}" in e.fact("new_server.volume"), "a new volume for the new major")
    row("A11", "equal" in e.note("compare.makapix") and "equal" in e.note("live_check.makapix"),
        e.note("compare.makapix"))
    row("A11", "equal" in e.note("server_compare") and "equal" in e.note("live_server"),
        e.note("server_compare"))
    starts = [e.seq("step.done", f"start_services.{s}") for s in ("api", "web")]
    row("A12", starts == sorted(starts), "started in order, each healthy before the next")
    row("A13", e.note("analyze.makapix") and e.note("advice.makapix"), e.note("advice.makapix"))
    tick = e.of("manual.tick", "look")
    row("A14", len(tick) >= 3 and all(t.get("by") for t in tick), "ticked by a person, by name")
    row("A15", e.of("downtime.begin") and e.of("downtime.end") and "Downtime" in e.log,
        next(x for x in e.log.splitlines() if "Downtime" in x))
    decided = e.of("decision.answer")
    row("A17", len(decided) == 4 and all(d.get("by") for d in decided), "four decisions recorded")
    seen = " ".join(s for _, s in e.screens)
    row("A18", "users see" in seen or "works as always" in seen, "what users see, beside the phase")


def the_end(e, old_volume):
    order = ("bundle_new", "verify_new", "drop_old_image", "drop_old_volume")
    row("A16", [e.seq("step.done", s) for s in order] ==
        sorted(e.seq("step.done", s) for s in order), "clean-up after a verified new backup")
    typed = [s for k, s in e.screens if k == "word"]
    row("A16", typed and old_volume in typed[-1] and "cannot be undone" in typed[-1],
        "the typed gate named the volume")
    row("A16", old_volume not in sh("docker", "volume", "ls", "-q").split(), "and only then it went")
    rows = re.search(r"[\d,]+ rows", e.note("src.makapix")).group(0)
    row("A20", "| Step | Time | Status | Notes |" in e.log and e.log.count(rows) >= 3,
        "the log is a table with real numbers")
    row("A20", e.export("json") and e.export("txt"), "also as JSON and text")
    row("A21", "bundle.verify" in str(e.of("plan.step")), "verified backup before anything else")


def full_restore(e, dump):
    """The run's two bundles of the old server, each into a new database of the new one."""
    expected = e.p.content_of(dump)
    for fact in ("bundle.path", "copy.makapix.bundle"):
        e.p.restore(e.fact(fact), "from_bundle")
        row("A19", e.p.content("from_bundle") == expected, f"{fact} restored: equal with the start")
        e.p.sql("drop database from_bundle", db="postgres")


def main():
    need_docker()
    need_majors(FROM, TO)
    with Project(FROM) as p, Tui(f"case-a-{FROM}", 80, 24, p.environment()) as t:
        original, dump = p.compose_bytes(), p.dump()
        old_volume, screens = journey.wait_up(p, FROM), []
        wizard.to_the_form(t, journey.pgsherpa(), f"{p.name}/db")
        for name, value in (("to", str(TO)), ("to_image", f"postgres:{TO}"),
                            ("volume", f"{p.name}_pgdata{TO}"), ("backups", p.backups),
                            ("image_after", "1s"), ("volume_after", "20s")):
            wizard.set_field(t, name, value)
        plan_screen = wizard.start(t)
        assert "UNDO" in plan_screen, plan_screen
        with Operator(p.runs()[-1]) as op:
            held = wizard.drive(t, op, lambda e: e["ev"] == "gate.open" and e["kind"] == "after" and
                                e["step"] == "drop_old_volume", screens)
            row("A8", old_volume in sh("docker", "volume", "ls", "-q").split(),
                f"the old volume {old_volume} is kept")
            up = at_of(op.events, lambda x: x["ev"] == "step.done" and x["step"] == "up")
            row("A16", 19 < held["until_ms"] / 1000 - up < 30, "the volume's gate waits its time")
            end = wizard.drive(t, op, closed, screens)
            assert end["status"] == "done", end
            asked = at_of(op.events, lambda x: x["ev"] == "gate.open" and x["kind"] == "word")
            row("A16", asked >= held["until_ms"] / 1000, "and asks only then")
            screens.append(("end", t.settle()))
            e = Evidence(p, op.dir, op.events, screens, plan_screen)
        before_the_cut(e, e.log)
        the_cut(e, original)
        the_end(e, old_volume)
        assert f"pgdata{TO}" in journey.wait_up(p, TO)
        row("proof", p.content() == p.content_of(dump), "the database's content equals the start")
        full_restore(e, dump)
        t.keys("q")
        t.settle()


main()
