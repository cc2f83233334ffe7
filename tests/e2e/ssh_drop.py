"""The connection of an attached screen is killed at every step and every gate of a run.

A real sshd on loopback carries the wizard. The run is held between two steps (paused) or at a
gate; then, each time:

  a step   the run is let go, the connection is killed when the step has begun, and the run must
           go on by itself to the next hold. At the first step a lock on a table of the source
           holds the step itself, so that there the drop is certainly in the middle of the work,
           and a screen attached again while it works shows what the undisturbed one shows;
  a gate   the connection is killed while the question is on the screen; it must still be open,
           and nobody has answered it.

A screen attached again, over ssh, shows the same as one that was never disturbed.
"""
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from control import Operator, yes_to_all
from lab import need_majors, own_servers, skip
from move import Move, pgsherpa
from tui import Tui
from wizard import alike, enter_live

HELD = "src"                            # the first step: it waits for our lock
OUTCOMES = ("step.done", "step.already", "step.skipped", "step.failed", "step.unknown")


class Sshd:
    """sshd on a port of its own, with keys of its own; nothing of the machine's is touched."""

    def __enter__(self):
        if not os.path.exists("/usr/sbin/sshd"):
            skip("no sshd (package openssh-server)")
        self.dir = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                            f"{self.dir}/{key}"], check=True)
        os.replace(f"{self.dir}/user.pub", f"{self.dir}/authorized")
        os.makedirs("/run/sshd", exist_ok=True)
        with socket.socket() as s:      # a port that is free now
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        with open(f"{self.dir}/conf", "w", encoding="utf-8") as f:
            f.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.dir}/host\n"
                    f"AuthorizedKeysFile {self.dir}/authorized\nStrictModes no\nUsePAM no\n"
                    f"PidFile {self.dir}/pid\nPermitRootLogin yes\nAcceptEnv PGSHERPA_* LANG\n")
        self.log = open(f"{self.dir}/log", "w", encoding="utf-8")
        self.proc = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.dir}/conf"],
                                     stderr=self.log)
        try:
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_ready(self, timeout=30):
        end = time.monotonic() + timeout
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                with open(f"{self.dir}/log", encoding="utf-8") as f:
                    said = f.read()
                assert self.proc.poll() is None and time.monotonic() < end, f"no sshd: {said}"
                time.sleep(0.05)
        while self.children():          # the process of the connection just tried
            assert time.monotonic() < end, "sshd keeps a closed connection"
            time.sleep(0.05)

    def __exit__(self, *exc):
        self.proc.terminate()
        self.proc.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        return False

    def command(self, words):
        return ["ssh", "-tt", "-p", str(self.port), "-i", f"{self.dir}/user", "-o",
                "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                "LogLevel=ERROR", "-o", "SendEnv=PGSHERPA_* LANG", "-o", "IdentitiesOnly=yes",
                f"{getpass.getuser()}@127.0.0.1", " ".join(words)]

    def children(self):
        out = subprocess.run(["pgrep", "-P", str(self.proc.pid)], stdout=subprocess.PIPE, text=True,
                             check=False).stdout.split()
        return [int(pid) for pid in out]

    def kill_connections(self):
        """The server's end of every session: as when a cable is pulled, nobody says goodbye."""
        pids = self.children()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return len(pids)


class Lock:
    """A lock on a table of the source, held by a session of its own until let go."""

    def __init__(self, move):
        self.p = move.open_psql(move.old, move.db)
        self.p.stdin.write("begin; lock table app.posts in access exclusive mode;\n\\echo held\n")
        self.p.stdin.flush()
        if self.p.stdout.readline().strip() != "held":
            self.let_go()
            raise AssertionError("psql did not get the lock")

    def let_go(self):
        if self.p:
            self.p.stdin.close()
            self.p.wait()
            self.p.stdout.close()
            self.p = None


class Drops:
    def __init__(self, sshd, move, op, calm, attach, lock):
        self.sshd, self.move, self.op, self.calm, self.attach = sshd, move, op, calm, attach
        self.screen, self.gates, self.steps, self.middle = None, [], [], 0
        self.lock, self.screens = lock, 0

    def connect(self):
        if self.screen:
            self.screen.__exit__()
        self.screens += 1               # a name of its own: tmux may not be gone yet
        self.screen = Tui(f"drop{self.screens}", env=self.move.environment())
        self.screen.run(self.sshd.command(self.attach))
        enter_live(self.screen)
        alike(self.screen, self.calm)

    def drop(self):
        n = self.sshd.kill_connections()
        assert n == 1, f"{n} connections to kill, not one"
        self.screen.expect(r"EXIT=", 60)

    def hold(self, after=0):
        """Waits until the run stands still: the gate.open, run.pause or run.close after `after`."""
        held = self.op.wait(lambda e: e["seq"] > after and
                            e["ev"] in ("gate.open", "run.pause", "run.close"))
        return held

    def at_gate(self, gate):
        self.drop()
        self.gates.append(gate["kind"])
        self.connect()
        assert self.op.status()["gate"] == gate["gate"], "the gate is not open any more"
        self.op.read()
        assert not [e for e in self.op.events if e["seq"] > gate["seq"] and
                    e["ev"] not in ("run.attach", "run.detach")], self.op.events[-3:]
        r = self.op.answer(gate, **yes_to_all(gate))
        assert r["ok"], r

    def in_step(self, begun):
        """The run is let go by now and has begun this step; it pauses behind it."""
        assert self.op.command(cmd="pause")["ok"]
        step = begun["step"]
        self.drop()
        self.op.read()
        over = [e for e in self.op.events if e["ev"] in OUTCOMES and e.get("step") == step]
        self.middle += not over
        self.steps.append(step)
        if step == HELD:
            assert not over, f"{step} did not wait for the lock: {over}"
            self.connect()
            assert self.op.status()["running"], "the step does not run any more"
            self.lock.let_go()
        self.op.wait(lambda e: e["seq"] > begun["seq"] and e["ev"] in OUTCOMES)

    def drive(self):
        op = self.op
        begun = op.wait(lambda e: e["ev"] == "step.intent")
        self.connect()
        self.in_step(begun)
        held = self.hold(begun["seq"])
        while held["ev"] != "run.close":
            self.connect()
            seq = held["seq"]
            if held["ev"] == "gate.open":
                self.at_gate(held)
                print(f"dropped at gate: {held['kind']}", flush=True)
            else:
                assert op.command(cmd="continue")["ok"]
            nxt = op.wait(lambda e: e["seq"] > seq and
                          (e["ev"] in ("gate.open", "run.close", "step.intent")))
            if nxt["ev"] == "step.intent" and nxt["kind"] != "manual":
                self.connect_if_dropped()
                self.in_step(nxt)
                print(f"dropped in step: {nxt['step']}", flush=True)
            held = self.hold(nxt["seq"] - 1)
        return held

    def connect_if_dropped(self):
        if re.search(r"EXIT=", self.screen.screen()):
            self.connect()

    def end(self):
        if self.lock:
            self.lock.let_go()
        if self.screen:
            self.screen.__exit__()


def main():
    need_majors(13, 17)
    with Sshd() as sshd, own_servers(13, 17), Move(13, 17) as move:
        env = move.environment()
        lock = Lock(move)               # before the start: the run cannot be ahead of us
        try:
            run_dir = move.start(decided=False)
            run = os.path.basename(run_dir)
            attach = ["env", *(f"{k}={v}" for k, v in env.items()), pgsherpa(), "attach", run]
            with Tui("calm", env=env) as calm, Operator(run_dir) as op:
                drops = Drops(sshd, move, op, calm, attach, lock)
                try:
                    calm.run([pgsherpa(), "attach", run])
                    enter_live(calm)
                    end = drops.drive()
                finally:
                    drops.end()
        finally:
            lock.let_go()
        assert end["status"] == "done", end
        n = len(drops.gates) + len(drops.steps)
        print(f"{n} drops: {len(drops.gates)} at gates {drops.gates}, {len(drops.steps)} in steps, "
              f"{drops.middle} of them certainly before the step's end")
        assert n >= 10 and HELD in drops.steps, drops.steps
        assert {"decision", "yes", "manual"} <= set(drops.gates), drops.gates


main()
