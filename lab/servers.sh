#!/bin/bash
# servers.sh: the standing server of each major, for the integration tests.
#
#       lab/servers.sh up 13 17         PostgreSQL N on 127.0.0.1:540NN, user postgres
#       lab/servers.sh programs 13 17   only the client programs in bin/N
#       lab/servers.sh down
#       lab/servers.sh env              shell variables that say where everything is
#       lab/servers.sh clean            drop what dead tests and killed loads left behind
#
# Their data is thrown away with the lab. A test makes databases and roles with
# names of its own (test_<pid>_...) and drops them.
. "$(dirname "$0")/common.sh"

server_dir() { echo "$PGSHERPA_LAB/servers/$1"; }

# Programs of every major as if they were installed: bin/17/pg_dump and so on.
programs_write() {
        local major=$1 dir=$PGSHERPA_LAB/bin/$1 program
        rm -rf "$dir.new"
        mkdir -p "$dir.new"
        install -m 0755 "$LAB_HOME/in-root" "$PGSHERPA_LAB/bin/in-root"
        for program in "$(root_of "$major")/usr/lib/postgresql/$major/bin/"*; do
                program=${program##*/}
                printf '#!/bin/sh\nexec %q %q %q "$@"\n' "$PGSHERPA_LAB/bin/in-root" \
                        "$(root_of "$major")" "/usr/lib/postgresql/$major/bin/$program" \
                        >"$dir.new/$program"
                chmod 0755 "$dir.new/$program"
        done
        rm -rf "$dir"
        mv -T "$dir.new" "$dir"
}

servers_up() {
        local major
        for major in "$@"; do
                with_lock "server-$major" programs_write "$major"
                with_lock "server-$major" "$LAB_HOME/cluster.sh" start "$major" \
                        "$(server_dir "$major")" "$(port_of "$major")" >/dev/null
        done
}

servers_down() {
        local dir
        for dir in "$PGSHERPA_LAB"/servers/*/; do
                [ ! -d "$dir/data" ] || "$LAB_HOME/cluster.sh" stop "$dir"
        done
}

server_is_up() { data_is_served "$(server_dir "$1")/data"; }

servers_env() {
        local major with up=
        echo "export PGSHERPA_LAB=$PGSHERPA_LAB"
        echo "export PGSHERPA_LAB_HOST=127.0.0.1"
        echo "export PGSHERPA_LAB_USER=postgres"
        echo "export PGSHERPA_LAB_PASSWORD_FILE=$LAB_PASSWORD_FILE"
        for major in $ALL_MAJORS; do
                [ ! -d "$PGSHERPA_LAB/bin/$major" ] ||
                        echo "export PGSHERPA_PG_BIN_$major=$PGSHERPA_LAB/bin/$major"
                server_is_up "$major" || continue
                up="$up${up:+ }$major"
                echo "export PGSHERPA_LAB_${major}_PORT=$(port_of "$major")"
                echo "export PGSHERPA_LAB_${major}_SOCKET=$(server_dir "$major")/sock"
        done
        echo "export PGSHERPA_LAB_MAJORS='$up'"
        with=$(cd "$PGSHERPA_LAB/roots" 2>/dev/null && echo *-extensions)
        [ "$with" = '*-extensions' ] || echo "export PGSHERPA_LAB_EXTENSIONS='${with//-extensions/}'"
        ! "$LAB_HOME/engine.sh" status 2>/dev/null || echo "export PGSHERPA_LAB_DOCKER=1"
}

# A test names what it makes test_<pid>_..., and a verb what it loads pgsherpa_cli<pid>_...; while
# that process lives it is left alone.
abandoned() {
        local name pid
        while read -r name; do
                pid=${name#pgsherpa_}
                pid=${pid#cli}
                pid=${pid#test_}
                pid=${pid%%_*}
                case $pid in
                '' | *[!0-9]*) echo "$name" ;;
                *) [ -d "/proc/$pid" ] || echo "$name" ;;
                esac
        done
}

# A database with a subscription cannot be dropped; one without a slot needs nobody else to go.
unsubscribe() {
        local words
        words=$(query -d "$1" -c "select format('alter subscription %1\$I disable; alter subscription %1\$I set (slot_name = none); drop subscription %1\$I', subname) from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database()")
        [ -z "$words" ] || query -d "$1" -c "$words"
}

servers_clean() {
        local major name
        for major in $ALL_MAJORS; do
                server_is_up "$major" || continue
                query() { PGPASSWORD=$(<"$LAB_PASSWORD_FILE") "$PGSHERPA_LAB/bin/$major/psql" -XAtqw \
                        -h 127.0.0.1 -p "$(port_of "$major")" -U postgres -d postgres -v ON_ERROR_STOP=1 "$@" </dev/null; }
                for name in $(query -c "select datname from pg_database where datname ~ '^(pgsherpa_)?(test_|cli)[a-z0-9_]*$'" | abandoned); do
                        unsubscribe "$name" || true
                        query -c "drop database \"$name\" with (force)" || true
                done
                for name in $(query -c "select rolname from pg_roles where rolname ~ '^test_[a-z0-9_]*$'" | abandoned); do
                        query -c "drop role \"$name\"" || true
                done
        done
}

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
up) lab_dir_make; servers_up "$@" ;;
programs) lab_dir_make; for major; do with_lock "server-$major" programs_write "$major"; done ;;
down) servers_down ;;
env) servers_env ;;
clean) servers_clean ;;
*) die "usage: servers.sh up N...|down|env|clean" ;;
esac
