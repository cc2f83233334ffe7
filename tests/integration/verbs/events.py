"""events.py: with --json, progress is one JSON object a line on stderr, and the result is stdout."""
import json
import os
import signal
import subprocess
import tempfile
import time

from verbs import BINARY, MARK, at, clean_up, from_, later, make, psql, run, to, until

FIELDS = {"event", "seconds", "stage", "unit", "done", "total", "rows", "rate", "seconds_left", "things_done",
          "things_total", "workers", "parts"}

BIG = """
create table big (id bigint primary key, a text, b text);
insert into big select n, md5(n::text), md5((n * 7)::text) from generate_series(1, 2100000) n;
create index on big (a);
create index on big (b, a);
analyze;
"""


def lines(err):
    """Every line of stderr is an event; seconds never go back; never more than five in one second."""
    events = [json.loads(line) for line in err.splitlines()]
    at_ = [e["seconds"] for e in events]
    assert at_ == sorted(at_), at_
    progress = [e for e in events if e["event"] == "progress"]
    for e in progress:
        assert set(e) == FIELDS, e
        assert all(set(p) == {"name", "fraction"} for p in e["parts"]), e
        assert all(p["fraction"] is None or 0 <= p["fraction"] <= 1 for p in e["parts"]), e
    for i, e in enumerate(progress):
        assert len([x for x in progress[i:] if x["seconds"] < e["seconds"] + 1]) <= 6, err
    return events, progress


def watched(*argv, code=0):
    begun = time.monotonic()
    out, err = run(*argv, "--json", code=code)
    seconds = time.monotonic() - begun
    events, progress = lines(err)
    assert progress or seconds < 0.5, err
    silences = [b["seconds"] - a["seconds"] for a, b in zip(progress, progress[1:])]
    if code == 0:
        assert events[-1]["event"] == "done", events[-1]
    # One a second; but a machine with ten programs a core lets nobody speak for a while.
    assert not silences or sorted(silences)[len(silences) * 9 // 10] < 2.0, silences
    assert len(out.splitlines()) == 1, out
    return json.loads(out), events, progress


def test_copy(db, target):
    result, _, progress = watched("copy", *from_(13, db), *to(17, target))
    assert result["database"] == target and result["rows"] == 2100000 and result["equal"] is True, result
    assert result["report"]["format"] == "pgsherpa/compare/1" or "equal" in result["report"], result
    stages = [e["stage"] for e in progress]
    assert "comparing" in stages and ("copying" in stages or "building indexes" in stages), stages
    parts = [p for e in progress for p in e["parts"]]
    assert any(p["name"] == "public.big" for p in parts), parts
    builds = [p for p in parts if p["name"].startswith("INDEX ") and p["fraction"]]
    assert builds, parts                        # pg_stat_progress_create_index was asked
    assert max(e["rows"] for e in progress) == 2100000, progress[-1]
    assert any(e["rate"] > 0 and e["seconds_left"] is not None for e in progress), progress
    # --quiet: no event, the result all the same.
    other = later(17, f"{target}_quiet")
    out, err = run("copy", *from_(13, db), *to(17, other), "--json", "--quiet", "--no-proof")
    result = json.loads(out)
    assert err == "" and result["equal"] is None and result["report"] is None, (err, result)


def test_bundle(db, root):
    result, _, progress = watched("backup", "create", *from_(13, db), "--root", root)
    assert result["rows"] == 2100000 and max(e["rows"] for e in progress) > 0, progress
    path = result["path"]
    result, _, progress = watched("backup", "verify", path)
    assert result["good"] is True
    again = later(17, f"{MARK}_again")
    result, _, progress = watched("restore", path, *to(17, again))
    assert result["rows"] == 2100000 and max(e["rows"] for e in progress) > 0, progress
    return path, again


def test_compare(db, copy):
    result, _, progress = watched("compare", *from_(13, db), *to(17, copy), "--deep")
    assert result["equal"] is True, result
    assert progress and {e["stage"] for e in progress} == {"comparing"}, progress
    psql(17, copy, "delete from big where id = 4711")
    result, _, _ = watched("compare", *from_(13, db), *to(17, copy), code=1)
    assert result["equal"] is False, result


def test_failures(db, path):
    """Stopped in the middle, and damaged: the last line says it, with the exit code."""
    target = later(17, f"{MARK}_stopped")
    p = subprocess.Popen([BINARY, "copy", *from_(13, db), *to(17, target), "--json"], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    until(lambda: psql(17, "postgres", "select count(*) from pg_database where datname ~ '^pgsherpa_cli{p.pid}_'".format(p=p)) != "0")
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 130, (p.returncode, out, err)
    events, _ = lines(err)
    assert events[-1]["event"] == "failed" and events[-1]["exit_code"] == 130, events[-1]
    assert json.loads(out)["database"] is None, out
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))
    result, _, _ = watched("backup", "verify", path, code=1)
    assert result["good"] is False and result["bad"], result
    p = subprocess.run([BINARY, "restore", path, *to(17, target), "--json"], text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    events, _ = lines(p.stderr)
    assert p.returncode == 1 and p.stdout == "", p
    assert events[-1]["event"] == "failed" and events[-1]["exit_code"] == 1, events[-1]


DUMP = "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (n integer);\n%s\n--\n-- PostgreSQL database dump complete\n--\n\n"


def test_dumps(root):
    """One piece of work from reading the file to the name: one last word, whichever it is."""
    path = os.path.join(root, "dump.sql")
    for sql, code, last in (("CREATE TABLE public.t (n integer);", 1, "failed"), ("\\copy t from x", 1, "failed"),
                            ("SELECT 1;", 0, "done")):
        with open(path, "w", encoding="ascii") as f:
            f.write(DUMP % sql)
        _, err = run("restore", path, *to(17, later(17, f"{MARK}_dump")), "--json", code=code)
        ends = [e["event"] for e in lines(err)[0] if e["event"] in ("done", "failed")]
        assert ends == [last], (sql, err)


def test_check(db):
    """A rehearsal: no row moves, and the answer is the result."""
    out, err = run("copy", "--from", at(13, db), *from_(13, db)[2:], *to(17, f"{MARK}_never"), "--check", "--json")
    lines(err)
    assert json.loads(out) == {"possible": True, "direction": [], "roles": None}, out


def main():
    with tempfile.TemporaryDirectory(prefix="pgsherpa-events-") as root:
        try:
            db = make(13, f"{MARK}_big")
            psql(13, db, BIG)
            test_copy(db, later(17, f"{MARK}_copied"))
            print("ok: copy", flush=True)
            path, copy = test_bundle(db, root)
            print("ok: backup create, verify, restore", flush=True)
            test_compare(db, copy)
            print("ok: compare", flush=True)
            test_check(db)
            print("ok: copy --check", flush=True)
            test_failures(db, path)
            test_dumps(root)
            print("ok: failures", flush=True)
        finally:
            clean_up()


if __name__ == "__main__":
    main()
