"""Bad input: a clear error with what to do next, the documented exit code, nothing changed."""
import os
import subprocess
import sys
import tempfile
import time

from control import Operator
from lab import need_majors, own_servers
from move import Move, pgsherpa
from tui import Tui

COMPOSE = ["run", "compose-upgrade", "--detach", "--var", "db=x", "--var", "user=y", "--var",
           "from=13", "--var", "to=17", "--var", "to_image=postgres:17", "--var", "volume=v"]


class Case:
    def __init__(self, base):
        self.base = base
        self.env = {**os.environ, "PGSHERPA_STATE": os.path.join(base, "state")}

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.base, name)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def run(self, *argv, env=None):
        r = subprocess.run([pgsherpa(), *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, env={**self.env, **(env or {})}, timeout=60,
                           check=False)
        return r.returncode, (r.stdout + r.stderr).decode(errors="replace")

    def says(self, what, code, *words, argv, env=None):
        rc, out = self.run(*argv, env=env)
        assert rc == code, f"{what}: exit {rc}, not {code}\n{out}"
        for w in words:
            assert w in out, f"{what}: nothing about {w!r} in\n{out}"
        assert "\x1b" not in out and "(null)" not in out, f"{what}: {out!r}"
        print(f"{what}: {out.strip().splitlines()[0]}", flush=True)

    def gate_says(self, what, *words, argv, env=None):
        """The run opens, and stops at its first look with an error that helps."""
        rc, out = self.run(*argv, env=env)
        assert rc == 0, f"{what}: {out}"
        run_dir = out.strip().splitlines()[-1]
        with Operator(run_dir, lambda gate: None, timeout=30) as op:
            try:
                op.follow(lambda e: e["ev"] == "run.close")
            except AssertionError:
                pass
            gate = op.open_gate()
            text = gate["title"] + "\n" + "\n".join(gate["lines"])
            for w in words:
                assert w in text, f"{what}: nothing about {w!r} in\n{text}"
            writes = [e for e in op.events if e["ev"] == "step.intent" and e["effect"] != "read"]
            assert not writes, f"{what}: something was changed: {writes}"
            op.answer(gate, "a")
        print(f"{what}: {text.splitlines()[1]}", flush=True)


def runbooks(c):
    broken = c.file("broken.yaml", "api: pgsherpa/v1\nrunbook: x\n  title: [\n")
    c.says("broken YAML", 1, "broken.yaml:3:8", argv=["lint", broken])
    c.says("broken YAML", 2, "broken.yaml:3:8", argv=["run", broken, "--detach"])
    bombs = {"deep": "a: " + "[" * 100000, "anchor": "a: &x 1\nb: *x\n", "nul": b"a: \"\\0\"\n",
             "escape": "a: \"\\e[2J\"\n", "twice": "api: 1\napi: 2\n", "latin1": b"a: \xe4\n",
             "tag": "a: !!python/object:os.system x\n", "empty": "",
             "many": "x:\n" + "".join(f"- {{a: {i}}}\n" for i in range(30000))}
    for name, text in bombs.items():
        start = time.monotonic()
        path = c.file(f"{name}.yaml", text)
        c.says(f"hostile YAML, {name}", 1, f"{name}.yaml", argv=["lint", path])
        assert time.monotonic() - start < 5, f"{name} took {time.monotonic() - start} s"
    c.says("unknown runbook", 2, "there is no runbook", "compose-upgrade",
           argv=["run", "nosuch", "--detach"])
    c.says("unknown verb", 2, "did you mean", argv=["statsu"])
    c.says("not a number", 2, "from_port", "whole number",
           argv=["run", "local-upgrade", "--var", "from_port=abc", "--detach"])
    c.says("unknown answer", 2, "nosuch",
           argv=["run", "local-upgrade", "--var", "nosuch=1", "--detach"])
    c.says("password in argv", 2, "mode 0600",
           argv=["run", "local-upgrade", "--secret", "to_password=hunter2"])
    c.says("unknown kind", 2, "did you mean", argv=["explain", "pg.copi"])
    c.says("no such run", 2, "p99", argv=["log", "p99"])


def projects(c):
    """Of a machine that has Docker and Compose."""
    c.gate_says("stopped daemon", "Docker engine does not answer", "hint",
                argv=[*COMPOSE, "--var", f"dir={c.base}"], env={"DOCKER_HOST": "unix:///nonexistent"})
    c.gate_says("no directory", "there is no directory",
                argv=[*COMPOSE, "--var", "dir=/nonexistent"])
    os.makedirs(f"{c.base}/nodb")
    c.file("nodb/compose.yaml", "services:\n  web:\n    image: pgsherpa-lab/app:1\n")
    c.gate_says("no Postgres in the project", "no service db",
                argv=[*COMPOSE, "--var", f"dir={c.base}/nodb"])


def servers(c, m):
    wrong = c.file("wrong", "not-the-password\n")
    c.gate_says("wrong password", "password authentication failed",
                argv=[*[a.replace(m.password, wrong) if a.startswith("from_password=") else a
                        for a in m.argv("--detach")][1:]])
    c.gate_says("the same server twice", "one and the same server",
                argv=[a.replace(os.environ["PGSHERPA_LAB_17_PORT"], os.environ["PGSHERPA_LAB_13_PORT"])
                      for a in m.argv("--detach")][1:])
    open_file = c.file("open", "x\n", 0o644)
    c.gate_says("a secret others can read", "can be read by others", "chmod 600",
                argv=[a.replace(m.password, open_file) for a in m.argv("--detach")][1:])
    rc, out = c.run(*m.argv("--detach")[1:])
    assert rc == 0, out
    first = out.strip().splitlines()[-1]
    c.says("a second run on the same target", 3, "is being worked on by run", "attach",
           argv=m.argv("--detach")[1:])
    with Operator(first, lambda gate: None) as op:
        assert op.command(cmd="abort", run=os.path.basename(first))["ok"]


def terminals(c):
    for name, cols, rows, env in (("10x3", 10, 3, {}), ("unknown TERM", 80, 24, {"TERM": "nosuch-256"}),
                                  ("no locale", 80, 24, {"LANG": "xx_YY.UTF-8"})):
        with Tui(name.replace(" ", "-"), cols, rows, {**c.env, "TERM": "xterm", **env}) as t:
            t.run(["env", *(f"{k}={v}" for k, v in env.items()), pgsherpa()])
            s = t.settle(quiet=0.5)
            assert s.strip() and "core dumped" not in s and "EXIT=" not in s, f"{name}:\n{s}"
            t.keys("q")
            assert t.exit_code(10) == 0, f"{name}:\n{t.screen()}"
            print(f"terminal, {name}: drawn, left with q")


def main():
    need_majors(13, 17)
    with tempfile.TemporaryDirectory(prefix="pgsherpa-bad-") as base:
        c = Case(base)
        try:
            runbooks(c)
            if os.environ.get("PGSHERPA_LAB_DOCKER") == "1":
                projects(c)
            with own_servers(13, 17), Move(13, 17) as m:
                servers(c, m)
            terminals(c)
        finally:
            subprocess.run(["pkill", "-f", f"__engine {base}"], check=False)


assert sys
main()
