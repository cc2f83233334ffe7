"""nineteen.py: what 19 brought to the catalogs, and what was never compared before: operator classes, publications,
subscriptions, who granted what. Each arrives as it was, or is refused by name; each change is found."""
import os
import sys
import tempfile

import moves

M = moves.MARK


def both(*majors):
    return all(str(m) in moves.HAVE for m in majors)


CLASSES = """select c.relname, array(select s.nspname || '.' || o.opcname from unnest(i.indclass) with ordinality u(oid, n) join
    pg_opclass o on o.oid = u.oid join pg_namespace s on s.oid = o.opcnamespace order by u.n) from pg_index i join pg_class c on
    c.oid = i.indexrelid where i.indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace) order by 1"""

NETWORK = """create extension btree_gist; create extension pg_trgm;
    create table t (ip inet, net cidr, n int, name text, doc jsonb, "odd, ) WITH" inet);
    insert into t select ('10.0.0.' || g)::inet, ('10.0.' || g || '.0/24')::cidr, g, 'n' || g, '{}', '::1' from generate_series(1, 9) g;
    create index by_default on t using gist (ip); create index by_core on t using gist (ip inet_ops);
    create index by_extension on t using gist (ip gist_inet_ops, n);
    create index two on t using gist (net, name gist_trgm_ops, n) where n > 3;
    create index called on t using gist ("odd, ) WITH", abs(n)) include (name) with (fillfactor = 80);
    create index docs on t using gin (doc); create index paths on t using gin (doc jsonb_path_ops);
    create index brin on t using brin (ip, n) with (pages_per_range = 16); create index sp on t using spgist (ip);
    alter table t add constraint apart exclude using gist (ip with =, n with =) where (n > 5);
    alter table t add constraint across exclude using gist (ip inet_ops with &&) deferrable;"""

BARE = "create table t (ip inet); insert into t values ('10.0.0.1'); create index core on t using gist (ip inet_ops)"


def like(major, name, db):
    """A database that is another one again."""
    moves.MADE.append((major, name))
    moves.psql(major, "postgres", f'create database "{name}" template "{db}"')
    return name


def classes(major, db):
    return moves.psql(major, db, CLASSES)


def restored(source, db, target, into):
    """Through a bundle."""
    with tempfile.TemporaryDirectory() as tmp:
        moves.run("backup", "create", "--from", moves.at(source, db), "--from-password-file", moves.PASSWORD_FILE, "--root", tmp,
                  "--quiet")
        path = os.path.join(tmp, next(f for f in os.listdir(tmp) if f.endswith(".pgs.tar")))
        moves.run("backup", "verify", path, "--quiet")
        moves.MADE.append((target, into))
        moves.run("restore", path, "--to", moves.at(target, into), "--to-password-file", moves.PASSWORD_FILE, "--quiet")


def test_an_index_has_the_operator_classes_it_had():
    more = ((15, 19), (19, 19), (13, 18)) if os.environ.get("PGSHERPA_SOAK") else ()
    for source, target in ((18, 19), (19, 18), (19, 13), (18, 17), *more):
        if not both(source, target):
            continue
        for name, sql in (("net", NETWORK), ("bare", BARE)):
            db, into = moves.make(source, f"{M}_{name}{source}{target}"), f"{M}_{name}{source}{target}_to"
            moves.psql(source, db, sql)
            before = classes(source, db)
            out, _ = moves.copy(source, db, target, into, "--check")
            moves.copy(source, db, target, into)
            assert classes(target, into) == before, f"{source} -> {target}\n{before}\n{classes(target, into)}"
            moves.equal(source, db, target, into, "--deep")
            said = "GiST by the default operators for inet or cidr (of 19)" in out
            straddles = min(source, target) < 19 <= max(source, target)
            assert said == (straddles and (name == "net" or source == 19)), f"{source} -> {target}: {out}"
            restored(source, db, target, f"{into}_back")
            assert classes(target, f"{into}_back") == before, f"{source} -> {target}, a bundle\n{classes(target, into + '_back')}"
            for d in (into, f"{into}_back"):
                moves.psql(target, "postgres", f'drop database "{d}"')
        print(f"operator classes: {source} -> {target}", flush=True)


def test_a_dump_of_another_default_names_what_it_meant():
    """Plain SQL and archives: the text is the same, and no server says that it is another index."""
    for source, target in ((18, 19), (19, 18), (17, 18)):
        if not both(source, target):
            continue
        db = moves.make(source, f"{M}_dump{source}{target}")
        moves.psql(source, db, NETWORK + "create domain address as inet; create table \"T; ;\" (\"A b\" address); "
                   "create index of_domain on \"T; ;\" using gist (\"A b\"); create index expr on t using gist ((ip << '10.0.0.0/8'), n, "
                   "(ip + n));")
        before = classes(source, db)
        assert "of_domain" in before
        with tempfile.TemporaryDirectory() as tmp:
            for form in ("p", "c"):
                path, into = os.path.join(tmp, f"one.{form}"), f"{M}_dump{source}{target}{form}"
                moves.client("pg_dump", f"-F{form}", "-f", path, "-d", f"host={moves.HOST} port={moves.port(source)} user={moves.USER} "
                             f"dbname={db}", major=source)
                moves.MADE.append((target, into))
                _, err = moves.run("restore", path, "--to", moves.at(target, into), "--to-password-file", moves.PASSWORD_FILE)
                got = classes(target, into)
                straddles = min(source, target) < 19 <= max(source, target)
                assert [x for x in got.split("\n") if "expr" not in x] == [x for x in before.split("\n") if "expr" not in x], \
                    f"{source} -> {target} -F{form}\n{before}\n{got}"
                assert ("look at the operator class of an expression" in err) == straddles, err
                moves.psql(target, "postgres", f'drop database "{into}"')


def test_the_same_text_of_another_operator_class_is_a_difference():
    if not both(18, 19):
        return
    sql = "create extension btree_gist; create table t (ip inet); create index i on t using gist (ip)"
    db, into = moves.make(18, f"{M}_text18"), moves.make(19, f"{M}_text19")
    moves.psql(18, db, sql)
    moves.psql(19, into, sql)
    for a, b in ((18, 19), (19, 18)):
        out, _ = moves.run("compare", *moves.ends(a, db if a == 18 else into, b, into if b == 19 else db), "--quiet", code=1)
        assert "opclasses" in out and "gist_inet_ops" in out and "inet_ops" in out, out


def test_a_key_that_can_only_have_the_default_is_refused():
    """PRIMARY KEY (.., .. WITHOUT OVERLAPS) takes no operator class."""
    if not both(18, 19):
        return
    for source, target in ((18, 19), (19, 18)):
        db = moves.make(source, f"{M}_key{source}")
        moves.psql(source, db, "create extension btree_gist; create table t (ip inet, at tstzrange, primary key (ip, at without overlaps))",
                   check=source == 18)
        if moves.psql(source, db, "select count(*) from pg_class where relname = 't'") == "0":
            continue
        _, err = moves.copy(source, db, target, f"{M}_never", "--check", code=3)
        assert "cannot go: index public.t_pkey: GiST by the default operators for inet or cidr (of 19): drop the key first" in err, err


def test_publications_of_19_arrive_whole():
    if not both(19):
        return
    db, into = moves.make(19, f"{M}_pub"), f"{M}_pub_to"
    moves.psql(19, db, """create table a (i int primary key); create table "b ;--" (i int primary key); create table c (i int primary key);
        create sequence s; create publication sequences for all sequences;
        create publication "but; two" for all tables except (table a, "b ;--");
        create publication everything for all tables;""")
    moves.copy(19, db, 19, into)
    assert moves.psql(19, into, "select pubname, puballsequences from pg_publication order by 1") == "but; two|f\neverything|f\nsequences|t"
    changes = ("drop publication sequences; create publication sequences for all tables",
               'drop publication "but; two"; create publication "but; two" for all tables except (table a)',
               'drop publication "but; two"; create publication "but; two" for all tables',
               "drop publication everything; create publication everything for all tables except (table c)")
    for change in changes:
        other = like(19, f"{M}_pub_other", into)
        moves.psql(19, other, change)
        out, _ = moves.run("compare", *moves.ends(19, db, 19, other), "--quiet", code=1)
        assert "publication" in out, out
        moves.psql(19, "postgres", f'drop database "{other}"')
    if both(18):
        _, err = moves.copy(19, db, 18, f"{M}_never", "--check", code=3)
        for name in ("sequences", "but; two"):
            assert f"cannot go: publication {name}: publication of all sequences, or of all tables but some (of 19)" in err, err
        assert "everything" not in err, err


def subscribed(major, db, name, options, connection="connection 'host=127.0.0.1 port=1 dbname=x'"):
    moves.psql(major, db, f'create subscription "{name}" {connection} publication p with (connect = false, slot_name = '
               f"'{M}_slot', {options})")


def unsubscribe(major, *databases):
    for db in databases:
        for name in moves.psql(major, db, "select subname from pg_subscription where subdbid = (select oid from pg_database where "
                               "datname = current_database())", check=False).split("\n"):
            if name:
                moves.psql(major, db, f'alter subscription "{name}" disable; alter subscription "{name}" set (slot_name = none); '
                           f'drop subscription "{name}"', check=False)


def test_what_a_subscription_is_told_is_compared():
    """Every option of every major: with it here and without it there is a difference."""
    options = {15: ("binary = true", "streaming = true", "disable_on_error = true", "synchronous_commit = 'local'", "two_phase = true"),
               17: ("streaming = parallel", "origin = none", "password_required = false", "run_as_owner = true", "failover = true"),
               19: ("retain_dead_tuples = true", "max_retention_duration = 7", "wal_receiver_timeout = '7s'")}
    for major, list_of in options.items():
        if not both(major):
            continue
        db, into = moves.make(major, f"{M}_sub{major}"), moves.make(major, f"{M}_sub{major}_to")
        for option in list_of:
            always = "streaming = false, retain_dead_tuples = true, " if option.startswith("max_") else "streaming = false, "
            if option.startswith("streaming"):
                always = ""
            rest = always.replace("streaming = false, ", "streaming = false").replace("true, ", "true") if always else "streaming = false"
            if "retain" in rest:
                rest = "streaming = false, retain_dead_tuples = true"
            subscribed(major, db, f"{M} s", always + option)
            subscribed(major, into, f"{M} s", rest)
            try:
                out, _ = moves.run("compare", *moves.ends(major, db, major, into), "--quiet", code=1)
                assert option.split(" ")[0] in out, f"{option}: {out}"
                back = f"{into}_back"
                moves.copy(major, db, major, back)      # which proves that it is equal
                unsubscribe(major, back)
                moves.psql(major, "postgres", f'drop database "{back}"')
            finally:
                unsubscribe(major, db, into)
        print(f"subscriptions of {major}", flush=True)


def test_a_subscription_goes_down_without_what_is_not_there():
    for source, target, option, words in ((18, 15, "streaming = parallel", ""), (19, 17, "retain_dead_tuples = true, "
                                          "max_retention_duration = 7, wal_receiver_timeout = '7s'", "retains dead tuples")):
        if not both(source, target):
            continue
        db, into = moves.make(source, f"{M}_down{source}"), f"{M}_down{source}_to"
        subscribed(source, db, f"{M} d", option)
        try:
            out, _ = moves.copy(source, db, target, into, "--check")
            assert words in out, out
            moves.copy(source, db, target, into)
            moves.equal(source, db, target, into)
        finally:
            unsubscribe(source, db)
            unsubscribe(target, into)


def test_a_wrapper_with_a_connection_function_and_who_uses_it():
    """postgres_fdw of 19 has one; what belongs to an extension is its own."""
    if not both(18, 19):
        return
    db, into = moves.make(19, f"{M}_fdw"), f"{M}_fdw_to"
    moves.psql(19, db, f"""create extension postgres_fdw; create foreign data wrapper w handler postgres_fdw_handler validator
        postgres_fdw_validator connection postgres_fdw_connection;
        create server far foreign data wrapper postgres_fdw options (host '127.0.0.1', port '1', dbname 'x');
        create user mapping for current_user server far options (user 'u', password 'p');""")
    moves.copy(19, db, 19, into)
    moves.psql(19, db, "drop foreign data wrapper w; create foreign data wrapper w handler postgres_fdw_handler validator "
               "postgres_fdw_validator")
    out, _ = moves.run("compare", *moves.ends(19, db, 19, into), "--quiet", code=1)
    assert "connection" in out, out
    moves.psql(19, db, "alter foreign data wrapper w connection postgres_fdw_connection")
    try:
        subscribed(19, db, f"{M} far", "streaming = off", "server far")
        _, err = moves.copy(19, db, 18, f"{M}_never", "--check", code=3)
        assert "cannot go: foreign-data wrapper w: foreign data wrapper with a CONNECTION function (of 19)" in err, err
        assert f'cannot go: subscription "{M} far": subscription that connects by a SERVER (of 19)' in err, err
    finally:
        unsubscribe(19, db)


def roles(*names):
    made = [f'{M} "{n}/=' for n in names]
    moves.ROLES.extend(r.replace('"', '""') for r in made)
    return ['"' + r.replace('"', '""') + '"' for r in made]


def granted(major, db):
    return moves.psql(major, db, "select c.relname, g.grantor::regrole::text, g.grantee::regrole::text, g.privilege_type, g.is_grantable from "
                      "pg_class c, aclexplode(c.relacl) g where c.relname = 't' and g.grantee <> c.relowner union all select 'database', g.grantor::regrole::text, "
                      "g.grantee::regrole::text, g.privilege_type, g.is_grantable from pg_database d, aclexplode(d.datacl) g where "
                      "d.datname = current_database() and g.grantee <> 0 order by 1, 2, 3, 4")


def test_who_granted_it_is_the_same():
    for source, target in ((13, 17), (17, 18), (18, 15), (19, 19), (19, 14)):
        if not both(source, target):
            continue
        db, into = moves.make(source, f"{M}_by{source}{target}"), f"{M}_by{source}{target}_to"
        own, first, second = roles(f"own{source}{target}", f"first{source}{target}", f"second{source}{target}")
        moves.psql(source, db, f"""create role {own}; create role {first}; create role {second};
            create table t (a int); alter table t owner to {own}; grant usage, create on schema public to public;
            grant select, update on t to {first} with grant option; set role {first}; grant select on t to {second}; reset role;
            alter database "{db}" owner to {own}; grant create on database "{db}" to {first} with grant option; set role {first};
            grant create on database "{db}" to {second}; reset role""")
        before = granted(source, db)
        assert before.count("second") == 2, before
        moves.copy(source, db, target, into)
        assert granted(target, into) == before, f"{source} -> {target}\n{before}\n{granted(target, into)}"
        moves.equal(source, db, target, into)
        # The same grant, by the owner: the one who passed it on could not take it back.
        moves.psql(target, into, f"set role {first}; revoke select on t from {second}; reset role; grant select on t to {second}")
        out, _ = moves.run("compare", *moves.ends(source, db, target, into), "--quiet", code=1)
        assert "acl" in out and "/" in out, out
        moves.psql(target, "postgres", f'drop database "{into}"; drop role {own}, {first}, {second}' if source != target else
                   f'drop database "{into}"')
        print(f"grantors: {source} -> {target}", flush=True)


MEMBERS = """select r.rolname, m.member::regrole::text, case m.grantor when 10 then 'first' else m.grantor::regrole::text end, admin_option,
    inherit_option, set_option from pg_auth_members m join pg_roles r on r.oid = m.roleid where starts_with(r.rolname, :'mark')
    order by 1, 2, 3"""


def test_who_granted_a_membership_is_the_same():
    for source, target in ((17, 18), (18, 17), (16, 19)):
        if not both(source, target):
            continue
        db, into = moves.make(source, f"{M}_member{source}{target}"), f"{M}_member{source}{target}_to"
        group, boss, second, last = roles(*(f"{n}{source}" for n in ("group", "boss", "second", "last")))
        moves.psql(source, db, f"""create role {group}; create role {boss}; create role {second}; create role {last};
            grant {group} to {boss} with admin true, inherit false, set true;
            grant {group} to {second} with admin true granted by {boss};
            grant {group} to {last} with inherit true granted by {second};
            grant {group} to {last} with inherit false, set false;
            create table t (a int); alter table t owner to {last}; create table u (a int); alter table u owner to {boss};
            create table v (a int); alter table v owner to {second}""")
        before = moves.psql(source, db, MEMBERS, f"mark={M}")
        assert before.count("\n") == 3, before
        moves.copy(source, db, target, into)
        assert moves.psql(target, into, MEMBERS, f"mark={M}") == before, moves.psql(target, into, MEMBERS, f"mark={M}")
        for major, name in ((target, into), (source, db)):
            moves.psql(major, "postgres", f'drop database "{name}"')
            moves.psql(major, "postgres", f"drop role {last}; revoke {group} from {second} granted by {boss}; drop role {second}; "
                       f"drop role {boss}; drop role {group}")
        print(f"members: {source} -> {target}", flush=True)


def test_a_partition_that_is_half_detached_is_refused():
    """pg_dump would attach it again: its rows would be back among the others'."""
    for source in (14, 15, 19):
        if not both(source):
            continue
        db = moves.make(source, f"{M}_half{source}")
        moves.psql(source, db, "create table p (a int) partition by list (a); create table one partition of p for values in (1); "
                   "insert into p values (1); set allow_system_table_mods = on; update pg_inherits set inhdetachpending = true")
        _, err = moves.copy(source, db, 17, f"{M}_never", "--check", code=3)
        assert "cannot go: table" in err and "partition that is half detached" in err and "FINALIZE" in err, err


def test_what_was_never_compared_is_found():
    """Functions' support and transforms, ranges' classes, types of C, collations of domains, results of operators."""
    db, other = moves.make(17, f"{M}_was"), f"{M}_was_other"
    base = """create function f(int) returns int language sql as 'select $1';
        create function near(text, text) returns float8 language sql immutable as 'select 1.0::float8';
        create type r as range (subtype = text, subtype_opclass = text_ops, collation = "C");
        create domain d as text collate "C";
        create type own; create function own_in(cstring) returns own language internal immutable strict as 'int4in';
        create function own_out(own) returns cstring language internal immutable strict as 'int4out';
        create type own (input = own_in, output = own_out, like = int4, category = 'U');
        create transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));"""
    moves.psql(17, db, base)
    changes = {"support": "alter function f(int) support generate_series_int4_support",
               "transforms": "create or replace function f(int) returns int transform for type int language sql as 'select $1'",
               "range": 'drop type r; create type r as range (subtype = text, subtype_opclass = text_pattern_ops, collation = "C")',
               "multirange": 'drop type r; create type r as range (subtype = text, collation = "C", multirange_type_name = many)',
               "domain_collation": 'drop domain d; create domain d as text collate "POSIX"',
               "delimiter": "drop type own cascade; create type own; create function own_in(cstring) returns own language "
                            "internal immutable strict as 'int4in'; create function own_out(own) returns cstring language "
                            "internal immutable strict as 'int4out'; create type own (input = own_in, output = own_out, "
                            "like = int4, category = 'U', delimiter = ';')"}
    for what, change in changes.items():
        like(17, other, db)
        moves.psql(17, other, change)
        out, _ = moves.run("compare", *moves.ends(17, db, 17, other), "--quiet", code=1)
        assert what in out, f"{what}: {out}"
        moves.psql(17, "postgres", f'drop database "{other}"')
    for target in (18, 15, 13):
        moves.copy(17, db, target, f"{M}_was_{target}", "--no-proof")
        moves.equal(17, db, target, f"{M}_was_{target}")


def test_a_name_that_became_a_word_is_named():
    db = moves.make(15, f"{M}_word")
    moves.psql(15, db, "create table t (a int, system_user text)")
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "one.sql")
        moves.client("pg_dump", "-f", path, "-d", f"host={moves.HOST} port={moves.port(15)} user={moves.USER} dbname={db}", major=15)
        _, err = moves.run("restore", path, "--to", moves.at(17, f"{M}_never"), "--to-password-file", moves.PASSWORD_FILE, code=1)
        assert "hint: system_user is a word of SQL since PostgreSQL 16" in err, err


if __name__ == "__main__":
    moves.need(13, 15, 17, 18)
    wanted = sys.argv[1:]
    for name, test in list(globals().items()):
        if name.startswith("test_") and (not wanted or name in wanted):
            test()
            print(f"ok {name}", flush=True)
