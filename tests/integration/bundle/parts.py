"""parts.py: one table, one schema, whole bundles: what belongs comes, what is missing is named."""
import os

from kit import PASSWORD_FILE, SOURCE, at, backup, compare, left_behind, psql, restore, run, source

NEW, LIVE = f"{SOURCE} new", f"{SOURCE} live"
TABLES = "select string_agg(oid::regclass::text, ' ' order by oid::regclass::text collate \"C\") from " \
         "pg_class where relkind in ('r', 'p') and relnamespace not in (select oid from pg_namespace " \
         "where nspname ~ '^pg_' or nspname = 'information_schema')"


def same_rows(major, table, to):
    sql = f"select count(*), sum(hashtext(t::text)) from {table} t"
    assert psql(major, SOURCE, sql) == psql(17, to, sql), table


def drop(*names):
    for name in names:
        psql(17, "postgres", f'drop database if exists "{name}" with (force)')


def new_database(path, major):
    out, err = restore(path, 17, NEW, "--table", "app.orders")
    assert "1 table, 20,000 rows" in out, out
    assert "orders_person_fkey" in err and "left out" in err, err
    assert psql(17, NEW, TABLES) == "app.orders"
    same_rows(major, "app.orders", NEW)
    assert psql(17, NEW, "select count(*) from pg_indexes where tablename = 'orders'") == "3"
    assert psql(17, NEW, "select obj_description('app.orders'::regclass)") == "it's an order"
    assert psql(17, NEW, "insert into app.orders default values returning id, code") == "20001|x; -- $a$"
    drop(NEW)
    restore(path, 17, NEW, "--table", '"a.b"."c ""d"')
    same_rows(major, '"a.b"."c ""d"', NEW)
    drop(NEW)
    restore(path, 17, NEW, "--table", "app.log")
    assert psql(17, NEW, TABLES) == "app.log app.log_1 app.log_2"
    assert psql(17, NEW, "select count(*) from pg_inherits") == "4", "tables and indexes"
    drop(NEW)
    restore(path, 17, NEW, "--table", "app.log_2")
    assert psql(17, NEW, TABLES) == "app.log_2"
    same_rows(major, "app.log_2", NEW)
    drop(NEW)


def live_database(path, major):
    psql(17, "postgres", f'create database "{LIVE}"')
    psql(17, LIVE, "create schema app; create table app.mine as select 1 as a")
    restore(path, 17, LIVE, "--table", "app.orders")
    _, err = restore(path, 17, LIVE, "--table", "app.orders", code=3)
    assert "app.orders is there already" in err, err
    # In one transaction: with one that is there, the other does not come either.
    restore(path, 17, LIVE, "--table", "app.people", "--table", "app.orders", code=3)
    assert psql(17, LIVE, TABLES) == "app.mine app.orders"
    _, err = restore(path, 17, LIVE, "--table", "app.people")
    assert "SCHEMA app is there already: used as it is" in err, err
    same_rows(major, "app.people", LIVE)
    assert psql(17, LIVE, "select nextval('app.people_id_seq')") == "501"
    psql(17, LIVE, "create table app.log_1 (x int)")
    restore(path, 17, LIVE, "--table", "app.log", code=3)
    assert psql(17, LIVE, TABLES) == "app.log_1 app.mine app.orders app.people", "half of it stayed"
    drop(LIVE)


def names_left_behind(path):
    """A renamed table keeps its indexes' and statistics' names: nothing of the new one is left out for that."""
    psql(17, "postgres", f'create database "{LIVE}"')
    restore(path, 17, LIVE, "--table", "app.orders")
    psql(17, LIVE, "alter table app.orders rename to orders_old")
    _, err = restore(path, 17, LIVE, "--table", "app.orders", code=3)
    assert "is there already" in err and psql(17, LIVE, TABLES) == "app.orders_old", err
    hint = err[err.index("out of the way:") + len("out of the way:"):]
    for what in ("INDEX app.orders_pkey", "INDEX app.by_code", "SEQUENCE app.orders_id_seq", "STATISTICS app.together"):
        assert f"ALTER {what} RENAME TO " in hint, err
    psql(17, LIVE, hint)
    restore(path, 17, LIVE, "--table", "app.orders")
    for sql in ("select string_agg(indexdef, ' ' order by indexname) from pg_indexes where tablename = 'orders'",
                "select count(*) from pg_statistic_ext where stxrelid = 'app.orders'::regclass"):
        assert psql(17, LIVE, sql) == psql(17, NEW, sql), sql
    drop(LIVE)


def refused(path):
    _, err = restore(path, 17, NEW, "--table", "app.shown", code=1)
    assert "VIEW app.shown needs TABLE app.orders" in err, err
    _, err = restore(path, 17, NEW, "--schema", "audit", code=1)
    assert "audit.child needs TABLE app.people" in err, err
    for words in ("nobody", "app.nobody", "app.", '"app', "a.b.c", ""):
        restore(path, 17, NEW, "--table", words, code=(1, 2))
    restore(path, 17, NEW, "--schema", "nobody", code=(1, 2))
    left = left_behind(17)
    assert not left, left


def of_a_part(root, major):
    """A bundle that was made of chosen tables: it restores, verifies and says what it is."""
    path = backup(root, "--table", "app.orders", "--table", '"a.b"."c ""d"', major=major, name="part")
    out, _ = run("backup", "verify", path)
    assert "every byte is as it was written" in out, out
    out, _ = run("backup", "show", path)
    assert "only table app.orders" in out and "orders_person_fkey" in out and "left out" in out, out
    out, _ = restore(path, 17, NEW)
    assert "2 tables," in out, out
    assert psql(17, NEW, TABLES) == '"a.b"."c ""d" app.orders', psql(17, NEW, TABLES)
    same_rows(major, "app.orders", NEW)
    same_rows(major, '"a.b"."c ""d"', NEW)
    assert psql(17, NEW, "select count(*) from pg_indexes where tablename = 'orders'") == "3"
    assert psql(17, NEW, "insert into app.orders default values returning id, code") == "20001|x; -- $a$"
    assert psql(17, NEW, "select count(*) from pg_largeobject_metadata") == "0"
    drop(NEW)
    path = backup(root, "--table", "app.log_2", major=major, name="partition")
    restore(path, 17, NEW)
    assert psql(17, NEW, TABLES) == "app.log_2", psql(17, NEW, TABLES)
    same_rows(major, "app.log_2", NEW)
    drop(NEW)
    for words, why in (("app.nobody", "there is no table app.nobody"), ("app.shown", "needs TABLE app.orders")):
        _, err = run("backup", "create", "--from", at(major, SOURCE), "--from-password-file", PASSWORD_FILE,
                     "--root", root, "--name", "none", "--table", words, code=1)
        assert why in err, err
    assert not [f for f in os.listdir(root) if f.startswith("none")], os.listdir(root)


with source(13, 17, more=[(17, NEW), (17, LIVE)]) as root:
    for source_major in (13, 17):
        bundle = backup(root, major=source_major)
        new_database(bundle, source_major)
        live_database(bundle, source_major)
        refused(bundle)
        of_a_part(root, source_major)
        restore(bundle, 17, NEW)
        names_left_behind(bundle)
        compare(source_major, SOURCE, 17, NEW)
        drop(NEW)
        print(f"parts of a bundle of {source_major}: as chosen")
    run("restore", bundle, "--to", "host=127.0.0.1,port=1,user=x,db=y", "--all", code=2)
