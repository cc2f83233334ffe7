"""fidelity.py HOP..: a database of everything PostgreSQL has, moved hop by hop and back.

`copy` compares before it gives a database its name. When the journey is back on the major it
began on, one pg_dump reads both ends: the texts must be the same, but for the rules in moves.py."""
import difflib
import os
import re
import sys

import moves

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fidelity")


def build(major, db):
    """The files that this major knows, in order: NN-subject.sql, NN-subject.since-MAJOR.sql."""
    names = {n: f"{moves.MARK}_{n}" for n in ("own", "app", "evt", "evt2")}
    names["odd"] = f'{moves.MARK} "o;dd \U0001f418'
    roles = [names[n] for n in ("own", "app", "odd")]
    moves.ROLES.extend(r.replace('"', '""') for r in roles)
    sql = "".join(f'create role :"{n}";\n' for n in ("own", "app", "odd"))
    variables = [f"{k}={v}" for k, v in names.items()] + [f"db={db}"]
    moves.psql(major, "postgres", sql + 'alter role :"own" connection limit 3;', *variables)
    moves.make(major, db, "encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'")
    for name in sorted(os.listdir(SQL)):
        since = re.search(r"\.since-(\d+)\.sql$", name)
        if since and int(since[1]) > major:
            continue
        with open(os.path.join(SQL, name), encoding="utf-8") as f:
            try:
                moves.psql(major, db, f"set session_replication_role = origin;\n{f.read()}", *variables)
            except AssertionError as e:
                raise AssertionError(f"{name} on {major}: {e}") from e


def same_text(before, after):
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", n=2,
                                      lineterm=""))
    assert not lines, "\n".join(lines[:200])


def main():
    path = [int(m) for m in sys.argv[1].split("-")]
    moves.need(*path)
    db = f"{moves.MARK}_fid_0"
    build(path[0], db)
    first = moves.dump(path[0], db)
    for n, (a, b) in enumerate(zip(path, path[1:])):
        into = f"{moves.MARK}_fid_{n + 1}"
        out, err = moves.copy(a, db, b, into)
        print(f"{a} -> {b}: {out.splitlines()[-1]}")
        db = into
    if path[0] == path[-1]:
        same_text(first, moves.dump(path[-1], db))
        print("a dump of the end says what a dump of the beginning said")


if __name__ == "__main__":
    main()
