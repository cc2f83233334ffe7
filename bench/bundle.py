#!/usr/bin/env python3
"""bundle.py: our backup against pg_dump -Fd with zstd, its restore against the live copy, and what
a backup made in the same pass adds to a copy. The set is that of ./dev bench copy."""
import os
import shutil
import subprocess
import sys
import time

import contenders
import kit
from kit import JOBS, tool
from sets import SETS


class Backup:
    """`pgsherpa backup create`: every byte on disk, hashed and named, when it ends."""
    name = "pgsherpa backup create"

    def write(self, b, db):
        root = os.path.join(b.scratch, "bundles")
        shutil.rmtree(root, ignore_errors=True)
        usage = kit.sherpa("backup", "create", *kit.from_(b.source, db), "--root", root, "--no-globals", "--quiet")
        return os.path.join(root, next(f for f in os.listdir(root) if f.endswith(".pgs.tar"))), usage


class Directory:
    name = f"pg_dump -Fd -j{JOBS} --compress=zstd:1"

    def write(self, b, db):
        path = os.path.join(b.scratch, "x.dir")
        shutil.rmtree(path, ignore_errors=True)
        return path, kit.run(tool(17, "pg_dump") + ["-Fd", f"-j{JOBS}", "--compress=zstd:1", "-f", path, db],
                             env=b.source.env())


class Restore:
    name = "pgsherpa restore"

    def __init__(self, path):
        self.path = path

    def move(self, b, db, into):
        return kit.sherpa("restore", self.path, *kit.to(b.target, into), "--quiet")


class CopyAndBackup(contenders.Sherpa):
    name = "pgsherpa copy --backup"

    def move(self, b, db, into):
        root = os.path.join(b.scratch, "pass")
        usage = contenders.Sherpa("--backup", root).move(b, db, into)
        if not any(f.endswith(".pgs.tar") for f in os.listdir(root)):
            raise RuntimeError("no bundle was written")
        shutil.rmtree(root)
        return usage


def size(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(path, f)) for f in os.listdir(path))


def backups(bench, db, rounds):
    """Alternating, as kit.alternate() does, but nothing is loaded. The files stay for the restore."""
    ours, theirs = Backup(), Directory()
    results, paths = {c.name: kit.Result() for c in (ours, theirs)}, {}
    for n in range(rounds):
        for c in (ours, theirs):
            bench.settle()
            begun = time.monotonic()
            paths[c.name], usage = c.write(bench, db)
            results[c.name].seconds.append(time.monotonic() - begun)
            results[c.name].rss.append(usage.rss)
            kit.note(f"round {n + 1} of {rounds}: {c.name} {results[c.name].seconds[-1]:.2f} s")
    subprocess.run([kit.SHERPA, "backup", "verify", paths[ours.name], "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    sizes = {name: size(path) for name, path in paths.items()}
    shutil.rmtree(paths[theirs.name])
    kit.table(results)
    for name, n in sizes.items():
        print(f"{name}: {n / 1e6:.1f} MB")
    return results[ours.name], results[theirs.name], sizes[ours.name] / sizes[theirs.name], paths[ours.name]


def main():
    args = kit.arguments(__doc__, sets=["copy", "small", "pgbench60"]).parse_args()
    figures = kit.Figures(args.strict)
    ratio = lambda a, b: a.median / b.median if a.median and b.median else None      # noqa: E731
    with kit.Bench(args) as bench:
        for name in args.set or ["copy"]:
            db = bench.load(SETS[name])
            mine, theirs, sizes, path = backups(bench, db, args.rounds)
            live, restore, both = contenders.Sherpa(), Restore(path), CopyAndBackup()
            results = kit.alternate(bench, db, [live, restore, both], args.rounds)
            kit.table(results)
            figures.add("backup_ratio_to_fd_zstd1", ratio(mine, theirs), at_most=1.0)
            figures.add("size_ratio", sizes, at_most=1.05, places=3)
            figures.add("restore_ratio_to_live_copy", ratio(results[restore.name], results[live.name]), at_most=1.05)
            figures.add("backup_during_copy_cost", ratio(results[both.name], results[live.name]), at_most=1.15)
            rss = mine.rss + [r for x in results.values() for r in x.rss]
            figures.add("peak_rss_mib", max(rss, default=None), at_most=64, places=1)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
