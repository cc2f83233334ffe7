"""A server with several databases goes as a whole: what pg_dumpall says of it before and after is the
same text, but for named rules; so is the journey's own inventory.

    whole_server.py 15 17 [DATABASES]         (as many of them; else all)
"""
import collections
import json
import os
import re
import subprocess
import sys

import journey
from lab import Project, need_docker, need_majors, sh

FROM, TO = (int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (15, 17)
HOSTILE = '"; drop $(rm)'
DATABASES = ["sonarr-log", "radarr-main", HOSTILE, "d" * 63, "shop_template", "owned.elsewhere"]
DATABASES = DATABASES[:int(sys.argv[3]) if len(sys.argv) > 3 else None]
ROLES = ["radarr", "sonarr", "reader", "writer", "admin of all", '"; drop role $(rm)', "r" * 63, "nologin",
         "second super", "copier", "limited", "noinherits"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def setup(p):
    """By hand, as people do, on a server whose POSTGRES_DB is makapix."""
    q = quoted
    statements = [f"create role {q(r)} {'nologin' if r == 'nologin' else 'login'} password 'pl4nted-{i}'"
                  for i, r in enumerate(ROLES)]
    statements += [
        'alter role "second super" superuser', 'alter role copier replication createdb',
        "alter role limited connection limit 3 valid until '2031-02-03 04:05:06+00' bypassrls",
        'alter role noinherits noinherit', "comment on role reader is 'it''s for \"reports\"\n$(rm)'",
        'grant reader to writer', 'grant reader to noinherits', 'grant writer to "admin of all" with admin option',
        f"grant {q(ROLES[5])} to {q(ROLES[6])}", 'grant pg_read_all_settings to reader',
        "alter role reader set work_mem = '9MB'", "alter role radarr set search_path = \"$user\", public, \"a, b\"",
        "alter role writer set app.jwt_secret = 'pl4nted-jwt'", "alter role owner set statement_timeout = '11min'",
        "alter role all set lock_timeout = '7s'",
        'create database "sonarr-log" owner sonarr', 'create database "radarr-main" owner radarr',
        f"create database {q(HOSTILE)} owner {q(ROLES[5])} template template0 lc_collate 'C' lc_ctype 'C'",
        'revoke connect, temporary on database "radarr-main" from public',
        'grant connect on database "radarr-main" to reader with grant option',
        'alter database "radarr-main" set work_mem = \'8MB\'',
        'alter role reader in database "radarr-main" set work_mem = \'7MB\'',
        f"alter database {q(HOSTILE)} set app.note = 'semi;colon ''quoted'''",
        "comment on database \"sonarr-log\" is 'logs'",
        "alter database postgres set statement_timeout = '13min'",
        "alter system set work_mem = '6MB'", "alter system set log_line_prefix = '%m [%p] ''x'' '",
        "alter system set max_connections = 77", "alter system set shared_preload_libraries = 'pg_stat_statements'",
    ]
    statements += [sql for db, sql in (
        ("d" * 63, f"create database {q('d' * 63)} template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'"),
        ("shop_template", "create database shop_template is_template true connection limit 9"),
        ("owned.elsewhere", 'create database "owned.elsewhere" owner "admin of all"')) if db in DATABASES]
    if FROM >= 15:
        statements += ['grant set on parameter log_min_duration_statement to radarr']
    if FROM >= 16:
        statements += ["grant sonarr to radarr with inherit false, set false"]
    for s in statements:
        p.sql(s, db="postgres")
    for i, db in enumerate(DATABASES + ["postgres"]):
        p.sql(f"create table public.t as select g as a, 'row ' || g as b from generate_series(1, {100 + i}) g",
              db=db)
    p.compose("exec", "-T", "db", "sh", "-c", 'echo "host all reader 203.0.113.0/24 reject # no readers" >> '
              '"$PGDATA/pg_hba.conf"; echo "deadlock_timeout = 1234ms" >> "$PGDATA/postgresql.conf"')
    p.compose("restart", "db")
    journey.wait_up(p, FROM)


def dumpall(p):
    """As the newest of both servers' own clients writes it: its own image asks for the old text."""
    return p.compose("exec", "-T", "-e", "PGTZ=UTC", "db", "pg_dumpall", "-U", "owner", "--inserts")


# What two texts may differ in, by name. Each takes a line of pg_dumpall and what is known of the whole.
def rule_client_setting(line, _):
    """What the client sets for itself, and what it says of itself."""
    return None if re.match(r"--|SET |\\(un)?restrict|SELECT pg_catalog.set_config", line) else line


def rule_image_superuser(line, _):
    """The image made that role from POSTGRES_PASSWORD, which both servers have."""
    return re.sub(r"(^ALTER ROLE owner WITH .*) PASSWORD '.*'", r"\1", line)


def rule_membership_options(line, whole):
    """Up to 15 a membership inherits as its member does and may SET ROLE; from 16 on each one says so.
    Who granted it is not told: up to 15 that had no meaning."""
    m = re.match(r"GRANT (\S+|\".*?\") TO (\S+|\".*?\")( WITH .*?)?( GRANTED BY .*)?;$", line)
    if not m or whole["database"]:
        return line
    words = (m.group(3) or "").upper()
    admin = "ADMIN" in words and "ADMIN FALSE" not in words
    inherit = "INHERIT TRUE" in words or ("INHERIT FALSE" not in words and m.group(2) not in whole["noinherit"])
    return f"MEMBER {m.group(1)} {m.group(2)} admin={admin} inherit={inherit} set={'SET FALSE' not in words}"


def rule_locale_words(line, _):
    """LC_COLLATE and LC_CTYPE up to 14, LOCALE and its provider after: the proof compares the values."""
    return re.sub(r" LOCALE_PROVIDER = libc| LOCALE = '[^']*'| LC_C\w+ = '[^']*'", "", line) \
        if line.startswith("CREATE DATABASE ") else line


RULES = [rule_client_setting, rule_image_superuser, rule_membership_options, rule_locale_words]


def normalised(text):
    """Statements of pg_dumpall by the rules, each with the database it stands in, sorted."""
    whole = {"database": "", "noinherit": set(re.findall(r"^ALTER ROLE (\S+|\".*?\") WITH \S+ NOINHERIT", text,
                                                         re.M))}
    out = []
    for line in text.splitlines():
        if line.startswith("\\connect "):
            whole["database"] = line
        for rule in RULES:
            line = rule(line, whole) if line else None
        if line:
            out.append(f"{whole['database']} {line}")
    return sorted(out)


def same_dumps(p, before):
    """The old text, loaded nowhere: both are read by rules. What differs between majors in how pg_dump
    writes the same thing is compared by the journey's own proof, so here: globals and databases."""
    keep = re.compile(r" (CREATE ROLE|ALTER ROLE|MEMBER|COMMENT ON ROLE|COMMENT ON DATABASE|CREATE DATABASE|"
                      r"ALTER DATABASE|REVOKE .* ON DATABASE|GRANT .* ON DATABASE|GRANT .* ON PARAMETER|INSERT)")
    old, new = (collections.Counter(x for x in normalised(t) if keep.search(x)) for t in (before, dumpall(p)))
    lost, more = list((old - new).elements()), list((new - old).elements())
    assert not lost and not more, f"lost {lost[:20]}\nmore {more[:20]}"
    return old.total()


def inventory_says_it(p, run, dump):
    """Every role, membership and database of pg_dumpall's text is in the journey's inventory, and no other."""
    path = [e for e in p.journal(run) if e["ev"] == "fact" and e["name"] == "server.inventory"][-1]["value"]
    with open(os.path.join(run, path) if not path.startswith("/") else path, encoding="utf-8") as f:
        text = f.read()
    lines = json.loads(text)["lines"]
    assert "pl4nted" not in text, "a password or a key is in the inventory"
    roles = {"role " + m for m in re.findall(r"^CREATE ROLE (.*);$", dump, re.M)}
    members = {x.split(" MEMBER ")[1].rsplit(" admin=", 1)[0] for x in normalised(dump) if " MEMBER " in x}
    bases = {"database " + m for m in re.findall(r"^CREATE DATABASE (\".*?\"(?= WITH)|\S+) WITH", dump, re.M)}
    assert {x for x in lines if x.startswith("role ")} == roles, roles ^ {x for x in lines if x.startswith("role ")}
    got = {re.sub(r"^member (.*) of (.*)$", r"\2 \1", x) for x in lines if x.startswith("member ")}
    assert got == members, got ^ members
    found = {x for x in lines if x.startswith("database ")} - {"database postgres"}
    assert found == bases, found ^ bases
    assert "set work_mem" in lines["server"] and "set deadlock_timeout" in lines["server"], lines["server"]
    return len(lines)


def settings_hold(p):
    for name, value in (("work_mem", "6MB"), ("log_line_prefix", "%m [%p] 'x' "), ("max_connections", "77"),
                        ("shared_preload_libraries", "pg_stat_statements"), ("deadlock_timeout", "1234ms")):
        now = p.sql(f"select current_setting('{name}')", db="makapix")
        assert now == value.rstrip("\n") or now.strip() == value.strip(), f"{name} is {now}, was {value}"
    hba = p.sql("select count(*) from pg_hba_file_rules where auth_method = 'reject'")
    assert hba == "1", "the line of pg_hba.conf is lost"


def rows_hold(p):
    for i, db in enumerate(DATABASES + ["postgres"]):
        n = p.sql("select count(*) from public.t", db=db)
        assert n == str(100 + i), f"{db} has {n} rows"


def backups_hold(p, run):
    """The bundle before, one for each database at the cut, and the one after: all name all of it."""
    want = {"makapix", "postgres", *DATABASES}
    events = p.journal(run)
    for fact in ("bundle.path", "bundle_new.path"):
        path = [e for e in events if e["ev"] == "fact" and e["name"] == fact][-1]["value"]
        manifest = json.loads(subprocess.run(["tar", "-xOf", path, "manifest.json"], check=True,
                                             stdout=subprocess.PIPE).stdout)
        assert {d["name"] for d in manifest["databases"]} == want, fact
    last = [e for e in events if e["ev"] == "fact" and re.match(r"copy\..*\.bundle$", e["name"])]
    assert len(last) == len(want), last


def main():
    need_docker()
    need_majors(FROM, TO)
    with Project(FROM) as p:
        setup(p)
        before = dumpall(p)
        run = journey.start(p, TO)
        end, _ = journey.carry(run)
        assert end["status"] == "done", end
        journey.wait_up(p, TO)
        print(f"{inventory_says_it(p, run, before)} objects in the inventory, as pg_dumpall says", flush=True)
        print(f"{same_dumps(p, before)} statements of pg_dumpall equal", flush=True)
        settings_hold(p)
        rows_hold(p)
        backups_hold(p, run)
        log = sh(journey.pgsherpa(), "log", os.path.basename(run), "--format", "txt",
                 env={**os.environ, **p.environment()})
        for db in ("sonarr-log", "radarr-main"):
            assert db in log, f"the log does not name {db}"


main()
