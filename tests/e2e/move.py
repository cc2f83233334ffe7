"""move.py: the journey local-upgrade between two of the lab's servers, for tests that need a real
run and no Docker."""
import os
import re
import shutil
import subprocess
import tempfile

from lab import ROOT, sh

FIXTURE = os.path.join(ROOT, "tests/e2e/fixtures/makapix/sql")


def pgsherpa():
    build = os.environ.get("PGSHERPA_BUILD", os.path.join(ROOT, "build"))
    return os.path.join(build, "src/app/pgsherpa")


class Move:
    """A database of case A's kind on the lab's old server, to be moved to the new one."""

    def __init__(self, old, new):
        self.old, self.new = old, new
        self.base = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")
        os.chmod(self.base, 0o711)
        self.db = f"test_{os.getpid()}_move"
        self.state = os.path.join(self.base, "state")
        self.password = os.environ["PGSHERPA_LAB_PASSWORD_FILE"]

    def _psql(self, major, db, *args):
        binary = os.path.join(os.environ[f"PGSHERPA_PG_BIN_{self.new}"], "psql")
        with open(self.password, encoding="utf-8") as f:
            secret = f.read().strip()
        env = {**os.environ, "PGPASSWORD": secret, "API_PASSWORD": "pl4nted-move-api",
               "PASSWORD_ENCRYPTION": "scram-sha-256", "PGOPTIONS": "--client-min-messages=error"}
        return [binary, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                os.environ[f"PGSHERPA_LAB_{major}_PORT"], "-U", "postgres", "-d", db, *args], env

    def psql(self, major, db, *args, input=None):
        argv, env = self._psql(major, db, *args)
        return sh(*argv, env=env, input=input)

    def open_psql(self, major, db):
        """A session that stays: statements go to its stdin, it ends with it."""
        argv, env = self._psql(major, db)
        return subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True)

    def __enter__(self):
        try:
            self.psql(self.old, "postgres", "-c", f"create database {self.db} template template0")
            for name in sorted(os.listdir(FIXTURE)):
                if re.match(r"[1-5]", name):
                    with open(os.path.join(FIXTURE, name), encoding="utf-8") as f:
                        # Roles are the server's, not the database's: another test may have them.
                        text = re.sub(r"(?m)^create role", "-- create role", f.read(), flags=re.I) \
                            if self._has_role("api_worker") else f.read()
                    self.psql(self.old, self.db, "-1", "-f", "-", input=text)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _has_role(self, role):
        return self.psql(self.old, "postgres", "-c",
                         f"select 1 from pg_roles where rolname = '{role}'").strip() == "1"

    def __exit__(self, *exc):
        if os.environ.get("KEEP"):
            print(f"kept: {self.base}, database {self.db}")
            return False
        subprocess.run(["pkill", "-f", f"__engine {self.state}"], check=False)
        # Temporary databases carry their run's tag: only those of our own runs.
        tags = []
        for base, _, files in os.walk(self.state):
            if "tag" in files:
                with open(os.path.join(base, "tag"), encoding="utf-8") as f:
                    tags.append(f.read().strip())
        for major in (self.old, self.new):
            names = self.psql(major, "postgres", "-c", "select datname from pg_database").split("\n")
            for name in names:
                if name != self.db and not any(name.startswith(f"pgsherpa_{t}_") for t in tags):
                    continue
                self.psql(major, "postgres", "-c", f'drop database if exists "{name}" with (force)')
        shutil.rmtree(self.base, ignore_errors=True)
        return False

    def argv(self, *more):
        out = [pgsherpa(), "run", "local-upgrade"]
        for k, v in {"from_host": "127.0.0.1", "from_port": os.environ[f"PGSHERPA_LAB_{self.old}_PORT"],
                     "from_user": "postgres", "from_db": self.db, "to_host": "127.0.0.1",
                     "to_port": os.environ[f"PGSHERPA_LAB_{self.new}_PORT"], "to_user": "postgres",
                     "backups": os.path.join(self.base, "backups"), "every_row": "yes"}.items():
            out += ["--var", f"{k}={v}"]
        for s in ("from_password", "to_password"):
            out += ["--secret", f"{s}=file:{self.password}"]
        return out + list(more)

    def environment(self):
        return {"PGSHERPA_STATE": self.state, "PGSHERPA_RUNBOOKS": os.path.join(ROOT, "runbooks"),
                "TERM": "xterm-256color"}

    def start(self, env=None, decided=True):
        more = ["--answer", "writers=none, it is a test"] if decided else []
        out = sh(*self.argv("--detach", *more),
                 env={**os.environ, **self.environment(), **(env or {})})
        return out.strip().splitlines()[-1]
