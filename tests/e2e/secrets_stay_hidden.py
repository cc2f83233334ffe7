"""Planted passwords are looked for everywhere while case A's journey runs, and afterwards.

Not in any argv, not in the environment of a child that does not need it, not in journal, plan,
output, log, bundles or screen. Engine and wizard are killed by SIGSEGV with core files allowed:
none is written. What looks is itself tried first, with a process that does leak.
"""
import glob
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

import journey
from journey import Operator, closed, yes_to_all
from lab import Project, need_docker, need_majors, sh
from tui import Tui

FROM, TO = 13, 17
CLIENTS = (b"pg_dump", b"pg_dumpall", b"pg_restore")


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


class Watcher(threading.Thread):
    """Reads every argv of the machine, and the environment of pgsherpa and what it started.

    pgsherpa's are the processes with its name and all that descend from them. Those which Docker
    starts in a container descend from Docker and have the container's environment, password
    included, because the image wants it so; of them only a client that was given one of its own
    is told on.
    """

    def __init__(self, secrets):
        super().__init__(daemon=True)
        self.secrets = [s.encode() for s in secrets]
        self.found, self.children = set(), set()
        self.rounds, self.stop, self.trouble = 0, False, None
        self.also = set()               # pids that count as pgsherpa

    def look(self, data, what, path):
        if any(s in data for s in self.secrets):
            self.found.add(f"{what}: {path}: {data[:300]!r}")

    def ours(self, parents, argvs):
        """The pids of pgsherpa and of its descendants."""
        known = {}

        def is_ours(pid):
            if pid not in known:
                known[pid] = False      # against a circle of reused pids
                name = os.path.basename(argvs.get(pid, b"").split(b"\0")[0])
                known[pid] = pid in self.also or name == b"pgsherpa" or \
                    (pid in parents and is_ours(parents[pid]))
            return known[pid]

        return [pid for pid in parents if is_ours(pid)]

    def round(self):
        parents, argvs = {}, {}
        for d in glob.glob("/proc/[0-9]*"):
            pid, stat = int(d[6:]), read(d + "/stat")
            if stat:
                parents[pid] = int(stat[stat.rindex(b")") + 2:].split()[1])
                argvs[pid] = read(d + "/cmdline")
                self.look(argvs[pid], "argv", d)
        for pid in self.ours(parents, argvs):
            env = read(f"/proc/{pid}/environ")
            self.look(env, "environment", f"{pid} {argvs[pid][:100]!r}")
            if env:
                self.children.add((pid, argvs[pid][:60]))
        for pid, argv in argvs.items():
            if os.path.basename(argv.split(b"\0")[0]) in CLIENTS:
                env = b"\0" + read(f"/proc/{pid}/environ")
                if any(b"\0PGPASSWORD=" + s in env for s in self.secrets):
                    self.found.add(f"environment: PGPASSWORD of {argv[:100]!r}")

    def run(self):
        try:
            while not self.stop:
                self.rounds += 1
                self.round()
                time.sleep(0.02)        # whoever lives shorter than this is met by chance
        except Exception as e:          # pylint: disable=broad-except
            self.trouble = e


def try_the_watcher(secrets):
    """One process that leaks in argv and environment: both must be found."""
    p = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)",
                          secrets[0]], env={**os.environ, "LEAK": secrets[1]})
    try:
        w = Watcher(secrets)
        w.also.add(p.pid)
        end = time.monotonic() + 20
        while len({f.split(":")[0] for f in w.found}) < 2:      # until it has called execve()
            assert time.monotonic() < end, f"the watcher does not see a leak: {w.found}"
            w.round()
    finally:
        p.kill()
        p.wait()


def look_in_files(root, secrets):
    found, n = [], 0
    for base, _, files in os.walk(root):
        for name in files:
            path = os.path.join(base, name)
            if os.path.isfile(path):
                n += 1
                data = read(path)
                found += [path for s in secrets if s.encode() in data]
            assert not re.match(r"core(\.\d+)?$", name), f"a core file: {path}"
    assert n, f"no files in {root}"
    return found


def pids_of(pattern, state):
    """pgsherpa's processes of that command line that work in this state directory."""
    r = subprocess.run(["pgrep", "-f", pattern], stdout=subprocess.PIPE, text=True, check=False)
    return [int(pid) for pid in r.stdout.split()
            if os.path.basename(read(f"/proc/{pid}/cmdline").split(b"\0")[0]) == b"pgsherpa" and
            f"PGSHERPA_STATE={state}".encode() in read(f"/proc/{pid}/environ").split(b"\0")]


def crash(pattern, state):
    """SIGSEGV, as a bug would; returns where a core file would have been written."""
    pids = pids_of(pattern, state)
    assert len(pids) == 1, f"{pattern}: {pids}"
    cwd = os.readlink(f"/proc/{pids[0]}/cwd")
    before = set(glob.glob(os.path.join(cwd, "core*")))
    os.kill(pids[0], signal.SIGSEGV)
    end = time.monotonic() + 30
    while pids_of(pattern, state):
        assert time.monotonic() < end, f"{pattern} does not die of SIGSEGV"
        time.sleep(0.05)
    new = set(glob.glob(os.path.join(cwd, "core*"))) - before
    assert not new, f"a core file: {new}"


def policy(gate):
    """After the crash a step in an unknown state asks; a person would let it run again."""
    if gate["kind"] == "unknown":
        keys = [c["key"] for c in gate.get("choices") or []]
        return {"answer": next(k for k in ("r", "w", "y") if k in keys)}
    return yes_to_all(gate)


def carry(p, run_dir):
    """The journey with a screen looking on; both crash at the manual gate and come back."""
    screens, run = [], os.path.basename(run_dir)
    attach = [journey.pgsherpa(), "attach", run]

    def at_manual(e):
        return e["ev"] == "gate.open" and e["kind"] == "manual" or closed(e)

    with Tui("look", env=p.environment()) as t, Operator(run_dir, policy, 400) as op:
        t.run(attach)
        event = op.follow(lambda e: screens.append(t.screen()) or at_manual(e))
        assert event["ev"] == "gate.open", event
        screens.append(t.settle())
        crash(f"attach {run}$", p.state)
        assert "core dumped" not in t.expect(r"[\s\S]*EXIT=\d+[\s\S]*", 30).group(0)
        crash(f"__engine {re.escape(run_dir)}", p.state)
    journey.resume(p, run_dir)
    with Tui("again", env=p.environment()) as t, Operator(run_dir, policy, 400) as op:
        op.wait(lambda e: e["ev"] == "run.resume")      # gates before it are of the dead engine
        t.run(attach)
        end = op.follow(lambda e: screens.append(t.screen()) or closed(e))
        assert end["status"] == "done", end
        screens.append(t.settle())
    return screens


def main():
    need_docker()
    need_majors(FROM, TO)
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with Project(FROM) as p:
        secrets = p.secrets()
        assert all(s.startswith("pl4nted-") for s in secrets), "nothing was planted"
        try_the_watcher(secrets)
        env = {**os.environ, **p.environment()}
        watcher = Watcher(secrets)
        watcher.start()
        try:
            outputs = {"plan": sh(journey.pgsherpa(), "plan", "compose-upgrade", "--json",
                                  *journey.options(p, TO), env=env)}
            run_dir = journey.start(p, TO)
            screens = carry(p, run_dir)
        finally:
            watcher.stop = True
            watcher.join()
        assert not watcher.trouble, watcher.trouble
        assert not watcher.found, "\n".join(sorted(watcher.found))
        assert watcher.rounds > 20, f"the watcher looked only {watcher.rounds} times"
        names = {a.split(b"\0")[0] for _, a in watcher.children}
        assert len(watcher.children) > 20 and any(b"docker" in n for n in names), \
            f"the watcher met too few of pgsherpa's children: {watcher.children}"
        for form in ("md", "json", "txt"):
            outputs[f"log as {form}"] = sh(journey.pgsherpa(), "log", os.path.basename(run_dir),
                                           "--format", form, env=env)
        outputs.update({f"screen {i}": s for i, s in enumerate(screens)})
        leaks = [k for k, text in outputs.items() if any(s in text for s in secrets)]
        assert not leaks, leaks
        assert any(s.strip() for s in screens), "the screens were empty"
        found = look_in_files(p.state, secrets) + look_in_files(p.backups, secrets)
        assert not found, f"in files: {sorted(set(found))}"
        print(f"{watcher.rounds} looks at every process, {len(watcher.children)} processes of "
              f"ours, {len(screens)} screens: nothing")


main()
