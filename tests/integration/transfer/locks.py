"""locks.py: a comparison of more tables than its server has room for locks: what was read is let go."""
import os
import subprocess
import tempfile

import moves

CLUSTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../lab/cluster.sh")
moves.need(17)
with tempfile.TemporaryDirectory() as where:
    os.chmod(where, 0o755)
    data = os.path.join(where, "few")
    argv = [CLUSTER, "start", "17", data, "auto", "--set", "max_locks_per_transaction=10", "--set", "max_connections=20"]
    os.environ["PGSHERPA_LAB_170_PORT"] = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    try:
        moves.psql(170, "postgres", "create database a")
        for part in range(20):      # each its own transaction: they are locked, too
            moves.psql(170, "a", f"""do $$ begin for i in {part * 30}..{part * 30 + 29} loop
                execute format('create table t%s (a int primary key, b int unique, c int)', i);
                execute format('insert into t%s values (%s, 2, 3)', i, i); end loop; end $$""")
        moves.psql(170, "postgres", "create database b template a")
        out, _ = moves.run("compare", *moves.ends(170, "a", 170, "b"), "--quiet")
        assert "equal: 600 tables, 600 rows" in out, out
    finally:
        subprocess.run([CLUSTER, "destroy", data], check=False)
