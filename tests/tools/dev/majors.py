#!/usr/bin/env python3
"""majors.py: what came and went between majors of PostgreSQL, asked of the lab's servers.

    ./dev majors            writes src/base/majors_facts.c anew; then read the diff
    ./dev majors --print    only prints it

Each server of PGSHERPA_LAB_MAJORS is asked for the names of pg_settings, the columns of its catalogs
(pg_attribute of pg_catalog) and its keywords (pg_get_keywords()). What all of them have is not kept: the
file holds the differences alone. Every major of the table (src/base/majors.h) must run, or a change
would be dated wrongly. tests/integration/pg/test_majors.c holds the file against the servers again.
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
OUT = os.path.join(TOP, "src/base/majors_facts.c")
# Of one distribution's build, or of some minor releases of a major: a server may have it or not.
SOMETIMES = {"composite_type_mismatch", "extension_destdir", "output_plugin_libraries"}

QUERIES = {
    "settings": "select name, case when context in ('user', 'superuser', 'backend', 'superuser-backend') then "
                "'s' else 'p' end from pg_settings where name !~ '[.]'",
    "columns": "select c.relname || '.' || a.attname, 'c' from pg_class c join pg_attribute a on a.attrelid = c.oid "
               "where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not "
               "a.attisdropped",
    "keywords": "select word, lower(catcode::text) from pg_get_keywords()",
}
WORDS = {
    "settings": "Of pg_settings. 's': a session, database or role may have its own value; 'p': the server alone.",
    "columns": "Of the tables in pg_catalog.",
    "keywords": "Of pg_get_keywords(): 'u'nreserved, 'c'olumn name, 't'ype or function name, 'r'eserved.",
}


def table():
    text = open(os.path.join(TOP, "src/base/majors.h"), encoding="utf-8").read()
    return range(*[int(re.search(rf"MAJOR_{w} = (\d+)", text)[1]) + add for w, add in (("OLDEST", 0), ("NEWEST", 1))])


def psql():
    dirs = [os.environ[k] for k in sorted(os.environ) if k.startswith("PGSHERPA_PG_BIN_")]
    return next((p for p in (os.path.join(d, "psql") for d in reversed(dirs)) if os.access(p, os.X_OK)), "psql")


def ask(major, sql):
    password = open(os.environ["PGSHERPA_LAB_PASSWORD_FILE"], encoding="utf-8").read().strip()
    out = subprocess.run([psql(), "-XAtqF\t", "-h", os.environ.get("PGSHERPA_LAB_HOST", "127.0.0.1"), "-p",
                          os.environ[f"PGSHERPA_LAB_{major}_PORT"], "-U", os.environ["PGSHERPA_LAB_USER"], "-d",
                          "postgres", "-c", sql], env=dict(os.environ, PGPASSWORD=password), check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def spans(what, majors):
    """(name, kind, since, before), where since 0 is `before the table`, before 0 `still there`."""
    there = {m: dict(ask(m, QUERIES[what])) for m in majors}
    rows = []
    for name in sorted({n for names in there.values() for n in names}):
        if name in SOMETIMES:
            had = [m for m in majors if name in there[m]]
            rows.append((name, there[had[0]][name], 0, 0, True))
            continue
        begun, kind = 0, there[majors[0]].get(name)
        for m in list(majors)[1:]:
            now = there[m].get(name)
            if now != kind:
                if kind:
                    rows.append((name, kind, begun, m, False))
                begun, kind = m, now
        if kind and begun:
            rows.append((name, kind, begun, 0, False))
    return rows


def written(majors):
    versions = [ask(m, "show server_version")[0][0].split()[0] for m in majors]
    out = ["/* majors_facts.c: what came and went between majors of PostgreSQL, as its servers say.",
           " *",
           " * Written by ./dev majors; do not edit. Asked: " + ", ".join(versions) + ".",
           " * Name, kind, the major it came with (0: there before the table begins), the major that has it no",
           " * more (0: still there), and whether only some builds and minor releases have it. */",
           '#include "base/majors.h"']
    for what in QUERIES:
        rows = spans(what, majors)
        out += ["", f"/* {WORDS[what]} */", f"const MajorFact major_{what}[] = {{"]
        out += [f'        {{ "{name}", \'{kind}\', {since}, {before}, {"true" if some else "false"} }},'
                for name, kind, since, before, some in rows]
        out += ["        { 0 },", "};"]
    return "\n".join(out) + "\n"


def main():
    majors = table()
    missing = [str(m) for m in majors if f"PGSHERPA_LAB_{m}_PORT" not in os.environ]
    if missing:
        sys.exit(f"majors.py: the lab has no server of {', '.join(missing)}; ./dev lab up starts them")
    text = written(majors)
    if "--print" in sys.argv[1:]:
        print(text, end="")
        return
    with open(OUT, "w", encoding="utf-8") as f:
        f.write(text)
    print(f"{OUT}: {text.count(chr(10))} lines; now read the diff")


main()
