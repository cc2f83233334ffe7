#!/usr/bin/env python3
"""scale.py: twice the data, twice the time; and never more memory.

Rows without indexes (the copy phase is all there is) of 200 MB, 800 MB and 3.2 GB. What every copy
costs whatever its size (a schema, a database, a checkpoint's beginning) is not the slope: linearity
is the price of a further megabyte between two sizes, against that between the first two; 1.00 is a
straight line. Memory is also watched on 1,000 rows of 1 MB and on a schema of 5,000 tables."""
import sys

import contenders
import kit
from sets import SETS

SIZES = ["rows200", "rows800", "rows3200"]
MEMORY = ["wide1g", "tables5000"]


def main():
    p = kit.arguments(__doc__, sets=SIZES + MEMORY + ["small", "tables100"])
    args = p.parse_args()
    names = args.set or SIZES + MEMORY
    figures = kit.Figures(args.strict)
    points, rss = [], {}
    with kit.Bench(args, need_gb=20) as bench:
        for name in names:
            db = bench.load(SETS[name])
            megabytes = int(bench.source.psql(db, f"select pg_database_size('{db}')")) / 1e6
            ours = contenders.Sherpa()
            results = kit.alternate(bench, db, [ours], args.rounds if name in SIZES else 1)
            kit.table({f"{name}, {megabytes:.0f} MB": results[ours.name]})
            rss[name] = max(results[ours.name].rss, default=None)
            if name in SIZES:
                points.append((megabytes, results[ours.name].median))
                figures.add(f"seconds_{name.removeprefix('rows')}{'mb' if name == 'rows200' else ''}", points[-1][1])
    figures.add("linearity_worst", linearity(points), at_most=1.10)
    for name, value in rss.items():
        figures.add(f"peak_rss_mib_{name.removeprefix('rows')}", value, at_most=64, places=1)
    return figures.end()


def linearity(points):
    if len(points) < 3 or any(seconds is None for _, seconds in points):
        return None
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(points, points[1:])]
    return max(max(s / slopes[0], slopes[0] / s) for s in slopes[1:]) if min(slopes) > 0 else None


if __name__ == "__main__":
    sys.exit(main())
