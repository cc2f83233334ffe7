"""contenders.py: who moves a database, each in its own best way; and the floor, made by hand.

Each has `name` and `move(bench, db, into)`; what it needs beforehand (a work list) is made in
prepare() and not timed. The end that all share (ANALYZE, CHECKPOINT) is Bench.finish()."""
import os
import shutil
import subprocess
import threading

import kit
from kit import JOBS, run, tool

PGCOPYDB = 17                   # trixie's; that of sid needs the same client programs


def create(bench, into):
    bench.target.psql("postgres", f'create database "{into}" template template0')


class Sherpa:
    """Ours, without the proof: nobody else proves anything (its cost: ./dev bench compare)."""
    name = "pgsherpa copy"

    def __init__(self, *more):
        self.more = more

    def move(self, b, db, into):
        return kit.sherpa("copy", *kit.from_(b.source, db), *kit.to(b.target, into), "--no-proof", "--json",
                          *self.more)


class Cases:
    name = "pg_dump -Fc -Z9, pg_restore"

    def move(self, b, db, into):
        file = os.path.join(b.scratch, "x.dump")
        create(b, into)
        run(tool(17, "pg_dump") + ["-Fc", "-Z9", "-f", file, db], env=b.source.env())
        run(tool(17, "pg_restore") + ["-d", into, file], env=b.target.env())
        os.unlink(file)


class Directory:
    name = f"pg_dump -Fd -j{JOBS} --compress=zstd:1, pg_restore -j{JOBS}"

    def move(self, b, db, into):
        path = os.path.join(b.scratch, "x.dir")
        create(b, into)
        run(tool(17, "pg_dump") + ["-Fd", f"-j{JOBS}", "--compress=zstd:1", "-f", path, db], env=b.source.env())
        run(tool(17, "pg_restore") + [f"-j{JOBS}", "-d", into, path], env=b.target.env())
        shutil.rmtree(path)


class Pipe:
    name = "pg_dump -Fc -Z0 | pg_restore"

    def move(self, b, db, into):
        create(b, into)
        dump = subprocess.Popen(tool(17, "pg_dump") + ["-Fc", "-Z0", db], env=b.source.env(), stdout=subprocess.PIPE)
        restore = subprocess.Popen(tool(17, "pg_restore") + ["-d", into], env=b.target.env(), stdin=dump.stdout,
                                   stderr=subprocess.PIPE)
        dump.stdout.close()
        errors = restore.communicate()[1]
        if dump.wait() or restore.returncode:
            raise RuntimeError(f"pg_dump {dump.returncode}, pg_restore {restore.returncode}: {errors[-500:]!r}")


class Pgcopydb:
    def __init__(self, binary):
        self.name = "pgcopydb clone, " + ("binary" if binary else "text")
        self.more = ["--use-copy-binary"] if binary else []

    def move(self, b, db, into):
        work = os.path.join(b.scratch, "pgcopydb")
        create(b, into)
        path = f"/usr/lib/postgresql/{PGCOPYDB}/bin:" + os.environ["PATH"]
        # Vacuum and the source's ANALYZE are left out: the end is the same for everybody.
        run([os.path.join(kit.ROOT, "lab/in-root"), os.path.join(kit.LAB, "roots", str(PGCOPYDB)), "/usr/bin/pgcopydb",
             "clone", "--dir", work, "--table-jobs", str(JOBS), "--index-jobs", str(JOBS), "--restore-jobs", str(JOBS),
             "--large-objects-jobs", str(JOBS), "--skip-vacuum", "--skip-analyze", "--fail-fast",
             "--source", f"host=127.0.0.1 port={b.source.port} user=postgres dbname={db}",
             "--target", f"host=127.0.0.1 port={b.target.port} user=postgres dbname={into}", *self.more],
            env=b.source.env(PATH=path, PGHOST="", PGPORT="", PGOPTIONS=""))
        shutil.rmtree(work, ignore_errors=True)


def install_pgcopydb():
    """Debian's package, into the lab's root of that major, once."""
    root = os.path.join(kit.LAB, "roots", str(PGCOPYDB))
    if os.path.exists(os.path.join(root, "usr/bin/pgcopydb")):
        return
    kit.note("installing pgcopydb")
    subprocess.run(["flock", os.path.join(kit.LAB, "locks", f"root-{PGCOPYDB}"), "chroot", root, "sh", "-ec",
                    "apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends "
                    "install pgcopydb"], check=True, stdout=subprocess.DEVNULL)


class Floor:
    """What the machine can do, by somebody who knows this very database: binary COPY into tables
    made in the same transaction (frozen), two at a time, then the indexes in two queues, foreign
    keys, statistics. No dump is read, nothing is hashed, nothing is checked."""
    name = "the floor, by hand"
    SESSION = ["-c", "set synchronous_commit = off", "-c", "set max_parallel_maintenance_workers = 0"]
    # Measured: sorting for a btree likes memory, a GIN build is a third to a half faster within 64 MB
    # than within 256 MB or 1 GB (its tree stays in the processor's cache).
    MEMORY = {True: "set maintenance_work_mem = '64MB'", False: "set maintenance_work_mem = '1GB'"}

    def prepare(self, b, db):
        """The work list, known beforehand: schema, tables and indexes, longest first."""
        self.schema = os.path.join(b.scratch, f"{db}.sql")
        run(tool(17, "pg_dump") + ["--section=pre-data", "-f", self.schema, db], env=b.source.env())
        ask = b.source.psql
        self.tables = self.share(ask(db, "select pg_table_size(oid), oid::regclass from pg_class where relkind = 'r' "
                                         "and oid >= 16384 order by 1 desc"))
        self.indexes = self.share(ask(db, """
            select pg_relation_size(i.indexrelid) * case when a.amname = 'gin' then 12 else 1 end, 
              case when c.oid is null then pg_get_indexdef(i.indexrelid) else format('alter table %s add constraint %I %s',
              i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) end
            from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am a on a.oid = x.relam left join pg_constraint c
              on c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x') where i.indrelid >= 16384 and x.relnamespace <> 'pg_toast'::regnamespace
            order by 1 desc"""))
        self.keys = ask(db, "select format('alter table %s add constraint %I %s', conrelid::regclass, conname, "
                            "pg_get_constraintdef(oid)) from pg_constraint where contype = 'f'").splitlines()

    @staticmethod
    def share(rows):
        """Longest first to the emptier of the queues."""
        queues, loads = [[] for _ in range(JOBS)], [0] * JOBS
        for row in rows.splitlines():
            size, what = row.split("|", 1)
            i = loads.index(min(loads))
            queues[i].append(what)
            loads[i] += int(size) + 1
        return [q for q in queues if q]

    def statements(self, b, into, statements):
        return b.target.psql_argv(into) + self.SESSION + [
            x for s in statements for x in ("-c", self.MEMORY[" USING gin " in s], "-c", s)]

    def move(self, b, db, into):
        create(b, into)
        run(b.target.psql_argv(into) + ["-f", self.schema], env=b.target.env())
        self.copy(b, db, into)
        kit.both([self.statements(b, into, q) for q in self.indexes], b.target)
        if self.keys:
            kit.both([self.statements(b, into, self.keys)], b.target)

    def copy(self, b, db, into):
        """A thread per queue: table after table through a pipe of two psql."""
        problems = []

        def work(queue):
            for t in queue:
                read = b.source.psql_argv(db) + ["-c", f"copy {t} to stdout (format binary)"]
                write = b.target.psql_argv(into) + [
                    "-c", "set synchronous_commit = off", "-c", "begin", "-c", f"truncate only {t}",
                    "-c", f"copy {t} from stdin (format binary, freeze)", "-c", "commit"]
                r = subprocess.Popen(read, env=b.source.env(), stdout=subprocess.PIPE)
                w = subprocess.run(write, env=b.target.env(), stdin=r.stdout, stderr=subprocess.PIPE, check=False)
                r.stdout.close()
                if r.wait() or w.returncode:
                    problems.append(w.stderr.decode(errors="replace"))
                    return

        threads = [threading.Thread(target=work, args=(q,)) for q in self.tables]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if problems:
            raise RuntimeError(problems[0])
