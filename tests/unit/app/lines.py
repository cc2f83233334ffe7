"""lines.py: what goes to stdout and to stderr may go into one pipe; lines stay whole, and in the order they were said.

400 runbooks are checked, every other one of which is broken: more than any buffer holds."""
import os
import re
import subprocess
import tempfile

BINARY = os.path.join(os.environ["PGSHERPA_BUILD"], "src/app/pgsherpa")
GOOD = """api: pgsherpa/v1
runbook: good-{}
title: One note
version: 1
phases:
  - id: only
    title: Nothing but a note
    steps: [{{id: said, title: Said, do: note, with: {{text: said}}}}]
"""
BROKEN = "api: pgsherpa/v1\nrunbook: [\n"

with tempfile.TemporaryDirectory() as d:
    paths = []
    for i in range(200):
        for name, text in (("good", GOOD.format(i)), ("broken", BROKEN)):
            paths.append(os.path.join(d, f"{name}-{i}.yaml"))
            with open(paths[-1], "w", encoding="utf-8") as f:
                f.write(text)
    r = subprocess.run([BINARY, "lint", *paths], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert r.returncode == 1, (r.returncode, r.stdout)
    lines = r.stdout.splitlines()
    for line in lines:
        assert re.fullmatch(r"good-\d+: 1 step; .* the runbook's own|/.*: error E-YAML: .*|        \S.*", line), line
    order = [m[1] for m in (re.match(r"(good-\d+):|/.*/(?:broken-\d+)\.yaml:", line) for line in lines) if m]
    want = [x for i in range(200) for x in (f"good-{i}", None)]
    assert order == want, f"out of order at {next(i for i, (a, b) in enumerate(zip(order, want)) if a != b)}"
