"""cut.py FROM-TO ENCODING: tables so big that several workers copy each, end to end.

Before 14 they are cut by ranges of a key, later by ranges of blocks. `rows` has keys below zero, a
gap, NULLs as keys and rows behind what was analysed; `docs` lies nearly all in TOAST. That they
were cut is read from what the source's sessions run meanwhile. The copy, made with a bundle in
the same pass, and what the bundle is restored to by several workers equal the source in the deep
proof; one changed row is found by the quick one."""
import glob
import os
import subprocess
import sys
import tempfile

import moves

# Bytes that are no UTF8, where the encoding lets them in.
TEXT = {"UTF8": "'äö😀 ' || g", "LATIN1": "'äö ' || g",
        "SQL_ASCII": "convert_from('\\xe4fffe80'::bytea, 'SQL_ASCII') || g"}
ROWS = """
create table rows (id int unique, t text); alter table rows alter t set storage plain;
insert into rows select case when g < 20000 then g - 10000 else g + 5000000 end, {text} || repeat('.', 1100)
  from generate_series(1, 120000) g;
analyze rows;
insert into rows select case when g < 9 then null else g + 9000000 end, {text} from generate_series(1, 99) g;
"""
DOCS = """
create table docs (id bigint primary key, body text, raw bytea); alter table docs alter body set storage external,
  alter raw set storage external;
insert into docs select g, {text} || repeat(md5(g::text), 6000), decode(repeat(md5((-g)::text), 3000), 'hex')
  from generate_series(1, 600) g; analyze docs;
"""
SEEN = """select distinct query from pg_stat_activity where datname = '{db}' and query ~ '^COPY \\(SELECT';
\\watch 0.02
"""


class Watch:
    """What the sessions of the source's database run, asked fifty times a second."""

    def __init__(self, major, db):
        argv = [os.path.join(os.environ["PGSHERPA_PG_BIN_18"], "psql"), "-XAtq", "-d",
                f"dbname='postgres' host={moves.HOST} port={moves.port(major)} user={moves.USER}"]
        self.script, self.out = SEEN.format(db=db), tempfile.TemporaryFile("w+", encoding="utf-8")
        self.psql = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=self.out, text=True,
                                     env=moves.environment())

    def __enter__(self):
        self.psql.stdin.write(self.script)
        self.psql.stdin.close()
        return self

    def __exit__(self, *exc):
        self.psql.kill()
        self.psql.wait()
        return False

    def parts_of(self, table, by):
        self.out.seek(0)
        lines = {s for s in self.out if f'"{table}"' in s}
        assert all(f"WHERE {by}" in s for s in lines), lines
        return len(lines)


def refuses_one_changed_row(source, db, target, into, table):
    moves.psql(target, into, f"update {table} set id = id + 77000000 where id = (select max(id) from {table})")
    out, _ = moves.run("compare", *moves.ends(source, db, target, into), "--quiet", code=1)
    assert table in out, out


def main():
    source, target = (int(m) for m in sys.argv[1].split("-"))
    encoding = sys.argv[2]
    moves.need(source, target)
    db = moves.make(source, f"{moves.MARK}_cut",
                    f"encoding '{encoding}'" + (" lc_collate 'C' lc_ctype 'C'" if encoding != "UTF8" else ""))
    tables = ["rows"] + (["docs"] if encoding == "UTF8" else [])
    for text in (ROWS, DOCS)[:len(tables)]:
        moves.psql(source, db, text.format(text=TEXT[encoding]))
    into, restored = f"{moves.MARK}_cut_to", f"{moves.MARK}_cut_back"
    with tempfile.TemporaryDirectory(prefix="pgsherpa-test-") as keep:
        with Watch(source, db) as w:
            out, _ = moves.copy(source, db, target, into, "--jobs", "4", "--backup", keep)
        for t in tables:
            n = w.parts_of(t, '"id"' if source < 14 else "ctid")
            assert n >= 2, f"{t} went in {n} parts"
            print(f"{t}: {n} parts were seen", flush=True)
        print(out.splitlines()[-1], flush=True)
        moves.equal(source, db, target, into, "--deep")
        moves.MADE.append((target, restored))
        moves.run("restore", glob.glob(os.path.join(keep, "*.pgs.tar"))[0], "--to", moves.at(target, restored),
                  "--to-password-file", moves.PASSWORD_FILE, "--jobs", "4", "--quiet")
        moves.equal(source, db, target, restored, "--deep")
    refuses_one_changed_row(source, db, target, into, tables[-1])


main()
