"""A downgrade as an operator does it (cases B6, E10): `pgsherpa run local-upgrade --plain`.

What cannot go down is named, with what to do about it, before anything is stopped: first what the
catalogs tell, then what only the older server knows, of functions it cannot read. Nothing is left
there. When the rest is gone the run asks whether the faithful rewrites are wanted, moves the
database, and the proof is equal, the deep one too.
"""
import json
import os
import subprocess
import sys

from lab import need_majors, own_servers, sh
from move import Move, pgsherpa

# Per pair of majors: what is rewritten, what the catalogs refuse, what the older server cannot read.
CASES = {
    (18, 15): {
        "rewritten": """create table extra.priced (net numeric not null, tax numeric,
            gross numeric generated always as (net + coalesce(tax, 0)) virtual, constraint paid check (net > 0));
            insert into extra.priced select g, g / 10.0 from generate_series(1, 500) g;
            grant select, maintain on extra.priced to "%s"; alter database "%s" set transaction_timeout = '1h'""",
        "asked": ["column gross of table extra.priced: virtual generated column (of 18): becomes a stored one",
                  "table extra.priced: privilege MAINTAIN"],
        "refused": """create extension btree_gist;
            create table extra.rooms (room int, at daterange, primary key (room, at without overlaps));
            create table extra.loose (a int constraint loosely check (a > 0) not enforced)""",
        "named": ["constraint rooms_pkey on table extra.rooms: key WITHOUT OVERLAPS or PERIOD (of 18): there an EXCLUDE constraint",
                  "constraint loosely on table extra.loose: constraint NOT ENFORCED (of 18): drop it first"],
        "repaired": "drop table extra.rooms, extra.loose",
        "unread": """create function extra.parts(j jsonb) returns setof int language plpgsql as
            $$begin return query select n from json_table(j, '$[*]' columns (n int path '$')); end$$""",
        "says": ["function extra.parts(jsonb): SQL/JSON query (of 17): use the jsonb_path_ functions first",
                 "function extra.parts(jsonb): syntax error"],
        "there": "select attgenerated::text from pg_attribute where attrelid = 'extra.priced'::regclass and attname = 'gross'",
        "is": "s"},
    (17, 13): {
        "rewritten": """create table extra.priced (net numeric, note text compression pglz);
            insert into extra.priced select g, repeat('n', g) from generate_series(1, 500) g;
            grant select, maintain on extra.priced to "%s"; alter database "%s" set transaction_timeout = '1h'""",
        "asked": ["column note of table extra.priced: method of compression of a column (of 14): left out",
                  "table extra.priced: privilege MAINTAIN"],
        "refused": """create table extra.seats (a int, b int, constraint once unique nulls not distinct (a, b));
            create view extra.mine with (security_invoker = on) as select * from extra.seats""",
        "named": ["index extra.once: NULLS NOT DISTINCT (of 15): there NULLs would be distinct",
                  "view extra.mine: view with security_invoker (of 15)",
                  "materialized view billing.yearly: EXTRACT, which gives numeric since 14"],
        "repaired": """drop table extra.seats cascade; drop materialized view billing.yearly; create materialized view billing.yearly as
            select date_part('year', sent)::int as year, sum(total) as cents from billing.invoices group by 1""",
        "unread": """create function extra.parts() returns void language plpgsql as $$begin
            merge into extra.priced using (values (1)) v (x) on net = x when not matched then insert values (x); end$$""",
        "says": ["function extra.parts(): MERGE (of 15): write INSERT .. ON CONFLICT",
                 'function extra.parts(): "extra.priced" is not a known variable'],
        "there": "select sum(net)::text || ' ' || sum(length(note)) from extra.priced", "is": "125250 125250"},
}


class Down(Move):
    def __enter__(self):
        super().__enter__()
        self.role = f"{self.db}_reader"
        return self

    def __exit__(self, *exc):
        super().__exit__(*exc)
        if not os.environ.get("KEEP"):
            for major in (self.old, self.new):
                self.psql(major, "postgres", "-c", f'drop role if exists "{self.role}"')
        return False

    def sql(self, text):
        self.psql(self.old, self.db, "-1", "-c", text)

    def run(self, *answers):
        """In plain words, as in a pipe; answers are the lines a person would type."""
        r = subprocess.run(self.argv("--plain", "--yes", "--answer", "writers=none, it is a test"),
                           input="".join(a + "\n" for a in answers), text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, env={**os.environ, **self.environment()},
                           timeout=240, check=False)
        return r.returncode, r.stdout

    def journal(self):
        runs = os.path.join(self.state, "runs")
        last = max(os.listdir(runs), key=lambda name: int(name[1:]) if name[1:].isdigit() else 0)
        with open(os.path.join(runs, last, "journal.jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def there(self):
        """What the new server has: databases, and roles."""
        return self.psql(self.new, "postgres", "-c", "select datname from pg_database where datname ~ "
                         f"'^pgsherpa_p|^{self.db}' union all select rolname from pg_roles "
                         f"where rolname ~ '^{self.db}'").split()

    def compare(self):
        at = "host=127.0.0.1,port=%s,user=postgres,db=" + self.db
        port = [os.environ[f"PGSHERPA_LAB_{m}_PORT"] for m in (self.old, self.new)]
        return sh(pgsherpa(), "compare", "--deep", "--quiet", "--from", at % port[0],
                  "--from-password-file", self.password, "--to", at % port[1],
                  "--to-password-file", self.password)


def stopped_before_anything(m, step, words, *answers):
    before = m.there()
    code, out = m.run(*answers, "a")
    assert code == 1, f"exit {code}\n{out}"
    for w in words:
        assert w in out, f"{w!r} is not said in\n{out}"
    events = m.journal()
    assert [e["step"] for e in events if e["ev"] == "step.failed"] == [step], out
    for never in ("fence.open", "downtime.begin"):
        assert not [e for e in events if e["ev"] == never], f"{never} in\n{out}"
    assert m.there() == before, f"left on {m.new}: {m.there()}"


def main():
    old, new = int(sys.argv[1]), int(sys.argv[2])
    need_majors(old, new)
    case = CASES[old, new]
    with own_servers(old, new), Down(old, new) as m:
        m.psql(old, "postgres", "-c", f'create role "{m.role}"')
        m.sql("create schema extra; " + case["rewritten"] % (m.role, m.db))
        m.sql(case["refused"])
        m.sql(case["unread"])
        stopped_before_anything(m, "direction", case["named"] + ["these objects cannot go to that server"])
        print("what the catalogs tell stops the run, by name", flush=True)
        m.sql(case["repaired"])
        stopped_before_anything(m, "rehearse", case["asked"] + case["says"], "1")
        print("what the older server cannot read stops the run, by name", flush=True)
        m.sql("drop function extra.parts")
        code, out = m.run("1", "all")
        assert code == 0, f"exit {code}\n{out}"
        for w in case["asked"]:
            assert w in out, f"{w!r} is not asked about in\n{out}"
        assert m.psql(new, m.db, "-c", case["there"]).strip() == case["is"]
        print(m.compare().splitlines()[-1], flush=True)
        m.sql("update extra.priced set net = net + 1 where net = 77")
        try:
            m.compare()
        except AssertionError as e:
            assert "extra.priced" in str(e), e
        else:
            raise AssertionError("the proof does not see one row")


main()
