"""damage.py: 1,000 bit flips, 200 cuts and 100 zeroed blocks in a real bundle: all are found.

All of it is done in one process on a small bundle, and a sample by the binary; `all` adds other
seeds, and more by the binary."""
import os
import random
import shutil
import subprocess
import sys
import time

from kit import BINARY, DAMAGE, SOURCE, backup, psql, run, source

ALL = sys.argv[1:] == ["all"]


def in_process(path, seed):
    start = time.monotonic()
    r = subprocess.run([DAMAGE, path, str(seed), "1000", "200", "100"], text=True, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(r.stdout.strip(), f"in {time.monotonic() - start:.1f} s, seed {seed}")
    assert r.returncode == 0, r.returncode


def binary(path, seed, n):
    dice = random.Random(seed)
    size = os.path.getsize(path)
    bad = path.replace("shop_", "bad_")
    for i in range(n):
        shutil.copy(path, bad)
        where = dice.randrange(size)
        with open(bad, "r+b") as f:
            f.seek(where)
            byte = f.read(1)[0]
            if i % 3 == 0:
                f.truncate(where)
            elif i % 3 == 1:
                f.seek(where)
                f.write(bytes([byte ^ 1 << dice.randrange(8)]))
            else:
                f.seek(where)
                f.write(b"\xaa" * 300)
        r = subprocess.run([BINARY, "backup", "verify", bad, "--quiet"], text=True, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert r.returncode == 1 and "DAMAGED " in r.stdout, (i, where, r.returncode, r.stdout, r.stderr)
        os.remove(bad)
    print(f"the binary named {n} of {n}")


with source(13, 17) as root:
    for major in (17, 13) if ALL else (17,):
        psql(major, SOURCE, "delete from app.orders where id > 3000")
        path = backup(root, "--dump", major=major)
        run("backup", "verify", path)
        in_process(path, 2026)
        if ALL:
            for seed in (1, 2, 3):
                in_process(path, seed)
        binary(path, 7, 300 if ALL else 12)
