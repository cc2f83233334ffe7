#!/usr/bin/env python3
"""lo.py: 200,000 large objects of 256 bytes, by us and by pg_dump | pg_restore, in one run."""
import sys

import contenders
import kit
from sets import SETS


def main():
    args = kit.arguments(__doc__, sets=["lo200k", "lo2k"]).parse_args()
    figures = kit.Figures(args.strict)
    ours, theirs = contenders.Sherpa(), contenders.Pipe()
    with kit.Bench(args) as bench:
        for name in args.set or ["lo200k"]:
            db = bench.load(SETS[name])
            results = kit.alternate(bench, db, [ours, theirs], args.rounds)
            kit.table(results)
            mine, other = results[ours.name].median, results[theirs.name].median
            figures.add("speedup_vs_pg_dump", other / mine if mine and other else None, at_least=20, places=1)
            figures.add("peak_rss_mib", max(results[ours.name].rss, default=None), at_most=64, places=1)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
