"""reprinted.py PAIR..: expressions that no two servers print alike are copied and equal at once; then everything is changed, and every change found.

The schema (reprinted/*.sql) has what PostgreSQL prints otherwise after a dump and a load, or on another major. `copy` compares by itself
and ends with 1 if one text is another one to the target. The changes are in plants.py; the comparison after them must name each, and
nothing else."""
import json
import os
import re
import sys
import time

import data_plants
import moves
import plants

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reprinted")
NAMES = {"app": f"{moves.MARK}_app", "pub": "rp_pub", "pub2": "rp_pub2", "fdw": "rp_fdw"}
VARIABLES = [f"{k}={v}" for k, v in NAMES.items()]


def build(major, db, target):
    """What the older of both majors knows; and an index that could not be built."""
    moves.make(major, db, "encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'")
    for name in sorted(os.listdir(SQL)):
        since = re.search(r"since-(\d+)", name)
        if since and int(since[1]) > min(major, target) or "upwards" in name and target < major:
            continue
        with open(os.path.join(SQL, name), encoding="utf-8") as f:
            try:
                moves.psql(major, db, "set client_min_messages = warning;\n" + f.read(), *VARIABLES)
            except AssertionError as e:
                raise AssertionError(f"{name} on {major}: {e}") from e
    moves.psql(major, db, "set client_min_messages = warning; set timezone = 'UTC';\n" + data_plants.made(min(major, target)))
    moves.psql(major, db, "create unique index concurrently failed on js.broken (a);", check=False)
    moves.psql(major, db, "comment on index js.failed is 'not built';")


def compared(a, db, b, into, *more, code=0):
    out, _ = moves.run("compare", *moves.ends(a, db, b, into), "--json", "--quiet", *more, code=code)
    return json.loads(out)


def nothing_left(major):
    """Other tests have theirs there for a moment: ours would stay."""
    def there():
        return set(moves.psql(major, "postgres", "select datname from pg_database where datname ~ '^pgsherpa_reprint_'").split())
    end, seen = time.monotonic() + 60, there()
    while seen & there():
        assert time.monotonic() < end, f"left behind on {major}: {seen & there()}"
        time.sleep(0.2)


def said(report):
    return [f"{d['kind']} {d['object']}, {d['what']}:\n   {d['source']}\n   {d['target']}" for d in report["differences"]]


def equal_at_once(a, db, b, into):
    out, _ = moves.copy(a, db, b, into, "--check")
    assert "js.failed" in out and "not valid" in out, f"--check does not tell of the index that failed:\n{out}"
    moves.copy(a, db, b, into)
    report = compared(a, db, b, into)
    rules = report["rules"]
    alone = compared(a, db, b, into, "--no-scratch", code=1)    # nobody is asked: what is printed otherwise is told
    assert alone["differences_total"] == rules["reprinted"]["n"], said(alone)
    nothing_left(a)
    nothing_left(b)
    assert rules["invalid-index"]["n"] == 1, rules


def main():
    for pair in sys.argv[1:]:
        a, b = map(int, pair.split("-"))
        moves.need(a, b)
        for major in {a, b}:
            moves.ROLES.append(NAMES["app"])
            moves.psql(major, "postgres", 'create role :"app";', *VARIABLES, check=False)
        db, into = f"{moves.MARK}_from_{a}", f"{moves.MARK}_into_{b}"
        build(a, db, b)
        equal_at_once(a, db, b, into)
        n = plants.found(a, db, b, into, compared)
        print(f"{pair}: equal at once; {n} changes found", flush=True)
        moves.drop_all()


if __name__ == "__main__":
    main()
