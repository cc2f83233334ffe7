#!/usr/bin/env python3
"""copy.py: one database moved by us, by everybody else, and by hand; the same machine, one run.

Three sets: `copy` (1.7 GB: two big tables, GIN and btree indexes, a foreign key), `pgbench60`, and
`tables5000` (a schema, hardly any rows). Times include the database's making, ANALYZE and
CHECKPOINT, for everybody. `estimate_error_*`: how wrong our own time left was, a tenth and half of the
way, relative to what was left (median of the rounds). Rows and indexes are counted on the target: who lost some is no winner.
`--set small` is for trying the bench itself."""
import sys

import contenders
import kit
from sets import SETS

WHOLE = ["copy", "pgbench60", "tables5000"]
PEERS = [contenders.Cases, contenders.Directory, contenders.Pipe, lambda: contenders.Pgcopydb(False),
         lambda: contenders.Pgcopydb(True)]


def one(bench, name, rounds, figures, only_ours):
    db = bench.load(SETS[name])
    ours, cases = contenders.Sherpa(), contenders.Cases()
    floor = contenders.Floor() if not name.startswith("tables") else None
    if floor:
        floor.prepare(bench, db)
    peers = [] if only_ours else [make() for make in PEERS]
    results = kit.alternate(bench, db, [ours] + ([floor] if floor else []) + peers, rounds)
    print(f"\n{name}:")
    kit.table(results)
    prefix, big = ("", True) if name == "copy" else (f"{name}_", False)
    mine = results[ours.name].median
    speed = lambda other: other / mine if mine and other else None          # noqa: E731
    if floor:
        figures.add(f"{prefix}ratio_to_floor", mine / results[floor.name].median if speed(results[floor.name].median)
                    else None, at_most=1.10 if big else None)
    if peers:
        fastest = min((results[p.name].median for p in peers if results[p.name].median), default=None)
        figures.add(f"{prefix}speedup_vs_fastest_peer", speed(fastest), at_least=1.15 if big else 1.0)
        figures.add(f"{prefix}speedup_vs_cases", speed(results[cases.name].median), at_least=3.0 if big else None)
    if big:
        for word, part in (("start", 0.1), ("middle", 0.5)):
            errors = [e for e in (kit.estimate_error(x, part) for x in results[ours.name].events) if e is not None]
            figures.add(f"estimate_error_{word}", kit.median(errors) if errors else None, at_most=0.30)
    figures.add(f"{prefix}peak_rss_mib", max(results[ours.name].rss, default=None), at_most=64, places=1)


def main():
    p = kit.arguments(__doc__, sets=list(SETS))
    p.add_argument("--no-peers", action="store_true", help="only ours and the floor")
    args = p.parse_args()
    if not args.no_peers:
        contenders.install_pgcopydb()
    figures = kit.Figures(args.strict)
    with kit.Bench(args) as bench:
        for name in args.set or WHOLE:
            one(bench, name, args.rounds, figures, args.no_peers)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
