"""smoke.py: the benches' kit on tiny sets: it measures, and it refuses who lost rows."""
import argparse
import os
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.append(os.path.join(ROOT, "bench"))      # not first: bench/copy.py is not the library's copy

import contenders                                               # noqa: E402
import kit                                                      # noqa: E402
from sets import SETS                                           # noqa: E402


class Careless(contenders.Cases):
    """Brings everything but one row: the bench must not time it as a winner."""
    name = "careless"

    def move(self, b, db, into):
        super().move(b, db, into)
        b.target.psql(into, "delete from event where id = 1")


class Lazy(contenders.Cases):
    name = "lazy"

    def move(self, b, db, into):
        super().move(b, db, into)
        b.target.psql(into, "drop index event_at")


def timed_and_refused(bench):
    db = bench.load(SETS["small"])
    floor = contenders.Floor()
    floor.prepare(bench, db)
    ours = contenders.Sherpa()
    results = kit.alternate(bench, db, [ours, floor, contenders.Cases(), Careless(), Lazy()], 1)
    for c in (ours, floor, contenders.Cases()):
        r = results[c.name]
        assert r.median and r.median > 0 and not r.problem, f"{c.name}: {r.problem}"
    assert 1 < results[ours.name].rss[0] < 4096, results[ours.name].rss
    assert "rows are missing" in results["careless"].problem, results["careless"].problem
    assert results["careless"].median is None
    assert "indexes on the target" in results["lazy"].problem, results["lazy"].problem
    names = bench.target.psql("postgres", "select datname from pg_database where datname ~ '_moved$'")
    assert names == "", names


def built_once(bench):
    """The second load of a set finds it there: same database, not a new one."""
    oid = "select oid from pg_database where datname = 'small'"
    before = bench.source.psql("postgres", oid)
    bench.load(SETS["small"])
    assert bench.source.psql("postgres", oid) == before


def figures_judge():
    f = kit.Figures(strict=True)
    f.add("good", 1.0, at_most=1.1)
    assert f.end() == 0
    f.add("bad", 1.2, at_most=1.1)
    assert f.end() == 1
    missing = kit.Figures(strict=True)
    missing.add("never measured", None, at_least=3)
    assert missing.end() == 1


def main():
    for major in (13, 17):
        if os.geteuid() != 0 or not os.path.exists(os.path.join(kit.LAB, "roots", str(major), ".lab-stamp")):
            print("skipped: the lab's PostgreSQL 13 and 17, as root (./dev lab up)")
            return 77
    figures_judge()
    base = tempfile.mkdtemp(prefix=f"pgsherpa-test-{os.getpid()}-", dir="/var/tmp")
    args = argparse.Namespace(dir=base, throw_away=True)
    with kit.Bench(args, need_gb=1) as bench:
        timed_and_refused(bench)
        built_once(bench)
    assert not os.path.exists(base), "the bench left its directory behind"
    print("ok")
    return 0


sys.exit(main())
