"""A password is typed, and then looked for in the memory of everybody who passed it on.

A run asks a free question and then for a password. Both are typed at a real terminal, in the wizard
and once more in plain mode. While the run stands at its next gate, all readable memory of the
frontend and of the engine is searched, for the bytes and for the same as wide characters:

* the answer to the free question is found in both: the search finds what is there;
* the password is nowhere in the frontend, which has passed it on;
* in the engine it is alive until the run ends, because it is kept out of every output until then:
  it is found, and only in pages that are excluded from core dumps and locked (as far as
  RLIMIT_MEMLOCK lets them): those of base/secret.c.
"""
import glob
import os
import re
import sys
import tempfile
import time

from lab import sh, skip
from tui import Tui

BUILD = os.environ["PGSHERPA_BUILD"]
PGSHERPA = os.path.join(BUILD, "src/app/pgsherpa")
MARKER = "planted-harmless-5c1e7d"
# Long, and looked for in pieces: what is freed loses its first bytes to malloc(), and small blocks
# are taken anew at once.
SECRET = "".join(f"Zq{i:02}-hidden-word-" for i in range(24))
RUNBOOK = """api: pgsherpa/v1
runbook: memory
title: A password in memory
version: 1
secrets:
  pw: {from: prompt, ask: "Password, please"}
targets:
  here: {kind: host}
phases:
  - id: one
    title: One
    steps:
      - id: free
        title: Something harmless
        do: decide
        with: {question: "Anything?"}
      - id: used
        title: Use it
        do: exec
        timeout: 30s
        with: {argv: ["/usr/bin/wc", "-l"], password_stdin: secrets.pw}
        undo: {none: nothing was changed}
      - id: stand
        title: Stand here
        do: gate
"""


def regions(pid):
    """(start, end, path, flags) of what can be read."""
    found, now = [], None
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \S+ *(.*)", line)
            if m:
                now = [int(m[1], 16), int(m[2], 16), m[4].strip(), m[3], ()]
                found.append(now)
            elif line.startswith("VmFlags:"):
                now[4] = tuple(line.split()[1:])
    return [(a, b, path, flags) for a, b, path, mode, flags in found
            if mode[0] == "r" and path not in ("[vvar]", "[vsyscall]") and "io" not in flags]


def hits(pid, text):
    """Where a piece of it lies in the memory of that process: (what form, address, path, flags)."""
    forms, found, read = {}, [], 0
    for i in range(0, max(len(text) - 15, 1), 16):
        forms[f"bytes {i}"] = text[i:i + 16].encode()
        forms[f"wide {i}"] = text[i:i + 16].encode("utf-32-le")
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for start, end, path, flags in regions(pid):
            at, rest = start, b""
            while at < end:
                try:
                    mem.seek(at)
                    block = mem.read(min(1 << 20, end - at))
                except (OSError, ValueError, OverflowError):
                    break
                if not block:
                    break
                data = rest + block
                for form, piece in forms.items():
                    i = data.find(piece)
                    while i >= 0:
                        found.append((form, at - len(rest) + i, path, flags))
                        i = data.find(piece, i + 1)
                read += len(block)
                at += len(block)
                rest = data[-64:]
    assert read > 1 << 20, f"only {read} bytes of process {pid} could be read"
    return sorted(set(found))


def processes(state):
    """(frontend, engine): pids of pgsherpa that work in this state directory."""
    found = {"__engine": [], "": []}
    for d in glob.glob("/proc/[0-9]*"):
        try:
            with open(d + "/cmdline", "rb") as f:
                argv = f.read().split(b"\0")
            with open(d + "/environ", "rb") as f:
                env = f.read().split(b"\0")
        except OSError:
            continue
        if os.path.basename(argv[0]) == b"pgsherpa" and f"PGSHERPA_STATE={state}".encode() in env:
            found["__engine" if b"__engine" in argv else ""].append(int(d[6:]))
    assert all(len(v) == 1 for v in found.values()), f"processes: {found}"
    return found[""][0], found["__engine"][0]


def look(name, state):
    frontend, engine = processes(state)
    for who, pid in (("frontend", frontend), ("engine", engine)):
        assert hits(pid, MARKER), f"{name}: the search does not find the harmless answer in the {who}"
    end = time.monotonic() + 5                  # the command may still be on its way out
    while True:
        left = hits(frontend, SECRET)
        kept = hits(engine, SECRET)
        loose = [h for h in kept if "dd" not in h[3]]
        if not left and not loose or time.monotonic() > end:
            break
        time.sleep(0.2)
    assert not left, f"{name}: the frontend still has the password: {left}"
    assert kept, f"{name}: the engine does not have the password it still needs: what was searched?"
    assert not loose, f"{name}: a copy outside of the pages of secrets: {loose}"
    print(f"# {name}: {len(kept)} pieces in the engine, all in pages that are not dumped"
          f" ({sum('lo' in h[3] for h in kept)} in locked ones)")


def wizard(t):
    t.expect(r"Show the plan", unless=r"EXIT=")
    t.keys("Enter")
    t.expect(r"g start")
    t.keys("g")
    t.expect(r"Start this run")
    t.pause(0.5)
    t.keys("y")
    t.expect(r"Anything\?", timeout=60)
    t.pause(0.5)
    t.text(MARKER)
    t.keys("Enter")
    t.expect(r"Password, please", timeout=60)
    t.pause(0.5)
    t.text(SECRET)
    t.expect(r"\(hidden\)")
    t.keys("Enter")
    t.expect(r"Stand here[\s\S]*Go on", timeout=60)


def plain(t):
    t.expect(r"[Ss]tart")
    t.text("y\n")
    t.expect(r"Answer in words", timeout=60)
    t.text(MARKER + "\n")
    t.expect(r"Secret \(not shown\)", timeout=60)
    t.text(SECRET + "\n")
    t.expect(r"Stand here[\s\S]*Go on", timeout=60)


def one(name, options, drive, base):
    state = os.path.join(base, name)
    env = {"PGSHERPA_STATE": state, "PGSHERPA_LOCKS": os.path.join(base, "locks-" + name)}
    with Tui("memory-" + name, 80, 24, env) as t:
        t.run([PGSHERPA, "run", os.path.join(base, "memory.yaml"), *options])
        drive(t)
        look(name, state)
        run = os.path.basename(glob.glob(os.path.join(state, "runs", "*"))[0])
        sh(PGSHERPA, "ctl", run, "abort", run, env={**os.environ, **env})
        end = time.monotonic() + 30
        while os.path.exists(os.path.join(state, "runs", run, "control.sock")):
            assert time.monotonic() < end, "the engine does not end"
            time.sleep(0.1)


def main():
    if os.geteuid() != 0:
        skip("reading the memory of others wants root")
    with tempfile.TemporaryDirectory(prefix=f"pgsherpa-test-{os.getpid()}-") as base:
        with open(os.path.join(base, "memory.yaml"), "w", encoding="utf-8") as f:
            f.write(RUNBOOK)
        only = sys.argv[1:]
        for name, options, drive in (("wizard", [], wizard), ("plain", ["--plain"], plain)):
            if not only or name in only:
                one(name, options, drive, base)
    print("ok")


main()
