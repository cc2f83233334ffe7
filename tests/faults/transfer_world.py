"""transfer_world.py: two servers of its own and a database to move, for transfer_faults.py.

The target's directory is a small file system of its own, so that its disk can be full. Everything
happens in a private mount namespace: a killed test leaves no mount behind."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "bench"))      # not first: bench/copy.py is not the library's copy

import kit                                                      # noqa: E402
import sets                                                     # noqa: E402
from wire import Wire                                           # noqa: E402

DB, MOVED = "faults", "faults_moved"
DATA = sets.Set(DB, sets.COPY + sets.LARGE_OBJECTS + "create sequence ids start 77; select nextval('ids');",
                articles=25_000, events=90_000, objects=2_000)
# The machine does not fall, only servers do: what was committed must survive that.
SURE = ["shared_buffers=64MB", "synchronous_commit=on"]
ROOM_MB = 2000
HASH = """select format('select %L, count(*), sum(hashtextextended((x.*)::text, 0)) from only %s x;', oid::regclass, oid::regclass)
  from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by oid::regclass::text \\gexec
select 'large objects', count(*), sum(hashtextextended(encode(data, 'hex'), loid::bigint)) from pg_largeobject;
select 'ids', last_value, is_called from ids;
select datname, shobj_description(oid, 'pg_database') from pg_database order by 1;
select rolname from pg_roles order by 1;
select slot_name from pg_replication_slots order by 1;
select gid from pg_prepared_xacts order by 1;"""


class World:
    def __init__(self):
        self.base = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-", dir="/var/tmp")
        os.chmod(self.base, 0o711)
        self.backups = os.path.join(self.base, "backups")
        self.room = os.path.join(self.base, "new")
        self.source = kit.Server(13, os.path.join(self.base, "old"), durable=False, settings=SURE)
        self.target = kit.Server(17, self.room, durable=False, settings=SURE + ["max_wal_size=256MB"])
        self.wires, self.starters = [], []

    def __enter__(self):
        try:
            os.makedirs(self.backups)
            os.makedirs(self.room)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m,mode=0755", "faults", self.room], check=True)
            self.source.start()
            self.target.start()
            self.source.psql("postgres", f"create database {DB} template template0")
            DATA.build(self.source)
            self.source.psql(DB, "vacuum analyze; checkpoint")   # a crash skips values of a sequence that is in the log
            self.from_wire, self.to_wire = Wire(self.source.port), Wire(self.target.port)
            self.wires = [self.from_wire, self.to_wire]
            self.source_hash = self.hash()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        for w in self.wires:
            w.close()
        if os.environ.get("KEEP"):
            print(f"kept: {self.base} (not its mount)")
            return False
        self.source.destroy()
        self.target.destroy()
        subprocess.run(["umount", self.room], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.base, ignore_errors=True)
        return False

    def hash(self):
        return self.source.psql(DB, HASH)

    # ---- the disk of the target ----

    def fill_disk(self):
        """From now on there is room for some hundred pages more, and then none."""
        for _ in range(50):             # the verb writes meanwhile: less than is used is refused
            s = os.statvfs(self.room)
            used = (s.f_blocks - s.f_bfree) * s.f_frsize
            if subprocess.run(["mount", "-o", f"remount,size={used // 1024 + 512}k", self.room], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0:
                return
        raise RuntimeError("the disk could not be made small")

    def free_disk(self):
        subprocess.run(["mount", "-o", f"remount,size={ROOM_MB}m", self.room], check=True)

    # ---- servers ----

    def up(self, server, again=40):
        """Started if it is down; answers when this returns."""
        for attempt in range(again):
            try:
                kit_port = server.port
                if not answers(server):
                    start_at(server, kit_port)
                server.psql("postgres", "select 1")
                return
            except (RuntimeError, subprocess.CalledProcessError):
                if attempt == again - 1:
                    raise
                time.sleep(0.25)

    def up_soon(self, server):
        """While the verb still looks for it."""
        self.starters.append(threading.Thread(target=self.up, args=(server,), daemon=True))
        self.starters[-1].start()

    def everything_up(self):
        for t in self.starters:
            t.join()
        self.starters = []
        self.up(self.source)
        self.up(self.target)

    def ours(self, server):
        """Connections of the verb and of its children that the server still has."""
        return server.psql("postgres", "select pid, application_name, datname, state, left(query, 60) from pg_stat_activity "
                                       "where backend_type = 'client backend' and pid <> pg_backend_pid()")

    def temporary(self, server):
        return server.psql("postgres", "select datname from pg_database where datname ~ '^pgsherpa_'").splitlines()

    def has_moved(self):
        return self.target.psql("postgres", f"select 1 from pg_database where datname = '{MOVED}'") == "1"

    def clean(self):
        """As an operator would, with what the message named."""
        for name in self.temporary(self.target) + [MOVED]:
            self.target.psql("postgres", f'drop database if exists "{name}" with (force)')
        shutil.rmtree(self.backups)
        os.makedirs(self.backups)


def answers(server):
    try:
        server.psql("postgres", "select 1")
        return True
    except RuntimeError:
        return False


def start_at(server, port):
    """The same port as before: the wire leads there."""
    argv = [os.path.join(ROOT, "lab/cluster.sh"), "start", str(server.major), server.dir, str(port)]
    for s in kit.SETTINGS + server.settings:
        argv += ["--set", s]
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
