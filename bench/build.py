#!/usr/bin/env python3
"""build.py: builds every data set that the cache does not have yet, and says how big each is."""
import sys

import kit
from sets import SETS


def main():
    p = kit.arguments(__doc__, sets=list(SETS))
    args = p.parse_args()
    with kit.Bench(args, need_gb=25) as bench:
        for name in args.set or [n for n, s in SETS.items() if not s.tiny]:
            bench.load(SETS[name])
            size = int(bench.source.psql(name, f"select pg_database_size('{name}')"))
            print(f"{name}: {size / 1e6:.0f} MB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
