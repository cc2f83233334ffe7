"""kill -9 of the wizard, never of the engine, on every screen of case A's journey.

In one interactive shell at a real terminal the wizard is started, brought to a screen, killed, and
started again: home, discovery, questions, plan, the question before the start, a running step,
gates, a failure, the list before undo, undo, the end, the log. Each time:

  before the start   nothing has begun: no run of the journey, the compose file untouched;
  in a run           the engine is the same process and goes on; the screen attached again equals
                     one that was never disturbed; nobody has answered the open question.

In the end everything is undone and the project is as it was; the shell's terminal modes, its
cursor and its main screen are as they were. With PGSHERPA_SOAK the run goes on after the failure
up to the applications' start, killed at every gate and in more steps, before it is undone.
"""
import contextlib
import os
import re
import shlex
import signal
import threading
import time

import journey
import wizard
from control import Operator
from journey import closed
from lab import Project, need_docker, need_majors, sh
from tui import Tui
from wizard import alike, enter_live, still

FROM, TO = 13, 17
SOAK = bool(os.environ.get("PGSHERPA_SOAK"))
STEPS = ["src.makapix", "bundle"] + (["src_final.makapix", "roles", "copy.makapix", "swap.makapix", "stop_old",
                                      "start_db"] if SOAK else [])
PROMPT = r"^shell>"


class Shell(Tui):
    """A person's shell, in which programs are started and killed one after the other."""
    started = False

    def run(self, argv, cwd="/"):
        if not self.started:
            super().run(["env", "PS1=shell>", "bash", "--norc", "--noprofile", "-i"], cwd)
            self.expect(PROMPT, 20)
            self.started, self.sane = True, self.modes()
            pane = self._tmux("display", "-p", "#{pane_pid}").strip()
            self.bash = sh("pgrep", "-P", pane).split()[0]
        self.text(" ".join(shlex.quote(a) for a in argv))
        self.keys("Enter")

    def modes(self):
        tty = self._tmux("display", "-p", "#{pane_tty}").strip()
        flags = self._tmux("display", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").strip()
        return sh("stty", "-a", "-F", tty), flags

    def child(self):
        return [int(p) for p in sh("pgrep", "-P", self.bash, check=False).split()]

    def ended(self, timeout=20):
        end = time.monotonic() + timeout
        while self.child():
            assert time.monotonic() < end, f"it does not end:\n{self.screen()}"
            time.sleep(0.02)

    def kill(self):
        pids = self.child()
        assert len(pids) == 1, f"the wizard should be the shell's only child: {pids}"
        os.kill(pids[0], signal.SIGKILL)
        self.ended()


class Killed:
    def __init__(self, project, shell):
        self.p, self.t, self.where, self.seen = project, shell, [], {}
        self.file = project.compose_bytes()

    def passed(self, name, line=None):
        """Each screen on the way to the start is the same on every walk, whatever was killed before.
        `line`: only lines with that text count, others belong to other people's servers, and so may
        the mark of what is chosen."""
        rows = self.t.settle().splitlines()
        now = still("\n".join(r.replace("›", " ") for r in rows if not line or re.search(line, r)))
        first = self.seen.setdefault(name, now)
        assert now == first, f"{name} after a kill:\n{now}\n---- before:\n{first}"

    def nothing_begun(self, name):
        assert self.p.compose_bytes() == self.file, f"{name}: the compose file has changed"
        begun = [r for r in self.p.runs() if self.p.journal(r)[0]["runbook"] == "compose-upgrade"]
        assert not begun, f"{name}: a run was begun: {begun}"

    def in_the_run(self, name, op, calm):
        engines = journey.engine_pids(op.dir)
        gate = op.open_gate()
        self.t.kill()
        self.t.run([journey.pgsherpa(), "attach", os.path.basename(op.dir)])
        enter_live(self.t)
        alike(self.t, calm)
        op.read()
        if gate:
            now = op.open_gate()
            assert now and now["seq"] == gate["seq"], f"{name}: the question was answered by nobody"
        assert journey.engine_pids(op.dir) == engines, f"{name}: another engine, or none"
        self.where.append(name)


def fill(t, p):
    for name, value in (("to", str(TO)), ("to_image", f"postgres:{TO}"),
                        ("volume", f"{p.name}_pgdata{TO}"), ("backups", p.backups)):
        wizard.set_field(t, name, value)
    t.keys("C-p")
    t.expect("Dry run, nothing has been changed", 30)


def ask(t):
    t.keys("g")
    t.expect("Start this run", 20)


def before(k):
    """One walk for each screen, killed there; then the walk that starts the run."""
    p, t, server = k.p, k.t, f"{k.p.name}/db"
    way = [("home", lambda: wizard.home(t, journey.pgsherpa()), "Look for servers"),
           ("discovery", lambda: wizard.discover(t, server), rf"{server}\s+compose"),
           ("questions", lambda: wizard.choose(t, server), None),
           ("plan", lambda: fill(t, p), None),
           ("the question before the start", lambda: ask(t), "Start this run")]
    for upto in range(1, len(way) + 1):
        for name, go, line in way[:upto]:
            go()
            k.passed(name, line)
        t.kill()
        k.nothing_begun(way[upto - 1][0])
        k.where.append(way[upto - 1][0])
    for name, go, line in way:
        go()
        k.passed(name, line)
    t.pause(0.5)
    t.keys("y")
    t.expect(r"Safe to disconnect|Waiting for you", 30)


def forward(k, op, calm, screens):
    """Up to the last gate; killed at gates (the first of each kind, in soak all) and in steps."""
    kinds, done, answered, steps = set(), set(), set(), set(STEPS)

    def new_gate(gate):
        return gate["kind"] == "error" or gate["seq"] not in done and (SOAK or gate["kind"] not in kinds)

    def wanted(ev):
        return closed(ev) or ev["ev"] == "step.intent" and ev["step"] in steps
    while True:
        at = wizard.drive(k.t, op, wanted, screens, new_gate, answered)
        assert not closed(at), at
        if at["ev"] == "step.intent":
            steps.discard(at["step"])
            k.in_the_run(f"in {at['step']}", op, calm)
            continue
        kinds.add(at["kind"])
        done.add(at["seq"])
        k.in_the_run(f"gate {at['kind']} {at.get('step') or ''}".strip(), op, calm)
        if at["kind"] == "error" or at.get("step") == "open":
            return at
        answered.add(at["seq"])         # its answer takes a moment to arrive
        wizard.answer(k.t, at, screens)


def back(k, op, calm):
    """From a question: the list, then undo, then the end."""
    if op.open_gate()["kind"] == "error":
        k.t.pause(0.6)                  # a dialog takes keys only after it could be read
        k.t.keys("u")
    else:
        assert op.command(cmd="rollback", to="")["ok"]
    gate = op.wait(lambda e: closed(e) or e["ev"] == "gate.open" and e["kind"] == "undo")
    assert not closed(gate), gate
    calm.expect("Undo them", 20)
    k.in_the_run("the list before undo", op, calm)
    k.t.expect("Undo them", 20)
    k.t.pause(0.5)
    k.t.keys("y")
    op.wait(lambda e: closed(e) or e["ev"] == "undo.intent")
    k.in_the_run("undo", op, calm)
    end = op.wait(closed)
    assert end["status"] == "undone", end


def after(k, run_dir):
    run = os.path.basename(run_dir)
    journey.engine_gone(run_dir)
    for name, argv in (("end", ["attach", run]), ("log", ["log", run])):
        if k.t.child():
            k.t.kill()
        k.t.run([journey.pgsherpa(), *argv])
        k.t.expect(r"\? help", 30)
        first = still(k.t.settle())
        k.t.kill()
        k.t.run([journey.pgsherpa(), *argv])
        k.t.expect(r"\? help", 30)
        assert still(k.t.settle()) == first, f"{name} after a kill:\n{k.t.screen()}\n---- before:\n{first}"
        k.where.append(name)
    k.t.keys("q")
    k.t.ended()
    k.t.expect(PROMPT, 10)
    assert k.t.modes() == k.t.sane, f"a broken terminal is left: {k.t.modes()}, was {k.t.sane}"


@contextlib.contextmanager
def in_the_way(project, run_dir):
    """A container with the name that the new server's shall have: its step fails. It comes when all later steps
    were tried, or that would have seen it."""
    with open(os.path.join(run_dir, "tag"), encoding="utf-8") as f:
        name = f"pgsherpa-{f.read().strip()}-new"
    gone = threading.Event()

    def come():
        while not gone.wait(0.1):
            with open(os.path.join(run_dir, "journal.jsonl"), encoding="utf-8") as f:
                if any('"ev":"step.done"' in line and '"step":"try_all"' in line for line in f):
                    sh("docker", "create", "--name", name, f"postgres:{project.tag}")
                    return
    comes = threading.Thread(target=come)
    comes.start()
    try:
        yield
    finally:
        gone.set()
        comes.join()
        sh("docker", "rm", "-f", name)


def main():
    need_docker()
    need_majors(FROM, TO)
    with Project(FROM) as p, Shell("killed", env=p.environment()) as t, \
            Tui("calm", env=p.environment()) as calm:
        begin = journey.Start(p)
        k, screens = Killed(p, t), []
        before(k)
        run_dir = p.runs()[-1]
        calm.run([journey.pgsherpa(), "attach", os.path.basename(run_dir)])
        enter_live(calm)
        with Operator(run_dir) as op:
            with in_the_way(p, run_dir):
                at = forward(k, op, calm, screens)
            assert at["kind"] == "error" and at["step"] == "new_server", at
            if SOAK:
                t.pause(0.6)
                t.keys("r")
                op.wait(lambda e: e["ev"] == "step.done" and e["step"] == "new_server")
                forward(k, op, calm, screens)
            back(k, op, calm)
            after(k, run_dir)
            assert sum(e["ev"] == "run.close" for e in op.events) == 1
        begin.assert_as_before("after the kills")
    print(f"{len(k.where)} kills: {', '.join(k.where)}")


main()
