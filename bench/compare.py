#!/usr/bin/env python3
"""compare.py: what the proof costs, as a share of the copy it proves; the same machine, one run.

Each round: our own copy of the set (without its proof), then the quick and the deep comparison of
source and copy. `--set tables5000` shows what it takes to compare a schema with hardly a row."""
import json
import os
import sys

import contenders
import kit
from sets import SETS


def prove(bench, db, into, *more):
    """Seconds, memory and report of one comparison, which must find nothing."""
    path = os.path.join(bench.scratch, "report.json")
    argv = ["compare", *kit.from_(bench.source, db), *kit.to(bench.target, into), "--quiet", "--format", "json",
            "-o", path, *more]
    usage = kit.sherpa(*argv)
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    assert report["equal"], report["differences"][:3]
    return usage, report


def one(bench, name, rounds, figures):
    db, into = bench.load(SETS[name]), f"{name}_moved"
    ours = contenders.Sherpa()
    copies, proofs = [], {"quick": [], "deep": []}
    for n in range(rounds):
        bench.drop(into)
        bench.settle()
        copies.append(ours.move(bench, db, into).seconds)
        for mode, more in (("quick", []), ("deep", ["--deep"])):
            proofs[mode].append(prove(bench, db, into, *more))
        kit.note(f"{name} round {n + 1} of {rounds}: copy {copies[-1]:.2f} s, quick "
                 f"{proofs['quick'][-1][0].seconds:.2f} s, deep {proofs['deep'][-1][0].seconds:.2f} s")
    bench.drop(into)
    copy = kit.median(copies)
    print(f"\n{name}:\ncopy, median s: {copy:.2f}")
    prefix, big = ("", True) if name == "copy" else (f"{name}_", False)
    for mode, limit in (("quick", 0.25), ("deep", 0.40)):
        seconds = kit.median([u.seconds for u, _ in proofs[mode]])
        report = proofs[mode][-1][1]
        print(f"{mode}, median s: {seconds:.2f}; tables by {report['methods']}, {report['rows']} rows, "
              f"{report['objects_compared']} objects")
        figures.add(f"{prefix}{mode}_share_of_copy", seconds / copy, at_most=limit if big else None)
        figures.add(f"{prefix}{mode}_rows_per_s", report["rows"] / seconds, places=0)
    figures.add(f"{prefix}peak_rss_mib", max(u.rss for all in proofs.values() for u, _ in all), at_most=64, places=1)


def main():
    p = kit.arguments(__doc__, sets=list(SETS))
    args = p.parse_args()
    figures = kit.Figures(args.strict)
    with kit.Bench(args) as bench:
        for name in args.set or ["copy"]:
            one(bench, name, args.rounds, figures)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
