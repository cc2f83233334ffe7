"""moves.py: servers, databases and pg_dump texts for the tests that move whole databases."""
import atexit
import os
import re
import signal
import subprocess
import sys

BINARY = os.path.join(os.environ["PGSHERPA_BUILD"], "src/app/pgsherpa")
HOST = os.environ.get("PGSHERPA_LAB_HOST", "")
USER = os.environ.get("PGSHERPA_LAB_USER", "postgres")
PASSWORD_FILE = os.environ.get("PGSHERPA_LAB_PASSWORD_FILE", "")
HAVE = os.environ.get("PGSHERPA_LAB_MAJORS", "").split()
SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fidelity")
MARK = f"test_{os.getpid()}"
SANITIZED = "PGSHERPA_SANITIZED" in os.environ      # shadow memory, and several times slower
SKIP = 77

# A test that takes too long is told so by TERM: what it made must go then, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def need(*majors):
    for m in majors:
        if str(m) not in HAVE:
            skip(f"PostgreSQL {m} of the lab does not run (./dev lab up)")


def port(major):
    return os.environ[f"PGSHERPA_LAB_{major}_PORT"]


def environment():
    with open(PASSWORD_FILE, encoding="ascii") as f:
        return dict(os.environ, PGPASSWORD=f.readline().strip(), PGCLIENTENCODING="UTF8")


def client(program, *argv, major=18, text=None, check=True):
    r = subprocess.run([os.path.join(os.environ[f"PGSHERPA_PG_BIN_{major}"], program), *argv],
                       input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=environment(), check=False)
    if check and r.returncode:
        raise AssertionError(f"{program}: {r.stderr[:2000]}")
    return r.stdout


def psql(major, db, sql, *variables, check=True):
    """Runs SQL text with psql's variables, as the lab's superuser."""
    sets = [a for v in variables for a in ("-v", v)]
    return client("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *sets, "-d",
                  f"dbname='{db}' host={HOST} port={port(major)} user={USER}", major=max(map(int, HAVE)),
                  text=sql, check=check).strip()


def run(*argv, code=0):
    r = subprocess.run([BINARY, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, start_new_session=True, check=False)
    assert code is None or r.returncode == code, \
        f"{argv}: exit {r.returncode}, not {code}\n{r.stdout[-6000:]}{r.stderr[-3000:]}"
    return r.stdout, r.stderr


def at(major, db=None):
    return f"host={HOST},port={port(major)},user={USER}" + (f",db={db}" if db else "")


def ends(source, db, target, into):
    return ["--from", at(source, db), "--from-password-file", PASSWORD_FILE,
            "--to", at(target, into), "--to-password-file", PASSWORD_FILE]


MADE, ROLES = [], []


def make(major, name, options=""):
    MADE.append((major, name))
    psql(major, "postgres", f'create database "{name}" template template0 {options}')
    return name


def build(major, db, lowest=None, highest=None):
    """NN-subject.sql in order. 80-new.since-N.sql holds what only N and later know, so it goes where
    nothing on the way is older; 85-rewritten.since-N.sql what an older one is told in other words.
    Single statements ask psql: \\if :since13 (on the whole way), \\if :until18."""
    names = {n: f"{MARK}_{n}" for n in ("own", "app", "evt", "evt2", "evt3")}
    names["odd"] = f'{MARK} "o;dd \U0001f418'
    roles = [names[n] for n in ("own", "app", "odd")]
    ROLES.extend(r.replace('"', '""') for r in roles)
    sql = "".join(f'create role :"{n}";\n' for n in ("own", "app", "odd"))
    variables = [f"{k}={v}" for k, v in names.items()] + [f"db={db}"]
    variables += [f"since{n}={int((lowest or major) >= n)}" for n in range(13, 20)]
    variables += [f"until{n}={int((highest or major) <= n)}" for n in range(12, 20)]
    psql(major, "postgres", sql + 'alter role :"own" connection limit 3;', *variables)
    make(major, db, "encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'")
    for name in sorted(os.listdir(SQL)):
        since = re.search(r"\.since-(\d+)\.sql$", name)
        if since and int(since[1]) > ((lowest or major) if name.startswith("80") else major):
            continue
        with open(os.path.join(SQL, name), encoding="utf-8") as f:
            try:
                psql(major, db, f"set session_replication_role = origin;\n{f.read()}", *variables)
            except AssertionError as e:
                raise AssertionError(f"{name} on {major}: {e}") from e


def copy(source, db, target, into, *more, code=0):
    """One move: copy proves itself with a quick compare; the deep one is asked for here."""
    if code == 0:
        MADE.append((target, into))
    return run("copy", *ends(source, db, target, into), "--roles", "--quiet", *more, code=code)


def equal(source, db, target, into, *more):
    run("compare", *ends(source, db, target, into), "--quiet", *more)


def drop_all():
    for major, name in MADE:
        force = " with (force)" if int(major) >= 13 else ""
        psql(major, "postgres", f'drop database if exists "{name}"{force}', check=False)
    for major in HAVE:
        for role in ROLES:
            psql(major, "postgres", f'drop role if exists "{role}"', check=False)


atexit.register(drop_all)


# What may differ between a dump before and a dump after the journey; each by name.
def rule_database_name(text, name):
    return text.replace(name, "DATABASE")


def rule_restrict_key(text):
    return re.sub(r"^\\(un)?restrict .*\n", "", text, flags=re.M)


def rule_attver(text):
    """A number of the server's own, which clients of the same batch do not print."""
    text = re.sub(r" SET \(pg_attver=\d+, ", " SET (", text)
    return re.sub(r"^ALTER (?:FOREIGN )?TABLE ONLY (?:(?!^ALTER).)*? SET \(pg_attver=\d+\);\n", "",
                  text, flags=re.M | re.S)


def rule_row_order(text):
    """A table's rows are a set: COPY reads them in the order the pages have."""
    return re.sub(r"(FROM stdin;\n)(.*?)(^\\\.\n)",
                  lambda m: m[1] + "".join(sorted(m[2].splitlines(True))) + m[3], text,
                  flags=re.M | re.S)


def rule_dump_order(text):
    """Objects of one kind and name stand in the order of their OIDs."""
    head, *entries = re.split(r"(?m)^(?=--\n-- (?:Data for )?Name: )", text)
    return head + "".join(sorted(e.rstrip("\n") + "\n\n" for e in entries))


def rule_hash_of_enums(text):
    """What hashes anew on every server (part.by_*) may be in another partition of its table."""
    block = re.compile(r"^COPY (part\.by_\w+?)\d? (.*? FROM stdin;\n)(.*?)^\\\.\n", re.M | re.S)
    whole = {}
    for m in block.finditer(text):
        whole.setdefault(m[1], []).extend(m[3].splitlines(True))
    rows = "".join(f"ROWS {t}\n" + "".join(sorted(r)) for t, r in sorted(whole.items()))
    return block.sub(r"ROWS of \1\n", text) + rows


def rule_inherited_columns(text):
    """A child that was given its parent later is made anew with its parent's columns first."""
    def columns(m):
        names = m[2].split(", ")
        order = sorted(range(len(names)), key=lambda n: names[n])
        rows = [[r.split("\t")[n] for n in order] for r in m[3].splitlines()]
        return (f"{m[1]}({', '.join(names[n] for n in order)}) FROM stdin;\n" +
                "".join("\t".join(r) + "\n" for r in rows))
    text = re.sub(r"^(COPY tab\.inh2 )\((.*?)\) FROM stdin;\n(.*?)(?=^\\\.\n)", columns, text,
                  flags=re.M | re.S)
    return re.sub(r"^(CREATE TABLE tab\.inh2 \(\n)(.*?)(^\))", lambda m: m[1] + "".join(
        sorted(line.rstrip(",\n") + "\n" for line in m[2].splitlines())) + m[3], text, flags=re.M | re.S)


def rule_role_settings(text):
    """Settings of roles in the database come in the order of the roles' OIDs."""
    return re.sub(r"(?:^ALTER ROLE .* IN DATABASE .*\n)+",
                  lambda m: "".join(sorted(m[0].splitlines(True))), text, flags=re.M)


def dump(major, db):
    """What pg_dump -C of the newest client says, under the named rules."""
    text = client("pg_dump", "-C", "-h", HOST, "-p", port(major), "-U", USER, "-d", f"dbname='{db}'",
                  major=max(map(int, HAVE)))
    text = rule_attver(rule_restrict_key(rule_database_name(text, db)))
    for rule in (rule_row_order, rule_inherited_columns, rule_hash_of_enums, rule_role_settings,
                 rule_dump_order):
        text = rule(text)
    return text
