"""tui.py: a person at a real terminal, for tests: types keys into tmux and reads the screen.

    with Tui("case-a", 80, 24, env) as t:
        t.run([pgsherpa, "run", "compose-upgrade", "--var", "dir=" + d])
        t.expect(r"Plan, dry run")
        t.keys("g")

Every wait has a limit and, when it passes, shows the screen as it was. Nothing sleeps for luck.
"""
import os
import re
import shlex
import subprocess
import time


class ScreenError(AssertionError):
    pass


class Tui:
    def __init__(self, name, cols=80, rows=24, env=None, term="tmux-256color"):
        self.socket = f"pgsherpa-e2e-{os.getpid()}-{name}"
        self.name, self.cols, self.rows = name, cols, rows
        self.env = dict(env or {})
        self.log = []

    def _tmux(self, *args, check=True):
        r = subprocess.run(["tmux", "-L", self.socket, "-f", "/dev/null", *args],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if check and r.returncode != 0:
            raise ScreenError(f"tmux {args[0]}: {r.stderr.strip()}")
        return r.stdout

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._tmux("kill-server", check=False)
        return False

    def run(self, argv, cwd="/"):
        """The command in a window of its own; the window stays after its end and says so."""
        env = {**os.environ, "LANG": "C.UTF-8", **self.env}
        words = " ".join(shlex.quote(a) for a in argv)
        line = f"{words}; echo \"EXIT=$?\"; exec sleep 100000"
        subprocess.run(["tmux", "-L", self.socket, "-f", "/dev/null", "new-session", "-d",
                        "-x", str(self.cols), "-y", str(self.rows), "-c", cwd, line],
                       env=env, check=True)
        self._tmux("set", "-g", "status", "off")
        self._tmux("resize-window", "-x", str(self.cols), "-y", str(self.rows))

    def screen(self):
        return self._tmux("capture-pane", "-p")

    def keys(self, *keys):
        for k in keys:
            self._tmux("send-keys", k)

    def text(self, text):
        self._tmux("send-keys", "-l", text)

    def expect(self, pattern, timeout=30, unless=None):
        """Waits until the screen matches; returns the match."""
        end = time.monotonic() + timeout
        while True:
            s = self.screen()
            m = re.search(pattern, s, re.M)
            if m:
                return m
            if unless and re.search(unless, s, re.M):
                raise ScreenError(f"{self.name}: saw {unless!r} while waiting for {pattern!r}:\n{s}")
            if time.monotonic() > end:
                raise ScreenError(f"{self.name}: no {pattern!r} within {timeout} s:\n{s}")
            time.sleep(0.05)

    def settle(self, quiet=0.15, timeout=3):
        """Waits until the screen has not changed for a moment."""
        last, since, end = None, time.monotonic(), time.monotonic() + timeout
        while time.monotonic() < end:
            s = self.screen()
            if s != last:
                last, since = s, time.monotonic()
            elif time.monotonic() - since >= quiet:
                return s
            time.sleep(0.03)
        return last

    def pause(self, seconds):
        """A person's pace; for dialogs that refuse keys typed before they could be read."""
        time.sleep(seconds)

    def exit_code(self, timeout=30):
        return int(self.expect(r"^EXIT=(\d+)", timeout).group(1))

    def kill_pane_process(self):
        """As a dropped connection: the terminal goes away, nobody is asked."""
        self._tmux("kill-server", check=False)
