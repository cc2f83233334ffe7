"""unequal.py: a copy that is not equal says why it may be so: by what the source's counters saw, not by a guess."""
import threading

import moves

MOVES = ((13, 17), (17, 18))


def test_somebody_writes(source, target):
    db = moves.make(source, f"{moves.MARK}_written_{source}")
    moves.psql(source, db, 'create table public."a; drop" (n int); create table public.big as select g, md5(g::text) from generate_series(1, 300000) g')
    over = threading.Event()

    def write():
        while not over.is_set():
            moves.psql(source, db, 'insert into public."a; drop" select generate_series(1, 10)')

    writer = threading.Thread(target=write)
    writer.start()
    try:
        _, err = moves.copy(source, db, target, f"{moves.MARK}_never", code=None)
    finally:
        over.set()
        writer.join()
    assert "not equal to its source" in err and 'somebody wrote to the source meanwhile (public.a; drop)' in err, err
    assert "stop the applications and copy again" in err, err


def test_nobody_writes(source, target):
    """What is computed otherwise, by a function that may not be run again here (computed.py): no application helps."""
    db, role = moves.make(source, f"{moves.MARK}_quiet_{source}"), f"{moves.MARK}_quiet"
    moves.psql(source, "postgres", f"create role {role}", check=False)
    moves.ROLES.append(role)
    moves.psql(source, db, f"""create schema q authorization {role}; set role {role};
        create function q.f(int) returns int language plpgsql immutable as $$ begin
          if current_setting('server_version_num')::int / 10000 = {target} then return $1 + 1; end if; return $1; end $$;
        create table q.t (n int, m int generated always as (q.f(n)) stored); insert into q.t values (1);""")
    out, err = moves.copy(source, db, target, f"{moves.MARK}_never", code=None)
    assert "DIFFERENT table q.t, generated columns" in out and "not equal to its source" in err, out + err
    assert "nothing was written to the source meanwhile" in err and "copy again" not in err, err


for pair in MOVES:
    moves.need(*pair)
    test_somebody_writes(*pair)
    test_nobody_writes(*pair)
    print(f"ok: {pair}", flush=True)
