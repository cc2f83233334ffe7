#!/usr/bin/env python3
"""ui.py: what the screen costs, measured from outside, at the other end of a pseudo-terminal.

    first frame                     from exec to the last byte of the first drawn frame
    bytes a second, copying         all that reaches the terminal while a copy runs, over its time
    key answered, copying           from a key press to the end of the frame it caused

The source is behind a wire so slow that the copy lasts half a minute on any machine: rows flow and
numbers change all the time, and there is time to watch and to press keys.

The wizard marks the end of each frame when UI_TEST is set (an OSC that terminals ignore); the
marks are not counted as traffic. Ends with lines `name: figure`.
"""
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e"))
sys.path.insert(0, os.path.join(HERE, "../tests/faults"))
os.environ.setdefault("PGSHERPA_BUILD", os.path.join(HERE, "..", os.environ.get("BUILD", "build-bench")))

from control import Operator, yes_to_all                        # noqa: E402
from lab import need_majors                                     # noqa: E402
from move import Move, pgsherpa                                 # noqa: E402
from wire import Wire                                           # noqa: E402

OLD, NEW = 13, 17
MARK = re.compile(rb"\033\]7717;idle;\d+\007")
ROUNDS, SECONDS = 11, 40
BULK = """create table app.bulk as select g id, md5(g::text) a, md5((g * 7)::text) b, now() as at
          from generate_series(1, %d) g"""


class Terminal:
    """A program on a pseudo-terminal of 80x24, and everything it wrote with the time it came."""

    def __init__(self, argv, env, cols=80, rows=24):
        self.started = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, {**os.environ, "LANG": "C.UTF-8", "TERM": "xterm-256color",
                                       "UI_TEST": "1", **env})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.bytes = b""

    def read(self, seconds):
        """Whatever comes within that time; False at the end of the program."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    chunk = os.read(self.fd, 65536)
                except OSError:
                    return False
                if not chunk:
                    return False
                self.bytes += chunk
                return True
        return True

    def frame(self, after, timeout=10):
        """Time of the first end of a frame beyond that offset."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if MARK.search(self.bytes, after):
                return time.monotonic()
            if not self.read(0.5):
                break
        raise SystemExit(f"no frame within {timeout} s; the program said {self.bytes[-500:]!r}")

    def close(self):
        try:
            os.kill(self.pid, signal.SIGHUP)
        except ProcessLookupError:
            pass
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def first_frames(argv, env):
    taken = []
    for _ in range(ROUNDS):
        t = Terminal(argv, env)
        taken.append((t.frame(0) - t.started) * 1000)
        t.close()
    return taken


def copying(run):
    """Is the copy step at work, by the run's own journal?"""
    with open(os.path.join(run, "journal.jsonl"), encoding="utf-8") as f:
        return not any(f'"ev":"{ev}"' in line and '"step":"copy"' in line
                       for line in f for ev in ("step.done", "step.failed"))


def start_copy(move, rows):
    """A run that is at its copy, and a terminal that watches it."""
    port = f"PGSHERPA_LAB_{OLD}_PORT"
    move.psql(OLD, move.db, "-c", BULK % rows)
    size = int(move.psql(OLD, move.db, "-c", "select pg_table_size('app.bulk')"))
    wire = Wire(int(os.environ[port]), rate=size / SECONDS)
    os.environ[port] = str(wire.port)
    run = move.start()
    with Operator(run, yes_to_all, timeout=300) as operator:
        operator.follow(lambda e: e["ev"] == "step.intent" and e.get("step") == "copy")
    t = Terminal([pgsherpa(), "attach", os.path.basename(run)], move.environment())
    t.frame(0)
    return run, t


def while_copying(run, t, watch=10):
    t.read(1.0)
    begin, offset = time.monotonic(), len(t.bytes)
    while copying(run) and time.monotonic() - begin < watch:
        t.read(0.2)
    return len(MARK.sub(b"", t.bytes[offset:])), time.monotonic() - begin


def keys_while_copying(run, t):
    taken = []
    while copying(run) and len(taken) < 40:
        t.read(0.15)
        offset, pressed = len(t.bytes), time.monotonic()
        os.write(t.fd, b"?" if len(taken) % 2 == 0 else b"\033")
        taken.append((t.frame(offset) - pressed) * 1000)
    return taken


def main():
    need_majors(OLD, NEW)
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with Move(OLD, NEW) as move:
        frames = first_frames([pgsherpa()], move.environment())
        run, t = start_copy(move, rows)
        traffic, seconds = while_copying(run, t)
        keys = keys_while_copying(run, t)
        t.close()
    if seconds < 3 or len(keys) < 4:
        raise SystemExit(f"the copy was over too soon to measure ({seconds:.1f} s, {len(keys)} keys)")
    for name, figure in [("first frame, median ms", f"{statistics.median(frames):.0f}"),
                         ("first frame, worst ms", f"{max(frames):.0f}"),
                         ("copy watched, s", f"{seconds:.0f}"),
                         ("bytes a second to the terminal while copying", f"{traffic / seconds:.0f}"),
                         ("key answered while copying, median ms", f"{statistics.median(keys):.1f}"),
                         ("key answered while copying, worst ms", f"{max(keys):.1f}"),
                         ("keys pressed", str(len(keys)))]:
        print(f"{name}: {figure}")


if __name__ == "__main__":
    sys.exit(main())
