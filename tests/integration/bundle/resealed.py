"""resealed.py: bundles that were changed and sealed anew, so that every hash is right again.

Nothing that verifies or restores them may say that all is well: tables without a description would arrive
empty, values of sequences begin anew, a schema that was exchanged would be another database."""
import json
import os
import subprocess
import tarfile

from kit import BINARY, PASSWORD_FILE, SOURCE, at, backup, forged, psql, quoted, restore, run, source

NEW = f"{SOURCE} new"


def database(manifest):
    return manifest["databases"][0]


def without_table(name, members):
    def change(manifest):
        db = database(manifest)
        gone = [t for t in db["tables"] if t["name"] == name]
        assert len(gone) == 1, name
        db["tables"].remove(gone[0])
        if members:
            for member in [m for m in manifest["members"] if m.startswith(gone[0]["dir"])]:
                del manifest["members"][member]
    return change


def without_sequence(manifest):
    db = database(manifest)
    db["sequences"] = [s for s in db["sequences"] if s["name"] != "shared"]


def exchanged(a, b):
    """Two members change names; their places and hashes stay right."""
    def change(manifest):
        d = database(manifest)["dir"]
        a_, b_ = f"{d}/{a}", f"{d}/{b}"
        manifest["members"] = {{a_: b_, b_: a_}.get(k, k): v for k, v in manifest["members"].items()}
    return change


def refused(what, path, words):
    out, err = run("backup", "verify", path, code=1)
    assert "damaged" in out and words in out + err, (what, out, err)
    _, err = restore(path, 17, NEW, "--quiet", code=(1, 2))
    assert words in err and "backup" in err, (what, err)
    assert psql(17, "postgres", f"select count(*) from pg_database where datname = '{NEW}'") == "0", what
    print(f"{what}: refused")


with source(17, more=[(17, NEW)]) as root:
    psql(17, SOURCE, "delete from app.orders where id > 100")
    whole = backup(root)
    for members in (False, True):
        refused(f"a table less, its members {'too' if members else 'stay'}",
                forged(whole, without_table("uses", members)), "does not describe")
    refused("a sequence less", forged(whole, without_sequence), "does not describe its value")
    refused("SQL before and behind the rows exchanged",
            forged(whole, exchanged("pre-data.sql.zst", "post-data.sql.zst")), "another schema")
    good = forged(whole, lambda manifest: None)
    run("backup", "verify", good, "--quiet")
    out, _ = restore(good, 17, NEW)
    assert "SHA-256 of each of its members checked" in out, out
    psql(17, "postgres", f"drop database {quoted(NEW)} with (force)")

    # a member that a restore does not need is read all the same, because we say that it was
    with tarfile.open(whole) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
    for member in ("restore.sh", "sequences.sql.zst", "database.sql.zst", "pre-data.sql.zst", "post-data.sql.zst"):
        entry = manifest["members"][f"{database(manifest)['dir']}/{member}"]
        bad = os.path.join(root, "bad.pgs.tar")
        data = bytearray(open(whole, "rb").read())
        data[entry["offset"] + entry["size"] // 2] ^= 1
        open(bad, "wb").write(data)
        r = subprocess.run([BINARY, "restore", bad, "--to", at(17, NEW), "--to-password-file", PASSWORD_FILE, "--quiet"],
                           capture_output=True, text=True, check=False)
        assert r.returncode == 1 and member in r.stderr, (member, r)
        print(f"one bit of {member}: refused")
