"""fidelity.py HOP..|all: a database of everything PostgreSQL has, moved hop by hop and back.

`copy` compares before it gives a database its name; the deep proof, every row as text, follows. When the journey is back on the major it
began on, one pg_dump reads both ends: the texts must be the same, but for the rules in moves.py."""
import difflib
import sys

import moves

def same_text(before, after):
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", n=2,
                                      lineterm=""))
    assert not lines, "\n".join(lines[:200])


def journey(path, mark):
    moves.need(*path)
    db = f"{moves.MARK}_fid_{mark}_0"
    moves.build(path[0], db, min(path), max(path))
    first = moves.dump(path[0], db)
    for n, (a, b) in enumerate(zip(path, path[1:])):
        into = f"{moves.MARK}_fid_{mark}_{n + 1}"
        try:
            out, _ = moves.copy(a, db, b, into)
        except AssertionError as e:
            raise AssertionError(f"HOP {a} -> {b}: {e}") from None
        print(f"{a} -> {b}: {out.splitlines()[-1]}", flush=True)
        try:
            moves.equal(a, db, b, into, "--deep")
        except AssertionError as e:
            raise AssertionError(f"HOP {a} -> {b}, the deep proof: {e}") from None
        db = into
    if path[0] == path[-1]:
        same_text(first, moves.dump(path[-1], db))
        print("a dump of the end says what a dump of the beginning said")


def main():
    """Every pair both ways; a pair that fails does not hide the others."""
    if sys.argv[1] != "all":
        journey([int(m) for m in sys.argv[1].split("-")], 0)
        return
    failed = []
    majors = [int(m) for m in moves.HAVE]
    for n, path in enumerate([a, b] for a in majors for b in majors):
        try:
            journey(path, n)
        except AssertionError as e:
            failed.append(f"{path[0]} -> {path[1]}: {e}"[:2000])
        moves.drop_all()
        moves.MADE.clear()
    assert not failed, "\n".join(failed)


if __name__ == "__main__":
    main()
