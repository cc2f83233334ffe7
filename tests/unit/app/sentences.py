"""sentences.py: what a gate and the way back say of the shipped journeys is a sentence, no SQL and no command.

Both show the first `# ` line of what a step's plan says; the exact commands are behind a key."""
import json
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARY = os.path.join(os.environ["PGSHERPA_BUILD"], "src/app/pgsherpa")
ANSWERS = {
    "local-upgrade": {"from_db": "shop"},
    "compose-upgrade": {"dir": "/srv/app", "db": "shop", "user": "postgres", "from": 15, "to": 17,
                        "to_image": "postgres:17", "volume": "new", "stop_order": ["web"],
                        "start_order": [{"name": "web", "health": "running", "within": "60s"}]},
    "make-room": {"images": ["postgres:13"]},
    "discover": {},
}
# Where something is deleted a gate shows all of it, and the steps of people have lines to tick.
SHOWS_ALL = ("image.remove", "image.reclaim", "volume.remove", "server.remove")
CODE = re.compile(r"\b(select|alter|drop (database|role|table)|create (database|role)) |pg_(current|stat)|::|^nothing:", re.I)


def plan(name):
    argv = [BINARY, "plan", os.path.join(ROOT, "runbooks", name + ".yaml"), "--json"]
    for var, value in ANSWERS[name].items():
        argv += ["--var", f"{var}={value if isinstance(value, str) else json.dumps(value)}"]
    return json.loads(subprocess.run(argv, text=True, stdout=subprocess.PIPE, check=True).stdout)["steps"]


shipped = {f[:-5] for f in os.listdir(os.path.join(ROOT, "runbooks")) if f.endswith(".yaml")}
assert shipped == set(ANSWERS), shipped ^ set(ANSWERS)
asked = undone = 0
for journey in sorted(shipped):
    for step in plan(journey):
        where = f"{journey}, {step['id']} ({step['kind']})"
        says = [c[2:] for c in step["commands"] if c.startswith("# ")]
        for s in says:
            assert not CODE.search(s), f"{where} says code: {s}"
        if step["asks"] and step["kind"] not in SHOWS_ALL:
            assert says, f"{where} asks, and says nothing: {step['commands']}"
            asked += 1
        if step["undo"].startswith("yes"):
            back = step["undo_commands"]
            assert back and back[0].startswith("# "), f"{where}: the way back begins with code: {back}"
            assert not CODE.search(back[0][2:]), f"{where}: the way back says code: {back[0]}"
            undone += 1
assert asked >= 7 and undone >= 15, (asked, undone)
