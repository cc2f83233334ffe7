"""control.py: ctl and rollback on a real engine; no server, two files are all it changes."""
import json
import os
import subprocess
import sys
import tempfile
import time

BINARY = os.path.join(os.environ["PGSHERPA_BUILD"], "src/app/pgsherpa")
RUNBOOK = """
api: pgsherpa/v1
runbook: two-files
title: Two files
version: 1
vars:
  dir: {type: path, ask: "Where"}
targets:
  here: {kind: host}
defaults: {timeout: 1m}
phases:
  - id: files
    title: Files
    users_see: nothing
    steps:
      - id: one
        title: The first
        do: file.copy
        on: here
        with: {from: "${vars.dir}/source", to: "${vars.dir}/one"}
        undo: auto
      - id: two
        title: The second
        do: file.copy
        on: here
        with: {from: "${vars.dir}/source", to: "${vars.dir}/two"}
        gate: {before: {type: yes, show: [plan, undo]}}
        undo: auto
"""


LIST = """
api: pgsherpa/v1
runbook: two-files
title: Two questions
version: 1
vars: {dir: {type: path}}
decisions:
  - {id: locale, question: "Which locale?", choices: [keep, icu], default: keep, needed_before: two}
  - {id: who, question: "Who was told?", type: text, default: "nobody", needed_before: two}
phases:
  - id: look
    title: Look
    steps:
      - {id: one, title: By hand, do: manual, with: {items: ["open the page", "log in"]}}
      - {id: two, title: Note, do: note, with: {text: "${vars.dir}"}}
"""


class Case:
    def __init__(self, tmp, name, runbook=RUNBOOK, part=None):
        self.dir = os.path.join(tmp, name)
        os.mkdir(self.dir)
        self.env = dict(os.environ, PGSHERPA_STATE=os.path.join(self.dir, "state"))
        for file, text in (("source", "hello\n"), ("two-files.yaml", runbook)):
            with open(os.path.join(self.dir, file), "w", encoding="ascii") as f:
                f.write(text)
        if part:
            os.mkdir(os.path.join(self.dir, "parts"))
            with open(os.path.join(self.dir, "parts", "copied.yaml"), "w", encoding="ascii") as f:
                f.write(part)
        out, _ = self.sherpa("run", os.path.join(self.dir, "two-files.yaml"), "--var",
                             f"dir={self.dir}", "--detach")
        self.run = out.split()[1]

    def sherpa(self, *argv, code=0):
        r = subprocess.run([BINARY, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           stdin=subprocess.DEVNULL, env=self.env, timeout=60, check=False)
        assert r.returncode in ((code,) if isinstance(code, int) else code), \
            f"{argv}: exit {r.returncode}, not {code}\n{r.stdout}{r.stderr}"
        return r.stdout, r.stderr

    def ctl(self, *argv, code=0):
        return self.sherpa("ctl", self.run, *argv, code=code)

    def status(self):
        return json.loads(self.ctl("status", code=(0, 10, 11, 12))[0])

    def until(self, test):
        end = time.monotonic() + 30
        while True:
            s = self.status()
            if test(s):
                return s
            assert time.monotonic() < end, s
            time.sleep(0.05)

    def has(self, name):
        return os.path.exists(os.path.join(self.dir, name))

    def engine_pid(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if b"__engine" in words and words[2].decode().startswith(self.dir):
                return int(pid)
        raise AssertionError("no engine")

    def go_back_whole(self, *more):
        """rollback asks first; yes to whatever it asks."""
        self.sherpa("rollback", self.run, "--detach", *more)
        while True:
            s = self.until(lambda s: s.get("gate") or s["status"] in ("undone", "failed"))
            if not s.get("gate"):
                break
            g = s["gate"]
            self.ctl("answer", str(g["number"]), "y", *([g["text"]] if g["text"] else []), code=(0, 3))
        assert s["status"] == "undone", s
        assert not self.has("one") and not self.has("two")


def answers(tmp):
    c = Case(tmp, "answers")
    s = c.until(lambda s: s.get("gate"))
    number = s["gate"]["number"]
    assert c.has("one") and not c.has("two")
    _, err = c.ctl("answer", str(number + 1), "y", code=3)
    assert f"question {number} is" in err, err
    _, err = c.ctl("answer", str(number), "nonsense", code=3)
    assert "not one of the answers" in err, err
    _, err = c.ctl("abort", "p999", code=2)
    assert "once more" in err, err
    c.ctl("nonsense", code=2)
    for bad in ("1", "+0", "+x", "+33", "-"):
        c.ctl("jobs", bad, code=2)
    _, err = c.ctl("jobs", "+1", code=3)
    assert "no step is running" in err, err
    assert not c.has("two")
    c.ctl("answer", str(number), "y")
    assert c.until(lambda s: s["status"] == "done")["engine"] in (True, False)
    assert c.has("two")
    c.ctl("answer", str(number), "y", code=3)
    out, _ = c.ctl("tail")
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0]["ev"] == "run.open" and events[-1]["ev"] == "run.close", out
    assert not [e for e in events if e["ev"] == "run.attach"], "a script left its name in the log"
    print("ok: answers, stale ones refused", flush=True)
    c.until(lambda s: not s["engine"])
    c.ctl("pause", code=3)
    c.go_back_whole()
    print("ok: a finished run goes back", flush=True)
    c.sherpa("rollback", c.run, "--detach", code=3)
    c.sherpa("rollback", code=2)


def ticked(tmp):
    c = Case(tmp, "ticked", LIST)
    s = c.until(lambda s: s.get("gate"))
    number = str(s["gate"]["number"])
    assert s["gate"]["lines"] == ["open the page", "log in"], s
    _, err = c.ctl("answer", number, "y", code=3)
    assert "not everything is ticked" in err, err
    for bad in ("0", "3", "x", "-1", ""):
        c.ctl("tick", number, bad, code=2)
    c.ctl("tick", str(int(number) + 1), "1", code=3)
    c.ctl("tick", number, "1")
    c.ctl("untick", number, "1")
    c.ctl("tick", number, "2")
    c.ctl("answer", number, "y", code=3)
    c.ctl("tick", number, "all")
    c.ctl("answer", number, "y")
    s = c.until(lambda s: s.get("gate") and s["gate"]["kind"] == "decision")
    number = str(s["gate"]["number"])
    assert s["gate"]["suggested"] == "keep", s
    _, err = c.ctl("tick", number, "all", code=3)
    assert "is no checklist" in err, err
    # whoever follows with --yes takes what the runbook itself proposes
    out, _ = c.sherpa("attach", c.run, "--plain", "--yes")
    assert out.count("answered by --yes, with its own default: ") == 2, out
    assert "default: keep" in out and "default: nobody" in out, out
    c.until(lambda s: s["status"] == "done")
    print("ok: a checklist is ticked, defaults are taken", flush=True)


PARTS = """
api: pgsherpa/v1
runbook: two-files
title: Two files
version: 1
vars: {dir: {type: path}}
targets: {here: {kind: host}}
defaults: {timeout: 1m}
phases:
  - id: files
    title: Files
    steps:
      - use: {part: copied, with: {id: one, gate: ~}}
      - use: {part: copied, with: {id: two, gate: {before: {type: yes}}}}
"""
PART = """
api: pgsherpa/v1
part: copied
title: A file is copied
params: {id: {help: its name}, gate: {help: its gate, default: ~}}
steps:
  - id: "${part.id}"
    do: file.copy
    on: here
    with: {from: "${vars.dir}/source", to: "${vars.dir}/${part.id}"}
    gate: "${part.gate}"
    undo: auto
"""


def parts(tmp):
    """A run goes on with the parts it was started with, whatever became of their files."""
    beside = os.path.join(tmp, "parts", "parts", "copied.yaml")
    c = Case(tmp, "parts", PARTS, part=PART)
    c.until(lambda s: s.get("gate"))
    os.kill(c.engine_pid(), 9)
    c.until(lambda s: s["status"] == "stopped")
    with open(beside, "w", encoding="ascii") as f:
        f.write(PART.replace("/source", "/elsewhere"))
    c.sherpa("resume", c.run, "--detach")
    number = str(c.until(lambda s: s.get("gate"))["gate"]["number"])
    c.ctl("answer", number, "y")
    c.until(lambda s: s["status"] == "done")
    assert c.has("one") and c.has("two")
    kept = os.path.join(c.dir, "state", "runs")
    kept = [os.path.join(top, "copied.yaml") for top, _, files in os.walk(kept) if "copied.yaml" in files]
    assert len(kept) == 1, kept
    with open(kept[0], encoding="ascii") as f:
        assert f.read() == PART
    # what was accepted is what runs: a part that was changed in the run's own directory is refused
    with open(kept[0], "w", encoding="ascii") as f:
        f.write(PART.replace("/source", "/elsewhere"))
    c.until(lambda s: not s["engine"])
    _, err = c.sherpa("rollback", c.run, "--detach", code=3)
    assert "not the one that was accepted" in err, err
    with open(kept[0], "w", encoding="ascii") as f:
        f.write(PART)
    c.go_back_whole()
    print("ok: a run keeps its parts", flush=True)


def hostile_parts(tmp):
    """Names of parts that are paths, commands or screens of their own."""
    path = os.path.join(tmp, "hostile.yaml")
    for name in ("../copied", "a\\nb", "$(rm -rf /)", "\\u001b[2J", "'; drop table x; --", "/etc/passwd", "x" * 64):
        with open(path, "w", encoding="ascii") as f:
            f.write(PARTS[:PARTS.index("      - use")] + f'      - use: "{name}"\n')
        r = subprocess.run([BINARY, "lint", path], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert r.returncode == 1 and not r.stdout, r
        lines = r.stderr.splitlines()
        assert 1 <= len(lines) <= 2 and lines[0].startswith(f"{path}:13:") and "\x1b" not in r.stderr, r.stderr
    print("ok: hostile names of parts", flush=True)


def killed(tmp):
    c = Case(tmp, "killed")
    c.until(lambda s: s.get("gate"))
    os.kill(c.engine_pid(), 9)
    c.until(lambda s: s["status"] == "stopped")
    c.ctl("pause", code=4)
    c.sherpa("rollback", c.run, "--to", "nowhere", "--detach", code=2)
    c.go_back_whole()
    print("ok: rollback starts a dead engine", flush=True)


def alive(tmp):
    c = Case(tmp, "alive")
    c.until(lambda s: s.get("gate"))
    c.go_back_whole()
    print("ok: rollback asks a living engine", flush=True)


def aborted(tmp):
    c = Case(tmp, "aborted")
    c.until(lambda s: s.get("gate"))
    c.ctl("abort", c.run)
    c.until(lambda s: s["status"] == "aborted")
    assert c.has("one")
    print("ok: abort", flush=True)


with tempfile.TemporaryDirectory(prefix=f"pgsherpa-test-{os.getpid()}-") as tmp_dir:
    for test in (answers, ticked, parts, hostile_parts, killed, alive, aborted):
        test(tmp_dir)
sys.exit(0)
