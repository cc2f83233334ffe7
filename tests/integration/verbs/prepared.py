"""prepared.py: an empty database that somebody prepared is loaded into as it is, and says so."""
import json
import os
import subprocess
import tempfile
import time

from verbs import (EVIL, HOST, MARK, PASSWORD_FILE, USER, alive, backup, clean_up, from_, later, make, port, psql, quoted,
                   run, to)

APP, OTHER, GUEST = f"{MARK}_app", f"{MARK}_other", f'{MARK} gu"est; drop'
LIMITED = f"connection limit 50"


def roles():
    for major in (13, 17):
        for role in (APP, OTHER, GUEST):
            psql(major, "postgres", f"create role {quoted(role)} login password 'x'")


def roles_gone():
    for major in (13, 17):
        for role in (APP, OTHER, GUEST):
            psql(major, "postgres", f"drop role if exists {quoted(role)}", check=False)


def source():
    db = make(13, f"{MARK}_source")
    psql(13, "postgres", f"alter database {db} owner to {OTHER}; alter database {db} connection limit 7; "
                         f"comment on database {db} is 'the source'; alter database {db} set work_mem = '5MB'; "
                         f"alter database {db} set statement_timeout = '9min'; grant create on database {db} to "
                         f"{quoted(GUEST)}")
    psql(13, db, f"create table t as select n, 'row ' || n as v from generate_series(1, 1000) n; "
                 f"alter table t add primary key (n), owner to {APP}; create schema s authorization {APP}")
    return db


def dumps(root, db):
    """The same as SQL without and with what is said of the database, and as an archive."""
    with open(PASSWORD_FILE, encoding="ascii") as f:
        env = dict(os.environ, PGPASSWORD=f.readline().strip())
    made = {}
    for name, options in (("plain.sql", []), ("create.sql", ["-C"]), ("clean.sql", ["-c"]), ("a.dump", ["-Fc"])):
        made[name] = os.path.join(root, name)
        subprocess.run([os.path.join(os.environ["PGSHERPA_PG_BIN_13"], "pg_dump"), "-h", HOST, "-p", port(13), "-U",
                        USER, *options, "-f", made[name], db], env=env, check=True)
    return made


def prepare(name, sql="", locale="C"):
    psql(17, "postgres", f"create database {quoted(name)} owner {APP} template template0 locale '{locale}'; "
                         f"alter database {quoted(name)} connection limit 50")
    later(17, name)
    if sql:
        psql(17, name, sql)
    return name


def what_it_is(name):
    escaped = name.replace("'", "''")
    return psql(17, "postgres", "select pg_get_userbyid(datdba), datcollate, datctype, datconnlimit, "
                                "pg_encoding_to_char(encoding) from pg_database where datname = "
                                f"'{escaped}'")


def usable_by_the_application(name):
    assert psql(17, name, f"set role {APP}; create table made_by_the_application (n int); "
                          "select count(*) from t") == "1000"


def ways(db, made, bundle):
    yield from (("restore", path) for path in (*made.values(), bundle))
    yield "copy", *from_(13, db)


def test_it_keeps_owner_locale_and_limit(db, made, bundle):
    for n, way in enumerate(ways(db, made, bundle)):
        new = prepare(f"{MARK}_kept_{n}")
        before = what_it_is(new)
        out, err = run(*way, *to(17, new))
        assert what_it_is(new) == before == f"{APP}|C|C|50|UTF8", (way, what_it_is(new), before)
        assert "prepared" in out, out
        usable_by_the_application(new)
        if way[-1].endswith("plain.sql"):
            continue                    # says nothing of its database: nothing to tell
        said = {"copy": f"owner {APP} (the source's: {OTHER})"}.get(way[0], "kept as it was prepared")
        assert said in err or way[-1].endswith((".sql", ".dump")), err


def test_everything_set_on_it_stays(db, bundle):
    """Grants, settings, comment, extensions, schema public, of whom the source says otherwise."""
    guest = quoted(GUEST)
    for n, way in enumerate((("copy", *from_(13, db)), ("restore", bundle))):
        new = prepare(f"{MARK}_set_{n}", f"""
            create extension pg_trgm; create schema s authorization {OTHER}; grant usage on schema s to {guest};
            create schema only_here; revoke all on schema public from public; grant usage on schema public to {guest};
            alter default privileges for role {OTHER} grant select on tables to {guest};
            comment on database "{MARK}_set_{n}" is 'made by hand';
            alter database "{MARK}_set_{n}" set work_mem = '77MB';
            alter role {guest} in database "{MARK}_set_{n}" set work_mem = '78MB';
            revoke connect on database "{MARK}_set_{n}" from public; grant connect on database "{MARK}_set_{n}" to {guest};
            """)
        look = """select extname from pg_extension order by 1;
            select nspname, pg_get_userbyid(nspowner), nspacl from pg_namespace where nspname in ('s', 'public', 'only_here');
            select defaclrole::regrole, defaclacl from pg_default_acl;
            select datacl, shobj_description(oid, 'pg_database') from pg_database where datname = current_database();
            select setrole::regrole, c from pg_db_role_setting, unnest(setconfig) c where setdatabase =
            (select oid from pg_database where datname = current_database()) and c like 'work_mem%' order by 1"""
        before = psql(17, new, look)
        out, err = run(*way, *to(17, new), "--json")
        assert psql(17, new, look) == before, (before, psql(17, new, look))
        # What the prepared one says nothing about comes from the source.
        assert psql(17, new, "show statement_timeout") == "9min"
        kept = {(k["what"], k["kept"], k["source"]) for k in json.loads(out)["prepared"]}
        assert {("owner", APP, OTHER), ("connection limit", "50", "7"), ("comment", "made by hand", "the source"),
                ("setting", "work_mem", None), ("extension", "pg_trgm", None)} <= kept, kept
        if way[0] == "copy":
            report = json.loads(out)["report"]
            assert report["equal"] and report["rules"]["prepared"]["n"] >= 5, report["rules"]
        assert "77MB" not in err + json.dumps(json.loads(out)["prepared"])       # people keep keys in settings


def test_another_encoding_and_hostile_names(db, made):
    psql(17, "postgres", f"create database {MARK}_latin owner {APP} template template0 encoding 'LATIN1' locale 'C'")
    later(17, f"{MARK}_latin")
    run("copy", *from_(13, db), *to(17, f"{MARK}_latin"))
    assert what_it_is(f"{MARK}_latin").endswith("|LATIN1")
    for name in (n for n in EVIL if len(n.encode()) < 63 and "\n" not in n and "," not in n and "=" not in n):
        new = prepare(f"{MARK} {name}"[:40])
        run("restore", made["plain.sql"], "--to", f"host={HOST},port={port(17)},user={USER},db={new}",
            "--to-password-file", PASSWORD_FILE)
        assert what_it_is(new) == f"{APP}|C|C|50|UTF8", new


def test_an_untouched_one_is_as_the_source(db, bundle):
    """An image's script made it: nobody meant anything by what it is."""
    new = make(17, f"{MARK}_untouched")
    out, err = run("restore", bundle, *to(17, new))
    assert "an empty database was in its place" in out and "prepared" not in out + err, out + err
    assert what_it_is(new).startswith(f"{OTHER}|") and "|7|" in what_it_is(new), what_it_is(new)


def test_the_servers_own_are_never_replaced(db, made, bundle):
    before = psql(17, "postgres", "select array_agg(oid order by oid) from pg_database where datname in ('postgres', "
                                  "'template0', 'template1')")
    for name in ("postgres", "template0", "template1"):
        for way in ways(db, made, bundle):
            _, err = run(*way, *to(17, name), code=3)
            assert "never replaced" in err and "db=NAME" in err, err
    assert before == psql(17, "postgres", "select array_agg(oid order by oid) from pg_database where datname in "
                                          "('postgres', 'template0', 'template1')")


def test_whoever_is_connected_is_not_in_the_way_of_the_words(made):
    """A template must have nobody connected: it says whom to stop, and leaves everything."""
    new = prepare(f"{MARK}_busy")
    with open(PASSWORD_FILE, encoding="ascii") as f:
        env = dict(os.environ, PGPASSWORD=f.readline().strip())
    with subprocess.Popen([os.path.join(os.environ["PGSHERPA_PG_BIN_17"], "psql"), "-XAtq", "-h", HOST, "-p", port(17),
                           "-U", USER, "-d", new], stdin=subprocess.PIPE, text=True, env=env) as guest:
        while psql(17, "postgres", f"select count(*) from pg_stat_activity where datname = '{new}'") == "0":
            time.sleep(0.1)
        _, err = run("restore", made["plain.sql"], *to(17, new), code=1)
        assert "connected to the empty database" in err and "nothing of it is left" not in err.split("\n")[0], err
        guest.communicate("")
    assert what_it_is(new) == f"{APP}|C|C|50|UTF8"


def main():
    with tempfile.TemporaryDirectory(prefix="pgsherpa-prepared-") as root:
        try:
            roles()
            db = source()
            made, bundle = dumps(root, db), backup(root, db)
            for name, test in (
                    ("it keeps owner, locale and limit", lambda: test_it_keeps_owner_locale_and_limit(db, made, bundle)),
                    ("everything set on it stays", lambda: test_everything_set_on_it_stays(db, bundle)),
                    ("another encoding and hostile names", lambda: test_another_encoding_and_hostile_names(db, made)),
                    ("an untouched one is as the source", lambda: test_an_untouched_one_is_as_the_source(db, bundle)),
                    ("the server's own are never replaced",
                     lambda: test_the_servers_own_are_never_replaced(db, made, bundle)),
                    ("whoever is connected is named",
                     lambda: test_whoever_is_connected_is_not_in_the_way_of_the_words(made))):
                begun = time.monotonic()
                test()
                print(f"ok: {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        finally:
            clean_up()
            roles_gone()


if __name__ == "__main__":
    main()
