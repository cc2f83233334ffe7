"""lsn.py: values that majors print in two ways (pg_lsn has eight digits since 19): equal is equal, in every way rows are read."""
import glob
import json
import os
import tempfile

import moves

MOVES = ((18, 19), (19, 18), (13, 19), (19, 15))
HOSTILE = '"; drop $(rm)'.replace('"', '""')


def made(source):
    db = moves.make(source, f"{moves.MARK}_lsn_{source}_{len(moves.MADE)}")
    moves.psql(source, db, f"""
        create type public.at as (l pg_lsn, t text); create type public.span as range (subtype = pg_lsn); create domain public.pos as pg_lsn;
        create table public."{HOSTILE}" (id int primary key, "{HOSTILE}" pg_lsn, b pg_lsn[], c public.at, d public.span, e public.pos, x xml,
            f "char", g "char"[]);
        insert into public."{HOSTILE}" values (1, '0/16B3748', '{{0/0,NULL,FFFFFFFF/FFFFFFFF,0/1}}', row('0/10', 'a'), '[0/1,A/BC)', 'ABC/DEF', '<a/>', 'x', '{{y,z}}'),
            (2, null, '{{}}', null, 'empty', '0/0', null, null, null), (3, '12345678/01', '[0:1]={{1/0,0/01234567}}', row(null, null), '(,)', null, '<b/>', '', '{{NULL}}');""")
    return db


def test_live(source, target):
    db, into = made(source), f"{moves.MARK}_lsn_{source}_to_{target}"
    for more in ((), ("--portable",)):
        moves.copy(source, db, target, into, *more)
        moves.equal(source, db, target, into, "--deep")
        moves.psql(target, into, f"update public.\"{HOSTILE}\" set b = '{{0/0,NULL,FFFFFFFF/FFFFFFFF,1/0}}' where id = 1")
        for deep in ((), ("--deep",)):
            out, _ = moves.run("compare", *moves.ends(source, db, target, into), "--quiet", *deep, code=1)
            assert "content" in out, out
        moves.psql(target, "postgres", f"drop database \"{into}\"")


def test_bundles(source, target):
    db = made(source)
    for more in ((), ("--portable",)):
        into = moves.make(target, f"{moves.MARK}_lsn_{source}_{target}_{len(more)}")
        with tempfile.TemporaryDirectory() as root:
            moves.run("backup", "create", "--from", moves.at(source, db), "--from-password-file", moves.PASSWORD_FILE, "--root", root,
                      "--no-globals", "--quiet", *more)
            (bundle,) = [p for p in glob.glob(os.path.join(root, "*")) if "verify" not in p]
            moves.psql(target, "postgres", f'drop database "{into}"')
            moves.run("restore", bundle, "--to", moves.at(target, into), "--to-password-file", moves.PASSWORD_FILE, "--quiet")
            compare = ("compare", "--from", bundle, "--to", moves.at(target, into), "--to-password-file", moves.PASSWORD_FILE, "--quiet", "--format", "json")
            out, _ = moves.run(*compare)
            assert json.loads(out)["equal"], out
            moves.psql(target, into, f"update public.\"{HOSTILE}\" set \"{HOSTILE}\" = '0/16B3749' where id = 1")
            out, _ = moves.run(*compare, code=1)
            assert json.loads(out)["differences"][0]["what"] == "content", out


for pair in MOVES:
    moves.need(*pair)
    test_live(*pair)
    test_bundles(*pair)
    print(f"ok: {pair}", flush=True)
