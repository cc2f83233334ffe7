"""wide.py: a row above 512 MB of bytea. The bundle carries it; pg_dump cannot, and that is said before."""
import json
import os
import tempfile

import moves

moves.need(15, 17)
DB = moves.make(15, f"{moves.MARK}_wide")
moves.psql(15, DB, 'create table "w; drop" (id int, b bytea); alter table "w; drop" alter b set storage external;'
                   'insert into "w; drop" select 1, convert_to(repeat(\'x\', 540000000), \'UTF8\')')
with tempfile.TemporaryDirectory(prefix="pgsherpa-wide-") as root:
    server = ["--from", moves.at(15, DB), "--from-password-file", moves.PASSWORD_FILE]
    out, err = moves.run("backup", "create", *server, "--root", root, "--dump", "--json")
    assert 'public.\\"w; drop\\" has a row whose text is above 1 GB' in err and "goes without" in err, err
    path = json.loads(out)["path"]
    moves.run("backup", "verify", path)
    into = f"{moves.MARK}_wide_again"
    moves.MADE.append((17, into))
    moves.run("restore", path, "--to", moves.at(17, into), "--to-password-file", moves.PASSWORD_FILE)
    look = 'select id, octet_length(b), md5(b) from "w; drop"'
    assert moves.psql(17, into, look) == moves.psql(15, DB, look)
    print(f"ok: {os.path.getsize(path)} bytes carry it")
