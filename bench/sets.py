"""sets.py: the data that is moved, made by rule and not by chance: the same bytes every time."""
import hashlib
import subprocess

import kit


class Set:
    """One database of the source: SQL steps, or pgbench's own. A changed recipe is built anew."""

    def __init__(self, name, sql, pgbench=None, tiny=False, **numbers):
        self.name, self.sql, self.pgbench, self.tiny = name, sql, pgbench, tiny
        for key, value in numbers.items():
            self.sql = self.sql.replace(f"@{key}@", str(value))

    def digest(self):
        return hashlib.sha256(repr((self.sql, self.pgbench)).encode()).hexdigest()[:16]

    def build(self, server):
        if self.pgbench:
            subprocess.run(kit.tool(server.major, "pgbench") + ["-q", "-i", "-s", str(self.pgbench),
                                                                 "--foreign-keys", self.name],
                           env=server.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        server.psql(self.name, "set synchronous_commit = off;" + self.sql)


SYLLABLES = """create function say(n bigint, words int) returns text language sql immutable as $$
  select string_agg((array['lo','rem','ip','sum','dol','or','sit','am','et','con','sec','te','tur','adi','pis','cing',
    'el','it','sed','do','ei','us','mod','tem','por','in','ci','di','dunt','ut','la','bo'])[1 + (h & 31)] ||
    (array['na','ke','mo','ri','su','ta','ve','xo','ba','ce','di','fu','ga','he','ji','ko'])[1 + ((h >> 8) & 15)] ||
    (array['n','r','s','t','l','x','m','k'])[1 + ((h >> 16) & 7)], ' ')
  from (select hashint8(n * 31 + w) as h from generate_series(1, words) w) x $$;
"""

# Two big tables of an application: articles to be searched, and what happened to them.
COPY = SYLLABLES + """
create extension pg_trgm;
create table article (id bigint not null, author int not null, at timestamptz not null, key uuid not null,
  title text not null, body jsonb not null, price numeric(12,2));
insert into article select g, hashint8(g) & 16383, timestamptz '2020-01-01 00:00Z' + g * interval '97 seconds',
  md5(g::text)::uuid, say(g, 7), jsonb_build_object('lang', (array['de','en','fr','it'])[1 + (g & 3)], 'tags',
  jsonb_build_array(say(g % 4001, 1), say(g % 977, 1)), 'words', hashint8(g * 7) & 4095, 'summary', say(g * 3, 24)),
  ((hashint8(g * 11) & 1048575) / 100.0)::numeric(12,2) from generate_series(1::bigint, @articles@) g;
create table event (id bigint not null, article bigint not null, at timestamptz not null, kind text not null,
  payload jsonb not null, amount float8);
insert into event select g, 1 + (abs(hashint8(g)::bigint) % @articles@), timestamptz '2021-01-01 00:00Z' +
  g * interval '11 seconds', (array['view','vote','share','edit','report'])[1 + abs(hashint8(g * 3)) % 5],
  jsonb_build_object('ip', hashint8(g * 5) & 65535,
  'agent', say(g % 211, 2), 'session', md5((g / 20)::text)), (hashint8(g * 13) & 65535) / 7.0
  from generate_series(1::bigint, @events@) g;
alter table article add primary key (id);
create unique index article_key on article (key);
create index article_author on article (author, at);
create index article_title on article using gin (title gin_trgm_ops);
create index article_body on article using gin (body jsonb_path_ops);
alter table event add primary key (id);
create index event_article on event (article);
create index event_at on event (at);
alter table event add foreign key (article) references article;
"""

# A schema, hardly any rows: what counts is the price of an object.
TABLES = """
create function make(t int) returns void language plpgsql as $$
begin
  execute format('create table s%s.t%s (id int primary key, parent int %s, name text not null, at timestamptz)', t % 10, t,
    case when t >= 10 then format('references s%s.t%s', t % 10, t - 10) else '' end);
  execute format('insert into s%s.t%s select g, g, md5(g::text), timestamptz ''2024-01-01 00:00Z'' + g * interval ''1 hour''
    from generate_series(1, 20) g', t % 10, t);
  execute format('create index on s%s.t%s (name)', t % 10, t);
  execute format('create index on s%s.t%s (parent)', t % 10, t);
end $$;
select format('create schema s%s', s) from generate_series(0, 9) s \\gexec
select format('select make(%s)', t) from generate_series(0, @tables@ - 1) t \\gexec
"""

LARGE_OBJECTS = """
select format('select count(lo_from_bytea(0, decode(repeat(md5(g::text), 16), ''hex''))) from generate_series(%s, %s) g',
  n * 10000 + 1, least((n + 1) * 10000, @objects@)) from generate_series(0, (@objects@ - 1) / 10000) n \\gexec
"""

# Rows and nothing else: no index, so that the time is that of the copy phase.
ROWS = """
create table base (id bigint, key uuid, at timestamptz, amount numeric(12,2), size float8, name text, body jsonb);
insert into base select g, md5(g::text)::uuid, timestamptz '2020-01-01 00:00Z' + g * interval '97 seconds',
  ((hashint8(g) & 1048575) / 100.0)::numeric(12,2), g / 7.0, md5((g * 7)::text) || md5((g * 9)::text),
  jsonb_build_object('a', g, 'b', md5((g * 3)::text), 'c', g % 97) from generate_series(1::bigint, 105000) g;
create table one (like base);
create table two (like base);
insert into one select id + 105000 * n, key, at, amount, size, name, body from base, generate_series(1, @times@) n;
insert into two select id + 105000 * n, key, at, amount, size, name, body from base, generate_series(1, @times@) n;
drop table base;
"""

WIDE = """
create table wide (id int primary key, value text not null);
alter table wide alter value set storage external;
insert into wide select r, (select string_agg(md5((r * 100000 + g)::text), '') from generate_series(1, 32768) g)
  from generate_series(1, @rows@) r;
"""

SETS = {s.name: s for s in (
    Set("copy", COPY, articles=1_200_000, events=4_000_000),
    Set("small", COPY, tiny=True, articles=4_000, events=12_000),
    Set("pgbench60", "", pgbench=60),
    Set("tables5000", TABLES, tables=5000),
    Set("tables100", TABLES, tiny=True, tables=100),
    Set("lo200k", LARGE_OBJECTS, objects=200_000),
    Set("lo2k", LARGE_OBJECTS, tiny=True, objects=2_000),
    Set("rows200", ROWS, times=4),
    Set("rows800", ROWS, times=16),
    Set("rows3200", ROWS, times=64),
    Set("wide1g", WIDE, rows=1000),
)}
