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
    """The project's server, which is the only one in it: the others' images are a server's, what they run is not."""
    env = {**os.environ, "PGSHERPA_STATE": p.state, "PGSHERPA_RUNBOOKS": os.path.join(journey.ROOT, "runbooks")}
    run = sh(journey.pgsherpa(), "run", "discover", "--detach", env=env).strip().splitlines()[-1]
    with Operator(run, yes_to_all, 120) as op:
        op.follow(journey.closed)
    found = []
    for base, _, names in os.walk(os.path.join(run, "facts")):
        for name in names:
            with open(os.path.join(base, name), encoding="utf-8") as f:
                found += [s for s in json.load(f) if s.get("project") == p.name]
    assert [s["service"] for s in found] == ["db"], [s["name"] for s in found]
    return found[0], run


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

SLEEP = "select pg_sleep(3600)"
THEIRS = f"from pg_stat_activity where query = '{SLEEP}' and pid <> pg_backend_pid()"


class Strangers:
    """Answers all but the question at the cut. Two come when the downtime is about to begin: one in the
    server's own network, whom only the kernel knows, and one that is killed and leaves its session behind."""

    def __init__(self, p, run):
        self.p, self.run, self.asked, self.children = p, run, [], []
        self.words = [f"service side of project {p.name}, as app in appdb with psql",
                      f"container {p.name}-other, as app in appdb with psql"]

    def begin(self):
        end = ["-U", "app", "-d", "appdb", "-c", SLEEP]
        side = sh("docker", "compose", "-p", self.p.name, "ps", "-q", "side", cwd=self.p.dir).strip()
        for argv in (["docker", "exec", "-e", f"PGPASSWORD={PASSWORD}", side, "psql", "-h", "127.0.0.1", *end],
                     ["docker", "run", "--rm", "--name", f"{self.p.name}-other", "--network", f"{self.p.name}_default",
                      "-e", f"PGPASSWORD={PASSWORD}", f"postgres:{FROM}", "psql", "-h", "db", *end]):
            self.children.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        until = time.monotonic() + 30
        while self.p.sql(f"select count(*) {THEIRS}") != "2":
            assert time.monotonic() < until, "they do not connect"
            time.sleep(0.2)

    def leave(self):
        self.p.sql(f"select pg_terminate_backend(pid) {THEIRS}")
        for child in self.children:
            child.wait(20)

    def yes_does_not_go_on(self):
        env = {**os.environ, "PGSHERPA_STATE": self.p.state}
        r = subprocess.run([journey.pgsherpa(), "attach", os.path.basename(self.run), "--plain", "--yes"], env=env,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        assert r.returncode == 11 and self.words[0] in r.stdout, (r.returncode, r.stdout[-800:], r.stderr)

    def __call__(self, gate):
        if gate.get("step") == "begin":
            self.begin()
        if gate.get("step") != "connected":
            return yes_to_all(gate)
        self.asked.append(gate)
        if gate["kind"] == "word":
            assert gate["text"] == "go on" and "is lost" in gate["lines"][0], gate
            return {"answer": "b"}
        assert gate["choices"][0]["key"] == "r", gate["choices"]
        seen = "\n".join(gate["lines"])
        for words in self.words:
            assert words in seen, f"{words} is not in {seen}"
        if len(self.asked) == 1:
            self.yes_does_not_go_on()
            return {"answer": "y"}      # not before it is typed
        if len(self.asked) == 3:
            sh("docker", "rm", "-fv", f"{self.p.name}-other")
            self.words[1] = "a container that is gone"
        else:
            self.leave()
        return {"answer": "r"}


def blocks():
    side = changed("volumes:\n  pgdata:\n", f"  side:\n    image: postgres:{FROM}\n    entrypoint: [sleep, '3600']\n"
                   "    network_mode: service:db\nvolumes:\n  pgdata:\n")
    with Project(Shape(side), "blocks") as p:
        since, seen = p.runs_since(), []
        run = p.start()
        strangers = Strangers(p, run)

        def until(e):
            if e["ev"] == "downtime.begin":
                seen.append((p.runs_since(), len(strangers.asked)))
            return shapes.over(e, False)

        with Operator(run, strangers, 400) as op:
            end = op.follow(until)
        assert shapes.waits(end, False), shapes.last_words(told(run))
        kinds = [g["kind"] for g in strangers.asked]
        assert kinds == ["ask", "word", "ask", "ask"], kinds
        assert seen == [(since, 4)], f"stopped, or the downtime begun, before they had left: {seen}"
        assert p.sql("select count(*) from t") == "500"
    print("strangers at the cut: named, typed, waited for; nothing stopped meanwhile, nor with --yes")


def main():
    need_docker()
    need_majors(FROM, 17)
    (blocks if sys.argv[1:] == ["blocks"] else spellings)()


main()
