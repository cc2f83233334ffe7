"""kit.py: what every bench shares: two servers of its own, cached data sets, clocks, figures.

    with kit.Bench("copy", args) as b:
        source = b.load("copy")                     # built once, kept as a stopped data directory
        kit.alternate(b, contenders, args.rounds)   # A B A B in one run
        f = kit.Figures(args.strict); f.add("ratio_to_floor", 1.07, at_most=1.10); f.end()

The servers are lab/cluster.sh's, durable (fsync on) as a real server is, with the same settings for
everybody. Autovacuum is off: a worker that wakes up in one contender's minute is noise. Between two
contenders the target database is dropped, the target checkpointed and the disk synced, so that
nobody pays for the writes of the one before.

The cache is $PGSHERPA_BENCH (default $PGSHERPA_LAB/bench): remove it and the next run builds anew.
"""
import argparse
import fcntl
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
LAB = os.path.realpath(os.environ.get("PGSHERPA_LAB", "/var/cache/pgsherpa-lab"))
CACHE = os.environ.get("PGSHERPA_BENCH", os.path.join(LAB, "bench"))
BUILD = os.environ.get("PGSHERPA_BUILD") or os.path.join(ROOT, os.environ.get("BUILD", "build-bench"))
SHERPA = os.path.join(BUILD, "src/app/pgsherpa")
JOBS = os.cpu_count() or 2
SETTINGS = ["wal_level=replica", "shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=1h",
            "autovacuum=off", "jit=off"]


# Ended from outside: servers are stopped all the same.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def median(values):
    return statistics.median(values)


class Server:
    """One cluster of the lab's kind; its data stays in its directory when it is stopped."""

    def __init__(self, major, directory, settings=(), durable=True):
        self.major, self.dir, self.settings, self.durable = major, directory, list(settings), durable
        self.password = os.path.join(LAB, "lab.password")
        self.port = None

    def start(self):
        argv = [os.path.join(ROOT, "lab/cluster.sh"), "start", str(self.major), self.dir, "auto"]
        argv += ["--durable"] if self.durable else []
        for s in SETTINGS + self.settings:
            argv += ["--set", s]
        for attempt in range(5):        # somebody else may take the port that was just free
            r = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
            if r.returncode == 0:
                self.port = int(r.stdout)
                return self
            note(f"PostgreSQL {self.major} did not start, attempt {attempt + 1}")
        raise RuntimeError(f"PostgreSQL {self.major} in {self.dir} does not start")

    def stop(self, mode="fast"):
        subprocess.run([os.path.join(ROOT, "lab/cluster.sh"), "stop", self.dir, mode], check=True)

    def destroy(self):
        subprocess.run([os.path.join(ROOT, "lab/cluster.sh"), "destroy", self.dir], check=False)

    def env(self, **more):
        with open(self.password, encoding="ascii") as f:
            return {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres",
                    "PGPASSWORD": f.readline().strip(), "PGOPTIONS": "--client-min-messages=error", **more}

    def psql_argv(self, db):
        return tool(17, "psql") + ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", db]

    def psql(self, db, sql):
        r = subprocess.run(self.psql_argv(db), input=sql, env=self.env(), text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if r.returncode:
            raise RuntimeError(f"psql on {self.major}, {db}: {r.stderr.strip()[-2000:]}")
        return r.stdout.rstrip("\n")

    def at(self, db=None):
        return f"host=127.0.0.1,port={self.port},user=postgres" + (f",db={db}" if db else "")

    def counts(self, db):
        """What a contender must have brought: rows of every table, and large objects."""
        ask = self.psql(db, """select format('select %L || count(*) from only %s;', oid::regclass || ' ', oid::regclass)
                               from pg_class where relkind = 'r' and relnamespace not in
                               ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) order by oid::regclass::text;
                               select 'select ''large objects '' || count(*) from pg_largeobject_metadata;'""")
        return sorted(self.psql(db, ask).splitlines())

    def indexes(self, db):
        return int(self.psql(db, "select count(*) from pg_index where indisvalid and indrelid >= 16384 and "
                                   "indrelid not in (select oid from pg_class where relkind = 't')"))


def tool(major, name):
    """A client program of that major, run from the host without a shell in between."""
    return [os.path.join(ROOT, "lab/in-root"), os.path.join(LAB, "roots", str(major)),
            f"/usr/lib/postgresql/{major}/bin/{name}"]


class Usage:
    """Seconds of a piece of work, and the most memory that our program ever had in it (MiB).

    VmHWM is that of the program alone: getrusage would add pg_dump, and what Python had at fork.
    It only grows, so the last reading before the end is the figure, 20 ms old at most."""

    def __init__(self, seconds=0.0, rss=0.0, errors=""):
        self.seconds, self.rss, self.errors = seconds, rss, errors


def run(argv, env=None, stdout=None, watch=False, check=True):
    """Runs one program to its end. With watch: its own peak memory."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stderr=errors,
                             stdout=stdout or subprocess.DEVNULL)
        peak = [0]
        watcher = threading.Thread(target=_watch, args=(p, peak)) if watch else None
        if watcher:
            watcher.start()
        code = p.wait()
        seconds = time.monotonic() - begun
        if watcher:
            watcher.join()
        if check and code:
            errors.seek(0)
            raise RuntimeError(f"{os.path.basename(argv[0])} {' '.join(argv[1:4])}: exit {code}\n"
                               f"{errors.read().decode(errors='replace')[-3000:]}")
        errors.seek(0)
        return Usage(seconds, peak[0] / 1024, errors.read().decode(errors="replace"))


def _watch(p, peak):
    while p.returncode is None:
        try:
            with open(f"/proc/{p.pid}/status", encoding="ascii", errors="replace") as f:
                for line in f:
                    if line.startswith("VmHWM:"):
                        peak[0] = max(peak[0], int(line.split()[1]))
        except OSError:
            return
        time.sleep(0.02)


def sherpa(*argv, env=None):
    return run([SHERPA, *argv], env=env, watch=True)


def estimate_error(events, part):
    """How wrong was the time left that the --json events promised when `part` of the way was behind:
    relative to what was left in truth. Nothing promised: all of it wrong."""
    lines = [json.loads(line) for line in events.splitlines() if line.startswith("{")]
    if not lines or lines[-1]["event"] != "done":
        return None
    end = lines[-1]["seconds"]
    said = [e for e in lines if e["event"] == "progress" and e["seconds"] <= part * end]
    if not said or said[-1]["seconds_left"] is None:
        return 1.0
    left = end - said[-1]["seconds"]
    return abs(said[-1]["seconds_left"] - left) / left


def from_(server, db):
    return ["--from", server.at(db), "--from-password-file", server.password]


def to(server, db):
    return ["--to", server.at(db), "--to-password-file", server.password]


class Bench:
    """Source 13 with its sets, target 17, a scratch directory; all below one locked directory."""

    def __init__(self, args, old=13, new=17, need_gb=12):
        self.base = os.path.abspath(args.dir)
        self.scratch = os.path.join(self.base, "scratch")
        self.source = Server(old, os.path.join(self.base, f"source{old}"))
        self.target = Server(new, os.path.join(self.base, f"target{new}"))
        self.need_gb, self.lock, self.throw_away = need_gb, None, args.throw_away

    def __enter__(self):
        os.makedirs(self.base, exist_ok=True)
        os.chmod(self.base, 0o755)
        self.lock = open(os.path.join(self.base, "lock"), "w", encoding="ascii")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("another bench holds the data sets; waiting for it")
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        free = shutil.disk_usage(self.base).free / 1e9
        if free < self.need_gb:
            raise SystemExit(f"bench: {self.base} has {free:.0f} GB free and {self.need_gb} are needed")
        shutil.rmtree(self.scratch, ignore_errors=True)
        os.makedirs(self.scratch, mode=0o700)
        try:
            self.source.start()
            self.target.start()
        except BaseException:
            self.__exit__()
            raise
        for name in self.target.psql("postgres", "select datname from pg_database where datname <> 'postgres' "
                                                 "and not datistemplate").splitlines():
            self.drop(name)
        return self

    def __exit__(self, *exc):
        for s in (self.source, self.target):
            if self.throw_away:
                s.destroy()
            elif s.port:
                s.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.lock.close()
        if self.throw_away:
            shutil.rmtree(self.base, ignore_errors=True)
        return False

    def load(self, dataset):
        """The set's database on the source, built if the cache has none of this recipe, and read
        once so that everybody finds it in memory. Returns its name."""
        db, stamp = dataset.name, f"recipe {dataset.digest()}"
        have = self.source.psql("postgres", "select shobj_description(oid, 'pg_database') from pg_database "
                                            f"where datname = '{db}'")
        if have != stamp:
            note(f"building the set {db}")
            self.source.psql("postgres", f'drop database if exists "{db}"')
            self.source.psql("postgres", f'create database "{db}" template template0')
            dataset.build(self.source)
            self.source.psql(db, "set synchronous_commit = off; vacuum (freeze, analyze)")
            self.source.psql(db, f"checkpoint; comment on database \"{db}\" is '{stamp}'")
        self.warm(db)
        size = int(self.source.psql(db, f"select pg_database_size('{db}')"))
        note(f"set {db}: {size / 1e6:.0f} MB, PostgreSQL {self.source.major} to {self.target.major}")
        return db

    def warm(self, db):
        tables = self.source.psql(db, "select format('copy %s to ''/dev/null'' (format binary);', oid::regclass) "
                                      "from pg_class where relkind = 'r' and oid >= 16384 and relpages > 100")
        self.source.psql(db, tables)

    def drop(self, name):
        self.target.psql("postgres", f'drop database if exists "{name}" with (force)')

    def settle(self):
        """Nothing of the contender before is left: not its database, not its unwritten pages."""
        self.target.psql("postgres", "checkpoint")
        self.source.psql("postgres", "checkpoint")
        os.sync()
        time.sleep(1)

    def finish(self, db):
        """The end that everybody has: statistics of what has none yet, and all of it on disk."""
        tables = self.target.psql(db, "select format('%I.%I', schemaname, relname) from pg_stat_user_tables "
                                      "where last_analyze is null order by pg_table_size(relid) desc").splitlines()
        queues = [tables[i::JOBS] for i in range(JOBS)]
        both([self.target.psql_argv(db) + ["-c", "analyze " + ", ".join(q)] for q in queues if q], self.target)
        self.target.psql(db, "checkpoint")


def both(commands, server):
    """Programs side by side; all must end well."""
    running = [subprocess.Popen(c, env=server.env(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
               for c in commands]
    for p in running:
        errors = p.communicate()[1]
        if p.returncode:
            raise RuntimeError(f"{p.args[-1][:200]}: {errors.decode(errors='replace')[-2000:]}")


class Result:
    def __init__(self):
        self.seconds, self.rss, self.events, self.problem = [], [], [], None

    @property
    def median(self):
        return median(self.seconds) if self.seconds and not self.problem else None


HOPELESS = 4                    # times the best of the first round: once is enough to know


def alternate(bench, db, contenders, rounds, finish=True):
    """Every contender once a round, in the same order (one that was hopeless in the first, only
    there). A contender is an object with `name` and `move(bench, db, into)`, returning Usage or None.
    Who fails or loses rows is not a winner: its name stays with the reason, its times are gone.
    Returns {name: Result}."""
    results = {c.name: Result() for c in contenders}
    wanted, indexes = bench.source.counts(db), bench.source.indexes(db)
    for n in range(rounds):
        for c in contenders:
            r, into = results[c.name], f"{db}_moved"
            if r.problem or (n and r.seconds[0] > HOPELESS * min(x.seconds[0] for x in results.values() if x.seconds)):
                continue
            bench.drop(into)
            bench.settle()
            try:
                begun = time.monotonic()
                usage = c.move(bench, db, into) or Usage()
                if finish:
                    bench.finish(into)
                seconds = time.monotonic() - begun
                if bench.target.counts(into) != wanted:
                    raise RuntimeError("rows are missing on the target")
                if bench.target.indexes(into) != indexes:
                    raise RuntimeError(f"{bench.target.indexes(into)} indexes on the target, not {indexes}")
                r.seconds.append(seconds)
                r.rss.append(usage.rss)
                r.events.append(usage.errors)
                note(f"{db} round {n + 1} of {rounds}: {c.name} {seconds:.2f} s")
            except RuntimeError as e:
                r.problem = str(e).strip()
                note(f"{db}: {c.name} DID NOT DO IT: {r.problem}")
    bench.drop(f"{db}_moved")
    return results


def table(results):
    for name, r in results.items():
        times = " ".join(f"{s:.2f}" for s in r.seconds)
        print(f"{name}: " + (f"did not do it: {r.problem.splitlines()[-1][:160]}" if r.problem else
                             f"{r.median:.2f} s (median of {times})"))


class Figures:
    """The lines `name: figure` at the end, beside them what issue wants and whether it holds."""

    def __init__(self, strict):
        self.strict, self.rows = strict, []

    def add(self, name, value, at_most=None, at_least=None, places=2):
        verdict = ""
        if value is None:
            verdict = "misses (not measured)"
        elif at_most is not None:
            verdict = f"{'holds' if value <= at_most else 'misses'} (at most {at_most:g})"
        elif at_least is not None:
            verdict = f"{'holds' if value >= at_least else 'misses'} (at least {at_least:g})"
        self.rows.append((name, "none" if value is None else f"{value:.{places}f}", verdict))

    def end(self):
        for name, value, verdict in self.rows:
            print(f"{name}: {value}" + (f"  {verdict}" if verdict else ""))
        return 1 if self.strict and any(v.startswith("misses") for _, _, v in self.rows) else 0


def arguments(doc, sets=(), rounds=3):
    p = argparse.ArgumentParser(description=doc.split("\n")[0])
    p.add_argument("--rounds", type=int, default=rounds)
    p.add_argument("--strict", action="store_true", help="exit 1 when a figure misses what is wanted")
    p.add_argument("--dir", default=CACHE, help="where servers and data sets are kept (%(default)s)")
    p.add_argument("--throw-away", action="store_true", help="keep nothing in --dir")
    if sets:
        p.add_argument("--set", action="append", choices=sets, help="only this set; may be given again")
    return p
