"""lab.py: the lab's projects and servers, from Python; and what a machine cannot do, by name."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = 77

# A test that takes too long is told so by TERM: what it made must go then, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def need_docker():
    if os.environ.get("PGSHERPA_LAB_DOCKER") != "1":
        skip("no Docker engine with Compose v2 (./dev lab up makes one, as root)")


def need_majors(*majors):
    have = os.environ.get("PGSHERPA_LAB_MAJORS", "").split()
    for m in majors:
        if str(m) not in have:
            skip(f"PostgreSQL {m} of the lab does not run (./dev lab up)")


def sh(*argv, check=True, cwd=None, env=None, input=None):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
                       env=env, input=input, check=False)
    if check and r.returncode:
        raise AssertionError(f"{' '.join(argv)}: exit {r.returncode}\n{r.stdout}{r.stderr}")
    return r.stdout


@contextlib.contextmanager
def own_servers(*majors):
    """Servers of these majors that nobody else writes to, in the place of the lab's: the fence around a
    shared one counts what other tests do. Password and superuser are the same."""
    cluster, before = os.path.join(ROOT, "lab/cluster.sh"), dict(os.environ)
    base = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")
    os.chmod(base, 0o711)
    try:
        for major in majors:
            os.environ[f"PGSHERPA_LAB_{major}_PORT"] = sh(cluster, "start", str(major), f"{base}/{major}", "auto").strip()
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        for major in majors:
            sh(cluster, "destroy", f"{base}/{major}", check=False)
        shutil.rmtree(base, ignore_errors=True)


class Project:
    """A copy of case A's compose project, up and healthy; gone at the end, whatever happens."""

    def __init__(self, major, *options):
        self.base = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")
        self.dir = os.path.join(self.base, "makapix")
        self.major, self.options = major, options
        self.state = os.path.join(self.base, "state")
        self.backups = os.path.join(self.base, "backups")
        self.name = f"e2e{os.getpid()}"
        self.tag = f"{major}-{self.name}"

    def __enter__(self):
        try:
            # A tag of its own: the journey's clean-up removes it, and others use postgres:MAJOR.
            sh("docker", "tag", f"postgres:{self.major}", f"postgres:{self.tag}")
            sh(os.path.join(ROOT, "lab/project.sh"), "create", self.dir, str(self.major), self.name,
               f"--tag={self.tag}", *self.options)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        if os.environ.get("KEEP"):
            print(f"kept: {self.base}")
            return False
        subprocess.run(["pkill", "-f", f"__engine {self.state}"], check=False)
        subprocess.run([os.path.join(ROOT, "lab/project.sh"), "destroy", self.dir], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for volume in sh("docker", "volume", "ls", "-q", "--filter", f"name=^{self.name}_").split():
            for c in sh("docker", "ps", "-aq", "--filter", f"volume={volume}").split():
                sh("docker", "rm", "-f", c, check=False)
            sh("docker", "volume", "rm", volume, check=False)
        sh("docker", "rmi", f"postgres:{self.tag}", check=False)
        shutil.rmtree(self.base, ignore_errors=True)
        return False

    def env_value(self, key):
        with open(os.path.join(self.dir, ".env"), encoding="utf-8") as f:
            return re.search(rf"^{key}=(.*)$", f.read(), re.M).group(1)

    def secrets(self):
        return [self.env_value("DB_PASSWORD"), self.env_value("API_PASSWORD")]

    def compose_bytes(self):
        with open(os.path.join(self.dir, "compose.yaml"), "rb") as f:
            return f.read()

    def compose(self, *args, check=True):
        return sh("docker", "compose", *args, cwd=self.dir, check=check)

    def containers(self):
        rows = self.compose("ps", "-a", "--format", "json")
        return {r["Service"]: r for r in map(json.loads, rows.splitlines())}

    def sql(self, text, db="makapix"):
        """Run as the superuser, inside the container, by its socket."""
        return self.compose("exec", "-T", "db", "psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-U",
                            "owner", "-d", db, "-c", text).rstrip("\n")

    def dump(self):
        """The database as its own server's pg_dump writes it."""
        return self.compose("exec", "-T", "db", "pg_dump", "-U", "owner", "makapix")

    def content(self, db="makapix"):
        """Everything of the database that dump and restore must carry, as text to compare with
        that of a server of the same major: each writes views, grants and large objects its way."""
        dump = self.compose("exec", "-T", "-e", "PGTZ=UTC", "db", "pg_dump", "-U", "owner",
                            "--inserts", "--rows-per-insert=1", db)
        noise = ("-- Dumped", "-- Name: ", "-- *not*", "\\restrict", "\\unrestrict", "SET ")
        # Whose the schema public is changed with 15: psql leaves it as the new server has it, we
        # move it as it was.
        keep = (line for line in dump.splitlines() if line.strip("-") and
                not line.startswith(noise) and not re.search(r"\bSCHEMA public[ ;]", line))
        return "\n".join(sorted(keep))

    def content_of(self, dump):
        """What content() would be if psql had restored that dump on the present server."""
        self.sql("create database lab_proof template template0", db="postgres")
        try:
            sh("docker", "compose", "exec", "-T", "db", "psql", "-X", "-q", "-o", "/dev/null", "-v",
               "ON_ERROR_STOP=1", "-U", "owner", "-d", "lab_proof", cwd=self.dir, input=dump)
            return self.content("lab_proof")
        finally:
            self.sql("drop database lab_proof", db="postgres")

    def restore(self, bundle, name):
        """`pgsherpa restore` of that bundle into a database of this name on the present server."""
        secret = os.path.join(self.base, "owner-password")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(self.env_value("DB_PASSWORD") + "\n")
        host = sh("docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
                  self.containers()["db"]["Name"]).strip()
        build = os.environ.get("PGSHERPA_BUILD", os.path.join(ROOT, "build"))
        return sh(os.path.join(build, "src/app/pgsherpa"), "restore", bundle, "--to",
                  f"host={host},port=5432,user=owner,db={name}", "--to-password-file", secret, "--quiet",
                  env={**os.environ, **self.environment()})

    def environment(self):
        return {"PGSHERPA_STATE": self.state, "PGSHERPA_RUNBOOKS": os.path.join(ROOT, "runbooks"),
                "TERM": "xterm-256color"}

    def runs(self):
        d = os.path.join(self.state, "runs")
        base = d if os.path.isdir(d) else self.state
        if not os.path.isdir(base):
            return []
        names = (r for r in os.listdir(base) if re.match(r"p\d+$", r))
        return [os.path.join(base, r) for r in sorted(names, key=lambda r: int(r[1:]))]

    def journal(self, run=None):
        with open(os.path.join(run or self.runs()[-1], "journal.jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]
