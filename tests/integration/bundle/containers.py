"""containers.py: what a file is, its first bytes say: a bundle in another container is never called damaged or cut short, and how to get it out is said.

Every verb that opens a bundle is asked. A bundle that really is cut, or is none, must be told apart from these."""
import bz2
import gzip
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile

from kit import PASSWORD_FILE, at, backup, run, source

NEVER = ("damaged", "cut short", "does not end")


def packed(path, d):
    """(file, words, may `restore` take it as a dump of some kind)"""
    with open(path, "rb") as f:
        data = f.read()

    def write(name, content):
        with open(os.path.join(d, name), "wb") as f:
            f.write(content)
        return os.path.join(d, name)

    yield write("it's \"; drop\n.gz", gzip.compress(data)), "packed with gzip", "gunzip"
    yield write("x.bz2", bz2.compress(data)), "packed with bzip2", "bunzip2"
    yield write("x.xz", lzma.compress(data)), "packed with xz", "unxz"
    zst = os.path.join(d, "x.zst")
    subprocess.run(["zstd", "-q", path, "-o", zst], check=True)
    yield zst, "packed with zstd", "zstd -d"
    with zipfile.ZipFile(os.path.join(d, "x.zip"), "w") as z:
        z.write(path, "shop.pgbundle")
    yield os.path.join(d, "x.zip"), "packed with zip", "unzip"
    for name, mode in (("many.tar", "w"), ("many.tgz", "w:gz")):
        with tarfile.open(os.path.join(d, name), mode) as t:
            t.add(path, os.path.basename(path))
            t.add(path, "again.pgbundle")
    yield os.path.join(d, "many.tar"), "with bundles in it", "tar -xf"
    yield os.path.join(d, "many.tgz"), "packed with gzip", "gunzip"
    yield write("empty.pgbundle", b""), "is empty", None
    yield d, "is a directory", None


def verbs(file):
    to = ["--to", at(17, "never"), "--to-password-file", PASSWORD_FILE]
    yield ["backup", "verify", file]
    yield ["backup", "show", file]
    yield ["backup", "extract", file, "--schema-sql"]
    yield ["backup", "lock", file]
    yield ["restore", file, *to, "--table", "app.orders"]
    yield ["restore", file, *to]
    yield ["compare", "--from", file, *to]


def main():
    with source(17) as root:
        path = backup(root)
        d = os.path.join(root, "others")
        os.mkdir(d)
        n = 0
        for file, words, way in packed(path, d):
            for verb in verbs(file):
                out, err = run(*verb, code=(1, 2, 3, 4))
                said = out + err
                short = (verb[0], verb[1] if verb[0] == "backup" else "", os.path.basename(file))
                assert words in said, f"{short}: not `{words}`:\n{said}"
                assert way is None or way in said, f"{short}: not how to unpack it:\n{said}"
                assert not any(w in said for w in NEVER), f"{short}: {said}"
                n += 1
        cut = os.path.join(d, "cut.pgbundle")
        shutil.copy(path, cut)
        os.truncate(cut, os.path.getsize(cut) - 2000)
        for verb in verbs(cut):
            out, err = run(*verb, code=(1, 3, 4))
            assert any(w in out + err for w in NEVER), out + err
        print(f"{n} wrong containers named")


if __name__ == "__main__":
    main()
