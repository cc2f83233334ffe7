"""Compose projects as people have them: each is started, and goes through compose-upgrade to the end by
default answers, or is refused before its first service was stopped, in words that name the way out.

    shapes.py                       a sample
    shapes.py all                   every shape
    shapes.py host_network user     those
"""
import concurrent.futures
import hashlib
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
REGISTRY = "127.0.0.1:54500"            # the lab's


class Shape:
    """Files of a project. `refused`: words of the refusal, else it must end done; `before` and `after` are
    called with the project, `own` with `docker inspect` of the server that was made beside the old one;
    `said`: words that stand in the journal before anything stops; `clean`: the old image's clean-up, too."""

    def __init__(self, files, user="app", db="appdb", refused=None, before=None, databases=(), after=None, asked=None,
                 sql=(), own=None, said=(), clean=False, hidden=()):
        self.files = {"compose.yaml": files} if isinstance(files, str) else files
        self.user, self.db, self.refused, self.before = user, db, refused, before
        self.databases, self.after, self.asked = databases, after, asked
        self.sql, self.own, self.said, self.clean, self.hidden = sql, own, said, clean, hidden


def changed(old, new, text=PLAIN):
    assert old in text, old
    return text.replace(old, new)


def free_port():
    return random.randint(33000, 39000)


def tag_without_a_name(p):
    """`image: postgres` is postgres:latest here, a name of its own so that no other test sees it."""
    sh("docker", "tag", f"postgres:{FROM}", f"{p.name}-postgres")


def own_directory(uid):
    def make(p):
        os.mkdir(os.path.join(p.dir, "data"), 0o700)
        os.chown(os.path.join(p.dir, "data"), uid, uid)
    return make


def by_digest(tag):
    """From the lab's registry: nothing but a pull gives an image a digest."""
    def pull(p):
        repository = f"{REGISTRY}/library/postgres"
        sh("docker", "pull", "-q", f"{repository}:{FROM}")
        seen = json.loads(sh("docker", "inspect", f"{repository}:{FROM}"))[0]["RepoDigests"]
        digest = next(d for d in seen if d.startswith(repository + "@")).split("@")[1]
        sh("docker", "rmi", f"{repository}:{FROM}")
        sh("docker", "pull", "-q", f"{repository}@{digest}")
        path = os.path.join(p.dir, "compose.yaml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("@IMAGE@", f"{repository}{tag}@{digest}"))
    return pull


def followed_link(p):
    """compose.yaml is a link into another directory, as deployments by git leave it."""
    os.rename(os.path.join(p.dir, "compose.yaml"), os.path.join(p.base, "deployed.yaml"))
    os.symlink("../deployed.yaml", os.path.join(p.dir, "compose.yaml"))


def is_link_still(p):
    assert os.path.islink(os.path.join(p.dir, "compose.yaml")), "the link became a file"


def shows(**settings):
    """The live server answers so."""
    def ask(p):
        for name, value in settings.items():
            assert p.sql(f"show {name}") == value, f"{name} is {p.sql(f'show {name}')}, not {value}"
    return ask


def took_options(c):
    for word in ("shared_preload_libraries=pg_stat_statements", "max_connections=300"):
        assert word in c["Config"]["Cmd"], c["Config"]["Cmd"]


def took_environment(c):
    for entry in ("TZ=Europe/Berlin", "APP_NOTE=a = b # c", f"APP_TOKEN={PASSWORD}-token"):
        assert entry in c["Config"]["Env"], f"{entry} is not in {c['Config']['Env']}"
    assert any("--data-checksums" in e for e in c["Config"]["Env"] if e.startswith("POSTGRES_INITDB_ARGS=")), "initdb"
    assert not any(e.startswith(("PGHOST=", "PGPORT=")) for e in c["Config"]["Env"]), "a client's variables"


def took_rights(c):
    host = c["HostConfig"]
    caps = [[c.removeprefix("CAP_") for c in host[k]] for k in ("CapDrop", "CapAdd")]
    assert caps == [["NET_RAW"], ["SYS_NICE"]], caps
    assert host["Sysctls"] == {"net.core.somaxconn": "1024"}, host["Sysctls"]
    assert host["ShmSize"] == 320 << 20 and not host["Memory"], (host["ShmSize"], host["Memory"])
    assert host["ReadonlyRootfs"] and [m["Target"] for m in host["Mounts"]] == ["/tmp"], host["Mounts"]
    assert not host["PortBindings"], host["PortBindings"]


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
    "merge_key": Shape(f"x-pg: &pg\n  image: postgres:{FROM}\n  restart: \"no\"\n  volumes:\n"
                       "    - pgdata:/var/lib/postgresql/data\nx-env: &env\n"
                       f"  POSTGRES_USER: app\n  POSTGRES_PASSWORD: {PASSWORD}\nservices:\n  db:\n    <<: *pg\n"
                       "    environment:\n      <<: *env\n      POSTGRES_DB: appdb\nvolumes:\n  pgdata:\n"),
    "extends": Shape({
        "compose.yaml": "services:\n  db:\n    extends: {file: base/pg.yaml, service: pg}\n    environment:\n"
                        "      POSTGRES_DB: appdb\nvolumes:\n  pgdata:\n",
        "base/pg.yaml": f"services:\n  pg:\n    image: postgres:{FROM}\n    environment:\n      POSTGRES_USER: app\n"
                        f"      POSTGRES_PASSWORD: {PASSWORD}\n    volumes:\n      - pgdata:/var/lib/postgresql/data\n"}),
    "include": Shape({"compose.yaml": "include:\n  - db/compose.yaml\n", "db/compose.yaml": PLAIN}),
    "link": Shape(PLAIN, before=followed_link, after=is_link_still),
    "digest": Shape(changed(f"postgres:{FROM}", "'@IMAGE@'"), before=by_digest(""), clean=True),
    "tag_and_digest": Shape(changed(f"postgres:{FROM}", "'@IMAGE@'"), before=by_digest(f":{FROM}"), clean=True),
    "user": Shape(changed("    volumes:", "    user: \"1000:1000\"\n    volumes:")
                  .replace(DATA, '["./data:/var/lib/postgresql/data"]'), before=own_directory(1000)),
    "user_and_passwd": Shape({              # as the image's documentation says for images without nss_wrapper
        "compose.yaml": changed("    volumes:", "    user: \"4321:4321\"\n    volumes:")
        .replace(DATA, '["./data:/var/lib/postgresql/data", "./passwd:/etc/passwd:ro"]'),
        "passwd": "root:x:0:0::/root:/bin/sh\nme:x:4321:4321::/:/bin/false\n"}, before=own_directory(4321)),
    "command": Shape(changed("    volumes:", "    command: postgres -c shared_preload_libraries=pg_stat_statements "
                             "-c max_connections=300\n    volumes:"), own=took_options,
                     sql=("create extension pg_stat_statements",
                          "create materialized view seen as select 1 as one from pg_stat_statements limit 1"),
                     after=shows(max_connections="300", shared_preload_libraries="pg_stat_statements")),
    "environment": Shape(changed("POSTGRES_DB: appdb,", "POSTGRES_DB: appdb, POSTGRES_INITDB_ARGS_FILE: /etc/x/initdb, "
                                 "TZ: Europe/Berlin, PGPORT: '5432', APP_NOTE: 'a = b # c', "
                                 f"APP_TOKEN: {PASSWORD}-token, TWO_LINES: \"a\\nb\",")
                         .replace(DATA, '["pgdata:/var/lib/postgresql/data", "./initdb:/etc/x/initdb:ro"]'),
                         own=took_environment, after=shows(timezone="Europe/Berlin", data_checksums="on"),
                         said=("TWO_LINES holds a line break",), hidden=(f"{PASSWORD}-token",)),
    "rights": Shape(changed("    volumes:", "    platform: linux/amd64\n    cap_drop: [NET_RAW]\n    cap_add: [SYS_NICE]\n"
                            "    sysctls: {net.core.somaxconn: '1024'}\n    shm_size: 320m\n    mem_limit: 700m\n"
                            f"    cpus: 1.5\n    ports: ['127.0.0.1:{free_port()}:5432']\n    read_only: true\n"
                            "    tmpfs: [/run/postgresql]\n    volumes:")
                    .replace(DATA, '["pgdata:/var/lib/postgresql/data", {type: tmpfs, target: /tmp}]'), own=took_rights,
                    said=("limits of the service (700.0 MB of memory, 1.50 CPUs)",
                          "docker pull --platform linux/amd64")),
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
SHAPES["environment"].files["initdb"] = "--data-checksums\n"
SAMPLE = ["host_network", "user_and_passwd", "digest", "command"]
AT_ONCE = 2


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
        argv = ["docker", "exec", container, "pg_isready", "-U", "app", "-h", "127.0.0.1", *(["-p", port] if port else [])]
        while subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            if time.monotonic() > end:
                raise AssertionError(f"{container} does not answer: {sh('docker', 'logs', container, check=False)}")
            time.sleep(0.5)

    def image(self):
        return sh("docker", "inspect", "--format", "{{.Config.Image}}", self.container()).strip()

    def runs_since(self):
        """Another value once its container was stopped, or another took its place."""
        return sh("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", self.container()).strip()

    def port(self):
        return str(PORT) if "conf/pg.conf" in self.shape.files and "port =" in self.shape.files["conf/pg.conf"] else "5432"

    def sql(self, text, db=None):
        return sh("docker", "exec", self.container(), "psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-p", self.port(), "-U",
                  self.shape.user, "-d", db or self.shape.db, "-c", text).strip()

    def data_on_host(self):
        """Where the files of its data directory are, as the engine mounts them."""
        c = json.loads(sh("docker", "inspect", self.container()))[0]
        return next(m["Source"] for m in c["Mounts"] if m["Destination"] == "/var/lib/postgresql/data")

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
            sh("docker", "compose", "-p", self.name, "up", "-d", "--quiet-pull", cwd=self.dir)
            self.wait(self.container(), self.port())
            self.sql("create table t as select g as a, 'row ' || g as b from generate_series(1, 500) g")
            for statement in self.shape.sql:
                self.sql(statement)
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
        for network in ("shared", "default", "back"):   # whom others kept busy, `down` leaves
            sh("docker", "network", "rm", f"{self.name}_{network}", check=False)
        for volume in sh("docker", "volume", "ls", "-q", "--filter", f"name=^{self.name}_").split():
            sh("docker", "volume", "rm", "-f", volume, check=False)
        sh("docker", "rmi", f"{self.name}-postgres", f"{self.name}-pgbouncer", f"{self.name}-built:15", check=False)
        shutil.rmtree(self.base, ignore_errors=True)
        return False

    def start(self):
        argv = [journey.pgsherpa(), "run", "compose-upgrade", "--detach"]
        answers = {"dir": self.dir, "service": "db", "db": self.shape.db, "user": self.shape.user, "from": FROM, "to": TO,
                   "to_image": f"postgres:{TO}", "volume": f"{self.name}_new", "backups": os.path.join(self.base, "backups"),
                   "stop_order": "", "start_order": "[]",
                   "image_after": "1s" if self.shape.clean else "1000h", "volume_after": "1000h"}
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


def waits(e, clean):
    """The clean-up of the old volume, a thousand hours away; where that of the image is tried, it comes first."""
    return e["ev"] == "gate.open" and e["kind"] == "after" and not (clean and e["step"] == "drop_old_image")


def over(e, clean):
    """The end, a question nobody has a default for, or the clean-up that waits for its time."""
    return closed(e) or e["ev"] == "gate.open" and e["kind"] in ("error", "unknown", "secret") or waits(e, clean)


def tree(directory):
    """Every file below, with what is in it."""
    out = {}
    for base, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                out[os.path.relpath(path, directory)] = hashlib.sha256(f.read()).hexdigest()
    return out


def carry(p):
    """The run, its end, and what the old volume held when its server had stopped."""
    run, stopped = p.start(), {}
    data = p.data_on_host()

    def until(e):
        if e["ev"] == "step.done" and e["step"] == "stop_old":
            stopped.update(tree(data))
        return over(e, p.shape.clean)

    with Operator(run, yes_to_all, 400) as op:
        end = op.follow(until)
    if stopped:
        assert os.path.join("global", "pg_control") in {k[-17:] for k in stopped}, sorted(stopped)[:5]
        now = tree(data)
        assert now == stopped, f"the old volume was changed: {sorted(k for k in now.keys() | stopped.keys() if now.get(k) != stopped.get(k))[:9]}"
    return run, end, bool(stopped)


def last_words(events):
    """What the run said last, with the lines of the step that stopped it."""
    return "\n".join(json.dumps(e) for e in events if e["ev"] in ("step.fail", "check", "step.error", "say", "gate.open"))[-3000:]


def assert_refused(shape, name, p, events, since):
    assert not [e for e in events if e["ev"] == "downtime.begin"], f"{name}: refused after the downtime had begun"
    assert shape.refused in json.dumps(events), f"{name}: {last_words(events)}"
    assert p.runs_since() == since, f"{name}: the service was stopped, or made anew"
    assert not [e for e in events if e["ev"] == "gate.open" and e["kind"] == "after"], f"{name}: was to be refused"


def assert_done(shape, name, p, events, end, image):
    assert waits(end, shape.clean), f"{name}: ended with {end}\n{last_words(events)}"
    assert p.sql("show server_version_num").startswith(str(TO)), f"{name}: still the old server"
    facts = {e["name"]: e.get("value") for e in events if e["ev"] == "fact"}
    assert facts["image.previous"] == image, f"{name}: the clean-up would offer {facts['image.previous']}, not {image}"
    if shape.own:
        ours = sh("docker", "ps", "-aq", "--filter", f"label=pgsherpa.project={p.name}", "--filter", "name=-new$").split()
        shape.own(json.loads(sh("docker", "inspect", *ours))[0])
    if shape.clean:
        gone = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode
        assert gone, f"{name}: {image} is still here"
        sh("docker", "image", "inspect", f"postgres:{FROM}")


def assert_words(shape, name, run, events):
    """What was to be said was said, before anything stopped; what was to be hidden is nowhere."""
    first = next((i for i, e in enumerate(events) if e["ev"] == "downtime.begin"), len(events))
    before = json.dumps(events[:first])
    everything = []
    for base, _, files in os.walk(run):
        for file in files:              # saved: the compose file of before, as undo puts it back
            if not file.endswith(".sock") and "/saved" not in base:
                with open(os.path.join(base, file), encoding="utf-8", errors="replace") as f:
                    everything.append(f.read())
    for words in shape.said:
        assert words in before or any(words in t for t in everything), f"{name}: nobody said: {words}"
    for secret in (PASSWORD, *shape.hidden):
        assert not any(secret in t for t in everything), f"{name}: a secret is in the run's files"
    if shape.asked:
        gate = next(e for e in events if e["ev"] == "gate.open" and e["step"] == "consumers")
        assert [c["key"] for c in gate["choices"]] == ["r", "y", "u", "a"], gate
        assert any(line.startswith("hint") for line in gate["lines"]), gate
        assert shape.asked in before, f"{name}: {shape.asked} was not said before the downtime: {last_words(events)}"


def try_shape(name):
    shape = SHAPES[name]
    with Project(shape, name) as p:
        rows, since, image, begun = p.sql("select count(*), sum(a) from t"), p.runs_since(), p.image(), time.monotonic()
        run, end, stopped = carry(p)
        events = told(run)
        if shape.refused:
            assert_refused(shape, name, p, events, since)
        elif not shape.asked:
            assert stopped, f"{name}: ended with {end}\n{last_words(events)}"
            assert_done(shape, name, p, events, end, image)
        assert_words(shape, name, run, events)
        assert p.sql("select count(*), sum(a) from t") == rows, f"{name}: other rows"
        for db in shape.databases:
            assert p.sql("select count(*) from t", db=db) == "1", f"{name}: {db}"
        if shape.after:
            shape.after(p)
        how = "refused, nothing was stopped" if shape.refused else "asked before anything stopped" if shape.asked else "done"
        print(f"{name}: {how}, {time.monotonic() - begun:.0f} s", flush=True)


def main():
    need_docker()
    need_majors(FROM, TO)
    wanted = sys.argv[1:] or SAMPLE
    names = list(SHAPES) if wanted == ["all"] else wanted
    failed = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        doing = {pool.submit(try_shape, name): name for name in names}
        for one in concurrent.futures.as_completed(doing):
            if one.exception():
                failed.append(doing[one])
                print(f"{doing[one]}: FAILED: {one.exception()}", flush=True)
    if failed:
        sys.exit(f"{len(failed)} of {len(names)} shapes failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
