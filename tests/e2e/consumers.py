"""Who uses a server: every spelling is found before anything stops, and who is connected and stands in no
list blocks the downtime.

    consumers.py                what is written: a container for each spelling, discovery must name each
    consumers.py blocks         who is connected: a journey that a stranger interrupts
"""
import json
import os
import subprocess
import sys
import time

import journey
import shapes
from control import Operator, yes_to_all
from lab import need_docker, need_majors, sh
from shapes import FROM, PASSWORD, PLAIN, Project, Shape, changed, told

PORT = shapes.free_port()
SECRET_URL = f"postgresql://app:{PASSWORD}@db/appdb"
# Services of the server's own project. Each speaks of it in one way only; those of NOT do not mean it.
SPELLED = {
    "service_name": "environment: {PGHOST: db}",
    "in_a_url": f"environment: {{DATABASE_URL: 'postgresql://app:{PASSWORD}@db:5432/appdb?sslmode=disable'}}",
    "jdbc": "environment: {SPRING_DATASOURCE_URL: 'jdbc:postgresql://db/appdb'}",
    "key_value": "environment: {DSN: 'user=app host=db dbname=appdb'}",
    "quoted": "environment: {DSN: \"dbname='appdb' host='db'\"}",
    "several_hosts": "environment: {DSN: 'postgresql://app@other,db:5432/appdb'}",
    "capitals": "environment: {PGHOST: DB}",
    "in_json": "environment: {CONFIG: '{\"pg\": {\"host\":\"db\", \"port\":5432}}'}",
    "container_name": "environment: {PGHOST: @NAME@-the-pg}",
    "alias": "environment: {PGHOST: pg.internal}",
    "other_alias": "environment: {PGHOST: store}\n    networks: [back]",
    "full_name": "environment: {PGHOST: db.@NAME@_default}",
    "env_file": "env_file: app.env",
    "argument": "command: [sh, -c, 'sleep 3600', --, --database, 'postgres://app@db/appdb']",
    "short_option": "command: [sh, -c, 'sleep 3600; psql -hdb -U app']",
    "docker_host": f"environment: {{PGHOST: host.docker.internal, PGPORT: '{PORT}'}}\n"
                   "    extra_hosts: ['host.docker.internal:host-gateway']",
    "docker_host_url": f"environment: {{URL: 'postgres://app@host.docker.internal:{PORT}/appdb'}}\n"
                       "    extra_hosts: ['host.docker.internal:host-gateway']",
    "published_here": f"environment: {{URL: 'postgres://app@localhost:{PORT}/appdb'}}\n    network_mode: host",
    "linked": "links: ['db:database']\n    environment: {PGHOST: database}",
    "external_link": "external_links: ['@NAME@-the-pg:elsewhere']",
    "extra_host": f"environment: {{URL: 'postgres://app@thebase:{PORT}/appdb'}}\n    extra_hosts: ['thebase:host-gateway']",
    "same_network": "network_mode: service:db",
    "by_socket": "volumes: ['socket:/socket']\n    environment: {PGHOST: /socket}",
    "secret_file": "secrets: [url]\n    environment: {DATABASE_URL_FILE: /run/secrets/url}",
    "host_file": "secrets: [host]\n    environment: {PGHOST_FILE: /run/secrets/host}",
    "settings_file": "volumes: ['./pgbouncer.ini:/etc/pgbouncer/pgbouncer.ini:ro']",
    "settings_directory": "volumes: ['./conf:/etc/app:ro']",
    "depends": "depends_on: [db]",
    "waits_for_a_client": "depends_on: [settings_file]",
    "pool": "image: @NAME@-pgbouncer\n    environment: {DB_HOST: db}",
    "behind_a_pool": "environment: {PGHOST: pool}",
}
NOT = {
    "a_path": "environment: {DATA_DIR: /srv/db, MORE: '/var/db:/x'}",
    "a_word": "environment: {MODE: database, NAME: olddb, DBNAME: dbx, SOCKETS: 'postgresql:///db'}",
    "another_port": "environment: {URL: 'http://host.docker.internal:1/'}\n    extra_hosts: ['host.docker.internal:host-gateway']",
    "a_comment": "volumes: ['./commented.ini:/etc/app.ini:ro']",
}
# Containers of no project, with `docker run`.
ELSEWHERE = {
    "by_name": ["--network", "@NAME@_shared", "-e", "PGHOST=db"],
    "by_alias": ["--network", "@NAME@_shared", "-e", "PGHOST=shared-pg"],
    "by_address": ["--network", "@NAME@_shared", "-e", "PGHOST=@ADDRESS@"],
    "by_port": ["-e", f"URL=postgres://app@host.docker.internal:{PORT}/appdb"],
    "by_socket": ["-v", "@NAME@_socket:/var/run/postgresql"],
    "in_its_network": ["--network", "container:@NAME@-the-pg"],
}
ELSEWHERE_NOT = {"other_network": ["-e", "PGHOST=db"], "nothing": ["--network", "@NAME@_shared", "-e", "PGHOST=elsewhere"]}


def prepare(p):
    sh("docker", "network", "create", f"{p.name}_shared")
    sh("docker", "tag", f"postgres:{FROM}", f"{p.name}-pgbouncer")


def spelled_shape():
    text = changed("    volumes:", "    container_name: @NAME@-the-pg\n"
                   f"    ports: ['{PORT}:5432']\n    networks:\n      default: {{aliases: [pg.internal]}}\n"
                   "      back: {aliases: [store]}\n      shared: {aliases: [shared-pg]}\n    volumes:")
    text = text.replace(shapes.DATA, '["pgdata:/var/lib/postgresql/data", "socket:/var/run/postgresql"]')
    services = "".join(f"  {name}:\n    <<: *idle\n    {body}\n" for name, body in {**SPELLED, **NOT}.items())
    text = f"x-idle: &idle\n  image: postgres:{FROM}\n  entrypoint: []\n  command: [sleep, '3600']\n  stop_signal: SIGKILL\n" \
        + text.replace("volumes:\n  pgdata:\n", services + "volumes:\n  pgdata:\n  socket:\nnetworks:\n  back:\n"
                       "  shared: {name: @NAME@_shared, external: true}\nsecrets:\n  url: {file: ./url}\n  host: {file: ./host}\n")
    return Shape({"compose.yaml": text, "app.env": "PGHOST=db\n", "url": SECRET_URL + "\n", "host": "db\n",
                  "pgbouncer.ini": "[databases]\nappdb = host=db port=5432\n",
                  "conf/database.yml": "production:\n  host: db\n", "conf/x.bin": "\0host=db\n",
                  "commented.ini": "# host = db\nname = db\n"},
                 before=prepare)


def discover(p):
    env = {**os.environ, "PGSHERPA_STATE": p.state, "PGSHERPA_RUNBOOKS": os.path.join(journey.ROOT, "runbooks")}
    run = sh(journey.pgsherpa(), "run", "discover", "--detach", env=env).strip().splitlines()[-1]
    with Operator(run, yes_to_all, 120) as op:
        op.follow(journey.closed)
    for e in told(run):
        for server in (e.get("value") or []) if e["ev"] == "fact" and isinstance(e.get("value"), list) else []:
            if isinstance(server, dict) and server.get("project") == p.name:
                return server, run
    for base, _, names in os.walk(os.path.join(run, "facts")):
        for name in names:
            with open(os.path.join(base, name), encoding="utf-8") as f:
                for server in json.load(f):
                    if server.get("project") == p.name:
                        return server, run
    raise AssertionError(f"{p.name} was not found: {run}")


def spellings():
    with Project(spelled_shape(), "spelled") as p:
        address = sh("docker", "inspect", "--format", "{{(index .NetworkSettings.Networks \"%s_shared\").IPAddress}}" % p.name,
                     f"{p.name}-the-pg").strip()
        for name, options in {**ELSEWHERE, **ELSEWHERE_NOT}.items():
            sh("docker", "run", "-d", "--label", f"pgsherpa.project={p.name}", "--name", f"{p.name}-{name}",
               *[o.replace("@NAME@", p.name).replace("@ADDRESS@", address) for o in options], "--entrypoint", "sleep",
               f"postgres:{FROM}", "3600")
        server, run = discover(p)
        missed = sorted(set(SPELLED) - set(server["stop_order"]))
        invented = sorted(set(server["stop_order"]) & set(NOT))
        words = "\n".join(server["warnings"])
        elsewhere = sorted(n for n in ELSEWHERE if f"container {p.name}-{n}," not in words)
        wrong = sorted(n for n in ELSEWHERE_NOT if f"container {p.name}-{n}," in words)
        assert not (missed or elsewhere), f"not found: {missed}; of other projects: {elsewhere}\n{words}"
        assert not (invented or wrong), f"found without reason: {invented}, {wrong}"
        order = server["stop_order"]
        assert order.index("waits_for_a_client") < order.index("settings_file"), order
        everything = subprocess.run(["grep", "-rlF", PASSWORD, run], capture_output=True, text=True, check=False).stdout
        assert not everything, f"a password was read into {everything}"
        print(f"{len(SPELLED)} spellings and {len(ELSEWHERE)} of other projects found, {len(NOT) + len(ELSEWHERE_NOT)} left alone")


# ---- who is connected ----

class Strangers:
    """Answers all but the question at the cut, whose words it keeps; a stranger comes after the preflight."""

    def __init__(self, p, argv, words):
        self.p, self.argv, self.words, self.asked, self.child = p, argv, words, [], None

    def begin(self):
        self.child = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while self.p.sql("select count(*) from pg_stat_activity where query like '%3600%' and pid <> pg_backend_pid()") == "0":
            assert time.monotonic() < end, f"{self.argv} does not connect"
            time.sleep(0.2)

    def leave(self):
        self.p.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%3600%' and pid <> pg_backend_pid()")
        self.child.wait(20)

    def __call__(self, gate):
        if gate.get("step") == "begin":
            self.begin()
            return {"answer": "y"}
        if gate.get("step") != "connected":
            return yes_to_all(gate)
        self.asked.append(gate)
        stopped = [e for e in told(self.run) if e["ev"] in ("downtime.begin",)]
        assert not stopped, "asked after the downtime had begun"
        if gate["kind"] == "word":
            assert gate["text"] == "go on" and "is lost" in gate["lines"][0], gate
            return {"answer": "b"}
        assert gate["choices"][0]["key"] == "r", gate["choices"]
        assert any(self.words in line for line in gate["lines"]), f"{self.words} is not in {gate['lines']}"
        if len(self.asked) == 1:
            return {"answer": "y"}      # not before it is typed
        if len(self.asked) > 3:
            self.leave()
        return {"answer": "r"}


def interrupted(p, stranger):
    since = p.runs_since()
    stranger.run = run = p.start()
    seen = []

    def until(e):
        if e["ev"] == "downtime.begin":
            seen.append(p.runs_since())
        return shapes.over(e, False)

    with Operator(run, stranger, 400) as op:
        end = op.follow(until)
    assert shapes.waits(end, False), shapes.last_words(told(run))
    assert [g["kind"] for g in stranger.asked] == ["ask", "word", "ask", "ask"], [g["kind"] for g in stranger.asked]
    assert seen == [since], "something was stopped before the stranger had left"
    assert p.sql("select count(*) from t") == "500"


def psql(*more):
    return [*more, "psql", "-h", "127.0.0.1", "-U", "app", "-d", "appdb", "-c", "select pg_sleep(3600)"]


def blocks():
    side = changed("volumes:\n  pgdata:\n", f"  side:\n    image: postgres:{FROM}\n    entrypoint: [sleep, '3600']\n"
                   "    network_mode: service:db\nvolumes:\n  pgdata:\n")
    with Project(Shape(side), "blocks") as p:
        c = sh("docker", "compose", "-p", p.name, "ps", "-q", "side", cwd=p.dir).strip()
        interrupted(p, Strangers(p, psql("docker", "exec", "-e", f"PGPASSWORD={PASSWORD}", c),
                                 f"service side of project {p.name}, as app in appdb with psql"))
    print("a stranger at the cut: asked, typed, waited for; nothing stopped meanwhile")


def main():
    need_docker()
    need_majors(FROM, 17)
    (blocks if sys.argv[1:] == ["blocks"] else spellings)()


main()
