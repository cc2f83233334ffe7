#!/bin/bash
# The host servers: each is its major, wants its password, and its clients work.
. "$(dirname "$0")/tap.sh"

[ -n "${PGSHERPA_LAB_MAJORS:-}" ] || skip_all "no lab: run ./dev lab up as root, and eval \"\$(./dev lab env)\""

query() {
        local major=$1 bin=PGSHERPA_PG_BIN_$1 port=PGSHERPA_LAB_$1_PORT
        shift
        "${!bin}/psql" -XAtqw -p "${!port}" -U postgres -d postgres "$@"
}

password=$(<"$PGSHERPA_LAB_PASSWORD_FILE")
for major in $PGSHERPA_LAB_MAJORS; do
        socket=PGSHERPA_LAB_${major}_SOCKET port=PGSHERPA_LAB_${major}_PORT bin=PGSHERPA_PG_BIN_$major
        is "$major answers by TCP as PostgreSQL $major" \
                "$(PGPASSWORD=$password query "$major" -h 127.0.0.1 -c 'show server_version_num' | cut -c1-2)" "$major"
        is "$major answers by its socket" \
                "$(PGPASSWORD=$password query "$major" -h "${!socket}" -c 'select 1')" 1
        ok "$major refuses a wrong password" \
                bash -c '! PGPASSWORD=wrong "$@"' - "${!bin}/psql" -XAtqw -h 127.0.0.1 -p "${!port}" -U postgres -c 'select 1'
        ok "$major's pg_dumpall finds its pg_dump" \
                env PGPASSWORD="$password" "${!bin}/pg_dumpall" -w -h 127.0.0.1 -p "${!port}" -U postgres --globals-only
        ok "$major's pg_dump writes where the host says" \
                env PGPASSWORD="$password" "${!bin}/pg_dump" -w -h 127.0.0.1 -p "${!port}" -U postgres -Fc -f "$work/$major.dump" postgres
        ok "that file is there" [ -s "$work/$major.dump" ]
        ok "$major has contrib" [ "$(PGPASSWORD=$password query "$major" -h 127.0.0.1 -c \
                "select count(*) from pg_available_extensions where name in ('btree_gist', 'citext', 'hstore', 'ltree', 'pg_stat_statements', 'pg_trgm', 'unaccent')")" = 7 ]
done

is "the password is nobody else's" "$(stat -c %a "$PGSHERPA_LAB_PASSWORD_FILE")" 600

# A server more, with a superuser of another name, stopped and found again.
last=${PGSHERPA_LAB_MAJORS##* } bin=PGSHERPA_PG_BIN_${PGSHERPA_LAB_MAJORS##* }
chmod 0711 "$work"
port=$(lab/cluster.sh start "$last" "$work/extra" auto --user boss --set work_mem=7MB)
is "an extra server takes settings and a superuser's name" \
        "$(PGPASSWORD=$password "${!bin}/psql" -XAtqw -h 127.0.0.1 -p "$port" -U boss -d postgres -c 'show work_mem')" 7MB
ok "it stops" lab/cluster.sh stop "$work/extra"
claims=$PGSHERPA_LAB/locks/ports
is "its port stays its own meanwhile" "$(cat "$claims/$port")" "$(realpath "$work/extra")"
echo "$work/gone" >"$claims/54998"      # of a killed test
first=$port
ok "its data is still there" [ -s "$work/extra/data/PG_VERSION" ]
port=$(lab/cluster.sh start "$last" "$work/extra" auto --user boss)
is "it starts again on that data" \
        "$(PGPASSWORD=$password "${!bin}/psql" -XAtqw -h 127.0.0.1 -p "$port" -U boss -d postgres -c 'select current_user')" boss
is "on the same port" "$port" "$first"
lab/cluster.sh start "$last" "$work/third" auto >/dev/null
ok "another start forgets the claim of one that is gone" [ ! -e "$claims/54998" ]
lab/cluster.sh destroy "$work/third"
ok "destroy leaves nothing" bash -c 'lab/cluster.sh destroy "$1" && [ ! -e "$1" ]' - "$work/extra"
ok "not even its port" [ ! -e "$claims/$port" ]
is "no mount of a root is left on the host" "$(grep -c "$PGSHERPA_LAB/roots" /proc/self/mounts)" 0
done_testing
