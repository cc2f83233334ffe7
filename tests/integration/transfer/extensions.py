"""extensions.py SOURCE-TARGET [SUBJECT..]: extensions that keep data, from Debian's packages, moved and proved.

Each subject is a database built with the extension's own functions. It is copied, compared deeply, and asked on the other side as
its users would ask it (hypertables for their chunks, pg_cron for its jobs, ..); then the same from a bundle and from a pg_dump. Where two
versions of an extension do not fit, that is said before a row moves. `brothers` is an extension of ours that has what the others have only
one at a time: chains and rings of keys, a trigger that merges, members that another version has otherwise."""
import atexit
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import moves

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
SOURCE, TARGET = (int(m) for m in sys.argv[1].split("-"))
WORK = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-")
os.chmod(WORK, 0o711)
CRON = f"{moves.MARK}_cron"
SERVERS = []


class Server:
    def __init__(self, major, name, *settings):
        self.major, self.dir = major, os.path.join(WORK, name)
        SERVERS.append(self)
        sets = [a for s in ("timescaledb.telemetry_level=off", "max_worker_processes=32", "max_connections=60", *settings)
                for a in ("--set", s)]
        r = subprocess.run([os.path.join(ROOT, "lab/cluster.sh"), "start", str(major), self.dir, "auto", "--extensions", *sets],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert r.returncode == 0, r.stderr
        self.port = r.stdout.strip()

    def psql(self, db, sql, check=True):
        return moves.client("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d",
                            f"dbname='{db}' host={moves.HOST} port={self.port} user={moves.USER}", major=18, text=sql,
                            check=check).strip()

    def at(self, db=None):
        return f"host={moves.HOST},port={self.port},user={moves.USER}" + (f",db={db}" if db else "")

    def make(self, db, sql):
        self.psql("postgres", f'create database "{db}" template template0')
        self.psql(db, "set client_min_messages = error;\n" + sql)

    def dump(self, db, path, form):
        moves.client("pg_dump", f"-F{form}", "-f", path, "-h", moves.HOST, "-p", self.port, "-U", moves.USER, "-d", db,
                     major=self.major)


def end():
    for s in SERVERS:
        subprocess.run([os.path.join(ROOT, "lab/cluster.sh"), "destroy", s.dir], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(WORK, ignore_errors=True)


atexit.register(end)


def ends(a, db, b, into):
    return ["--from", a.at(db), "--from-password-file", moves.PASSWORD_FILE, "--to", b.at(into), "--to-password-file",
            moves.PASSWORD_FILE, "--quiet"]


def copied(a, db, b, into):
    moves.run("copy", *ends(a, db, b, into), "--check")
    moves.run("copy", *ends(a, db, b, into))
    moves.run("compare", *ends(a, db, b, into), "--deep")


def refused(a, db, b, into, *words):
    """By --check, and by copy itself; nothing stays there."""
    for more in (["--check"], []):
        out, err = moves.run("copy", *ends(a, db, b, into), *more, code=None)
        assert "is there:" not in out and "it can go there" not in out, out
        for w in words:
            assert w in out + err, f"{w!r} is not in: {out}{err}"
    left = b.psql("postgres", f"select count(*) from pg_database where datname = '{into}' or datname like 'pgsherpa\\_%'")
    assert left == "0", f"{left} databases are left"


def bundled(a, db):
    root = os.path.join(WORK, "backups", db)
    os.makedirs(root)
    moves.run("backup", "create", "--from", a.at(db), "--from-password-file", moves.PASSWORD_FILE, "--root", root, "--quiet")
    path = glob.glob(root + "/*.tar") or glob.glob(root + "/*")
    moves.run("backup", "verify", path[0])
    return path[0]


def restored(path, b, into):
    moves.run("restore", path, "--to", b.at(into), "--to-password-file", moves.PASSWORD_FILE, "--quiet")


def everywhere(a, db, b, asked, names=None, forms="pc"):
    """Copied, out of a bundle, out of pg_dump's files: the same answer each time."""
    want = a.psql(db, asked)
    assert want, "nothing was asked"

    def same(into, how):
        have = b.psql(into, asked)
        assert have == want, f"{db} {how}:\n{have}\nnot\n{want}"

    def name(how):
        return names or f"{db}_{how}"

    def gone(into):
        if names:
            b.psql("postgres", f'drop database if exists "{into}" with (force)')
    copied(a, db, b, name("copy"))
    same(name("copy"), "copied")
    yield name("copy")
    gone(name("copy"))
    path = bundled(a, db)
    restored(path, b, name("bundle"))
    same(name("bundle"), "out of a bundle")
    yield name("bundle")
    gone(name("bundle"))
    for form in forms:
        path = os.path.join(WORK, f"{db}.{form}")
        a.dump(db, path, form)
        restored(path, b, name(form))
        same(name(form), f"out of pg_dump -F{form}")
        yield name(form)
        gone(name(form))


# ---- the subjects ----

def small(a, b):
    a.make(f"{moves.MARK}_small", """create extension pg_trgm; create extension hstore; create extension citext; create extension ltree;
        create extension unaccent; create extension pg_stat_statements;
        create table s (id int primary key, h hstore, c citext unique, l ltree, t text);
        insert into s select g, ('k=>' || g)::hstore, 'Abc' || g, ('a.b' || g)::ltree, 'Ünï ' || g from generate_series(1, 200) g;
        create index on s using gin (t gin_trgm_ops); create index on s using gin (h); create index on s using gist (l);
        create text search configuration un (copy = simple);
        alter text search configuration un alter mapping for hword, hword_part, word with unaccent, simple;""")
    for _ in everywhere(a, f"{moves.MARK}_small", b, """select count(*), (select id from s where c = 'aBC7'), (select id from s where
            h @> 'k=>9'), (select id from s where l ~ '*.b11'), to_tsvector('un', 'Ünï'), (select count(*) from s where t % 'Ünï 5')
            from s"""):
        pass


def vector(a, b):
    a.make(f"{moves.MARK}_vector", """create extension vector;
        create table items (id int primary key, e vector(3), h halfvec(3), s sparsevec(5), b bit(3));
        insert into items select g, format('[%s,2,3]', g)::vector, format('[%s,2,3]', g)::halfvec, format('{1:%s}/5', g)::sparsevec,
            (g % 8)::bit(3) from generate_series(1, 300) g;
        create index on items using hnsw (e vector_l2_ops); create index on items using ivfflat (e vector_cosine_ops) with (lists = 5);""")
    for _ in everywhere(a, f"{moves.MARK}_vector", b, """select string_agg(id::text, ',' order by id) from (select id from items order by
            e <-> '[7,2,3]' limit 3) x union all select sum(h)::text from items union all select sum(id)::text from items where s <> '{1:1}/5'"""):
        pass


def topology(a, b):
    a.make(f"{moves.MARK}_topo", """create extension postgis; create extension postgis_topology; set search_path = public, topology;
        create schema app; create table app.land (id int primary key, g geometry(Polygon, 4326), way geography(Point));
        insert into app.land values (1, 'SRID=4326;POLYGON((0 0,10 0,10 10,0 10,0 0))', 'POINT(7 51)'),
            (2, 'SRID=4326;POLYGON((10 0,20 0,20 10,10 10,10 0))', 'POINT(8 52)');
        create index on app.land using gist (g);
        select topology.createtopology('land_topo', 4326, 0);
        create table app.parcels (id int primary key); select topology.addtopogeometrycolumn('land_topo', 'app', 'parcels', 'topo', 'POLYGON');
        insert into app.parcels (id, topo) select id, topology.totopogeom(g, 'land_topo', 1) from app.land;""")
    if a.major > b.major:
        refused(a, f"{moves.MARK}_topo", b, f"{moves.MARK}_topo_no", "extension postgis_topology: its rows in topology.topology have a "
                "column useslargeids, which its version there does not know")
        return
    for _ in everywhere(a, f"{moves.MARK}_topo", b, """set search_path = public, topology;
            select id, st_area(topo::geometry) from app.parcels order by 1; select count(*) from topology.validatetopology('land_topo');
            select layer_id, schema_name, table_name from topology.layer;
            select st_area(g), st_astext(way) from app.land order by id"""):
        pass


def projection(a, b):
    """A projection of one's own must be there before a geography of it can be read; pg_dump's own files have it too late."""
    a.make(f"{moves.MARK}_srid", """create extension postgis;
        insert into spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) select 990001, 'own', 1, srtext, proj4text from
            spatial_ref_sys where srid = 4326;
        create table a_big (id int, at geography); insert into a_big select g, format('SRID=990001;POINT(%s 2)', g % 90)::geography from
            generate_series(1, 20000) g;""")
    for _ in everywhere(a, f"{moves.MARK}_srid", b, "select count(*), sum(st_x(at::geometry)) from a_big; select auth_name from "
                        "spatial_ref_sys where srid = 990001", forms=""):
        pass


def partman(a, b):
    a.make(f"{moves.MARK}_part", """create schema partman; create extension pg_partman schema partman;
        create table events (id bigint not null, at timestamptz not null, note text) partition by range (at);
        select partman.create_parent('public.events', 'at', '1 month', p_premake := 2,
            p_start_partition := (date_trunc('month', now()) - interval '2 months')::text);
        select partman.create_sub_parent('public.events', 'id', '1000', p_premake := 2, p_declarative_check := 'yes');
        insert into events select g, now() - (g % 40) * interval '1 day', 'note ' || g from generate_series(1, 300) g;""")
    if a.major > b.major:
        refused(a, f"{moves.MARK}_part", b, f"{moves.MARK}_part_no", "extension pg_partman: its rows in partman.part_config have a column")
        return
    for into in everywhere(a, f"{moves.MARK}_part", b, """select parent_table, partition_interval, sub_partition_set_full from
            partman.part_config order by 1; select sub_parent, sub_partition_interval, sub_premake from partman.part_config_sub;
            select tableoid::regclass, count(*), min(at) from events group by 1 order by 1"""):
        b.psql(into, "select partman.run_maintenance()")


def timescale(a, b):
    db = f"{moves.MARK}_ts"
    a.make(db, """create extension timescaledb;
        create table conditions (time timestamptz not null, device int not null, temp double precision, primary key (device, time));
        select create_hypertable('conditions', 'time', chunk_time_interval => interval '1 day');
        insert into conditions select '2026-01-01'::timestamptz + g * interval '1 hour', g % 5, g / 7.0 from generate_series(1, 500) g;
        create table two (time timestamptz not null, device int not null, v int check (v > 0));
        select create_hypertable('two', 'time'); select add_dimension('two', 'device', number_partitions => 2);
        insert into two select '2026-01-01'::timestamptz + g * interval '1 day', g % 9, g from generate_series(1, 60) g;
        create index on conditions (temp); create table plain (id int primary key, t text); insert into plain values (1, 'x');
        create table mine (device int primary key); insert into mine select distinct device from conditions;
        alter table conditions add foreign key (device) references mine;""")
    if a.major != b.major:
        refused(a, db, b, db + "_no", "extension timescaledb is", "its rows only fit the version that wrote them")
        return
    for into in everywhere(a, db, b, """select hypertable_name, num_dimensions, num_chunks from timescaledb_information.hypertables order by 1;
            select chunk_schema, chunk_name, range_start, range_end from timescaledb_information.chunks order by 2;
            select count(*), sum(temp::numeric), min(time) from conditions; select sum(v) from two where device = 3"""):
        assert b.psql(into, "show timescaledb.restoring") == "off", "post_restore was not called"
        before = int(b.psql(into, "select count(*) from show_chunks('conditions')"))
        b.psql(into, "insert into conditions values (now(), 1, 2.5)")
        assert int(b.psql(into, "select count(*) from show_chunks('conditions')")) == before + 1, "a new row makes no new chunk"
        plan = b.psql(into, "explain select * from conditions where time < '2026-01-02'")
        assert plan.count("Chunk") + plan.count("_chunk") >= 1 and plan.count("Seq Scan on _hyper") <= 2, plan


def cron(a, b):
    a.make(CRON, """create extension pg_cron; select cron.schedule('nightly', '0 3 * * *', 'vacuum');
        select cron.schedule('30 4 1 1 *', $$select 'it''s; --
 two lines'$$); select cron.alter_job(1, active := false);
        create table t (id int primary key); insert into t values (1); create view jobs as select jobid, schedule, command from cron.job;
        grant usage on schema cron to pg_monitor; grant select on cron.job to pg_monitor;""")
    for into in everywhere(a, CRON, b, """select jobid, schedule, command, nodename, nodeport, database, username, active, jobname from cron.job
            order by 1; select * from jobs order by 1; select has_table_privilege('pg_monitor', 'cron.job', 'select'),
            has_schema_privilege('pg_monitor', 'cron', 'usage'), last_value from cron.jobid_seq""", names=CRON):
        assert b.psql(into, "select count(*) from pg_namespace where nspname = 'pgsherpa_later'") == "0"
        assert b.psql(into, "select cron.schedule('more', '0 4 * * *', 'vacuum')") == "3", "its sequence stands elsewhere"
    both = os.path.join(WORK, "both")
    os.makedirs(both)
    moves.run("copy", *ends(a, CRON, b, CRON), "--backup", both)
    b.psql("postgres", f'drop database "{CRON}" with (force)')
    restored(glob.glob(both + "/*")[0], b, CRON)
    assert b.psql(CRON, "select count(*) from jobs") == "2", "the bundle of a copy has other jobs"
    b.psql("postgres", f'drop database "{CRON}" with (force)')
    refused(a, CRON, b, CRON + "_other", "extension pg_cron can only be in the database that cron.database_name names")


def age(a, b):
    a.make(f"{moves.MARK}_age", """create extension age; load 'age'; set search_path = ag_catalog, public; select create_graph('social');
        select * from cypher('social', $$ create (a:Person {name: 'Ann'})-[:KNOWS {since: 2020}]->(b:Person {name: 'Bob'}) return a $$) as (a agtype);""")
    if a.major > b.major:
        refused(a, f"{moves.MARK}_age", b, f"{moves.MARK}_age_no", "cannot go: TRIGGER social.")
        return
    for into in everywhere(a, f"{moves.MARK}_age", b, """load 'age'; set search_path = ag_catalog, public;
            select * from cypher('social', $$ match (a)-[k:KNOWS]->(b) return a.name, k.since, b.name $$) as (a agtype, k agtype, b agtype)"""):
        b.psql(into, "load 'age'; set search_path = ag_catalog, public; select * from cypher('social', $$ create (:City {name: 'X'}) $$) as (a agtype)")


def changed(a, b):
    """A row that an extension brought and somebody changed: nobody carries it; it is said, and carried when asked."""
    db = f"{moves.MARK}_changed"
    a.make(db, "create extension postgis; update spatial_ref_sys set proj4text = 'mine' where srid = 4326; delete from spatial_ref_sys where srid = 2000")
    said = "2 rows of public.spatial_ref_sys are not as extension postgis brings them, and no dump carries that"
    out, err = moves.run("copy", *ends(a, db, b, db + "_to"), "--check")
    assert said in out + err and "--extension-rows" in out + err, out + err
    out, _ = moves.run("copy", *ends(a, db, b, db + "_to"))
    assert "not compared: " + said in out, out
    asked = "select proj4text from spatial_ref_sys where srid in (2000, 4326) order by srid"
    assert b.psql(db + "_to", asked).count("\n") == 1, "the deleted one is not back"
    out, _ = moves.run("compare", *ends(a, db, b, db + "_to"))
    assert said in out, out
    out, _ = moves.run("copy", *ends(a, db, b, db + "_all"), "--extension-rows")
    assert said not in out and b.psql(db + "_all", asked) == "mine", out


def extension_files(where, version, members, script):
    os.makedirs(os.path.join(WORK, where, "extension"), exist_ok=True)
    os.chmod(os.path.join(WORK, where), 0o755)
    for name, text in (("brothers.control", f"default_version = '{version}'\nrelocatable = false\nschema = brothers\n"),
                       (f"brothers--{version}.sql", members + script)):
        with open(os.path.join(WORK, where, "extension", name), "w", encoding="ascii") as f:
            f.write(text)


KEEPS = """
create table z (id int primary key, note text); create table m (id int primary key, z int not null references z);
create table a (id int primary key, m int not null references m, own bool default true);
create table r1 (id int primary key, other int not null); create table r2 (id int primary key, other int not null references r1);
alter table r1 add foreign key (other) references r2 deferrable;
create table facts (key text primary key, value text); insert into facts values ('made', 'here');
create function merge() returns trigger language plpgsql as $$begin if exists (select from brothers.facts f where f.key = new.key) then
    update brothers.facts f set value = new.value where f.key = new.key; return null; end if; return new; end$$;
create trigger merging before insert on facts for each row execute function merge();
select pg_catalog.pg_extension_config_dump('z', ''); select pg_catalog.pg_extension_config_dump('m', '');
select pg_catalog.pg_extension_config_dump('r1', ''); select pg_catalog.pg_extension_config_dump('r2', '');
select pg_catalog.pg_extension_config_dump('facts', ''); select pg_catalog.pg_extension_config_dump('a', 'where own');
"""
OLD = "create type pair as (n int, t text); create type unused as (x int);"
NEW = "create type pair as (n bigint, t text); create type unused as (x int, y int);"


def brothers(a, b):
    """What the real ones have one at a time, all in one extension of ours, of which the target has a later version."""
    here, there = os.path.join(WORK, "ext_a"), os.path.join(WORK, "ext_b")
    extension_files("ext_a", "1.0", OLD, KEEPS)
    extension_files("ext_b", "1.1", NEW, KEEPS + "alter table z add added int default 7;")
    a, b = (Server(s.major, f"brothers_{i}", f"extension_control_path=$system:{d}") for i, (s, d) in enumerate(((a, here), (b, there))))
    db = f"{moves.MARK}_brothers"
    a.make(db, """create extension brothers; insert into brothers.z select g, repeat('z', 300) from generate_series(1, 3000) g;
        insert into brothers.m values (1, 3000), (2, 1); insert into brothers.a values (1, 1, true), (2, 2, true), (3, 1, false);
        begin; set constraints all deferred; insert into brothers.r1 values (1, 1); insert into brothers.r2 values (1, 1); commit;
        insert into brothers.facts values ('made', 'there'), ('more', 'x');
        create table u (id int primary key, p brothers.pair, ps brothers.pair[]); insert into u values (1, '(1,x)', array['(2,"y z")'::brothers.pair]);""")
    for _ in everywhere(a, db, b, """select count(*), sum(id) from brothers.z; select * from brothers.m order by 1; select id, m from brothers.a where own
            order by 1; select * from brothers.r1, brothers.r2; select * from brothers.facts order by 1; select * from u""", forms=""):
        pass
    b.make(db + "_back", "create extension brothers; insert into brothers.z values (1, 'x', 8)")
    refused(b, db + "_back", a, db + "_no", "extension brothers: its rows in brothers.z have a column added, which its version there does not know")
    # a ring that cannot be deferred is no bundle that we could restore: said when it is made
    a.psql(db, "alter table brothers.r1 alter constraint r1_other_fkey not deferrable")
    root = os.path.join(WORK, "ring")
    os.makedirs(root)
    moves.run("backup", "create", "--from", a.at(db), "--from-password-file", moves.PASSWORD_FILE, "--root", root)
    out, err = moves.run("backup", "create", "--from", a.at(db), "--from-password-file", moves.PASSWORD_FILE, "--root", root)
    assert "it cannot be restored by pgsherpa" in out + err and "brothers.r1, brothers.r2" in out + err, out + err


def journey(a, b):
    """local-upgrade, as an operator runs it: what waits is done by the step that gives the database its name."""
    a.make(CRON, """create extension timescaledb; create extension pg_cron; select cron.schedule('nightly', '0 3 * * *', 'vacuum');
        create table conditions (time timestamptz not null, temp double precision); select create_hypertable('conditions', 'time');
        insert into conditions select '2026-01-01'::timestamptz + g * interval '1 day', g from generate_series(1, 50) g;""")
    answers = os.path.join(WORK, "answers")
    with open(answers, "w", encoding="ascii") as f:
        f.write("all\n")
    env = {**os.environ, "PGSHERPA_STATE": os.path.join(WORK, "state"), "PGSHERPA_RUNBOOKS": os.path.join(ROOT, "runbooks")}
    values = {"from_host": moves.HOST, "from_port": a.port, "from_user": moves.USER, "from_db": CRON, "to_host": moves.HOST,
              "to_port": b.port, "to_user": moves.USER, "backups": os.path.join(WORK, "journey"), "every_row": "yes"}
    os.makedirs(values["backups"])
    r = subprocess.run([moves.BINARY, "run", "local-upgrade", *(x for k, v in values.items() for x in ("--var", f"{k}={v}")),
                        "--secret", f"from_password=file:{moves.PASSWORD_FILE}", "--secret", f"to_password=file:{moves.PASSWORD_FILE}",
                        "--plain", "--yes", "--answer", "writers=none", "--answers-from", answers], env=env, text=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert r.returncode == 0, r.stdout[-6000:]
    asked = "select jobid, schedule, command, active from cron.job; select num_chunks from timescaledb_information.hypertables; " \
            "select sum(temp) from conditions"
    assert b.psql(CRON, asked) == a.psql(CRON, asked), r.stdout[-6000:]
    assert b.psql(CRON, "show timescaledb.restoring") == "off"
    kept = "".join(open(f, encoding="utf-8").read() for f in glob.glob(WORK + "/state/**/*.log", recursive=True))
    assert "jobs run here from now on" in kept and "listens on" in kept, kept[-6000:]


SUBJECTS = {f.__name__: f for f in (small, vector, topology, projection, partman, timescale, cron, age)}
MORE = {f.__name__: f for f in (changed, brothers, journey)}


def main():
    for m in (SOURCE, TARGET):
        if str(m) not in os.environ.get("PGSHERPA_LAB_EXTENSIONS", "").split():
            moves.skip(f"the lab has no PostgreSQL {m} with extensions (./dev lab up)")
    settings = ("shared_preload_libraries=timescaledb,pg_cron,pg_stat_statements", f"cron.database_name={CRON}")
    a, b = Server(SOURCE, "a", *settings), Server(TARGET, "b", *settings)
    for name in sys.argv[2:] or SUBJECTS:
        {**SUBJECTS, **MORE}[name](a, b)
        print(f"{name}: {SOURCE} -> {TARGET}", flush=True)


if __name__ == "__main__":
    main()
