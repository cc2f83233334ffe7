#!/bin/bash
# cluster.sh: one PostgreSQL server of any major of the lab, in any directory.
#
#       lab/cluster.sh start 17 /tmp/x/new auto                 prints the port
#       lab/cluster.sh start 13 /tmp/x/old 54999 --user owner --password-file F \
#               --set wal_level=replica --extensions
#       lab/cluster.sh stop /tmp/x/new          the data stays; start finds it again
#       lab/cluster.sh destroy /tmp/x/new       stop, and remove what start made
#
# With --extensions (17, 18) its programs are those of the root that has Debian's extensions; what is
# to be preloaded is said by --set. In the directory: data/, sock/ (the unix socket), log, and one-line
# files port, major, root and user. Logins want a password (scram-sha-256) by socket and
# by 127.0.0.1. Durability is off unless --durable: these servers are for tests.
# The root of that major must be there (lab/roots.sh N); needs root.
. "$(dirname "$0")/common.sh"

usage() { sed -n '4,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# A program of the cluster's major, as the user postgres; from the root that the cluster was made in.
pg() {
        local major=$1 program=$2 root
        shift 2
        root=$(cat "$dir/root" 2>/dev/null) || root=$major
        (cd / && exec "$LAB_HOME/in-root" "$(root_of "$root")" \
                setpriv --reuid=postgres --regid=postgres --init-groups \
                env LC_ALL=C.UTF-8 "/usr/lib/postgresql/$major/bin/$program" "$@")
}

postgres_user_make() {
        id postgres >/dev/null 2>&1 && return
        groupadd --system postgres 2>/dev/null || true
        useradd --system --gid postgres --home-dir /var/lib/postgresql --no-create-home \
                --shell /bin/bash postgres
}

# The one it had, while nobody else took it; its own until destroy.
port_find() {
        local dir=$1 had
        had=$(cat "$dir/port" 2>/dev/null) || had=
        if [ -n "$had" ] && [ "$(cat "$PORT_CLAIMS/$had" 2>/dev/null)" = "$dir" ] && port_is_free "$had"; then
                echo "$had"
                return
        fi
        ports_release "$dir"
        # Below the ports that connections out of this machine are given: one of those may be taken
        # between the choice and the start.
        ports_claim "$dir" 1 30000 2700
}

cluster_init() {
        local major=$1 dir=$2 user=$3 password_file=$4 pw=$2/.password
        install -m 0600 -o postgres -g postgres "$password_file" "$pw"
        pg "$major" initdb -D "$dir/data.partial" -U "$user" --pwfile="$pw" --locale=C.UTF-8 \
                --encoding=UTF8 --auth=scram-sha-256 --no-sync >"$dir/initdb.log" 2>&1 || {
                rm -f "$pw"
                cat "$dir/initdb.log" >&2
                die "initdb of PostgreSQL $major in $dir failed"
        }
        rm -f "$pw"
        mv "$dir/data.partial" "$dir/data"
}

# The settings of every start, from scratch: what an earlier start set is not kept.
cluster_configure() {
        local dir=$1 port=$2 durable=$3 conf=$1/data/lab.conf setting
        shift 3
        grep -q "lab.conf" "$dir/data/postgresql.conf" ||
                echo "include 'lab.conf'" >>"$dir/data/postgresql.conf"
        {
                echo "port = $port"
                echo "listen_addresses = '127.0.0.1'"
                echo "unix_socket_directories = '$dir/sock'"
                echo "wal_level = logical"
                echo "max_prepared_transactions = 10"
                echo "log_min_messages = warning"
                echo "log_line_prefix = '%m [%p] %q%u@%d %a '"
                if [ "$durable" = no ]; then
                        echo "fsync = off"
                        echo "full_page_writes = off"
                        echo "synchronous_commit = off"
                fi
                for setting in "$@"; do
                        echo "${setting%%=*} = '${setting#*=}'"
                done
        } >"$conf"
        chown postgres:postgres "$conf"
}

cluster_start() {
        [ $# -ge 3 ] || usage
        local major=$1 dir=$2 port=$3 user=postgres password_file=$LAB_PASSWORD_FILE durable=no extensions= root
        local sets=()
        shift 3
        while [ $# -gt 0 ]; do
                case $1 in
                --user) user=$2; shift 2 ;;
                --password-file) password_file=$2; shift 2 ;;
                --set) sets+=("$2"); shift 2 ;;
                --durable) durable=yes; shift ;;
                --extensions) extensions=-extensions; shift ;;
                *) usage ;;
                esac
        done
        need_root "starting a server"
        dir=$(realpath -m "$dir")
        [ "$(printf '%s' "$dir/sock/.s.PGSQL.54013" | wc -c)" -le 107 ] ||
                die "$dir is too long a path for a unix socket"
        root=$(cat "$dir/root" 2>/dev/null) || root=$major$extensions
        [ -x "$(root_of "$root")/usr/lib/postgresql/$major/bin/postgres" ] ||
                die "PostgreSQL $root is not there: run './dev lab up'"
        postgres_user_make
        mkdir -p "$dir/sock"
        echo "$root" >"$dir/root"
        rm -rf "$dir/data.partial"
        chown postgres:postgres "$dir" "$dir/sock"
        setpriv --reuid=postgres --regid=postgres --init-groups test -x "$dir" ||
                die "the user postgres cannot get into $dir: a directory above it is closed"
        [ -d "$dir/data" ] || cluster_init "$major" "$dir" "$user" "$password_file"
        if data_is_served "$dir/data"; then
                cat "$dir/port"
                return
        fi
        rm -f "$dir/data/postmaster.pid"
        [ "$port" != auto ] || port=$(port_find "$dir")
        cluster_configure "$dir" "$port" "$durable" "${sets[@]}"
        # Descriptors of whoever calls (a lock, a pipe) must not live on in the server.
        if ! pg "$major" pg_ctl start -w -t 60 -s -D "$dir/data" -l "$dir/log" \
                </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; then
                tail -20 "$dir/log" >&2
                die "PostgreSQL $major in $dir does not start on port $port"
        fi
        echo "$major" >"$dir/major"
        echo "$user" >"$dir/user"
        echo "$port" | tee "$dir/port"
}

cluster_stop() {
        [ $# -ge 1 ] || usage
        local dir mode=${2:-fast} major
        dir=$(realpath -m "$1")
        major=$(cat "$dir/data/PG_VERSION" 2>/dev/null) || return 0
        data_is_served "$dir/data" || return 0
        pg "$major" pg_ctl stop -w -t 60 -s -m "$mode" -D "$dir/data"
}

# Removes only what start makes, by name: a mistyped directory keeps its files.
cluster_destroy() {
        [ $# -ge 1 ] || usage
        local dir
        dir=$(realpath -m "$1")
        [ -d "$dir" ] || return 0
        cluster_stop "$dir" immediate
        ports_release "$dir"
        rm -rf --one-file-system "$dir/data" "$dir/data.partial" "$dir/sock"
        rm -f "$dir/log" "$dir/initdb.log" "$dir/port" "$dir/major" "$dir/root" "$dir/user" "$dir/.password"
        rmdir "$dir" 2>/dev/null || true
}

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
start) cluster_start "$@" ;;
stop) cluster_stop "$@" ;;
destroy) cluster_destroy "$@" ;;
*) usage ;;
esac
