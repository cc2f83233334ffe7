"""Compose projects as people have them: each is started, and goes through compose-upgrade to the end by
default answers, or is refused before its first service was stopped, in words that name the way out.

    shapes.py                       a sample
    shapes.py all                   every shape
    shapes.py host_network user     those
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import journey
from journey import closed
from control import Operator, yes_to_all
from lab import need_docker, need_majors, sh

FROM, TO = 15, 17
PASSWORD = "pl4nted-shape-password"
PLAIN = f"""services:
  db:
    image: postgres:{FROM}
    environment: {{POSTGRES_USER: app, POSTGRES_DB: appdb, POSTGRES_PASSWORD: {PASSWORD}}}
    volumes: ["pgdata:/var/lib/postgresql/data"]
volumes:
  pgdata:
"""
DATA = '["pgdata:/var/lib/postgresql/data"]'


class Shape:
    """Files of a project; `refused`: words of the refusal, else it must end done."""

    def __init__(self, files, user="app", db="appdb", refused=None, before=None, databases=(), after=None, asked=None):
        self.files = {"compose.yaml": files} if isinstance(files, str) else files
        self.user, self.db, self.refused, self.before = user, db, refused, before
        self.databases, self.after, self.asked = databases, after, asked


def changed(old, new, text=PLAIN):
    assert old in text, old
    return text.replace(old, new)


def free_port():
    return random.randint(33000, 39000)


def tag_without_a_name(p):
    """`image: postgres` is postgres:latest here, a name of its own so that no other test sees it."""
    sh("docker", "tag", f"postgres:{FROM}", f"{p.name}-postgres")


def own_directory(p):
    os.mkdir(os.path.join(p.dir, "data"), 0o700)
    os.chown(os.path.join(p.dir, "data"), 33, 33)


def external_volume(p):
    sh("docker", "volume", "create", f"{p.name}_theirs")


def another_server(p):
    """On 127.0.0.1:5432, with the same user, password and database: the one that must not be touched."""
    sh("docker", "run", "-d", "--name", f"{p.name}-other", "--network", "host", "-e", f"POSTGRES_PASSWORD={PASSWORD}",
       "-e", "POSTGRES_USER=app", "-e", "POSTGRES_DB=appdb", f"postgres:{FROM}")
    p.wait(f"{p.name}-other", "5432")
    sh("docker", "exec", f"{p.name}-other", "psql", "-U", "app", "-d", "appdb", "-c", "create table theirs(i int)")


def other_is_untouched(p):
    seen = sh("docker", "exec", f"{p.name}-other", "psql", "-U", "app", "-d", "appdb", "-Atc",
              "select string_agg(relname, ',' order by relname) from pg_class where relnamespace = 'public'::regnamespace")
    assert seen.strip() == "theirs", f"the other server holds {seen}"


def a_neighbour(p):
    """Of no project, on the same network, connected for as long as it lives."""
    sh("docker", "network", "create", f"{p.name}_shared")
    sh("docker", "run", "-d", "--name", f"{p.name}-other", "--network", f"{p.name}_shared", "-e", f"PGPASSWORD={PASSWORD}",
       "--entrypoint", "sh", f"postgres:{FROM}", "-c",
       "while ! psql -h db -U app -d appdb -c 'select pg_sleep(3600)'; do sleep 1; done")


PORT = free_port()
SHAPES = {
    "no_tag": Shape(changed(f"postgres:{FROM}", "@NAME@-postgres"), before=tag_without_a_name),
    "env_file": Shape({
        "compose.yaml": f"services:\n  db:\n    image: postgres:${{PG_TAG}}\n    env_file: pg.env\n"
                        f"    volumes:\n      - ${{PG_DATA:-pgdata}}:/var/lib/postgresql/data\nvolumes:\n  pgdata:\n",
        ".env": f"PG_TAG={FROM} # mine\n",
        "pg.env": f"POSTGRES_USER=app\nPOSTGRES_DB=appdb\nPOSTGRES_PASSWORD={PASSWORD}\n"}),
    "secrets": Shape({
        "compose.yaml": f"services:\n  db:\n    image: postgres:{FROM}\n    secrets: [u, d, p]\n    environment:\n"
                        "      POSTGRES_USER_FILE: /run/secrets/u\n      POSTGRES_DB_FILE: /run/secrets/d\n"
                        f"      POSTGRES_PASSWORD_FILE: /run/secrets/p\n    volumes: {DATA}\nvolumes:\n  pgdata:\n"
                        "secrets:\n  u: {file: ./u}\n  d: {file: ./d}\n  p: {file: ./p}\n",
        "u": "app\n", "d": "appdb\n", "p": PASSWORD + "\n"}),
    "host_network": Shape({
        "compose.yaml": changed("    volumes:", "    network_mode: host\n    command: [postgres, -c, config_file=/etc/x/pg.conf]\n"
                                "    volumes:").replace(DATA, '["pgdata:/var/lib/postgresql/data", "./conf:/etc/x:ro"]'),
        "conf/pg.conf": f"listen_addresses = '127.0.0.1'\nport = {PORT}\n"},
        before=another_server, after=other_is_untouched),
    "several_databases": Shape(PLAIN, databases=("app-log", '"; drop $(rm)')),
    "pgdata_below": Shape(changed("POSTGRES_DB: appdb,", "POSTGRES_DB: appdb, PGDATA: /var/lib/postgresql/data/pg,")),
    "external": Shape(changed("  pgdata:\n", "  pgdata: {external: true, name: @NAME@_theirs}\n"), before=external_volume),
    "override": Shape({"compose.yaml": PLAIN,
                       "compose.override.yaml": "services:\n  db:\n    volumes:\n      - ./conf:/etc/x:ro\n", "conf/x": ""}),
    "merge_key": Shape("x-pg: &pg\n  restart: \"no\"\n" + changed("  db:\n", "  db:\n    <<: *pg\n")),
    "user": Shape(changed("    volumes:", "    user: \"33:33\"\n    volumes:")
                  .replace(DATA, '["./data:/var/lib/postgresql/data"]'), before=own_directory),
    "read_only": Shape(changed("    volumes:", "    read_only: true\n    tmpfs: [/tmp, /run/postgresql]\n    volumes:")),
    "configuration": Shape({
        "compose.yaml": changed("    volumes:", "    command: [postgres, -c, config_file=/etc/x/pg.conf]\n    volumes:")
        .replace(DATA, '["pgdata:/var/lib/postgresql/data", "./conf:/etc/x:ro"]'),
        "conf/pg.conf": "listen_addresses = '*'\nwork_mem = 7MB\n"}),
    "neighbour": Shape(changed("    volumes:", "    networks: [shared]\n    volumes:") +
                       "networks: {shared: {external: true, name: @NAME@_shared}}\n", before=a_neighbour,
                       asked="-other, as app in appdb"),
    "no_name": Shape(changed(DATA, '["/var/lib/postgresql/data"]')),
    "built": Shape({"compose.yaml": changed(f"image: postgres:{FROM}", "image: @NAME@-built:15\n    build: ./pg"),
                    "pg/Dockerfile": f"FROM postgres:{FROM}\nLABEL x=y\n"}, refused="FROM"),
}
SAMPLE = ["secrets", "host_network"]


class Project:
    def __init__(self, shape, name):
        self.shape, self.name = shape, f"shape{os.getpid()}{name.replace('_', '')}"
        self.base = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")
        self.dir, self.state = os.path.join(self.base, "app"), os.path.join(self.base, "state")

    def compose(self, *args, check=True):
        return sh("docker", "compose", "-p", self.name, *args, cwd=self.dir, check=check)

    def container(self):
        return self.compose("ps", "-aq", "db").strip()

    def wait(self, container, port=None):
        end = time.monotonic() + 90
        argv = ["docker", "exec", container, "pg_isready", "-h", "127.0.0.1", *(["-p", port] if port else [])]
        while subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            if time.monotonic() > end:
                raise AssertionError(f"{container} does not answer: {sh('docker', 'logs', container, check=False)}")
            time.sleep(0.5)

    def port(self):
        return str(PORT) if "conf/pg.conf" in self.shape.files and "port =" in self.shape.files["conf/pg.conf"] else "5432"

    def sql(self, text, db=None):
        return sh("docker", "exec", self.container(), "psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-p", self.port(), "-U",
                  self.shape.user, "-d", db or self.shape.db, "-c", text).strip()

    def __enter__(self):
        try:
            for path, text in self.shape.files.items():
                full = os.path.join(self.dir, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text.replace("@NAME@", self.name))
            os.chmod(self.base, 0o755)
            if self.shape.before:
                self.shape.before(self)
            self.compose("up", "-d")
            self.wait(self.container(), self.port())
            self.sql("create table t as select g as a, 'row ' || g as b from generate_series(1, 500) g")
            for db in self.shape.databases:
                self.sql('create database "' + db.replace('"', '""') + '"')
                self.sql("create table t as select 1 as a", db=db)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        if os.environ.get("KEEP"):
            print(f"kept: {self.base}")
            return False
        subprocess.run(["pkill", "-f", f"__engine {self.state}"], check=False)
        self.compose("down", "-v", check=False)
        for c in sh("docker", "ps", "-aq", "--filter", f"label=pgsherpa.project={self.name}").split():
            sh("docker", "rm", "-fv", c, check=False)
        sh("docker", "rm", "-fv", f"{self.name}-other", check=False)
        sh("docker", "network", "rm", f"{self.name}_shared", check=False)
        for volume in sh("docker", "volume", "ls", "-q", "--filter", f"name=^{self.name}_").split():
            sh("docker", "volume", "rm", "-f", volume, check=False)
        sh("docker", "rmi", f"{self.name}-postgres", f"{self.name}-built:15", check=False)
        shutil.rmtree(self.base, ignore_errors=True)
        return False

    def start(self):
        argv = [journey.pgsherpa(), "run", "compose-upgrade", "--detach"]
        answers = {"dir": self.dir, "service": "db", "db": self.shape.db, "user": self.shape.user, "from": FROM, "to": TO,
                   "to_image": f"postgres:{TO}", "volume": f"{self.name}_new", "backups": os.path.join(self.base, "backups"),
                   "stop_order": "", "start_order": "[]", "image_after": "1000h", "volume_after": "1000h"}
        for k, v in answers.items():
            argv += ["--var", f"{k}={v}"]
        for k, v in journey.DECISIONS.items():
            argv += ["--answer", f"{k}={v}"]
        env = {**os.environ, "PGSHERPA_STATE": self.state,
               "PGSHERPA_RUNBOOKS": os.path.join(journey.ROOT, "runbooks")}
        return sh(*argv, env=env).strip().splitlines()[-1]


def told(run):
    with open(os.path.join(run, "journal.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def over(e):
    """The end, a question nobody has a default for, or the clean-up that waits for its time."""
    return closed(e) or e["ev"] == "gate.open" and e["kind"] in ("error", "unknown", "after", "secret")


def carry(p):
    run = p.start()
    with Operator(run, yes_to_all, 400) as op:
        return run, op.follow(over)


def last_words(events):
    """What the run said last, with the lines of the step that stopped it."""
    return "\n".join(json.dumps(e) for e in events if e["ev"] in ("step.fail", "check", "step.error", "say", "gate.open"))[-3000:]


def try_shape(name):
    shape = SHAPES[name]
    with Project(shape, name) as p:
        rows, begun = p.sql("select count(*), sum(a) from t"), time.monotonic()
        run, end = carry(p)
        events = told(run)
        down = [e for e in events if e["ev"] == "downtime.begin"]
        ended_up = end["ev"] == "gate.open" and end["kind"] == "after"
        if shape.asked:
            first = next((i for i, e in enumerate(events) if e["ev"] == "downtime.begin"), len(events))
            seen = [e for e in events[:first] if shape.asked in json.dumps(e)]
            assert seen, f"{name}: {shape.asked} was not said before the downtime: {last_words(events)}"
            print(f"{name}: asked about before anything stopped", flush=True)
            return
        if shape.refused:
            assert not down, f"{name}: refused after the downtime had begun"
            assert not ended_up, f"{name}: was to be refused"
            assert shape.refused in json.dumps(events), f"{name}: {last_words(events)}"
        else:
            assert ended_up, f"{name}: ended with {end}\n{last_words(events)}"
            assert p.sql("show server_version_num").startswith(str(TO)), f"{name}: still the old server"
            facts = {e["name"]: e.get("value") for e in events if e["ev"] == "fact"}
            assert f":{TO}" not in facts["image.previous"], f"{name}: the clean-up would offer {facts['image.previous']}"
        assert p.sql("select count(*), sum(a) from t") == rows, f"{name}: other rows"
        for db in shape.databases:
            assert p.sql("select count(*) from t", db=db) == "1", f"{name}: {db}"
        if shape.after:
            shape.after(p)
        print(f"{name}: {'refused, nothing was stopped' if shape.refused else 'done'}, "
              f"{time.monotonic() - begun:.0f} s", flush=True)


def main():
    need_docker()
    need_majors(FROM, TO)
    wanted = sys.argv[1:] or SAMPLE
    for name in SHAPES if wanted == ["all"] else wanted:
        try_shape(name)


main()
