"""A rollback after the applications are back says, counted, what it would lose.

One journey. Asked before anybody wrote, the question says so and wants no word; the answer is no, and
the run goes on. Asked after rows were inserted, updated, deleted and a table truncated on the new
server, it names the tables and numbers, and goes back only when they were typed.

Then the other way back: the database is dropped, made anew and filled from the run's own bundle.
"""
import journey
from journey import Operator, closed, yes_to_all
from lab import Project, need_docker, need_majors

FROM, TO = 13, 17
WRITES = """insert into app.tags (id, name) select 1000 + n, 'after the move ' || n from generate_series(1, 7) n;
update app.tags set name = name || '!' where name like 'after the move%' and id % 2 = 0;
insert into billing.plans (name, price) values ('after the move', 100);
delete from billing.plans where name = 'after the move';
truncate app.likes"""


def to_the_question(op):
    op.read()
    before = op.events[-1]["seq"]
    assert op.command(cmd="rollback", to="")["ok"]
    return op.wait(lambda e: e["seq"] > before and (closed(e) or e["ev"] == "gate.open" and e["kind"] == "undo"))


def asked_without_writes(op):
    op.follow(lambda e: e["ev"] == "gate.open" and e.get("step") == "open")
    gate = to_the_question(op)
    assert gate["lines"][0].startswith("Nothing was written since step "), gate
    assert "no row will be lost" in gate["lines"][0] and not gate.get("text"), gate
    assert op.answer(gate, "n")["ok"]
    print(gate["lines"][0], flush=True)


def back_with_writes(p, op):
    """Returns how many tags there were before anybody wrote."""
    op.follow(lambda e: e["ev"] == "gate.open" and e.get("step") == "look")
    tags = int(p.sql("select count(*) from app.tags"))
    likes = int(p.sql("select count(*) from app.likes"))
    p.sql(WRITES)
    even = int(p.sql("select count(*) from app.tags where name like 'after the move%!'"))
    gate = to_the_question(op)
    lines = "\n".join(gate["lines"])
    print(lines.split("\n ")[0], flush=True)
    rows = 7 + even + 2
    assert f"so far: 8 inserted, {even} updated, 1 deleted. It will be lost:" in lines, lines
    assert f"app.tags: 7 inserted, {even} updated, 0 deleted" in lines, lines
    assert "billing.plans: 1 inserted, 0 updated, 1 deleted" in lines, lines
    assert "app.likes: " in lines and "truncated or rewritten" in lines and likes > 0, lines
    assert gate["text"] == f"lose {rows} rows", gate
    for wrong in (None, "y", f"lose {rows + 1} rows"):
        assert not op.answer(gate, "y", wrong)["ok"], wrong
    assert op.answer(gate, "y", gate["text"])["ok"]
    assert op.wait(closed)["status"] == "undone"
    return tags


def asked_twice(p, start):
    run_dir = journey.start(p, TO)
    asked = []

    def policy(gate):
        """The steps at which we ask to go back wait for us, the first time."""
        if gate.get("step") in ("open", "look") and gate["kind"] != "undo" and gate["step"] not in asked:
            asked.append(gate["step"])
            return None
        return yes_to_all(gate)

    with Operator(run_dir, policy, 600) as op:
        asked_without_writes(op)
        tags = back_with_writes(p, op)
    journey.engine_gone(run_dir)
    start.assert_as_before("with writes")
    assert int(p.sql("select count(*) from app.tags")) == tags


def back_from_the_bundle(p, start):
    bundle = next(e["value"] for e in p.journal() if e["ev"] == "fact" and e["name"] == "bundle.path")
    p.compose("stop", *journey.STOP)
    p.sql("truncate app.tags cascade; drop schema billing cascade")
    p.sql("drop database makapix", db="postgres")
    p.restore(bundle, "makapix")
    p.compose("start", *journey.STOP)
    start.assert_as_before("dropped and restored")
    print("dropped, restored from the run's bundle: as before", flush=True)


def main():
    need_docker()
    need_majors(FROM, TO)
    with Project(FROM) as p:
        start = journey.Start(p)
        asked_twice(p, start)
        back_from_the_bundle(p, start)


main()
