"""packaged.py [--whole | --apps]: schemas nobody here wrote, out of Debian's packages, filled and moved.

The packages are fetched once by apt-get into the lab's cache and only their SQL is unpacked. Rows
are made by a filler that reads nothing but the catalog: per type, with parents that exist, as
far as unique keys and checks let them in. Every hop is compared by `copy` itself, and row by row as text."""
import glob
import gzip
import os
import re
import subprocess
import sys

import moves

CACHE = os.path.join(os.environ.get("PGSHERPA_LAB", "/var/cache/pgsherpa-lab"), "packaged")
SCHEMAS = {
    "icinga2-ido-pgsql": ["usr/share/dbconfig-common/data/icinga2-ido-pgsql/install/pgsql"],
    "bacula-director-pgsql": ["usr/share/dbconfig-common/data/bacula-director-pgsql/install/pgsql"],
    "zabbix-server-pgsql": ["usr/share/zabbix-server-pgsql/schema.sql.gz",
                            "usr/share/zabbix-server-pgsql/images.sql.gz",
                            "usr/share/zabbix-server-pgsql/data.sql.gz"],
}
# Applications people host themselves; those of the languages' usual migration tools are in apps/.
APPS = {
    "davical": ["libawl-php:usr/share/awl/dba/awl-tables.sql", "libawl-php:usr/share/awl/dba/schema-management.sql",
                "usr/share/davical/dba/davical.sql", "usr/share/davical/dba/rrule_functions.sql",
                "usr/share/davical/dba/caldav_functions.sql", "usr/share/davical/dba/views/dav_principal.sql"],
    "ejabberd": ["usr/share/ejabberd/sql/pg.new.sql"],
    "freeradius-config": ["etc/freeradius/3.0/mods-config/sql/main/postgresql/schema.sql"],
    "gammu-smsd": ["usr/share/doc/gammu-smsd/examples/pgsql.sql"],
    "icingadb": ["usr/share/icingadb/schema/pgsql/schema.sql"],
    "icingaweb2": ["usr/share/icingaweb2/schema/pgsql.schema.sql"],
    "jabberd2": ["usr/share/doc/jabberd2/db-setup.pgsql.gz"],
    "kamailio-postgres-modules": [f"usr/share/kamailio/postgres/{part}-create.sql" for part in (
        "standard", "acc", "auth_db", "dispatcher", "domain", "group", "permissions", "registrar", "usrloc")],
    "kea-admin": ["usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql"],
    "mediawiki": ["usr/share/mediawiki/maintenance/postgres/tables-generated.sql",
                  "usr/share/mediawiki/maintenance/postgres/tables.sql"],
    "pdns-backend-pgsql": ["usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql"],
    "prelude-manager": ["usr/share/dbconfig-common/data/prelude-manager/install/pgsql"],
    "request-tracker5": ["usr/share/request-tracker5/etc/schema.Pg"],
    "roundcube-core": ["usr/share/roundcube/SQL/postgres.initial.sql"],
    "tt-rss": ["usr/share/tt-rss/schema/ttrss_schema_pgsql.sql"],
    "ulogd2": ["usr/share/doc/ulogd2/pgsql-ulogd2.sql.gz"],
    "rails": [], "django": [], "ecto": [], "hibernate": [], "golang": [],
}
WAYS = ([13, 17], [14, 19], [16, 19], [15, 18], [13, 19], [18, 19], [19, 18], [19, 15])

# One row a time, in a block of its own: what a key or a check does not let in is left out.
FILL = r"""
create function pg_temp.one(col text, typ text, len int, n int) returns text language sql as $$
select case
  when typ in ('int2', 'int4', 'int8', 'oid') then format('%s', n % 32000 + 1)
  when typ in ('numeric', 'float4', 'float8', 'money') then format('%s', (n % 900) * 1.25)
  when typ in ('text', 'varchar', 'bpchar', 'name') then format('%L', left(col || ' ' || n || repeat(' ä' || n, n % 7), coalesce(len, 200)))
  when typ = 'bytea' then format('%L::bytea', '\x' || md5(n::text))
  when typ in ('timestamp', 'timestamptz') then format('%L', timestamp '2020-01-01' + n * interval '7 hours 3 seconds')
  when typ = 'date' then format('%L', date '2020-01-01' + n)
  when typ = 'bool' then format('%L', n % 2 = 0)
  when typ in ('json', 'jsonb') then format('%L', format('{"n": %s}', n))
  when typ = 'uuid' then format('%L', md5(n::text))
  when typ in ('inet', 'cidr') then format('%L', '10.0.' || n / 250 || '.' || n % 250)
  else 'default' end $$;
do $fill$
declare tb record; cl record; n int; cols text; vals text; v text;
begin
for pass in 1..3 loop for tb in select c.oid, c.oid::regclass as name from pg_class c join pg_namespace s on s.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and s.nspname = 'public' order by (select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'), 1 loop
  for n in (pass - 1) * rows / 3 + 1 .. pass * rows / 3 loop
    cols := ''; vals := '';
    for cl in select a.attname, case when y.typtype = 'd' then (select b.typname from pg_type b where b.oid = y.typbasetype) else y.typname end as typname,
        case when y.typtype = 'e' then (select array_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = y.oid) end as labels,
        case when y.typtype = 'd' then substring(y.typname from '[0-9]+$')::int when y.typname in ('varchar', 'bpchar') and a.atttypmod > 4 then a.atttypmod - 4 end as len, a.attnotnull, f.confrelid,
        (select attname from pg_attribute r where r.attrelid = f.confrelid and r.attnum = f.confkey[array_position(f.conkey, a.attnum)]) as parent
        from pg_attribute a join pg_type y on y.oid = a.atttypid left join lateral (select * from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'f' and a.attnum = any(k.conkey) limit 1) f on true
        where a.attrelid = tb.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity <> 'a' order by a.attnum loop
      v := case when not cl.attnotnull and n % 5 = 0 then 'null'
        when cl.parent is not null and cl.confrelid = tb.oid and not cl.attnotnull then 'null'
        when cl.parent is not null then format('(select %I from only %s order by ctid offset (select %s %% greatest(count(*), 1) from %s) limit 1)', cl.parent, cl.confrelid::regclass, n, cl.confrelid::regclass)
        when cl.labels is not null then quote_literal(cl.labels[1 + n % cardinality(cl.labels)])
        when cl.typname = 'bytea' and cl.len is not null then format('%L::bytea', '\x' || left(repeat(md5(n::text), 4), cl.len * 2))
        else pg_temp.one(cl.attname, cl.typname, cl.len, n) end;
      cols := cols || ', ' || quote_ident(cl.attname); vals := vals || ', ' || v;
    end loop;
    begin execute format('insert into %s (%s) values (%s)', tb.name, substr(cols, 3), substr(vals, 3));
    exception when others then null; end;
  end loop;
end loop; end loop;
end $fill$;
"""


def fetched(package):
    """The unpacked package's directory; skips by name when it cannot be had."""
    where = os.path.join(CACHE, package)
    if os.path.isdir(where):
        return where
    try:
        os.makedirs(CACHE, exist_ok=True)
        subprocess.run(["apt-get", "download", package], cwd=CACHE, check=True, timeout=120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deb = glob.glob(os.path.join(CACHE, f"{package}_*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", deb, where + ".part"], check=True, timeout=120)
        os.rename(where + ".part", where)
    except (OSError, subprocess.SubprocessError, IndexError) as e:
        moves.skip(f"Debian's package {package} cannot be had here: {e}")
    return where


def text_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        return f.read()


def moved(what, db, path):
    first = moves.dump(path[0], db)
    for n, (a, b) in enumerate(zip(path, path[1:])):
        into = f"{db}_{n + 1}"
        out, _ = moves.copy(a, db if n == 0 else f"{db}_{n}", b, into)
        moves.equal(a, db if n == 0 else f"{db}_{n}", b, into, "--deep")
        print(f"{what}: {a} -> {b}: {out.splitlines()[-1]}", flush=True)
    if path[0] == path[-1] == min(path):        # what only newer ones know does not come back
        last = moves.dump(path[-1], f"{db}_{len(path) - 1}")
        assert first.replace(db, "") == last.replace(db, ""), f"{what}: another dump than before {path}"


def text_in(package, file):
    """"other:path" is of another package. Lines for psql (\\connect, \\set) would lead elsewhere."""
    other, _, path = file.rpartition(":")
    lines = text_of(os.path.join(fetched(other or package), path)).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("\\"))
    text = re.sub(r"(?im)^create language .*plpgsql.*;", "", text)
    return re.sub(r"(?i)create extension (plpgsql|citext)", r"create extension if not exists \1", text)


def sources(package):
    """The SQL of a package, or of the file here that shows what a migration tool makes."""
    files = SCHEMAS.get(package) or APPS[package]
    if files:
        return [text_in(package, file) for file in files]
    return [text_of(os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps", package + ".sql"))]


def packaged(package, path, rows, least=0.9):
    db = f"{moves.MARK}_{package.split('-')[0]}"
    moves.make(path[0], db)
    for text in sources(package):
        moves.psql(path[0], db, text)
    moves.psql(path[0], db, "set search_path = public;" + FILL.replace("rows /", f"{rows} /"))
    tables, filled, total = moves.psql(path[0], db, """
        with c as (select (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s',
        oid::regclass), false, true, '')))[1]::text::int as n from pg_class where relkind = 'r' and
        relnamespace = 'public'::regnamespace)
        select count(*), count(*) filter (where n > 0), sum(n) from c""").split("|")
    print(f"{package}: {total} rows in {filled} of {tables} tables", flush=True)
    assert int(filled) >= int(tables) * least, "the filler left too many tables empty"
    moved(package, db, path)


def pgbench(method, path):
    db = moves.make(path[0], f"{moves.MARK}_bench_{method}")
    moves.client("pgbench", "-i", "-q", "-s", "2", "--partitions=5", f"--partition-method={method}",
                 "--foreign-keys", "-h", moves.HOST, "-p", moves.port(path[0]), "-U", moves.USER, db,
                 major=path[0])
    moved(f"pgbench by {method}", db, path)


def main():
    moves.need(13, 14, 15, 16, 17, 18, 19)
    if "--apps" in sys.argv:
        only = sys.argv[2:] or APPS
        for n, package in enumerate(APPS):
            if package in only:
                packaged(package, WAYS[n % len(WAYS)], 30, 0.3)
        return
    if "--whole" not in sys.argv:
        packaged("icinga2-ido-pgsql", [13, 17, 13], 60)
        pgbench("hash", [13, 18, 13])
        return
    for package in {**SCHEMAS, **APPS}:
        for path in ([13, 15, 17, 18, 17, 15, 13], [18, 13, 18]):
            packaged(package, path, 300)
    for method in ("range", "hash"):
        pgbench(method, [13, 15, 17, 18, 17, 15, 13])


main()
