"""journey.py: case A's journey on a project of the lab, started without a screen."""
import collections
import os
import re
import time

from control import Gone, Operator, yes_to_all
from lab import ROOT, sh

STOP = ["web", "worker", "api"]
START = ('[{"name": "api", "health": "container", "within": "120s"},'
         ' {"name": "worker", "health": "container", "within": "60s"},'
         ' {"name": "web", "health": "http://127.0.0.1:%s/health", "within": "120s"}]')


def pgsherpa():
    build = os.environ.get("PGSHERPA_BUILD", os.path.join(ROOT, "build"))
    return os.path.join(build, "src/app/pgsherpa")


def answers(project, to):
    return {"dir": project.dir, "service": "db", "db": "makapix", "user": "owner",
            "from": str(project.major), "to": str(to), "to_image": f"postgres:{to}",
            "volume": f"{project.name}_pgdata{to}", "backups": project.backups,
            "stop_order": ",".join(STOP), "start_order": START % project.env_value("WEB_PORT"),
            "image_after": "1s", "volume_after": "2s"}


DECISIONS = {"window": "Wednesday 00:00", "rehearse": "no", "tolerated": "10 minutes",
             "notify": "everybody"}


def options(project, to, **more):
    out = []
    for k, v in {**answers(project, to), **more}.items():
        out += ["--var", f"{k}={v}"]
    return out


def start(project, to, env=None, decided=True, **more):
    """Starts an engine and leaves it; returns the run directory."""
    argv = [pgsherpa(), "run", "compose-upgrade", "--detach", *options(project, to, **more)]
    for k, v in DECISIONS.items() if decided else ():
        argv += ["--answer", f"{k}={v}"]
    out = sh(*argv, env={**os.environ, **project.environment(), **(env or {})})
    return out.strip().splitlines()[-1]


def resume(project, run_dir, env=None):
    """`pgsherpa resume` without watching; the engine answers when this returns."""
    sh(pgsherpa(), "resume", os.path.basename(run_dir), "--detach",
       env={**os.environ, **project.environment(), **(env or {})})


def engine_pids(run_dir):
    out = sh("pgrep", "-f", f"__engine {re.escape(run_dir)}", check=False)
    return [int(pid) for pid in out.split()]


def engine_gone(run_dir, timeout=60):
    """Waits until no engine works on this run (killed, or closed)."""
    end = time.monotonic() + timeout
    while engine_pids(run_dir):
        if time.monotonic() > end:
            raise AssertionError(f"an engine still works on {run_dir}")
        time.sleep(0.05)


def closed(ev):
    return ev["ev"] == "run.close"


def is_up_on(project, major):
    """All four services healthy, the database of that major; returns its volume's name."""
    rows = project.containers()
    for service in ("db", "api", "web", "worker"):
        assert service in rows, f"{service} has no container"
        assert rows[service]["State"] == "running", f"{service} is {rows[service]['State']}"
        assert rows[service]["Health"] == "healthy", f"{service} is {rows[service]['Health']}"
    version = project.sql("show server_version_num")
    assert version.startswith(str(major)), f"the database is {version}, not {major}"
    return sh("docker", "inspect", "--format",
              '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}',
              rows["db"]["Name"]).strip()


def wait_up(project, major, timeout=60):
    """Health checks need a moment after a start."""
    end = time.monotonic() + timeout
    while True:
        try:
            return is_up_on(project, major)
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


class Start:
    """How the project was before anything was tried on it; asked again after every way back."""

    def __init__(self, project):
        self.p = project
        self.volume = wait_up(project, project.major)
        self.file, self.content = project.compose_bytes(), project.content()
        self.dump = project.dump()
        self.had = self.ours()

    def ours(self):
        """Whatever carries our name and belongs to this project."""
        label = f"label=pgsherpa.project={self.p.name}"
        volumes = sh("docker", "volume", "ls", "-q", "--filter", f"name={self.p.name}_").split()
        parts = [f for _, _, fs in os.walk(self.p.base) for f in fs if f.endswith(".part")]
        return {"containers": sh("docker", "ps", "-aq", "--filter", label).split(),
                "volumes": volumes,
                "databases": self.p.sql("select datname from pg_database "
                                        "where datname like 'pgsherpa%'").split(),
                "unfinished files": parts}

    def assert_content(self, when, moved=False):
        """`moved`: to another major; compared with what psql makes of the old server's dump."""
        expected = self.p.content_of(self.dump) if moved else self.content
        had, now = (collections.Counter(c.splitlines()) for c in (expected, self.p.content()))
        lost, more = list((had - now).elements()), list((now - had).elements())
        assert had == now, (f"{when}: the database's content differs: {len(lost)} lines lost, "
                            f"{len(more)} more, as {lost[:20]} and {more[:20]}")

    def assert_as_before(self, when):
        assert self.p.compose_bytes() == self.file, f"{when}: the compose file differs"
        volume = wait_up(self.p, self.p.major)
        assert volume == self.volume, f"{when}: on volume {volume}, was {self.volume}"
        self.assert_content(when)
        now = self.ours()
        left = {k: set(v) ^ set(now[k]) for k, v in self.had.items() if set(v) != set(now[k])}
        assert not left, f"{when}: left behind or gone: {left}"


def carry(run_dir, policy=yes_to_all, until=closed, timeout=300):
    with Operator(run_dir, policy, timeout) as op:
        return op.follow(until), op


__all__ = ["Gone", "Operator", "Start", "carry", "closed", "engine_gone", "engine_pids",
           "is_up_on", "options", "pgsherpa", "resume", "start", "wait_up", "yes_to_all", "DECISIONS", "STOP"]
