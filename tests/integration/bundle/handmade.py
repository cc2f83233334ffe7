"""handmade.py: manifests that nobody's writer wrote: every value once of every other type, and missing.
Whatever they say, no command crashes, and none says that such a bundle is good and then fails to read it.

`all` (not in CI) restores each of them; otherwise a sample is restored."""
import copy
import json
import os
import subprocess
import sys
import tarfile

from kit import BINARY, PASSWORD_FILE, SOURCE, at, backup, forged, psql, quoted, source

ALL = sys.argv[1:] == ["all"]
NEW = f"{SOURCE} new"
CRASHED = tuple(range(-64, 0)) + (77, 99) + tuple(range(128, 200))
VALUES = {"null": None, "number": -7, "large": 1 << 62, "string": "x", "list": [None, 3, "x"],
          "object": {"a": {}}, "true": True, "missing": ...}


def paths(value, here=()):
    """Of every value; of a list its first item, of many members three."""
    yield here
    if isinstance(value, dict):
        keys = list(value)
        for key in keys if here != ("members",) else keys[:2] + keys[-1:]:
            yield from paths(value[key], here + (key,))
    elif isinstance(value, list) and value:
        yield from paths(value[0], here + (0,))


def changed(path, value):
    def change(manifest):
        at_it = manifest
        for key in path[:-1]:
            at_it = at_it[key]
        if value is ...:
            del at_it[path[-1]]
        else:
            at_it[path[-1]] = copy.deepcopy(value)
    return change


def tried(what, *argv, may_fail=True):
    r = subprocess.run([BINARY, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       check=False, timeout=60)
    bad = r.returncode in CRASHED or b"AddressSanitizer" in r.stdout or b"runtime error" in r.stdout
    if bad:
        print(what, argv[:2], r.returncode, r.stdout[-3000:].decode(errors="replace"))
    assert not bad or ALL, what
    return not bad


def restored(what, bad):
    good = tried(what, "restore", bad, "--to", at(17, NEW), "--to-password-file", PASSWORD_FILE, "--quiet")
    psql(17, "postgres", f"drop database if exists {quoted(NEW)} with (force)")
    return good


with source(17, more=[(17, NEW)]) as root:
    psql(17, SOURCE, "delete from app.orders where id > 100; drop schema audit cascade; alter database "
                     f"{quoted(SOURCE)} set work_mem = '5MB'")
    whole = backup(root)
    with tarfile.open(whole) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
    manifest.pop("tail")
    todo = [(p, n) for p in paths(manifest) if p for n in VALUES]
    good, n, loaded = True, 0, 0
    for i, (path, name) in enumerate(todo):
        columns = path[-2:] == ("columns", 0) and name in ("null", "number")
        if not ALL and i % 13 and not columns:
            continue
        words = f"{'.'.join(map(str, path))}: {name}"
        odd = forged(whole, changed(path, VALUES[name]))
        good = tried(words, "backup", "show", odd) and good
        good = tried(words, "backup", "verify", odd, "--quiet") and good
        good = tried(words, "backup", "extract", odd, "--table", "app.orders") and good
        if path[0] == "databases" and (ALL or i % 39 == 0 or columns):
            good = restored(words, odd) and good
            loaded += 1
        n += 1
        os.remove(odd)
    for tail in (("before", "header", "zelf"), ("x", "header", "self"), ("before", "x", "self"), ("self", "header", "z")):
        odd = forged(whole, lambda m: None, tail=tail)
        assert tried(str(tail), "backup", "verify", odd, "--quiet")
        r = subprocess.run([BINARY, "backup", "verify", odd, "--quiet"], stdout=subprocess.PIPE, check=False)
        assert r.returncode == 1, (tail, r)
        os.remove(odd)
    assert good
    print(f"{n} manifests of {len(todo)} read, {loaded} restored: nothing crashed")
