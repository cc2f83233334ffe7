"""keeping.py: list, show, verify --restore, extract, lock and prune, also with files that lie."""
import glob
import json
import os
import re
import shutil
import subprocess
import tarfile
import time

from kit import (BINARY, HOST, PASSWORD_FILE, SOURCE, at, backup, forged, left_behind, port, psql, quoted, restore,
                 run, source)

NEW = f"{SOURCE} new"


def look(root, path):
    rows = json.loads(run("backup", "list", root, "--json")[0])
    assert rows[0]["path"] == path and rows[0]["databases"] == [SOURCE], rows
    assert rows[0]["verified"] is None and rows[0]["good"] is False and rows[0]["locked"] is None, rows
    show = json.loads(run("backup", "show", path, "--json")[0])
    orders = next(t for d in show["databases"] for t in d["tables"] if t["name"] == "orders")
    assert orders["rows"] == 20000 and re.fullmatch("[0-9a-f]{16}", orders["hash"]), orders
    assert "postgres" in show["roles"], show["roles"]
    text, _ = run("backup", "show", path)
    assert "20,000 rows" in text and "12 large objects" in text and "never verified" in text, text


def proved(root, path):
    out, _ = run("backup", "verify", path, "--into", at(17), "--into-password-file", PASSWORD_FILE, "--quiet")
    assert "every byte is as it was written" in out and "rows and hashes are those of the manifest" in out, out
    assert json.loads(run("backup", "list", root, "--json")[0])[0]["level"] == "restored"
    left = left_behind(17)
    assert not left, left
    if glob.glob("/usr/lib/postgresql/1[3-8]/bin/initdb"):
        # A role may have a setting that newer majors do not take any more.
        role = quoted(f"bundles {os.getpid()} TO x")
        psql(13, "postgres", f"create role {role}; alter role {role} set password_encryption = 'on'")
        try:
            old = backup(f"{root}/old", major=13)
        finally:
            psql(13, "postgres", f"drop role {role}")
        before = set(glob.glob("/tmp/pgsherpa-*"))
        out, _ = run("backup", "verify", old, "--restore", "--quiet")
        assert "a throw-away PostgreSQL" in out, out
        left = [d for d in set(glob.glob("/tmp/pgsherpa-*")) - before if os.path.exists(d + "/data")]
        assert not left, left


def extracted(root, path):
    out = f"{root}/out"
    run("backup", "extract", path, "--dir", out)
    tar = {m.name: m for m in tarfile.open(path).getmembers()}
    files = {os.path.relpath(os.path.join(d, f), out) for d, _, fs in os.walk(out) for f in fs}
    assert files == set(tar) - {"manifest.json"}, files ^ set(tar)
    for name in files:
        with open(f"{out}/{name}", "rb") as f:
            assert f.read() == tarfile.open(path).extractfile(name).read(), name
    run("backup", "extract", path, "--dir", out, code=3)        # not empty
    rows, _ = run("backup", "extract", path, "--table", "app.orders", text=False)
    assert len(rows) > 20000
    sql, _ = run("backup", "extract", path, "--schema-sql")
    assert 'CREATE TABLE "app"."orders"' in sql and 'CREATE INDEX "by_code"' in sql
    run("backup", "extract", path, "--schema-sql", "--out", f"{root}/schema.sql")
    with open(f"{root}/schema.sql", encoding="utf-8") as f:
        assert f.read() == sql
    run("backup", "extract", path, "--schema-sql", "--out", f"{root}/schema.sql", code=3)
    for bad in (["--table", "app.nobody"], ["--member", "../x"], ["--member", "nobody"],
                ["--schema-sql", "--database", "nobody"], ["--member", "nobody", "--dir", f"{root}/never"]):
        run("backup", "extract", path, *bad, code=2)
    assert not os.path.exists(f"{root}/never")
    run("backup", "extract", path, code=2)
    os.makedirs(f"{root}/trap")
    os.symlink("/etc", f"{root}/trap/link")
    run("backup", "extract", path, "--dir", f"{root}/trap", code=3)
    shutil.rmtree(out)
    shutil.rmtree(f"{root}/trap")


def prune(root, keep):
    """Five of a name: the rule counts, and what must stay stays."""
    paths = [keep] + [backup(root) for _ in range(4)]
    other = backup(root, name="other")
    kept, newest = paths[0], paths[-1]
    rows = json.loads(run("backup", "prune", root, "--keep-last", "1", "--dry-run", "--json")[0])
    assert sum(r["remove"] for r in rows) == 3 and all(r["why"] for r in rows), rows
    _, err = run("backup", "prune", root, "--keep-last", "1", code=3)
    assert "nobody is there to be asked" in err, err
    assert len(glob.glob(f"{root}/*.pgs.tar")) == 6
    run("backup", "lock", paths[2], "--run", "p77")
    _, err = run("backup", "lock", paths[2], "--run", "p78", code=3)
    assert "p77" in err, err
    assert "locked by run p77" in run("backup", "list", root)[0]
    assert run("backup", "prune", root, "--keep-days", "1", "--yes")[0].count("younger than") == 2
    with open(f"{root}/shop_20200101_000000.pgs.tar", "wb") as f:
        f.write(b"somebody's only copy, called like one of ours" * 1000)
    out, _ = run("backup", "prune", root, "--keep-last", "1", "--yes")
    assert "2 of 2 removed" in out and "locked by run p77" in out and "cannot be read" in out, out
    left = set(glob.glob(f"{root}/*.pgs.tar"))
    assert left == {kept, newest, paths[2], other, f"{root}/shop_20200101_000000.pgs.tar"}, left
    run("backup", "unlock", paths[2])
    run("backup", "verify", newest)
    odd = [backup(root, name="my shop") for _ in range(2)]     # as its file has it: my%20shop
    out, _ = run("backup", "prune", "--root", root, "--keep-last", "1", "--dry-run", "--name", "my shop")
    assert "of 2 bundles" in out and odd[0] in out, out
    for verb in (["prune", "--keep-last", "1", "--dry-run"], ["list"]):
        assert odd[1] in run("backup", *verb, "--root", root)[0], verb
        run("backup", *verb, root, "--root", root, code=2)
    for path in odd:
        os.remove(path)
    out, _ = run("backup", "prune", root, "--keep-last", "1", "--yes", "--name", "shop")
    assert "2 of 2 removed" in out and "other_" not in out, out
    assert os.path.exists(newest) and not os.path.exists(kept + ".verify.json")
    run("backup", "prune", root, code=2)
    for bad in ("0", "-1", "x", "1x", "", "99999999999999999999"):
        run("backup", "prune", root, "--keep-last", bad, code=2)
    return newest


# ---- files that lie ----

def first(manifest, ending=".zst"):
    return next(n for n in manifest["members"] if n.endswith(ending))


def renamed(to):
    def change(manifest):
        manifest["members"] = {(to if n == first(manifest) else n): m
                               for n, m in manifest["members"].items()}
    return change


def field(key, value):
    def change(manifest):
        manifest["members"][first(manifest)][key] = value
    return change


def twice(manifest):
    name = first(manifest)
    manifest["members"][name + "x"] = dict(manifest["members"][name])


def peak(*argv):
    r = subprocess.run(["/usr/bin/env", "python3", "-c",
                        "import resource,subprocess,sys; r = subprocess.run(sys.argv[1:], stdout=-3, "
                        "stderr=-3); print(r.returncode, resource.getrusage(resource.RUSAGE_CHILDREN)"
                        ".ru_maxrss)", BINARY, *argv], check=True, text=True, stdout=subprocess.PIPE)
    code, kib = r.stdout.split()
    return int(code), int(kib)


def lies(root, path):
    same = forged(path, lambda m: None)
    run("backup", "verify", same, "--quiet")            # forging itself works
    changes = {
        "absolute": renamed("/etc/cron.d/x.zst"), "dots": renamed("a/../../x.zst"),
        "newline": renamed("a\nb.zst"), "empty part": renamed("a//b.zst"), "empty": renamed(""),
        "manifest": renamed("manifest.json"), "far": field("offset", 1 << 62),
        "negative": field("offset", -512), "odd": field("offset", 513), "huge": field("size", 1 << 62),
        "minus": field("size", -1), "bomb": field("plain_size", 1 << 62), "text": field("offset", "512"),
        "no hash": field("sha256", "x"), "float": field("size", 1e300), "twice": twice,
        "no members": lambda m: m.update(members=[]), "no name": lambda m: m["databases"][0].pop("name"),
        "dir": lambda m: m["databases"][0].update(dir="../../etc"),
        "dirs": lambda m: m["databases"].append({"name": "y", "dir": "a/b"}),
        "same rows": lambda m: m["databases"][0]["tables"].append(m["databases"][0]["tables"][0]),
        "no tables": lambda m: m["databases"][0]["tables"].append({}),
        "databases": lambda m: m.update(databases={"a": 1}),
    }
    for name, change in changes.items():
        bad = forged(path, change)
        for argv in (["show", bad], ["verify", bad, "--quiet"], ["extract", bad, "--dir", f"{root}/x"]):
            r = subprocess.run([BINARY, "backup", *argv], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, check=False)
            assert r.returncode == 1 and "cannot be trusted" in r.stdout + r.stderr, (name, argv, r)
        assert not os.path.exists(f"{root}/x"), name
    shorter = forged(path, field("plain_size", 1))
    assert "larger" in run("backup", "verify", shorter, "--quiet", code=1)[0] or True
    extra = forged(path, lambda m: None, extra=[("evil/../../x", b"1"), ("more", b"2")])
    out, _ = run("backup", "verify", extra, "--quiet", code=1)
    assert "DAMAGED" in out, out
    for flood in (b"\0" * (64 << 20), os.urandom(1 << 20), b"", b"x", b"manifest.json\0" * 100000):
        with open(same, "wb") as f:
            f.write(flood)
        code, kib = peak("backup", "verify", same, "--quiet")
        assert code == 1 and kib < 128 << 10, (code, kib)
    with open(same, "wb") as f:                         # 1 TB of nothing
        f.truncate(1 << 40)
    code, kib = peak("backup", "show", same)
    assert code == 1 and kib < 128 << 10, (code, kib)
    os.remove(same)
    stranger = f"{root}/passwd"
    shutil.copy("/etc/passwd", stranger)
    run("backup", "verify", stranger, "--quiet", code=1)
    assert not glob.glob(stranger + ".*"), "a file that is no bundle got company"
    os.mkfifo(same)
    run("backup", "show", same, code=1)
    os.remove(same)


def blobs(path):
    """What is in large objects is proved as rows are: on its way in, and by reading it back."""
    def record(key, value):
        return lambda m: m["databases"][0]["large_objects"].update({key: value})

    for key, value, why in (("hash", "0" * 16, "are not those its manifest describes"),
                            ("pages", 1, "are not those its manifest describes"),
                            ("count", 11, "12 large objects were made of the bundle, its manifest says 11")):
        bad = forged(path, record(key, value))
        _, err = restore(bad, 17, NEW, "--quiet", code=1)
        assert why in err, err
        os.remove(bad)
    restore(path, 17, NEW, "--quiet")
    argv = ("compare", "--from", path, "--to", at(17, NEW), "--to-password-file", PASSWORD_FILE, "--quiet")
    out, _ = run(*argv)
    assert "only counted" not in out, out
    psql(17, NEW, "select lo_put(4003, 5, 'x')")
    out, _ = run(*argv, code=1)
    assert "large objects" in out and "content" in out, out


RUNBOOK = """
api: pgsherpa/v1
runbook: keep
title: Keep a bundle
version: 1
secrets: {{pg: {{from: file, path: "{secret}"}}}}
targets:
  old: {{kind: postgres, via: {{host: "{host}", port: {port}}}, user: postgres, database: "{db}", password: secrets.pg}}
defaults: {{timeout: 5m}}
phases:
- id: one
  steps:
  - {{id: d, do: host.disk, with: {{need: [{{path: /tmp, free: "1MB"}}]}}, expect: [{{that: empty(result.short), else: fail}}]}}
  - {{id: b, do: bundle.create, on: old, with: {{root: "{root}", name: kept, databases: ["{db}"]}}, undo: {{none: a backup}}}}
"""


def orphan_lock(root):
    """An engine that dies between the last record of its run and the lock: whoever meets it lets it go."""
    runs = f"{root}/state"
    book = f"{root}/keep.yaml"
    with open(book, "w", encoding="utf-8") as f:
        f.write(RUNBOOK.format(secret=PASSWORD_FILE, host=HOST, port=port(17), db=SOURCE, root=f"{root}/kept"))
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = runs
    try:
        run("run", book, "--yes", "--plain")
        path = glob.glob(f"{root}/kept/*.pgs.tar")[0]
        while subprocess.run(["pgrep", "-f", f"__engine {runs}"], check=False, stdout=subprocess.DEVNULL).returncode == 0:
            time.sleep(0.05)
        assert not os.path.exists(path + ".locked"), open(path + ".locked", encoding="utf-8").read()
        with open(f"{runs}/pgsherpa/runs/p1/tag", encoding="ascii") as f:
            tag = f.read().strip()
        run("backup", "lock", path, "--run", "p1-0000")
        out, _ = run("backup", "list", f"{root}/kept")
        assert "locked by run p1-0000, which is not here" in out and os.path.exists(path + ".locked"), out
        run("backup", "unlock", path)
        run("backup", "lock", path, "--run", tag)
        out, _ = run("backup", "list", f"{root}/kept")
        assert "its lock was let go" in out and not os.path.exists(path + ".locked"), out
        # that run did not make this one
        other = backup(f"{root}/other")
        run("backup", "lock", other, "--run", tag)
        out, _ = run("backup", "list", f"{root}/other")
        assert "which is not here" in out and os.path.exists(other + ".locked"), out
    finally:
        os.environ.pop("XDG_STATE_HOME")
        if before:
            os.environ["XDG_STATE_HOME"] = before


with source(13, 17, more=[(17, NEW)]) as top:
    one = backup(top, "--dump")
    look(top, one)
    proved(top, one)
    extracted(top, one)
    blobs(one)
    run("backup", "verify", one, "--quiet")
    last = prune(top, one)
    orphan_lock(top)
    lies(top, last)
    print("kept, proved, extracted, pruned; lies refused")
