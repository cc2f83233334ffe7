"""A really full disk (A2): the check fails and lists what could go; make-room frees what was named.

Docker's data and the backups lie on a small filesystem of their own here, with an engine of its
own on it, so that no other image is near. Four images: one to be named, two unused and not
named, one with a container. The check that failed is asked again in the end, and passes.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from control import Operator, yes_to_all
from journey import closed, engine_gone, engine_pids
from lab import need_docker, sh, skip
from move import pgsherpa

MB = 1 << 20
SIZES = {"stays": 2, "unwanted": 24, "also": 3, "used": 1}
CHECK = """api: pgsherpa/v1
runbook: room
title: Is there room
version: 1
targets: {here: {kind: host}}
phases:
  - id: look
    steps:
      - id: disk
        do: host.disk
        on: here
        with: {floor: 1MB, need: [{path: docker-root, free: 12MB}, {path: "%s", free: 8MB}]}
        expect: [{that: empty(result.short), else: fail, msg: make room first}]
"""


class Full:
    """A filesystem of 64 MB with a Docker engine on it."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")
        self.disk = os.path.join(self.base, "disk")
        self.state = os.path.join(self.base, "state")
        self.backups = os.path.join(self.disk, "backups/not/yet")
        self.env = {**os.environ, "DOCKER_HOST": f"unix://{self.base}/docker.sock",
                    "PGSHERPA_STATE": self.state}
        self.daemon, self.engines = None, []

    def __enter__(self):
        try:
            os.mkdir(self.disk)
            sh("mount", "-t", "tmpfs", "-o", "size=64m,mode=711", "tmpfs", self.disk)
            with open(os.path.join(self.base, "dockerd.log"), "wb") as log:
                # A network and mounts of its own: without a bridge it would take docker0 away from
                # the engine that is there.
                self.daemon = subprocess.Popen(
                    ["unshare", "--net", "--mount", "dockerd", "--data-root", f"{self.disk}/docker",
                     "--exec-root", f"{self.base}/exec", "--pidfile", f"{self.base}/pid",
                     "--host", self.env["DOCKER_HOST"], "--bridge", "none", "--iptables=false",
                     "--ip6tables=false"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            end = time.monotonic() + 90
            while subprocess.run(["docker", "info"], env=self.env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, check=False).returncode:
                with open(os.path.join(self.base, "dockerd.log"), encoding="utf-8") as log:
                    said = log.read()[-2000:]
                assert self.daemon.poll() is None and time.monotonic() < end, f"no engine:\n{said}"
                time.sleep(0.2)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        for run_dir in filter(engine_pids, self.engines):
            with contextlib.suppress(Exception):
                with Operator(run_dir, lambda gate: None) as op:
                    op.command(cmd="abort", run=os.path.basename(run_dir))
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(30)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        # The engine's own mounts went with it; the deepest first.
        with open("/proc/mounts", encoding="utf-8") as f:
            ours = [line.split()[1] for line in f if line.split()[1].startswith(self.base + "/")]
        for path in sorted(ours, reverse=True):
            sh("umount", "-l", path, check=False)
        shutil.rmtree(self.base, ignore_errors=True)
        return False

    def docker(self, *args):
        return sh("docker", *args, env=self.env)

    def make_image(self, name, mb):
        """From nothing: one file nobody can pack."""
        with tempfile.TemporaryDirectory(prefix="pgsherpa-image-") as d:
            with open(os.path.join(d, "filler"), "wb") as f:
                f.write(os.urandom(mb * MB))
            tar = subprocess.Popen(["tar", "-C", d, "-c", "filler"], stdout=subprocess.PIPE)
            subprocess.run(["docker", "import", "-", name], stdin=tar.stdout, env=self.env, check=True,
                           stdout=subprocess.DEVNULL)
            assert tar.wait() == 0

    def images(self):
        return set(self.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split())

    def free(self):
        v = os.statvfs(self.disk)
        return v.f_bavail * v.f_frsize

    def fill(self, leave):
        with open(os.path.join(self.disk, "filler"), "wb") as f:
            f.write(b"\0" * (self.free() - leave))

    def start(self, *argv):
        self.engines.append(sh(pgsherpa(), "run", *argv, "--detach", env=self.env).split()[-1])
        return self.engines[-1]


def said(run_dir):
    """Everything the steps said, as their files keep it."""
    out = []
    for base, _, files in os.walk(run_dir):
        for name in files:
            path = os.path.join(base, name)
            if name != "journal.jsonl" and os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    out.append(f.read())
    return "\n".join(out)


def fails_and_lists(full, names):
    book = os.path.join(full.base, "room.yaml")
    with open(book, "w", encoding="utf-8") as f:
        f.write(CHECK % full.backups)
    run_dir = full.start(book)
    op = Operator(run_dir, lambda gate: None)
    op.connect()
    gate = op.wait(lambda e: closed(e) or e["ev"] == "gate.open")
    assert gate["ev"] == "gate.open" and gate["kind"] == "error", gate
    assert "make room first" in gate["lines"][0], gate
    shown = "\n".join(gate["lines"])
    for part in ("docker-root: 12.0 MB needed, ", f" free on {full.disk}/docker, ", " short (1.0 MB must stay free)",
                 f"{full.backups}: 8.0 MB needed, ", f"{names['unwanted']}, {SIZES['unwanted']}", "make-room"):
        assert part in shown, f"no {part!r} in\n{shown}"
    assert "{" not in shown and "[" not in shown, f"JSON on the screen:\n{shown}"
    text = said(run_dir)
    for short in ("unwanted", "also", "stays"):
        assert f"{names[short]}, {SIZES[short]}" in text, f"nothing about {names[short]} in\n{text}"
    assert names["used"] not in text, text
    at = [text.index(names[n]) for n in ("unwanted", "also", "stays")]
    assert at == sorted(at), f"the biggest first:\n{text}"
    print("full:" + next(x for x in text.splitlines() if "could give back" in x)[24:], flush=True)
    return op, gate


def make_room(full, names):
    """The typed gate names the image; anything but its words does nothing."""
    run_dir = full.start("make-room", "--var", f"images={names['unwanted']}", "--var", "need=12MB",
                         "--var", "floor=1MB")
    with Operator(run_dir, lambda gate: None) as op:
        gate = op.wait(lambda e: closed(e) or e["ev"] == "gate.open")
        assert gate["ev"] == "gate.open" and gate["kind"] == "word", gate
        assert gate["text"] == "remove 1" and names["unwanted"] in "\n".join(gate["lines"]), gate
        for wrong in (None, "", "y", "remove 2"):
            assert not op.answer(gate, "y", wrong)["ok"], f"the gate took {wrong!r}"
        assert names["unwanted"] in full.images(), "went before its word was typed"
        assert op.answer(gate, "y", gate["text"])["ok"]
        end = op.wait(lambda e: closed(e) or e["ev"] == "gate.open" and e["seq"] > gate["seq"])
        assert end["ev"] == "run.close" and end["status"] == "done", end
        note = [e["note"] for e in op.events if e["ev"] == "step.done" and e["step"] == "reclaim"]
    engine_gone(run_dir)
    print(f"make-room: {note[0]}", flush=True)


def an_unknown_name_stops_it(full, names):
    """One of two names is of no image: it is told before anybody has to type a word, and the other stays."""
    images, unknown = full.images(), "nothing/of-this-name:1"
    run_dir = full.start("make-room", "--var", f"images={names['also']},{unknown}", "--var", "need=1GB")
    with Operator(run_dir, lambda gate: yes_to_all(gate) if gate["kind"] == "word" else None) as op:
        gate = op.wait(lambda e: closed(e) or e["ev"] == "gate.open")
        assert gate["ev"] == "gate.open" and gate["kind"] == "error" and gate["step"] == "try_all", gate
        assert f"there is no image {unknown}" in gate["lines"][0], gate
        assert full.images() == images, full.images()
        assert op.answer(gate, "a")["ok"]
        assert op.wait(closed)["status"] == "failed"
    engine_gone(run_dir)


def says_what_is_missing(full, names):
    """Too little is left to go: the run does not end as if there were room."""
    run_dir = full.start("make-room", "--var", f"images={names['also']}", "--var", "need=1GB")
    with Operator(run_dir, yes_to_all) as op:
        try:
            op.follow(closed)
        except AssertionError:
            pass
        gate = op.open_gate()
        assert gate and gate["kind"] == "error" and "still not enough" in gate["lines"][0], gate
        assert "short (" in gate["lines"][0], gate
        assert op.answer(gate, "a")["ok"]
        assert op.wait(closed)["status"] == "failed"
    engine_gone(run_dir)


def main():
    need_docker()
    if os.geteuid() or not shutil.which("dockerd"):
        skip("a filesystem and a Docker engine of its own want root and dockerd")
    with Full() as full:
        names = {k: f"pgsherpa-lab/{k}-{os.getpid()}:1" for k in SIZES}
        for k, mb in SIZES.items():
            full.make_image(names[k], mb)
        full.docker("create", "--name", "holder", names["used"], "/filler")
        full.fill(leave=6 * MB)
        op, gate = fails_and_lists(full, names)
        before = full.free()
        make_room(full, names)
        assert full.images() == {names["stays"], names["also"], names["used"]}, full.images()
        freed = full.free() - before
        assert freed > (SIZES["unwanted"] - 1) * MB, f"only {freed} bytes came back"
        assert op.answer(gate, "r")["ok"]
        end = op.wait(lambda e: closed(e) or e["ev"] == "gate.open" and e["seq"] > gate["seq"])
        assert end["ev"] == "run.close" and end["status"] == "done", end
        op.__exit__()
        an_unknown_name_stops_it(full, names)
        says_what_is_missing(full, names)
        assert full.images() == {names["stays"], names["used"]}, full.images()
        print(f"{freed} bytes came back, the check that failed passed, the others are there: "
              f"{json.dumps(sorted(full.images()))}", flush=True)


main()
